package token

// Remembered returns how many tokens the cache of v holds.
func (v *Verifier) Remembered() int { return v.cache.len() }

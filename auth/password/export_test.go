package password

// WithDerive returns a copy of h that derives Argon2id keys by f, and has a gate
// of its own.
func (h *Hasher) WithDerive(f func(password, salt []byte, time, memory uint32, threads uint8, keyLen uint32) []byte) *Hasher {
	other := *h
	other.derive = f
	other.gate = newGate(h.gate.size, h.gate.maxWaiting)
	return &other
}

// Free returns how many turns are free, and how many there are.
func (h *Hasher) Free() (free, size int) {
	h.gate.mu.Lock()
	defer h.gate.mu.Unlock()
	return h.gate.free, h.gate.size
}

// Reparse returns an Argon2 hash as it is written again.
func Reparse(hash string) (again string, isArgon2 bool, err error) {
	s, err := parse(hash)
	if a, ok := s.(*argon2Hash); ok {
		return a.String(), true, err
	}
	return "", false, err
}

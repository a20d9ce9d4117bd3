package apikey

// For the tests: what the parser makes of a text.

func Parse(prefix, text string) (string, bool) { return parse(prefix, text) }

func NewText(prefix string) (text, id string) { return newText(prefix) }

func Checksum(text string) string { return checksum(text) }

// WithPrefix returns keys without a database: whatever asks it panics.
func WithPrefix(prefix string) *Keys { return &Keys{cfg: Config{Prefix: prefix}} }

package password

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// ErrHash is in the chain of the error for a stored hash that cannot be read, or
// whose parameters ask for more work than one log-in is worth.
var ErrHash = errors.New("password: not a hash that can be verified")

// stored is a hash as it was stored.
type stored interface {
	// verify reports whether it was made of text.
	verify(h *Hasher, text string) (bool, error)
	// outdated reports whether h would make a stronger one.
	outdated(h *Hasher) bool
	// memoryKiB returns the memory that verify takes.
	memoryKiB() uint32
}

// The most that a stored hash may ask for: about a second of one processor.
const (
	maxHashLength = 512
	maxMemory     = 256 << 10 // KiB
	maxWork       = 1 << 20   // KiB that are passed over, all passes together
	maxLanes      = 16
	maxBcryptCost = 15
	maxIterations = 3_000_000
)

// parse reads a stored hash. Its errors never repeat the hash.
func parse(hash string) (stored, error) {
	if len(hash) > maxHashLength {
		return nil, malformed("longer than %d bytes", maxHashLength)
	}
	if rest, ok := strings.CutPrefix(hash, "pbkdf2_sha256$"); ok {
		return parseDjango(rest)
	}
	if !strings.HasPrefix(hash, "$") {
		return nil, malformed("no scheme that is known")
	}
	fields := strings.Split(hash[1:], "$")
	switch fields[0] {
	case "argon2id", "argon2i":
		return parseArgon2(fields)
	case "2a", "2b", "2y":
		return parseBcrypt(hash, fields)
	case "scrypt":
		return parseScrypt(fields)
	case "pbkdf2-sha256", "pbkdf2-sha512":
		return parsePBKDF2(fields)
	default:
		return nil, malformed("no scheme that is known")
	}
}

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrHash}, args...)...)
}

// parseArgon2 reads argon2id, v=19, m=…,t=…,p=…[,keyid=…], salt, key.
func parseArgon2(fields []string) (stored, error) {
	if len(fields) != 5 {
		return nil, malformed("%s has five parts", fields[0])
	}
	if fields[1] != "v=19" {
		return nil, malformed("%s of a version other than 19", fields[0])
	}
	params, keyid, peppered := strings.Cut(fields[2], ",keyid=")
	numbers, err := parameters(params, "m", "t", "p")
	if err != nil {
		return nil, err
	}
	a := &argon2Hash{variant: fields[0], memory: numbers[0], time: numbers[1], lanes: uint8(min(numbers[2], 255))}
	if err := affordable(a.memory, a.time, a.lanes); err != nil {
		return nil, malformed("%w", err)
	}
	if a.salt, err = decode(base64.RawStdEncoding, fields[3], 8, 64); err != nil {
		return nil, err
	}
	if a.key, err = decode(base64.RawStdEncoding, fields[4], 16, 64); err != nil {
		return nil, err
	}
	if peppered {
		id, err := decode(base64.RawStdEncoding, keyid, 1, 8)
		if err != nil || !isPepperID(string(id)) {
			return nil, malformed("its keyid names no pepper")
		}
		a.pepper = string(id)
	}
	return a, nil
}

// affordable refuses Argon2 parameters that RFC 9106 section 3.1 does not know
// and those that would stop the server.
func affordable(memory, time uint32, lanes uint8) error {
	switch {
	case lanes == 0 || lanes > maxLanes:
		return fmt.Errorf("parallelism is not 1 to %d", maxLanes)
	case memory < 8*uint32(lanes) || memory > maxMemory:
		return fmt.Errorf("memory is not 8 KiB for each lane to %d KiB", maxMemory)
	case time == 0 || uint64(time)*uint64(memory) > maxWork:
		return fmt.Errorf("time is 0, or time × memory is over %d KiB", maxWork)
	}
	return nil
}

// parameters reads a list such as "m=19456,t=2,p=1": these names, in this order.
func parameters(list string, names ...string) ([]uint32, error) {
	parts := strings.Split(list, ",")
	if len(parts) != len(names) {
		return nil, malformed("its parameters are not %s", strings.Join(names, ", "))
	}
	numbers := make([]uint32, len(names))
	for i, part := range parts {
		name, value, _ := strings.Cut(part, "=")
		n, err := number(value)
		if err != nil || name != names[i] {
			return nil, malformed("its parameters are not %s", strings.Join(names, ", "))
		}
		numbers[i] = n
	}
	return numbers, nil
}

// number reads a decimal number that is written in one way only.
func number(s string) (uint32, error) {
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil || strconv.FormatUint(n, 10) != s {
		return 0, malformed("a parameter is no number")
	}
	return uint32(n), nil
}

// decode reads base64 of so many bytes.
func decode(encoding *base64.Encoding, s string, least, most int) ([]byte, error) {
	raw, err := encoding.Strict().DecodeString(s)
	if err != nil || encoding.EncodedLen(len(raw)) != len(s) { // DecodeString skips line ends.
		return nil, malformed("salt or key is not base64")
	}
	if len(raw) < least || len(raw) > most {
		return nil, malformed("salt or key is not %d to %d bytes", least, most)
	}
	return raw, nil
}

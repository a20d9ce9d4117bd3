package password

import (
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"hash"
	"strings"

	"golang.org/x/crypto/bcrypt"
	"golang.org/x/crypto/scrypt"
)

// bcryptHash is a hash that bcrypt verifies, as it was stored.
type bcryptHash string

const bcryptAlphabet = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// parseBcrypt reads $2b$12$ and 22 characters of salt and 31 of key.
func parseBcrypt(hash string, fields []string) (stored, error) {
	if len(fields) != 3 || len(fields[1]) != 2 || len(fields[2]) != 53 || strings.Trim(fields[2], bcryptAlphabet) != "" {
		return nil, malformed("%s has a cost of two digits, and 53 characters of salt and key", fields[0])
	}
	cost, err := number(strings.TrimPrefix(fields[1], "0"))
	if err != nil || cost < uint32(bcrypt.MinCost) || cost > maxBcryptCost {
		return nil, malformed("the cost of bcrypt is not %d to %d", bcrypt.MinCost, maxBcryptCost)
	}
	return bcryptHash(hash), nil
}

// verify compares as bcrypt does, with the first 72 bytes. It repeats a short
// password behind a NUL byte, so that "abc" and "abc\x00abc" are one to it; no
// program that writes C strings ever hashed the second.
func (b bcryptHash) verify(_ *Hasher, text string) (bool, error) {
	err := bcrypt.CompareHashAndPassword([]byte(b), []byte(text[:min(len(text), 72)]))
	switch {
	case errors.Is(err, bcrypt.ErrMismatchedHashAndPassword):
		return false, nil
	case err != nil:
		return false, malformed("bcrypt: %w", err)
	}
	return !strings.Contains(text, "\x00"), nil
}

func (bcryptHash) outdated(*Hasher) bool { return true }
func (bcryptHash) memoryKiB() uint32     { return 5 }

// scryptHash is a hash of RFC 7914 as passlib writes it.
type scryptHash struct {
	n, r, p   int
	salt, key []byte
}

// parseScrypt reads scrypt, ln=…,r=…,p=…, salt, key.
func parseScrypt(fields []string) (stored, error) {
	if len(fields) != 4 {
		return nil, malformed("scrypt has four parts")
	}
	numbers, err := parameters(fields[1], "ln", "r", "p")
	if err != nil {
		return nil, err
	}
	log, r, p := numbers[0], numbers[1], numbers[2]
	if log < 1 || log > 21 || r < 1 || r > 64 || p < 1 || p > maxLanes {
		return nil, malformed("the parameters of scrypt are out of range")
	}
	s := &scryptHash{n: 1 << log, r: int(r), p: int(p)}
	if memory := uint64(s.n) * uint64(r) / 8; memory > maxMemory || memory*uint64(p) > maxWork { // 128·N·r bytes
		return nil, malformed("scrypt takes over %d KiB, or over %d KiB with p", maxMemory, maxWork)
	}
	if s.salt, err = decode(base64.RawStdEncoding, fields[2], 8, 64); err != nil {
		return nil, err
	}
	if s.key, err = decode(base64.RawStdEncoding, fields[3], 16, 64); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *scryptHash) verify(_ *Hasher, text string) (bool, error) {
	key, err := scrypt.Key([]byte(text), s.salt, s.n, s.r, s.p, len(s.key))
	if err != nil {
		return false, malformed("scrypt: %w", err)
	}
	return subtle.ConstantTimeCompare(key, s.key) == 1 && !endsInNUL(text), nil
}

func (s *scryptHash) outdated(*Hasher) bool { return true }
func (s *scryptHash) memoryKiB() uint32     { return uint32(s.n*s.r/8) + 1 }

// endsInNUL reports whether HMAC, which pads its key with zeros, takes the text
// for a shorter one: "abc" and "abc\x00" are one key to it.
func endsInNUL(text string) bool { return strings.HasSuffix(text, "\x00") }

// pbkdf2Hash is a hash of RFC 8018 section 5.2.
type pbkdf2Hash struct {
	hash       func() hash.Hash
	iterations int
	salt, key  []byte
}

// parsePBKDF2 reads pbkdf2-sha256, iterations, salt, key, as passlib writes them:
// base64 with a dot for the plus.
func parsePBKDF2(fields []string) (stored, error) {
	if len(fields) != 4 {
		return nil, malformed("%s has four parts", fields[0])
	}
	p := &pbkdf2Hash{hash: sha256.New}
	if fields[0] == "pbkdf2-sha512" {
		p.hash = sha512.New
	}
	if strings.Contains(fields[2]+fields[3], "+") {
		return nil, malformed("salt or key is not passlib's base64")
	}
	plus := strings.NewReplacer(".", "+")
	salt, err := decode(base64.RawStdEncoding, plus.Replace(fields[2]), 1, 64)
	if err != nil {
		return nil, err
	}
	return p.with(fields[1], salt, base64.RawStdEncoding, plus.Replace(fields[3]))
}

// parseDjango reads what follows pbkdf2_sha256$: iterations, the salt as text, and
// the key.
func parseDjango(rest string) (stored, error) {
	fields := strings.Split(rest, "$")
	if len(fields) != 3 {
		return nil, malformed("pbkdf2_sha256 has four parts")
	}
	if n := len(fields[1]); n < 1 || n > 128 {
		return nil, malformed("the salt is not 1 to 128 bytes")
	}
	p := &pbkdf2Hash{hash: sha256.New}
	return p.with(fields[0], []byte(fields[1]), base64.StdEncoding, fields[2])
}

func (p *pbkdf2Hash) with(iterations string, salt []byte, encoding *base64.Encoding, key string) (stored, error) {
	n, err := number(iterations)
	if err != nil || n < 1 || n > maxIterations {
		return nil, malformed("the iterations of PBKDF2 are not 1 to %d", maxIterations)
	}
	size := p.hash().Size() // Each further block would cost all iterations again.
	if p.key, err = decode(encoding, key, size, size); err != nil {
		return nil, err
	}
	p.iterations, p.salt = int(n), salt
	return p, nil
}

func (p *pbkdf2Hash) verify(_ *Hasher, text string) (bool, error) {
	key, err := pbkdf2.Key(p.hash, text, p.salt, p.iterations, len(p.key))
	if err != nil {
		return false, malformed("PBKDF2: %w", err)
	}
	return subtle.ConstantTimeCompare(key, p.key) == 1 && !endsInNUL(text), nil
}

func (p *pbkdf2Hash) outdated(*Hasher) bool { return true }
func (p *pbkdf2Hash) memoryKiB() uint32     { return 1 }

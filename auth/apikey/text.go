package apikey

import (
	"crypto/rand"
	"crypto/sha256"
	"hash/crc32"
	"regexp"
	"strings"
)

const (
	alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

	idLength       = 16 // 95 bits
	secretLength   = 43 // 256 bits
	checksumLength = 6  // 62^6 > 2^32
)

// Pattern returns a regular expression that matches keys, for scanners of
// secrets. It has nothing that RE2, PCRE and Java do not have in common.
func (k *Keys) Pattern() string {
	return `\b` + regexp.QuoteMeta(k.cfg.Prefix) + `_[0-9A-Za-z]{16}_[0-9A-Za-z]{49}\b`
}

// newText returns the text of a new key and its id.
func newText(prefix string) (text, id string) {
	id = randomText(idLength)
	text = prefix + "_" + id + "_" + randomText(secretLength)
	return text + checksum(text), id
}

// randomText returns n characters of the alphabet, each as likely as any other.
func randomText(n int) string {
	out := make([]byte, 0, n)
	var random [64]byte
	for len(out) < n {
		rand.Read(random[:]) // Never fails: it ends the process instead.
		for _, b := range random {
			// 248 is 4 times 62. With the 8 values above, some characters would come
			// more often than others.
			if b < 248 && len(out) < n {
				out = append(out, alphabet[b%62])
			}
		}
	}
	return string(out)
}

// checksum returns the CRC-32 (IEEE) of a text in base 62, the highest digit
// first.
func checksum(text string) string {
	var digits [checksumLength]byte
	rest := crc32.ChecksumIEEE([]byte(text))
	for i := len(digits) - 1; i >= 0; i-- {
		digits[i] = alphabet[rest%62]
		rest /= 62
	}
	return string(digits[:])
}

// parse returns the id of a key, and whether the text could be one at all:
// nothing else is worth a query.
func parse(prefix, text string) (id string, ok bool) {
	rest, ok := strings.CutPrefix(text, prefix+"_")
	if !ok || len(rest) != idLength+1+secretLength+checksumLength {
		return "", false
	}
	id, secret := rest[:idLength], rest[idLength+1:]
	if rest[idLength] != '_' || !isID(id) || !isAlphanumeric(secret) {
		return "", false
	}
	end := len(text) - checksumLength
	return id, checksum(text[:end]) == text[end:]
}

// isID reports whether a text could be the id of a key. Ids come out of paths and
// may hold what a database calls an error.
func isID(text string) bool { return len(text) == idLength && isAlphanumeric(text) }

func isAlphanumeric(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return true
}

// digest is the SHA-256 of a key's text. What has 256 random bits needs no salt
// and no slow hash.
type digest [sha256.Size]byte

func digestOf(text string) digest { return sha256.Sum256([]byte(text)) }

package session

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
)

// secretLength is the length of 256 bits in base64.
const secretLength = 43

// digest is the SHA-256 of a secret. What has 256 random bits needs no salt and
// no slow hash: there is no list of likely ones to try. It is looked up as it is:
// how far a lookup gets tells something about a hash that nobody can aim.
type digest [sha256.Size]byte

// isID reports whether a text could be the id of a session, which is what
// crypto/rand.Text returns. Ids come out of paths and tokens, and may hold what a
// database calls an error.
func isID(text string) bool {
	for i := range len(text) {
		if c := text[i]; (c < 'A' || c > 'Z') && (c < '2' || c > '7') {
			return false
		}
	}
	return text != "" && len(text) <= 64
}

// newSecret returns what only its owner gets, and what is stored of it.
func newSecret() (string, digest) {
	var random [32]byte
	rand.Read(random[:]) // Never fails: it ends the process instead.
	text := base64.RawURLEncoding.EncodeToString(random[:])
	hash, _ := digestOf(text)
	return text, hash
}

// digestOf returns the digest of a text, and whether it could be one of ours at
// all: nothing else is worth a query.
func digestOf(text string) (hash digest, ok bool) {
	if len(text) != secretLength {
		return digest{}, false
	}
	for i := range len(text) {
		switch c := text[i]; {
		case 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-', c == '_':
		default:
			return digest{}, false
		}
	}
	var data [secretLength]byte // A conversion of this length would allocate.
	copy(data[:], text)
	return sha256.Sum256(data[:]), true
}

package observe

import (
	"crypto/rand"
	"encoding/hex"
	"sync"
)

const (
	idBytes  = 16
	idsAhead = 32 // 512 bytes are one short call to the kernel
)

// IDs makes request ids. Its zero value is ready to use; it is safe for
// concurrent use and must not be copied.
//
// It reads crypto/rand for many ids at once, since a call to the kernel for each
// would cost more than the rest of the id. Bytes are used once and wiped when
// they are, so that a dump of the memory tells no id that was given out.
type IDs struct {
	pool sync.Pool // of *entropy
}

type entropy struct {
	bytes [idBytes * idsAhead]byte
	next  int
}

// New returns 128 random bits as 32 lower-case hexadecimal digits. Nobody can
// guess an id, but it is no secret: it is shown to the caller and logged.
func (ids *IDs) New() string {
	e, _ := ids.pool.Get().(*entropy)
	if e == nil {
		e = &entropy{next: len(entropy{}.bytes)}
	}
	if e.next == len(e.bytes) {
		_, _ = rand.Read(e.bytes[:]) // It never fails: the program ends instead.
		e.next = 0
	}
	var text [2 * idBytes]byte
	random := e.bytes[e.next : e.next+idBytes]
	hex.Encode(text[:], random)
	clear(random)
	e.next += idBytes
	ids.pool.Put(e)
	return string(text[:])
}

// NewID returns an id like [IDs.New], with a read of crypto/rand of its own. It
// is for a single id; a server keeps an IDs.
func NewID() string {
	var random [idBytes]byte
	_, _ = rand.Read(random[:]) // It never fails: the program ends instead.
	return hex.EncodeToString(random[:])
}

package auditlog

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"time"

	"github.com/fastness/fastness/internal/sqlstore"
	"github.com/fastness/fastness/observe"
)

// Entry is an event as it was stored.
type Entry struct {
	// Seq numbers the events of a log from 1, without a gap.
	Seq int64 `json:"seq"`
	// Time is when it was recorded, to the microsecond, by the clock of the
	// process that did. Clocks differ: what came first is for Seq to say.
	Time time.Time `json:"time"`

	// These are those of [Event], cleaned.
	Name    string `json:"name"`
	Actor   string `json:"actor"`
	Subject string `json:"subject"`
	Address string `json:"address"`
	Request string `json:"request"`
	Refused bool   `json:"refused"`
	// Details is a JSON object in one line, its names in order.
	Details json.RawMessage `json:"details"`

	// Hash is the hash of this event and of all before it.
	Hash Hash `json:"hash"`
}

// Anchor returns what proves later that this event was in the log.
func (e *Entry) Anchor() Anchor { return Anchor{e.Seq, e.Hash} }

// The limits of each field, in bytes.
const (
	maxName    = 64
	maxID      = 256
	maxAddress = 64
)

// newEntry cleans an event. Seq and Hash are given to it when it is written.
func newEntry(e Event, now time.Time) (*Entry, error) {
	if e.Name == "" {
		return nil, errors.New("auditlog: an event without a name")
	}
	return &Entry{
		Time: now.UTC().Truncate(time.Microsecond),
		Name: observe.Printable(e.Name, maxName), Actor: observe.Printable(e.Actor, maxID),
		Subject: observe.Printable(e.Subject, maxID), Address: observe.Printable(e.Address, maxAddress),
		Request: observe.Printable(e.Request, maxID), Refused: e.Refused, Details: encodeDetails(e.Details),
	}, nil
}

// chained returns the hash of e behind previous. Every part has a fixed length or
// says its length first, so no two entries are the same bytes.
func (e *Entry) chained(previous Hash) Hash {
	const version = "fastness audit entry 1\n" // 23 bytes
	buf := make([]byte, 0, 512+len(e.Details))
	buf = append(buf, version...)
	buf = append(buf, previous[:]...)
	buf = binary.BigEndian.AppendUint64(buf, uint64(e.Seq))
	buf = binary.BigEndian.AppendUint64(buf, uint64(sqlstore.Micros(e.Time)))
	refused := byte(0)
	if e.Refused {
		refused = 1
	}
	buf = append(buf, refused)
	for _, text := range [...]string{e.Name, e.Actor, e.Subject, e.Address, e.Request, string(e.Details)} {
		buf = binary.BigEndian.AppendUint64(buf, uint64(len(text)))
		buf = append(buf, text...)
	}
	return sha256.Sum256(buf)
}

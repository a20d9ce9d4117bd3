package keyring

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/fastness/fastness/internal/jws"
)

var (
	// ErrCorrupt says that a stored ring is damaged, or was changed by somebody who
	// does not have the key of the [Sealer]. Restore it from a backup: if it were
	// replaced, all that was signed and encrypted with its keys would be lost.
	ErrCorrupt = errors.New("the stored key ring is damaged")
	// ErrNewer says that a stored ring was written by a program whose form of it
	// this one cannot read.
	ErrNewer = errors.New("the stored key ring is of a newer form than this program knows")
	// ErrRolledBack says that a stored ring is older than one that was read before:
	// somebody restored it while it was in use.
	ErrRolledBack = errors.New("the stored key ring was put back to an older state")
)

const (
	documentFormat = "fastness key ring"
	// documentVersion is the form that this program writes, and the newest that it
	// knows everything of.
	documentVersion = 1
	// documentReader is the form that a program must know to read what this one
	// writes. It stays behind documentVersion as long as what is added can be
	// passed over: members that a program does not know it keeps.
	documentReader = 1
	maxDocument    = 4 << 20
)

// document is a ring as it is stored.
type document struct {
	// Revision counts the times that the ring was saved, Generation those on which
	// a key was revoked.
	Revision   int64    `json:"revision"`
	Generation int64    `json:"generation"`
	Keys       []record `json:"-"`

	newer map[string]json.RawMessage
}

// record is a key as it is stored.
type record struct {
	ID        string    `json:"id"`
	Purpose   string    `json:"purpose"`
	Algorithm Algorithm `json:"alg"`
	Created   time.Time `json:"created"`
	Activates time.Time `json:"activates"`
	Expires   time.Time `json:"expires"`
	Ends      time.Time `json:"ends,omitzero"`
	Began     time.Time `json:"began,omitzero"`
	Revoked   time.Time `json:"revoked,omitzero"`
	Destroyed time.Time `json:"destroyed,omitzero"`
	Condemned time.Time `json:"condemned,omitzero"` // when somebody found that it had ended
	KEK       string    `json:"kek,omitzero"`
	Material  []byte    `json:"material,omitempty"`

	newer map[string]json.RawMessage
}

// clone returns a copy that can be changed.
func (d *document) clone() *document {
	c := *d
	c.Keys = append([]record(nil), d.Keys...)
	return &c
}

// encode seals the ring and writes it.
func (d *document) encode(ctx context.Context, s Sealer) ([]byte, error) {
	keys := make([]json.RawMessage, len(d.Keys))
	for i := range d.Keys {
		data, err := marshalWith(&d.Keys[i], d.Keys[i].newer)
		if err != nil {
			return nil, err
		}
		keys[i] = data
	}
	list, err := json.Marshal(keys)
	if err != nil {
		return nil, err
	}
	members := map[string]json.RawMessage{"keys": list}
	for name, value := range d.newer {
		members[name] = value
	}
	ring, err := marshalWith(d, members)
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256(ring)
	seal, err := s.Seal(ctx, digest[:], []byte(sealContext))
	if err != nil {
		return nil, fmt.Errorf("seal the ring: %w", err)
	}
	// Put together by hand: the seal is over these bytes of the ring.
	return fmt.Appendf(nil, `{"format":%q,"version":%d,"reader":%d,"ring":%s,"seal":%q}`+"\n",
		documentFormat, documentVersion, documentReader, ring, base64.RawURLEncoding.EncodeToString(seal)), nil
}

// sealContext binds a seal to what it is the seal of: what the same Sealer has
// sealed for a key is not a seal of a ring.
const sealContext = "fastness key ring v1 document"

// decode reads what encode wrote. Nothing in it is believed before the seal is.
func decode(ctx context.Context, data []byte, s Sealer) (*document, error) {
	e, err := parseEnvelope(data)
	if err != nil {
		return nil, err
	}
	digest, err := s.Open(ctx, e.seal, []byte(sealContext))
	if err != nil {
		return nil, fmt.Errorf("open the seal of the ring: %w", err)
	}
	if sum := sha256.Sum256(e.ring); !bytes.Equal(digest, sum[:]) {
		return nil, fmt.Errorf("%w: its seal is of another", ErrCorrupt)
	}
	return parseRing(e.ring)
}

type envelope struct {
	ring, seal []byte
}

func parseEnvelope(data []byte) (e envelope, err error) {
	if len(data) > maxDocument {
		return e, fmt.Errorf("%w: longer than %d bytes", ErrCorrupt, maxDocument)
	}
	var format, seal string
	var reader int64
	o := jws.Object{Data: data}
	for o.Next() {
		switch v := o.Value(); string(o.Name()) {
		case "format":
			format, _ = v.Text()
		case "reader":
			reader, _ = v.Integer()
		case "ring":
			e.ring = v
		case "seal":
			seal, _ = v.Text()
		}
	}
	switch {
	case o.Err() != nil:
		return e, fmt.Errorf("%w: not one whole json object", ErrCorrupt)
	case format != documentFormat || reader < 1:
		return e, fmt.Errorf("%w: it does not say that it is a key ring", ErrCorrupt)
	case reader > documentVersion:
		return e, fmt.Errorf("%w: %d, this program reads up to %d", ErrNewer, reader, documentVersion)
	}
	e.seal, err = jws.Decode(seal)
	if err != nil || e.ring == nil || len(e.seal) == 0 {
		return e, fmt.Errorf("%w: it has no ring or no seal", ErrCorrupt)
	}
	return e, nil
}

func parseRing(ring []byte) (*document, error) {
	d := new(document)
	members, err := unmarshalWith(ring, d)
	if err != nil {
		return nil, fmt.Errorf("%w: the ring is not what it should be", ErrCorrupt)
	}
	var keys []json.RawMessage
	if err := json.Unmarshal(members["keys"], &keys); err != nil || d.Revision < 1 {
		return nil, fmt.Errorf("%w: the ring has no keys or no revision", ErrCorrupt)
	}
	delete(members, "keys")
	d.newer = members
	seen := make(map[string]bool, len(keys))
	d.Keys = make([]record, len(keys))
	for i, data := range keys {
		k := &d.Keys[i]
		if k.newer, err = unmarshalWith(data, k); err != nil || !k.valid() || seen[k.ID] {
			return nil, fmt.Errorf("%w: key %d is not what it should be", ErrCorrupt, i)
		}
		seen[k.ID] = true
	}
	return d, nil
}

// valid reports whether a record makes sense. Its algorithm may be one that only
// newer programs know: then it is left alone.
func (k *record) valid() bool {
	return isID(k.ID) && k.Purpose != "" && k.Algorithm != "" && !k.Created.IsZero() && !k.Activates.IsZero() && !k.Expires.IsZero() &&
		(len(k.Material) == 0) != k.Destroyed.IsZero()
}

// isID reports whether id has the form of a key's: what does not, costs nobody a
// look into the store.
func isID(id string) bool {
	return len(id) >= 16 && len(id) <= 64 && strings.Trim(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == ""
}

// unmarshalWith reads the object data into v, a pointer to a struct, and returns
// the members that v has no field for.
func unmarshalWith(data []byte, v any) (rest map[string]json.RawMessage, err error) {
	if err := json.Unmarshal(data, &rest); err != nil {
		return nil, err
	}
	if rest == nil {
		return nil, errors.New("null")
	}
	if err := json.Unmarshal(data, v); err != nil {
		return nil, err
	}
	t := reflect.TypeOf(v).Elem()
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		delete(rest, name)
	}
	return rest, nil
}

// marshalWith writes v and the members that it has no field for.
func marshalWith(v any, rest map[string]json.RawMessage) ([]byte, error) {
	data, err := json.Marshal(v)
	if err != nil || len(rest) == 0 {
		return data, err
	}
	members := make(map[string]json.RawMessage, len(rest)+12)
	for name, value := range rest {
		members[name] = value
	}
	var own map[string]json.RawMessage
	if err := json.Unmarshal(data, &own); err != nil {
		return nil, err
	}
	for name, value := range own {
		members[name] = value
	}
	return json.Marshal(members)
}

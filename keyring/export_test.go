package keyring

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"time"
)

// ParseEnvelope and ParseRing are what reads a stored ring.
func ParseEnvelope(data []byte) (ring, seal []byte, err error) {
	e, err := parseEnvelope(data)
	return e.ring, e.seal, err
}

// RewriteRing reads the inside of a ring and writes it again.
func RewriteRing(ring []byte) ([]byte, error) {
	d, err := parseRing(ring)
	if err != nil {
		return nil, err
	}
	data, err := d.encode(context.Background(), plainSealer{})
	if err != nil {
		return nil, err
	}
	e, err := parseEnvelope(data)
	return e.ring, err
}

// Choice is a record as choose sees it, in hours from a moment.
type Choice struct {
	ID                                          string
	Created, Activates, Expires, Began, Revoked float64
}

// Choose returns the id of the key that signs at an hour.
func Choose(at float64, keys ...Choice) string {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	hour := func(h float64) time.Time {
		if h == 0 {
			return time.Time{}
		}
		return start.Add(time.Duration(h * float64(time.Hour)))
	}
	var records []*record
	for _, k := range keys {
		records = append(records, &record{
			ID: k.ID, Algorithm: EdDSA, Created: hour(k.Created), Activates: hour(k.Activates), Expires: hour(k.Expires),
			Began: hour(k.Began), Revoked: hour(k.Revoked),
		})
	}
	if k := choose(records, hour(at), DefaultSkew, defaultAnnounce); k != nil {
		return k.ID
	}
	return ""
}

// ResealPlain gives a ring in plaintext the checksum of its inside.
func ResealPlain(document, ring []byte) []byte {
	sum := sha256.Sum256(ring)
	seal, _ := plainSealer{}.Seal(context.Background(), sum[:], nil)
	head, _, _ := bytes.Cut(document, []byte(`"seal":`))
	return append(head, `"seal":"`+base64.RawURLEncoding.EncodeToString(seal)+`"}`...)
}

package ratelimit

import (
	"encoding/binary"
	"net/http"
	"net/netip"
	"slices"

	"github.com/fastness/fastness/auth"
)

// Caller is what is known about who sent a request.
type Caller struct {
	// Request is the request. It must not be nil.
	Request *http.Request
	// Addr is the client's address: the peer's, or what a trusted proxy says.
	Addr netip.Addr
	// User is the verified caller, or nil if nobody is known.
	User *auth.User
}

// Key appends to b what tells callers apart, and returns b. Callers with the
// same key have one budget. A Key that appends nothing stands for [ByClient]:
// no key never means no limit. It must not keep b, and it is called by many
// goroutines at once.
type Key func(b []byte, c Caller) []byte

// ByClient tells callers apart by address. One IPv6 client has at least a /64
// to choose addresses from (RFC 6177), so such a network counts as one; an
// IPv4-mapped address is the IPv4 address. Callers without a valid address share
// one key.
func ByClient(b []byte, c Caller) []byte {
	addr := c.Addr.Unmap()
	switch {
	case addr.Is4():
		a := addr.As4()
		return append(append(b, '4'), a[:]...)
	case addr.Is6():
		a := addr.As16()
		return append(append(b, '6'), a[:8]...)
	}
	return append(b, '?')
}

// ByUser tells callers apart by the verified user, whatever credential they
// use and wherever they are; those whom nobody knows by address. It is the
// default.
func ByUser(b []byte, c Caller) []byte {
	if c.User == nil || c.User.ID == "" {
		return ByClient(b, c)
	}
	return append(append(b, 'u'), c.User.ID...)
}

// ByAPIKey tells a user's programs apart, each with a budget of its own: by the
// verified user and the API key or OAuth client that calls for them
// ([auth.User.Client]). Callers without one are told apart by [ByUser].
func ByAPIKey(b []byte, c Caller) []byte {
	if c.User == nil || c.User.Client == "" {
		return ByUser(b, c)
	}
	b = binary.BigEndian.AppendUint32(append(b, 'k'), uint32(len(c.User.Client)))
	return append(append(b, c.User.Client...), c.User.ID...)
}

// maxHeaderKey bounds the field values that are keys.
const maxHeaderKey = 256

// ByHeader tells callers apart by the value of a header field. Whoever sends
// the request writes its header: unless a proxy in front sets the field and
// removes what came in, each caller can have as many budgets as they like, or
// spend another's. Without the field, with two of it or with one of more than
// 256 bytes it is the address that counts.
func ByHeader(name string) Key {
	name = http.CanonicalHeaderKey(name)
	return func(b []byte, c Caller) []byte {
		values := c.Request.Header[name]
		if len(values) != 1 || values[0] == "" || len(values[0]) > maxHeaderKey {
			return ByClient(b, c)
		}
		return append(append(b, 'h'), values[0]...)
	}
}

// By joins keys: callers have one budget if all of them are the same. Each part
// is written with its length, so that no two lists of parts look alike. By
// without keys is [ByClient].
func By(keys ...Key) Key {
	keys = slices.Clone(keys)
	for i := range keys {
		if keys[i] == nil {
			keys[i] = ByClient
		}
	}
	return func(b []byte, c Caller) []byte {
		for _, key := range keys {
			at := len(b)
			b = append(b, 0, 0, 0, 0)
			if b = key(b, c); len(b) <= at+4 {
				b = ByClient(b[:at+4], c)
			}
			binary.BigEndian.PutUint32(b[at:], uint32(len(b)-at-4))
		}
		return b
	}
}

package keyring_test

import (
	"bytes"
	"testing"

	"github.com/fastness/fastness/keyring"
)

func FuzzParseEnvelope(f *testing.F) {
	f.Add([]byte(`{"format":"fastness key ring","version":1,"reader":1,"ring":{"revision":1,"keys":[]},"seal":"AAAA"}`))
	f.Add([]byte(`{"format":"fastness key ring","version":1,"reader":2,"ring":{},"seal":"AAAA"}`))
	f.Add([]byte(`{"ring":{},"ring":{}}`))
	f.Add([]byte(``))
	f.Fuzz(func(t *testing.T, data []byte) {
		ring, seal, err := keyring.ParseEnvelope(data)
		if err == nil && (len(seal) == 0 || !bytes.Contains(data, ring)) {
			t.Errorf("a ring of %d bytes and a seal of %d out of %q", len(ring), len(seal), data)
		}
	})
}

// What is written of a ring that was read must be read, and written the same.
func FuzzParseRing(f *testing.F) {
	f.Add([]byte(`{"revision":1,"generation":0,"keys":[]}`))
	f.Add([]byte(`{"revision":1,"generation":0,"new":[1],"keys":[{"id":"ABCDEFGHIJKLMNOP","purpose":"a","alg":"EdDSA","created":"2026-01-01T00:00:00Z",` +
		`"activates":"2026-01-01T00:00:00Z","expires":"2026-01-02T00:00:00Z","ends":"2026-01-03T00:00:00Z","material":"AAAA","new":"<"}]}`))
	f.Add([]byte(`{"revision":1,"keys":[null]}`))
	f.Add([]byte(`{"revision":9223372036854775807,"keys":null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		once, err := keyring.RewriteRing(data)
		if err != nil {
			return
		}
		twice, err := keyring.RewriteRing(once)
		if err != nil || !bytes.Equal(once, twice) {
			t.Errorf("%q became %q and then %q, %v", data, once, twice, err)
		}
	})
}

func FuzzOpen(f *testing.F) {
	c := newClock()
	cfg := config(f, &keyring.Memory{}, c)
	ring := open(f, cfg)
	box := sealed(f, ring, cookies, "message")
	mac, err := ring.MAC(f.Context(), cookies, []byte("message"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(box)
	f.Add(mac)
	f.Add([]byte("FKS1\xff"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, _, err := ring.Open(t.Context(), cookies, data); err != keyring.ErrOpen && !bytes.Equal(data, box) {
			t.Errorf("Open(%q) = %v, want ErrOpen", data, err)
		}
		if _, err := ring.CheckMAC(t.Context(), cookies, []byte("message"), data); err != keyring.ErrOpen && !bytes.Equal(data, mac) {
			t.Errorf("CheckMAC(%q) = %v, want ErrOpen", data, err)
		}
	})
}

package passkey_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"testing"

	"github.com/fastness/fastness/passkey"
)

// The flags of authenticator data (WebAuthn section 6.1).
const (
	present  = 1 << 0
	verified = 1 << 2
	eligible = 1 << 3
	backedUp = 1 << 4
	attested = 1 << 6
)

// device is an authenticator, and the browser that it talks to: what it signs
// can be anything.
type device struct {
	t            testing.TB
	key          *ecdsa.PrivateKey
	id, user     []byte
	count        uint32
	flags        byte
	host, origin string
	crossOrigin  bool
	spoil        byte // changes a bit of the public key
}

func newDevice(t testing.TB) *device {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	id := make([]byte, 20)
	_, _ = rand.Read(id)
	return &device{
		t: t, key: key, id: id, count: 1, flags: present | verified,
		host: "localhost", origin: "https://localhost:8443",
	}
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func unb64(t testing.TB, text string) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// clientData is what the browser vouches for.
func (d *device) clientData(kind, challenge string) []byte {
	text, err := json.Marshal(map[string]any{"type": kind, "challenge": challenge, "origin": d.origin, "crossOrigin": d.crossOrigin})
	if err != nil {
		d.t.Fatal(err)
	}
	return text
}

// data is what the authenticator vouches for.
func (d *device) data(flags byte, rest ...byte) []byte {
	host := sha256.Sum256([]byte(d.host))
	out := append(host[:], flags)
	return append(binary.BigEndian.AppendUint32(out, d.count), rest...)
}

// create makes the passkey of the options.
func (d *device) create(o passkey.CreationOptions) json.RawMessage {
	d.t.Helper()
	d.user = unb64(d.t, o.User.ID)
	return d.createFor(o.Challenge)
}

func (d *device) createFor(challenge string) json.RawMessage {
	d.t.Helper()
	rest := make([]byte, 16) // AAGUID
	rest = binary.BigEndian.AppendUint16(rest, uint16(len(d.id)))
	rest = append(append(rest, d.id...), d.publicKey()...)
	data := d.data(d.flags|attested, rest...)
	// {"fmt": "none", "attStmt": {}, "authData": data}
	object := append([]byte("\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58"), byte(len(data)))
	return d.credential(map[string]any{
		"clientDataJSON":    b64(d.clientData("webauthn.create", challenge)),
		"attestationObject": b64(append(object, data...)),
		"transports":        []string{"internal", "carrier pigeon"},
	})
}

// publicKey is the key as authenticators write it: in CBOR, as COSE_Key.
func (d *device) publicKey() []byte {
	d.t.Helper()
	public, err := d.key.PublicKey.Bytes() // 4, x, y
	if err != nil {
		d.t.Fatal(err)
	}
	// {1: 2, 3: -7, -1: 1, -2: x, -3: y} (RFC 9053 section 7.1.1)
	key := append([]byte{0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20}, public[1:33]...)
	key = append(append(key, 0x22, 0x58, 0x20), public[33:]...)
	key[len(key)-1] ^= d.spoil
	return key
}

// get signs a log-in.
func (d *device) get(o passkey.RequestOptions) json.RawMessage {
	d.t.Helper()
	d.count++
	return d.sign(o.Challenge)
}

// sign signs a challenge with the count as it is.
func (d *device) sign(challenge string) json.RawMessage {
	d.t.Helper()
	client, data := d.clientData("webauthn.get", challenge), d.data(d.flags)
	hash := sha256.Sum256(client)
	digest := sha256.Sum256(append(append([]byte{}, data...), hash[:]...))
	signature, err := ecdsa.SignASN1(rand.Reader, d.key, digest[:])
	if err != nil {
		d.t.Fatal(err)
	}
	return d.credential(map[string]any{
		"clientDataJSON": b64(client), "authenticatorData": b64(data), "signature": b64(signature), "userHandle": b64(d.user),
	})
}

func (d *device) credential(response map[string]any) json.RawMessage {
	text, err := json.Marshal(map[string]any{
		"id": b64(d.id), "rawId": b64(d.id), "type": "public-key", "authenticatorAttachment": "platform",
		"response": response, "clientExtensionResults": map[string]any{"credProps": map[string]any{"rk": true}},
	})
	if err != nil {
		d.t.Fatal(err)
	}
	return text
}

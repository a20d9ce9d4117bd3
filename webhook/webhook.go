// Package webhook signs the messages that a service sends to other people's
// servers, and verifies those that it gets, after the Standard Webhooks
// (https://www.standardwebhooks.com, version 1.0.0).
//
// A webhook is a request from anybody to a path that everybody can guess. Its
// signature covers the id, the time of the attempt and the body, so none of them
// can be forged or changed, and one that is recorded is soon too old to be sent
// again. The three are in the fields webhook-id, webhook-timestamp and
// webhook-signature.
//
// To receive:
//
//	verifier, err := webhook.NewVerifier(webhook.Config{Secrets: []secret.Text{text}})
//	…
//	mux.Handle("POST /hooks/payments", verifier.Handler(payments))
//
// The handler reads the body as it was signed. The same event may come again in
// another attempt, with the same id and a new time, when an answer was lost: who
// must do a thing once remembers the ids that it has done.
//
// To send:
//
//	signer, err := webhook.NewSigner(text)
//	client, err := outbound.New(outbound.Config{Timeout: 20 * time.Second})
//	result, err := signer.Send(ctx, client, endpoint, webhook.Message{ID: webhook.NewID(), Body: body})
//
// Secrets are of one sender and one endpoint each. One that is shared by two
// endpoints lets each of them forge messages to the other. [NewSecret] makes one
// for HMAC-SHA256; [NewKeyPair] makes an ed25519 pair, of which the receiver has
// the half that cannot sign.
package webhook

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/fastness/fastness/secret"
)

// The names of the header fields, in the form that [http.Header] has them.
const (
	IDHeader        = "Webhook-Id"
	TimestampHeader = "Webhook-Timestamp"
	SignatureHeader = "Webhook-Signature"
)

const (
	maxID         = 256
	maxTimestamp  = 12 // digits, until the year 33658
	maxSignatures = 16
	maxField      = 4 << 10 // of all signatures
	maxSecrets    = 8
)

// Signer signs messages. It is safe for concurrent use.
type Signer struct{ keys []key }

// NewSigner returns a signer, or an error that names every mistake. It takes the
// secret of the endpoint: whsec_… or whsk_…. While a secret is replaced it takes
// the new one and the old one, and signs with both, so that the receiver can
// change over when it likes.
func NewSigner(secrets ...secret.Text) (*Signer, error) {
	keys, err := parseKeys(secrets, signing)
	if err = errors.Join(err, checkStrength(secrets)); err != nil {
		return nil, fmt.Errorf("webhook signer: %w", err)
	}
	return &Signer{keys: keys}, nil
}

// Sign sets the three fields in h. The id names the event and stays the same over
// all attempts; at is the time of this attempt. An id is 1 to 256 visible ASCII
// characters without a full stop, which divides what is signed.
func (s *Signer) Sign(h http.Header, id string, at time.Time, body []byte) error {
	if !validID(id) {
		return errors.New("webhook: the id is not 1 to 256 visible ASCII characters without a full stop")
	}
	seconds := at.Unix()
	timestamp := strconv.FormatInt(seconds, 10)
	if seconds <= 0 || len(timestamp) > maxTimestamp {
		return errors.New("webhook: the time of the attempt is before 1970 or too far away")
	}
	content := signed(id, timestamp, body)
	signatures := make([]string, len(s.keys))
	for i, k := range s.keys {
		signatures[i] = k.sign(content)
	}
	h[IDHeader] = []string{id}
	h[TimestampHeader] = []string{timestamp}
	h[SignatureHeader] = []string{strings.Join(signatures, " ")}
	return nil
}

// NewID returns an id for a new event: msg_ and 128 random bits.
func NewID() string { return "msg_" + rand.Text() }

// signed is what a signature is of.
func signed(id, timestamp string, body []byte) []byte {
	content := make([]byte, 0, len(id)+len(timestamp)+len(body)+2)
	content = append(append(content, id...), '.')
	content = append(append(content, timestamp...), '.')
	return append(content, body...)
}

// validID refuses the full stop: "a.1" at time 2 and "a" at time 1 with a body
// that begins with "2." would have one signature.
func validID(id string) bool {
	if id == "" || len(id) > maxID {
		return false
	}
	for i := range len(id) {
		if c := id[i]; c <= ' ' || c >= 0x7f || c == '.' {
			return false
		}
	}
	return true
}

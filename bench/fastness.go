package main

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/auth/token"
	"github.com/fastness/fastness/bench/work"
	"github.com/fastness/fastness/guard/ratelimit"
	"github.com/fastness/fastness/internal/jws"
	"github.com/fastness/fastness/schema"
)

type findItem struct {
	ID int64  `path:"id"`
	Q  string `query:"q" default:""`
}

type placeOrder struct {
	Body work.Order
}

type placeSellerOrder struct {
	Seller auth.User
	Body   work.Order
}

// NewFastness returns the work as Fastness operations, with every default
// defence on. The log is discarded, because no other peer has one here.
func NewFastness(t Terms) (http.Handler, error) {
	bearer, err := fastnessBearer(t.Signing)
	if err != nil {
		return nil, err
	}
	app := fastness.New(fastness.Config{
		Title: "Bench", Version: "1", Logger: slog.New(slog.DiscardHandler),
		Hosts:     []string{"bench.example", "127.0.0.1", "localhost"},
		Roles:     []string{tokenRole},
		RateLimit: ratelimit.Config{Rule: ratelimit.Rule{Limit: perMinute(noHindrance)}}, // of every request, beside that of work c
	})
	app.Authenticate(bearer)
	fastness.Get(app, "/items/{id}", func(_ context.Context, in findItem) (work.Item, error) {
		return work.Find(in.ID, in.Q), nil
	}, access.Public)
	fastness.Post(app, "/orders", func(_ context.Context, in placeOrder) (work.Receipt, error) {
		return work.Place(&in.Body), nil
	}, access.Public)
	fastness.Post(app, "/seller/orders", func(_ context.Context, in placeSellerOrder) (work.Receipt, error) {
		return work.PlaceFor(in.Seller.ID, &in.Body), nil
	}, access.Role(tokenRole), ratelimit.Per(perMinute(t.Limit), ratelimit.ByClient))
	return app, app.Start(context.Background())
}

// perMinute writes a limit.
func perMinute(n int) string { return strconv.Itoa(n) + "/minute" }

// fastnessBearer verifies as the other peers do: nobody here has a store of
// users or sessions to ask.
func fastnessBearer(s Signing) (*token.Bearer, error) {
	key, err := s.jwk()
	if err != nil {
		return nil, err
	}
	verifier, err := token.NewVerifier(token.VerifierConfig{Issuer: tokenIssuer, Audience: tokenAudience, Keys: oneKey{key}})
	if err != nil {
		return nil, err
	}
	return token.NewBearer(token.BearerConfig{Verifiers: []*token.Verifier{verifier}})
}

// oneKey is the key of an issuer that never changes it.
type oneKey struct{ key *jws.Key }

// Key returns the key if it is called id.
func (k oneKey) Key(_ context.Context, id string) (*jws.Key, error) {
	if id != k.key.ID() {
		return nil, nil
	}
	return k.key, nil
}

// Generation never changes.
func (oneKey) Generation() uint64 { return 0 }

// jwk is the key that verifies.
func (s Signing) jwk() (*jws.Key, error) {
	switch key := s.Public.(type) {
	case []byte:
		return jws.NewSecret(jws.HS256, s.Algorithm, key)
	case ed25519.PublicKey:
		return jws.ParseJWK(fmt.Appendf(nil, `{"kty":"OKP","crv":"Ed25519","alg":"EdDSA","kid":%q,"x":%q}`,
			s.Algorithm, base64.RawURLEncoding.EncodeToString(key)))
	}
	return nil, fmt.Errorf("no key of type %T", s.Public)
}

// FastnessErrors returns the pointers that a problem document lists.
func FastnessErrors(answer []byte) ([]string, error) {
	var document struct {
		Errors []struct {
			Pointer string `json:"pointer"`
		} `json:"errors"`
	}
	if err := json.Unmarshal(answer, &document); err != nil {
		return nil, fmt.Errorf("problem document: %w", err)
	}
	pointers := make([]string, len(document.Errors))
	for i, e := range document.Errors {
		pointers[i] = e.Pointer
	}
	return pointers, nil
}

func decodeFastness() (func(body []byte) error, error) {
	orders, err := schema.For[work.Order]()
	if err != nil {
		return nil, err
	}
	return func(body []byte) error {
		_, err := orders.Decode(context.Background(), body)
		return err
	}, nil
}

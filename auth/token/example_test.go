package token_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/token"
	"github.com/fastness/fastness/internal/jws"
)

// oneKey is the smallest key ring there is. A program has one of package keyring,
// whose keys are stored, published and replaced.
type oneKey struct{ key *jws.Key }

func (k oneKey) SigningKey(context.Context) (*jws.Key, error) { return k.key, nil }

func (k oneKey) Key(_ context.Context, id string) (*jws.Key, error) {
	if id != k.key.ID() {
		return nil, nil
	}
	return k.key, nil
}

func (oneKey) Generation() uint64 { return 0 }

// An API issues a token to a user who has logged in, and takes it from then on.
func Example() {
	key, err := jws.Generate(jws.EdDSA, "2026-11")
	if err != nil {
		panic(err)
	}
	ring := oneKey{key}
	issuer, err := token.NewIssuer(token.IssuerConfig{Issuer: "https://shop.example", Audience: "https://api.shop.example", Signer: ring})
	if err != nil {
		panic(err)
	}
	verifier, err := token.NewVerifier(token.VerifierConfig{Issuer: "https://shop.example", Audience: "https://api.shop.example", Keys: ring})
	if err != nil {
		panic(err)
	}
	bearer, err := token.NewBearer(token.BearerConfig{Verifiers: []*token.Verifier{verifier}})
	if err != nil {
		panic(err)
	}
	schemes, err := auth.New(bearer)
	if err != nil {
		panic(err)
	}
	orders := schemes.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		u := auth.From(r.Context())
		fmt.Fprintf(w, "orders of %s, who may read: %v", u.ID, u.HasScope("orders:read"))
	}))

	text, _, err := issuer.Issue(context.Background(), token.Claims{Subject: "u-17", Client: "web", Scopes: auth.SetOf("orders:read")})
	if err != nil {
		panic(err)
	}
	for _, credential := range []string{"Bearer " + text, "Bearer " + text + "x"} {
		r := httptest.NewRequest(http.MethodGet, "/orders", nil)
		r.Header.Set("Authorization", credential)
		w := httptest.NewRecorder()
		orders.ServeHTTP(w, r)
		if w.Code == http.StatusOK {
			fmt.Println(w.Body)
		} else {
			fmt.Println(w.Code, w.Header().Get("WWW-Authenticate"))
		}
	}
	// Output:
	// orders of u-17, who may read: true
	// 401 Bearer error="invalid_token"
}

// A second issuer: its keys are found by discovery, and its users have ids of
// their own.
func ExampleNewRemote() {
	keys, err := token.NewRemote(token.RemoteConfig{Issuer: "https://accounts.example"})
	if err != nil {
		panic(err)
	}
	defer keys.Close()
	_, err = token.NewVerifier(token.VerifierConfig{
		Issuer:        "https://accounts.example",
		Audience:      "https://api.shop.example",
		Keys:          keys,
		Foreign:       true,
		SubjectPrefix: "accounts|",
	})
	fmt.Println(err)
	// Output:
	// <nil>
}

package token_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/fastness/fastness/auth/token"
	"github.com/fastness/fastness/internal/jws"
)

func TestTokenSeenBeforeIsFoundAgain(t *testing.T) {
	tg := newTarget(t, jws.ES256)
	first := mustAccept(t, tg, "once", tg.good)
	asked := len(tg.ring.asked)
	if again := mustAccept(t, tg, "again", string([]byte(tg.good))); again != first || len(tg.ring.asked) != asked {
		t.Error("the token was verified a second time")
	}
	ctx := t.Context()
	if n := testing.AllocsPerRun(100, func() { tg.Verify(ctx, tg.good) }); n != 0 {
		t.Errorf("finding a token again makes %v allocations, want 0", n)
	}
}

// The signature belongs to every byte: a token that shares all but one with a
// remembered one is not it.
func TestTokenThatResemblesARememberedOneIsRefused(t *testing.T) {
	tg := newTarget(t, jws.HS256)
	for i := range tg.good {
		changed := []byte(tg.good)
		if changed[i] == 'A' {
			changed[i] = 'B'
		} else {
			changed[i] = 'A'
		}
		mustRefuse(t, tg, fmt.Sprintf("byte %d changed", i), string(changed))
	}
	for i := range tg.good {
		mustRefuse(t, tg, fmt.Sprintf("the first %d bytes", i), tg.good[:i])
	}
}

func TestRememberedTokenEnds(t *testing.T) {
	r, c := newRing(t, jws.EdDSA), newClock()
	v := newVerifier(t, r, c)
	text := issue(t, newIssuer(t, r, c), someClaims())
	mustAccept(t, v, "at first", text)
	c.forward(10*time.Minute + 29*time.Second)
	mustAccept(t, v, "within the leeway", text)
	if asked := len(r.asked); asked != 2 {
		t.Errorf("the key was asked for %d times, want 2: beyond its end no token is remembered", asked)
	}
	c.forward(time.Second)
	mustRefuse(t, v, "after the leeway", text)
}

func TestCacheIsBounded(t *testing.T) {
	r, c := newRing(t, jws.HS256), newClock()
	i := newIssuer(t, r, c)
	v := want[*token.Verifier](t)(token.NewVerifier(token.VerifierConfig{Issuer: issuerName, Audience: audience, Keys: r, Now: c.Now, CacheSize: 160}))
	kept := issue(t, i, someClaims())
	for range 2000 {
		mustAccept(t, v, "", issue(t, i, someClaims()))
		mustAccept(t, v, "", kept)
	}
	if n := v.Remembered(); n > 320 || n < 160 {
		t.Errorf("the cache holds %d tokens, want 160 to 320", n)
	}
	// One that is used all the time stays: of 4,000 verifications it needs one.
	if n := len(r.asked); n != 2001 {
		t.Errorf("the key was asked for %d times, want 2001", n)
	}
	none := want[*token.Verifier](t)(token.NewVerifier(token.VerifierConfig{Issuer: issuerName, Audience: audience, Keys: r, Now: c.Now, CacheSize: -1}))
	before := len(r.asked)
	mustAccept(t, none, "", kept)
	mustAccept(t, none, "", kept)
	if n := len(r.asked) - before; n != 2 {
		t.Errorf("without a cache the key was asked for %d times, want 2", n)
	}
}

func TestForgedTokensAreNotRemembered(t *testing.T) {
	tg := newTarget(t, jws.EdDSA)
	before := tg.Remembered()
	for i := range 100 {
		mustRefuse(t, tg, "", tg.good[:len(tg.good)-8]+fmt.Sprintf("AAAA%04d", i))
	}
	if n := tg.Remembered(); n != before {
		t.Errorf("the cache holds %d tokens, want %d", n, before)
	}
}

// A key may be withdrawn while a token is verified with it. What is remembered of
// that belongs to the time before.
func TestKeyWithdrawnDuringVerificationCounts(t *testing.T) {
	r, c := newRing(t, jws.HS256), newClock()
	text := issue(t, newIssuer(t, r, c), someClaims())
	racing := &racingRing{ring: r}
	v := newVerifier(t, racing, c)
	mustAccept(t, v, "while the key is withdrawn", text)
	if len(r.keys) != 0 {
		t.Fatal("the key was not withdrawn, so this test shows nothing")
	}
	mustRefuse(t, v, "after that", text)
}

// racingRing withdraws the key as soon as it has given it out.
type racingRing struct{ *ring }

func (r *racingRing) Key(ctx ctx, id string) (*jws.Key, error) {
	key, err := r.ring.Key(ctx, id)
	if key != nil {
		r.withdraw()
	}
	return key, err
}

func TestKeysThatCannotBeHadAreNotTheCallersFault(t *testing.T) {
	tg := newTarget(t, jws.HS256)
	tg.ring.err = errors.New("the database is down")
	_, err := tg.Verify(t.Context(), tg.good)
	if err != nil {
		t.Errorf("a remembered token: Verify() = %v", err)
	}
	other := tg.forge(t, headerOf(tg.key), with(t, goodPayload(), "t-1", "t-2"))
	_, err = tg.Verify(t.Context(), other)
	if !errors.Is(err, token.ErrUnavailable) || errors.Is(err, token.ErrInvalid) {
		t.Errorf("Verify() = %v, want ErrUnavailable", err)
	}
}

func TestVerifierIsSafeForConcurrentUse(t *testing.T) {
	r, c := newRing(t, jws.HS256, jws.HS256, jws.HS256), newClock()
	i := newIssuer(t, r, c)
	v := want[*token.Verifier](t)(token.NewVerifier(token.VerifierConfig{Issuer: issuerName, Audience: audience, Keys: r, Now: c.Now, CacheSize: 32}))
	var texts []string
	for range 100 {
		texts = append(texts, issue(t, i, someClaims()))
	}
	var group sync.WaitGroup
	for worker := range 4 {
		group.Go(func() {
			for n := range 500 {
				v.Verify(t.Context(), texts[(n*7+worker)%len(texts)])
				if worker == 0 && n == 250 {
					r.withdraw()
				}
			}
		})
	}
	group.Wait()
	for _, text := range texts {
		mustRefuse(t, v, "a withdrawn key", text)
	}
}

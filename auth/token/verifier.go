package token

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/fastness/fastness/internal/jws"
)

const (
	defaultLeeway = 30 * time.Second
	maxLeeway     = 60 * time.Second
	// defaultCache is how many tokens a generation of the cache holds.
	defaultCache = 10_000
)

// VerifierConfig configures a [Verifier]. Issuer, Audience and Keys are required:
// there is no verifier that takes the tokens of anybody, or those for anybody.
type VerifierConfig struct {
	// Issuer is whose tokens are taken (iss), byte for byte.
	Issuer string
	// Audience is the name that aud must have, byte for byte.
	Audience string
	// Keys are those of the issuer: a key ring, or a [Remote].
	Keys Keys
	// Leeway is by how much the clocks of issuer and verifier may differ, in whole
	// seconds: 30 by default, 60 at most.
	Leeway time.Duration
	// CacheSize is how many verified tokens each of two generations of the cache
	// holds: 10,000 by default. Below 0 there is no cache.
	CacheSize int
	// Foreign says that the issuer is another program than this one. Then the claims
	// sid, ver, tenant and all_scopes, which have no meaning that others have agreed
	// to, are not read.
	Foreign bool
	// SubjectPrefix comes before sub in the id of the user, such as "google|". A
	// foreign issuer gives out subjects as it likes: without a prefix it could give
	// out the id of somebody else's user. It needs Foreign.
	SubjectPrefix string
	// InsecureNotRFC9068, if not empty, says why tokens of an issuer are taken that
	// does not follow RFC 9068: with the typ JWT or none, without client_id and jti.
	// An ID token looks the same; only what it contains tells some of them apart, so
	// Audience must be a name that no client of the issuer has.
	InsecureNotRFC9068 string
	// Now is the clock. The default is time.Now.
	Now func() time.Time
}

// Verifier verifies the access tokens of one issuer. It is safe for concurrent use.
type Verifier struct {
	cfg        VerifierConfig
	cache      *cache // nil: none
	generation atomic.Uint64
}

// NewVerifier returns a verifier, or an error that names every mistake in cfg.
func NewVerifier(cfg VerifierConfig) (*Verifier, error) {
	if cfg.Leeway == 0 {
		cfg.Leeway = defaultLeeway
	}
	if cfg.CacheSize == 0 {
		cfg.CacheSize = defaultCache
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	errs := []error{checkName("Issuer", cfg.Issuer), checkName("Audience", cfg.Audience)}
	if cfg.Keys == nil {
		errs = append(errs, errors.New("nothing verifies signatures: Keys is nil"))
	}
	if cfg.Leeway < time.Second || cfg.Leeway > maxLeeway {
		errs = append(errs, fmt.Errorf("Leeway is %v, want 1s to %v", cfg.Leeway, maxLeeway))
	}
	if cfg.SubjectPrefix != "" && (!cfg.Foreign || !isText(cfg.SubjectPrefix)) {
		errs = append(errs, errors.New("SubjectPrefix: want text, and Foreign"))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("token verifier: %w", err)
	}
	v := &Verifier{cfg: cfg}
	if cfg.CacheSize > 0 {
		v.cache = newCache(cfg.CacheSize)
	}
	return v, nil
}

// Verify returns the token that text is. The error is [ErrInvalid] if it is none
// that is good here and now, and [ErrUnavailable] if that could not be found out.
func (v *Verifier) Verify(ctx context.Context, text string) (*Token, error) {
	e, err := v.verify(ctx, text)
	if err != nil {
		return nil, err
	}
	return &e.token, nil
}

func (v *Verifier) verify(ctx context.Context, text string) (*entry, error) {
	now := v.cfg.Now().Unix()
	if e := v.remembered(text, now); e != nil {
		return e, nil
	}
	return v.decide(ctx, text, now)
}

// remembered returns the token if it was verified before, or nil. The cache may
// hold what is no longer good: the end of a token, and a key that was withdrawn,
// are looked at each time.
func (v *Verifier) remembered(text string, now int64) *entry {
	if v.cache == nil {
		return nil
	}
	generation := v.cfg.Keys.Generation()
	if before := v.generation.Load(); before != generation && v.generation.CompareAndSwap(before, generation) {
		v.cache.empty()
	}
	if e := v.cache.find(text); e != nil && e.generation == generation && now < e.until {
		return e
	}
	return nil
}

// decide verifies a token that is not remembered.
func (v *Verifier) decide(ctx context.Context, text string, now int64) (*entry, error) {
	// The generation is read before the key: if the key is withdrawn in between,
	// what is remembered belongs to the old generation and is not used.
	generation := v.cfg.Keys.Generation()
	payload, err := v.open(ctx, text)
	if err != nil {
		return nil, err
	}
	c, err := v.read(payload)
	if err != nil {
		return nil, err
	}
	t, err := c.accept(v, now)
	if err != nil {
		return nil, err
	}
	e := &entry{token: *t, until: c.exp, generation: generation}
	if v.cache != nil && now < c.exp {
		v.cache.put(text, e)
	}
	return e, nil
}

// open returns the payload of a token whose signature is the issuer's.
func (v *Verifier) open(ctx context.Context, text string) ([]byte, error) {
	header, payload, signed, sig, err := jws.Parse(text, 0)
	switch {
	case err != nil:
		return nil, &invalid{"form", err}
	case !v.isType(header.Type):
		return nil, refuse("not an access token by its typ")
	case header.KeyID == "":
		return nil, refuse("no kid")
	}
	key, err := v.cfg.Keys.Key(ctx, header.KeyID)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	case key == nil:
		return nil, refuse("no key of this kid")
	case key.Algorithm() != header.Algorithm:
		// The key says how it is used. Otherwise a public key could be used as the
		// secret of an HMAC (RFC 8725, section 3.1).
		return nil, refuse("the alg is not the key's")
	}
	if err := key.Verify([]byte(signed), sig); err != nil {
		return nil, &invalid{"signature", err}
	}
	return payload, nil
}

// isType reports whether typ is that of an access token (RFC 9068, section 4).
// Media types have no case.
func (v *Verifier) isType(typ string) bool {
	if typ == "at+jwt" || strings.EqualFold(typ, "at+jwt") || strings.EqualFold(typ, "application/at+jwt") {
		return true
	}
	return v.cfg.InsecureNotRFC9068 != "" && (typ == "" || strings.EqualFold(typ, "JWT"))
}

// optOuts returns the defences that the verifier goes without, and why.
func (v *Verifier) optOuts() map[string]string {
	reasons := make(map[string]string)
	if why := v.cfg.InsecureNotRFC9068; why != "" {
		reasons["InsecureNotRFC9068"] = why
	}
	if r, ok := v.cfg.Keys.(*Remote); ok && r.cfg.InsecurePlainHTTP != "" {
		reasons["InsecurePlainHTTP"] = r.cfg.InsecurePlainHTTP
	}
	return reasons
}

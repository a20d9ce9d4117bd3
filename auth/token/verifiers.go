package token

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/fastness/fastness/internal/jws"
)

// Verifiers verifies the tokens of several issuers. It is safe for concurrent use.
type Verifiers struct {
	all []*Verifier
	// byIssuer is asked with what a token says before it was verified. That chooses
	// the verifier, which then wants to see the same issuer signed with its own key.
	byIssuer map[string]*Verifier
}

// NewVerifiers returns the verifiers as one, or an error that names every mistake:
// two of one issuer, or two whose users could have the same id.
func NewVerifiers(all ...*Verifier) (*Verifiers, error) {
	vs := &Verifiers{byIssuer: make(map[string]*Verifier, len(all))}
	var errs []error
	if len(all) == 0 {
		errs = append(errs, errors.New("nothing verifies tokens: there is no verifier"))
	}
	for i, v := range all {
		if v == nil {
			errs = append(errs, fmt.Errorf("verifier %d is nil", i+1))
			continue
		}
		if vs.byIssuer[v.cfg.Issuer] != nil {
			errs = append(errs, fmt.Errorf("two verifiers for %s", v.cfg.Issuer))
		}
		for _, other := range vs.all {
			if confusable(v.cfg.SubjectPrefix, other.cfg.SubjectPrefix) {
				errs = append(errs, fmt.Errorf("users of %s and %s could have the same id: want another SubjectPrefix", v.cfg.Issuer, other.cfg.Issuer))
			}
		}
		vs.all = append(vs.all, v)
		vs.byIssuer[v.cfg.Issuer] = v
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("token verifiers: %w", err)
	}
	return vs, nil
}

// confusable reports whether an issuer of one prefix could give out a subject that
// makes a user of the other. Only one may go without a prefix; that is for ids
// which this program gives out itself.
func confusable(a, b string) bool {
	return a == b || a != "" && b != "" && (strings.HasPrefix(a, b) || strings.HasPrefix(b, a))
}

// Verify returns the token that text is, as [Verifier.Verify] does.
func (vs *Verifiers) Verify(ctx context.Context, text string) (*Token, error) {
	e, err := vs.verify(ctx, text)
	if err != nil {
		return nil, err
	}
	return &e.token, nil
}

func (vs *Verifiers) verify(ctx context.Context, text string) (*entry, error) {
	if len(vs.all) == 1 {
		return vs.all[0].verify(ctx, text)
	}
	for _, v := range vs.all {
		if e := v.remembered(text, v.cfg.Now().Unix()); e != nil {
			return e, nil
		}
	}
	v, err := vs.choose(text)
	if err != nil {
		return nil, err
	}
	return v.decide(ctx, text, v.cfg.Now().Unix())
}

// choose returns the verifier for the issuer that a token names.
func (vs *Verifiers) choose(text string) (*Verifier, error) {
	_, payload, _, _, err := jws.Parse(text, 0)
	if err != nil {
		return nil, &invalid{"form", err}
	}
	var chosen *Verifier
	o := jws.Object{Data: payload}
	for o.Next() {
		if string(o.Name()) == "iss" {
			name, _ := o.Value().Text()
			chosen = vs.byIssuer[name]
		}
	}
	if o.Err() != nil || chosen == nil {
		return nil, refuse("another issuer")
	}
	return chosen, nil
}

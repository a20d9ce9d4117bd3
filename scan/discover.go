package scan

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/discover"
	"github.com/fastness/fastness/scan/internal/login"
	"github.com/fastness/fastness/scan/internal/spec"
	"github.com/fastness/fastness/scan/wire"
)

// discoverDocument looks for a document at the usual places. Without one, the API is what
// can be found by reading.
func (s *scan) discoverDocument(ctx context.Context) (*spec.API, error) {
	ex := s.client.Do(ctx, wire.Request{Method: http.MethodGet, Path: s.client.Base() + "/", Why: "document"})
	if ex.Status == 0 {
		return nil, fmt.Errorf("scan: %s does not answer: %w", s.config.Target, ex.Err)
	}
	for _, found := range discover.Documents(ctx, s.client.Do, s.client.Base()) {
		address := s.client.Target() + found.Path
		fetch := func(ctx context.Context, ref string) ([]byte, error) { return get(ctx, s.client, ref) }
		if api, err := spec.Parse(found.Text, spec.ParseConfig{Source: address, Fetch: fetch, Context: ctx}); err == nil {
			return api, nil
		}
	}
	s.note("no document was found: the API is what links, forms, scripts and usual names lead to")
	s.crawled = true
	api := &spec.API{Title: s.config.Target, Base: s.client.Base(), Bases: []string{s.client.Base()}, Schemes: map[string]*spec.Scheme{}}
	found := discover.Run(ctx, discover.Config{Send: s.client.Do, API: api, Seed: s.config.Seed, Queries: !s.config.ReadOnly && s.profile.last > check.Passive})
	api.Operations = slices.Concat(found.Operations, found.Unproven)
	return api, nil
}

// documented reports whether an operation is known, with a slash at its end or without:
// many servers lead from the one to the other.
func documented(api *spec.API, op *spec.Operation) bool {
	bare := strings.TrimRight(op.Path, "/")
	return slices.ContainsFunc([]string{op.Path, bare, bare + "/"}, func(path string) bool { return api.Find(op.Method, path) != nil })
}

// discover adds what the document leaves out.
func (s *scan) discover(ctx context.Context, api *spec.API) {
	if s.profile.last == check.Passive {
		return
	}
	var user *login.User
	if len(s.target.Users) > 0 {
		user = s.target.Users[0]
	}
	send := func(ctx context.Context, r wire.Request) *wire.Exchange {
		r.Why = "discover"
		return s.target.Do(ctx, user, r)
	}
	found := discover.Run(ctx, discover.Config{Send: send, API: api, Seed: s.config.Seed, Queries: !s.config.ReadOnly})
	s.target.Proofs, s.target.GraphQL = found.Proofs, found.GraphQL
	s.adopt(api, found)
	if i := slices.IndexFunc(s.target.Users, func(u *login.User) bool { return u.Admin }); i >= 0 && s.crawled && !s.target.Users[0].Admin {
		// Their pages lead to more.
		user = s.target.Users[i]
		found := discover.Run(ctx, discover.Config{Send: send, API: api, Seed: s.config.Seed, Queries: !s.config.ReadOnly})
		for id, proof := range found.Proofs {
			if _, known := s.target.Proofs[id]; !known {
				s.target.Proofs[id] = proof
			}
		}
		s.adopt(api, found)
	}
}

// adopt adds the operations that were found.
func (s *scan) adopt(api *spec.API, found *discover.Result) {
	more := found.Operations
	if s.crawled {
		more = slices.Concat(more, found.Unproven)
	}
	for _, op := range more {
		if s.config.wants(op) && !documented(api, op) {
			api.Operations = append(api.Operations, op)
		}
	}
	if found.Cut {
		s.note("there would have been more to discover than the %d requests that are made for it", found.Requests)
	}
}

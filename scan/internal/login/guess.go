package login

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/fastness/fastness/scan/internal/spec"
	"github.com/fastness/fastness/scan/wire"
)

// usualLogIns are where log-ins are, for targets without a document that says it.
var usualLogIns = [...]string{
	"/login", "/api/login", "/auth/login", "/api/auth/login", "/users/login", "/api/users/login", "/user/login", "/token", "/api/token", "/auth/token", "/oauth/token",
	"/signin", "/api/signin", "/auth/signin", "/api/auth/signin", "/authenticate", "/api/authenticate", "/session", "/sessions", "/api/session", "/api/sessions",
	"/api/v1/login", "/api/v1/auth/login", "/v1/login", "/v1/auth/login",
}

// usualPages are where pages with a form are.
var usualPages = [...]string{"/login", "/signin", "/auth/login", "/accounts/login/", "/users/sign_in", "/"}

// pages returns the paths of pages that ask for a password: those that others lead to,
// those of the document, and the usual ones.
func (k *Keeper) pages(ctx context.Context, gates []*gate) (paths []string) {
	add := func(p string) {
		if p != "" && !slices.Contains(paths, p) {
			paths = append(paths, p)
		}
	}
	for _, g := range gates {
		if toLogIn(g.nobody) {
			u, err := url.Parse(g.nobody.Header.Get("Location"))
			if err == nil {
				add(u.EscapedPath())
			}
		} else if loginPage(g.nobody) {
			add(g.request.Path)
		}
	}
	var others []string
	for _, op := range k.config.API.Operations {
		if op.Method == "GET" && logInPath.MatchString(op.Path) && !strings.Contains(op.Path, "{") {
			others = append(others, op.Path)
		}
	}
	if !slices.ContainsFunc(k.config.API.Operations, func(op *spec.Operation) bool { return logInRank(op) > 0 }) {
		others = append(others, usualPages[:]...)
	}
	for _, p := range others {
		if ctx.Err() != nil || slices.Contains(paths, p) {
			continue
		}
		ex := k.config.Client.Do(ctx, wire.Request{Method: "GET", Path: p, Header: http.Header{"Accept": {"text/html"}}, Why: "log-in"})
		if loginPage(ex) {
			add(p)
		}
	}
	return paths
}

// guesses yields log-ins at the usual places, if the document has none.
func (k *Keeper) guesses(ctx context.Context, known map[string]string, yield func(*Method) bool) {
	if slices.ContainsFunc(k.config.API.Operations, func(op *spec.Operation) bool { return logInRank(op) >= 100 }) {
		return
	}
	ask := func(path string) *wire.Exchange {
		return k.config.Client.Do(ctx, wire.Request{Method: "POST", Path: path, Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte("{}"), Why: "log-in"})
	}
	nowhere := ask(k.config.API.Base + "/fz-there-is-no-such-path")
	bases := slices.Compact([]string{k.config.API.Base, ""})
	for _, base := range bases {
		for _, p := range usualLogIns {
			if ctx.Err() != nil {
				return
			}
			ex := ask(base + p)
			if ex.Status == 0 || ex.Status == http.StatusNotFound || ex.Status == http.StatusMethodNotAllowed || ex.Status == http.StatusNotImplemented || like(ex, nowhere) {
				continue
			}
			for _, s := range guessedBodies(Step{Method: "POST", Path: base + p}, nil, known) {
				if !yield(&Method{Request: &s}) {
					return
				}
			}
		}
	}
}

package fastness

import (
	"net/http"
	"strings"
	"time"

	"github.com/fastness/fastness/internal/route"
)

// compileChain puts the middleware of Use between the two parts of the chain.
func (a *App) compileChain() {
	guards, inner := a.chain()
	a.guards = len(guards)
	if len(a.middleware) == 0 {
		a.steps = append(guards, inner...)
		return
	}
	var h http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		outer, _ := r.Context().Value(exchangeKey{}).(*exchange)
		if outer == nil { // The middleware dropped the context, or came when the request was over.
			http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
			return
		}
		x := outer.fork(w, r)
		x.run(func() error {
			for _, s := range inner {
				if err := s.run(x); err != nil {
					return err
				}
				if x.match.Outcome == route.Found { // The access log is the outer one's.
					outer.behind.Store(&seen{x.route(), x.ctx.user})
				}
			}
			return nil
		})
	})
	for i := len(a.middleware) - 1; i >= 0; i-- {
		h = a.middleware[i](h)
	}
	longest := a.longest()
	a.steps = append(guards, step{"middleware", func(x *exchange) error {
		x.forked = true
		x.enterPart(inInner)
		x.ctx.limit = longest // Each operation has its own within.
		h.ServeHTTP(x.out, x.r.WithContext(&x.ctx))
		return nil
	}})
}

// longest is how long what a answers may take, also in the apps below it.
func (a *App) longest() time.Duration {
	longest := a.cfg.Timeout
	for _, op := range a.operations {
		longest = max(longest, op.longest())
	}
	for i := range a.mounts {
		longest = max(longest, a.mounts[i].spec.Timeout)
	}
	for _, m := range a.subApps {
		longest = max(longest, m.app.longest())
	}
	return longest
}

// serve hands the request to the mounted handler, without the prefix.
func (m *mount) serve(x *exchange) error {
	r := x.request(m.spec.BodyLimit)
	u := *r.URL
	u.Path = strip(u.Path, m.prefix)
	if u.RawPath != "" {
		u.RawPath = strip(u.RawPath, m.prefix)
	}
	r.URL = &u
	if m.folder != nil && len(m.spec.Middleware) == 0 {
		return m.folder.serve(x, r)
	}
	m.handler.ServeHTTP(x.out, r)
	return nil
}

func strip(path, prefix string) string {
	path = strings.TrimPrefix(path, strings.TrimSuffix(prefix, "/"))
	if path == "" {
		return "/"
	}
	return path
}

package fastness

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"strings"

	"github.com/fastness/fastness/internal/route"
)

// subApp is an app below another.
type subApp struct {
	prefix string
	app    *App
}

// mountApp notes that an app is to be below another.
func (g *Group) mountApp(prefix string, sub *App, options []Option) {
	m := &subApp{strings.TrimSuffix(g.prefix+prefix, "/"), sub}
	g.app.mustBeOpen("mount " + m.prefix)
	mistake := func(text string) {
		g.app.mistakes = append(g.app.mistakes, fmt.Errorf("mount %s: %s", g.prefix+prefix, text))
	}
	// Whoever reads such an option believes that it protects what is below, and it is
	// each operation there that says who may call it.
	if len(options) > 0 || len(g.options) > len(g.app.root.options) {
		mistake("an app has its own options: give them to its Config")
	}
	switch {
	case m.prefix == "":
		mistake("an app needs a prefix of its own")
	case sub == g.app:
		mistake("it is the app itself")
		return
	case sub.outer != nil:
		mistake("the app is mounted at " + sub.base + " already")
		return
	case sub.compiled.Load():
		mistake("the app has started already")
		return
	}
	sub.outer, sub.base = g.app, m.prefix
	g.app.subApps = append(g.app.subApps, m)
}

// addSubApps compiles the apps below a, which take over what guards the connection.
func (a *App) addSubApps() (errs []error) {
	for _, m := range a.subApps {
		wrong := m.app.adopt(a, m.prefix)
		if len(wrong) == 0 {
			wrong = append(wrong, m.app.compile())
		}
		wrong = append(wrong, a.routes.AddMount(m.prefix, endpoint{below: m}))
		if err := errors.Join(wrong...); err != nil {
			errs = append(errs, fmt.Errorf("mount %s: %w", m.prefix, err))
		}
		a.limits.overridden = a.limits.overridden || m.app.limits.overridden
		for _, c := range m.app.readiness.checks {
			a.readiness.checks = append(a.readiness.checks, &readyCheck{name: m.prefix + " " + c.name, check: c.check})
		}
	}
	return errs
}

// adopt gives a the guards of the app above it. A Config of its own for one of them is a
// mistake: it would not hold, and its author believes that it does.
func (a *App) adopt(outer *App, prefix string) (errs []error) {
	a.base = outer.base + prefix
	own, theirs := reflect.ValueOf(&a.cfg).Elem(), reflect.ValueOf(&outer.cfg).Elem()
	for _, name := range []string{"Hosts", "InsecureAnyHost", "Proxies", "CORS", "RateLimit", "MaxInFlight", "Connections", "Headers", "SecurityTxt", "RootPath"} {
		if !own.FieldByName(name).IsZero() {
			errs = append(errs, fmt.Errorf("config: %s: that of the app above counts: leave it out", name))
		}
	}
	for _, name := range []string{"Hosts", "InsecureAnyHost", "Proxies", "CORS", "RateLimit", "Headers"} {
		own.FieldByName(name).Set(theirs.FieldByName(name))
	}
	if !a.ownLogger {
		a.cfg.Logger = outer.cfg.Logger
	}
	if p := outer.root.provider(reflect.TypeFor[Settings]()); p != nil && p.scope == appScope {
		a.overrides = append([]*provider{p}, a.overrides...) // Its own override wins.
	}
	return errs
}

// mountedAt returns what keeps budgets in a shared store apart: operations of two apps
// may have one name.
func (a *App) mountedAt() string {
	if a.outer == nil {
		return ""
	}
	return a.base + " "
}

// below returns the app that is mounted at prefix, or nil; a itself at "".
func (a *App) below(prefix string) *App {
	if prefix == "" {
		return a
	}
	for _, m := range a.subApps {
		if rest, ok := strings.CutPrefix(prefix, m.prefix); ok && (rest == "" || rest[0] == '/') {
			return m.app.below(rest)
		}
	}
	return nil
}

// outermost returns the app that serves.
func (a *App) outermost() *App {
	for a.outer != nil {
		a = a.outer
	}
	return a
}

// find returns what a request is for, also in the apps below.
func (a *App) find(method string, u *url.URL) route.Match[endpoint] {
	m := a.routes.Find(method, u)
	if below := m.Value.below; m.Outcome == route.Found && below != nil {
		return below.app.find(method, below.inner(u))
	}
	return m
}

// inner returns u as the app below sees it.
func (m *subApp) inner(u *url.URL) *url.URL {
	out := *u
	out.Path = strip(u.Path, m.prefix)
	if u.RawPath != "" {
		out.RawPath = strip(u.RawPath, m.prefix)
	}
	return &out
}

// enterSubApp hands the request to an app below, which does not run the guards again.
func (x *exchange) enterSubApp() error {
	below := x.match.Value.below
	if below == nil {
		return nil
	}
	r := new(http.Request)
	*r = *x.r
	r.URL = below.inner(x.r.URL)
	x.enterPart(inInner)
	inner := x.fork(x.out, r)
	inner.app, inner.match = below.app, route.Match[endpoint]{}
	x.untouched = false // The header is theirs to write from here on, also if they panic.
	inner.run(func() error {
		defer func() { x.behind.Store(&seen{below.prefix + inner.route(), inner.caller()}) }()
		for _, s := range below.app.steps[below.app.guards:] {
			if err := s.run(inner); err != nil {
				return err
			}
		}
		return nil
	})
	return errAnswered
}

// auditSubApps lists what the apps below go without, beyond what they take over.
func (a *App) auditSubApps(known []OptOut) (out []OptOut) {
	for _, m := range a.subApps {
		for _, o := range m.app.Audit() {
			inherited := false
			for _, k := range known {
				inherited = inherited || k == o && strings.HasPrefix(o.Where, "config")
			}
			if inherited {
				continue // It is that of the app above.
			}
			o.Where = m.prefix + ": " + o.Where
			out = append(out, o)
		}
	}
	return out
}

// routesOfSubApps lists what the apps below have.
func (a *App) routesOfSubApps() (lines []routeLine) {
	for _, m := range a.subApps {
		for _, l := range m.app.routeLines() {
			l.Path = m.prefix + l.Path
			lines = append(lines, l)
		}
	}
	return lines
}

// checkRootPath refuses what is no path, or could name another site.
func checkRootPath(path string) []error {
	if path == "" {
		return nil
	}
	names, err := route.Names(path)
	if err == nil && (len(names) > 0 || strings.HasSuffix(path, "/")) {
		err = errors.New("want a path without parameters that does not end in a slash")
	}
	if err != nil {
		return []error{fmt.Errorf("config: RootPath: %w", err)}
	}
	return nil
}

package fastness

import (
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/fastness/fastness/guard/framing"
	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/serve"
)

// redirectMistake says what the listener for plain HTTP lacks.
func (s *Settings) redirectMistake(app *App) error {
	if s.HTTPAddr != "" && app.cfg.InsecureAnyHost != "" && s.publicURL() == nil {
		return errors.New("the server cannot start: --http-addr with InsecureAnyHost leads to whatever host a request names, want --public-url")
	}
	return nil
}

// publicURL returns the PublicURL, or nil where there is none or it does not count.
func (s *Settings) publicURL() *url.URL {
	u, err := url.Parse(s.PublicURL)
	if err != nil || s.Development() || u.Hostname() == "" {
		return nil
	}
	return u
}

// redirectOrigin returns where a request without TLS is led to: to the host that it
// names, if the app has it with the port of HTTPS, or else nowhere.
func (s *Settings) redirectOrigin(app *App, r *http.Request, addr net.Addr) (string, error) {
	public, port := s.publicURL(), ""
	if public != nil {
		port = public.Port()
	} else if _, listening, err := net.SplitHostPort(addr.String()); err == nil {
		port = listening
	}
	// That the host is not one of the app's can be due to the port, with which the
	// list may name it. That it is malformed cannot.
	if err := app.hosts.Check(r); err != nil && problem.From(err).Status == http.StatusBadRequest {
		return "", err
	}
	target := r.Host
	if i := strings.LastIndexByte(target, ':'); i > strings.LastIndexByte(target, ']') {
		target = target[:i]
	}
	if port != "" && port != "443" {
		target += ":" + port
	}
	if err := app.hosts.Check(&http.Request{Host: target}); err != nil {
		return "", err
	}
	if public != nil {
		return "https://" + public.Host, nil
	}
	return "https://" + target, nil
}

// answerPlain answers a request that came without TLS: by a redirect to location, or
// by p. Whoever reads the log sees it beside the others, and that it was HTTP.
func (a *App) answerPlain(w http.ResponseWriter, r *http.Request, location string, p *problem.Problem) {
	x := a.exchanges.get(a, w, r)
	defer a.exchanges.put(x)
	if _, replaced := framing.Refused(r); replaced {
		x.r = &http.Request{RemoteAddr: r.RemoteAddr}
	}
	_ = x.findClient() // It never fails.
	h := x.out.Header()
	h["X-Request-Id"] = x.ctx.id[:]
	a.headers.Set(h) // Whatever a proxy says: HSTS is not for here.
	if p != nil {
		x.answerProblem(p)
	} else {
		serve.WriteRedirect(x.out, location)
	}
	x.log(a.cfg.Logger.With("scheme", "http"), false)
}

package login

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/fastness/fastness/scan/wire"
)

// What a log-in may end with.
var (
	errRefused = errors.New("the target refuses the log-in")
	errLimited = errors.New("the target limits log-ins, or has locked the user")
	errNoToken = errors.New("the answer to the log-in has no token and no cookie")
	errNothing = errors.New("no answer")
)

// attempt is one log-in under way.
type attempt struct {
	client Sender
	user   string
	values map[string]string
	jar    jar
	// pages are the answers, the last one that to the log-in.
	pages []*wire.Exchange
}

func (a *attempt) last() *wire.Exchange {
	if len(a.pages) == 0 {
		return nil
	}
	return a.pages[len(a.pages)-1]
}

// send sends a request with the cookies so far, and keeps those of the answer.
func (a *attempt) send(ctx context.Context, r wire.Request) *wire.Exchange {
	if r.Header == nil {
		r.Header = http.Header{}
	}
	if r.Header.Get("Accept") == "" {
		r.Header.Set("Accept", "application/json, */*;q=0.5")
	}
	r.User, r.Why = a.user, "log-in"
	a.jar.apply(&r)
	ex := a.client.Do(ctx, r)
	a.jar.take(ex)
	a.pages = append(a.pages, ex)
	return ex
}

// steps returns the requests of a method, as far as they are known beforehand.
func (m *Method) steps() []Step {
	switch {
	case m.Request != nil:
		return []Step{*m.Request}
	case m.OAuth2 != nil:
		return []Step{m.OAuth2.step()}
	}
	return m.Steps
}

func (o *OAuth2) step() Step {
	form := map[string]string{"grant_type": "password", "username": "{{username}}", "password": "{{password}}"}
	for name, v := range map[string]string{"scope": o.Scope, "client_id": o.ClientID, "client_secret": o.ClientSecret} {
		if v != "" {
			form[name] = v
		}
	}
	return Step{Path: pathOf(o.URL), Form: form}
}

// pathOf returns path and query of an address: a scan stays with its host, whatever the
// document says.
func pathOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "/"
	}
	p := u.EscapedPath()
	if !strings.HasPrefix(p, "/") {
		p = "/" + p
	}
	if u.RawQuery != "" {
		p += "?" + u.RawQuery
	}
	return p
}

// request returns the request of a step.
func (s Step) request(values map[string]string) wire.Request {
	method := s.Method
	if method == "" {
		method = "POST"
	}
	r := wire.Request{Method: strings.ToUpper(method), Header: http.Header{}}
	path, query, _ := strings.Cut(s.Path, "?")
	r.Path, r.Query = fillEscaped(path, values, url.PathEscape), fillEscaped(query, values, url.QueryEscape)
	switch {
	case s.JSON != nil:
		r.Body, _ = json.Marshal(fillAny(s.JSON, values))
		r.Header.Set("Content-Type", "application/json")
	case s.Form != nil:
		form := url.Values{}
		for name, v := range s.Form {
			form.Set(name, fill(v, values))
		}
		r.Body = []byte(form.Encode())
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	case s.Body != "":
		r.Body = []byte(fill(s.Body, values))
	}
	for name, v := range s.Headers {
		r.Header.Set(name, fill(v, values))
	}
	return r
}

// fillEscaped is fill with values that are escaped.
func fillEscaped(text string, values map[string]string, escape func(string) string) string {
	escaped := make(map[string]string, len(values))
	for name, v := range values {
		escaped[name] = escape(v)
	}
	return fill(text, escaped)
}

// run sends the steps.
func (a *attempt) run(ctx context.Context, steps []Step) error {
	for i, s := range steps {
		ex := a.send(ctx, s.request(a.values))
		if err := s.judge(ex); err != nil {
			return fmt.Errorf("%s %s: %w", ex.Request.Method, ex.Request.Path, err)
		}
		for _, name := range slices.Sorted(maps.Keys(s.Extract)) {
			where, err := parseLocator(s.Extract[name])
			if err != nil {
				return err
			}
			if a.values[name] = where.of(ex); a.values[name] == "" {
				return fmt.Errorf("step %d: the answer has no %s at %s", i+1, name, s.Extract[name])
			}
		}
	}
	return nil
}

// judge returns why a step did not succeed.
func (s Step) judge(ex *wire.Exchange) error {
	switch {
	case ex.Status == 0:
		return fmt.Errorf("%w: %w", errNothing, ex.Err)
	case len(s.Status) > 0 && slices.Contains(s.Status, ex.Status):
		return nil
	case limited(ex):
		return limitedBy(ex)
	case len(s.Status) > 0 || ex.Status >= 400 || refusedPolitely(ex):
		return fmt.Errorf("%w: %d%s", errRefused, ex.Status, reason(ex))
	}
	return nil
}

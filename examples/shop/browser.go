package main

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/guard/headers"
	"github.com/fastness/fastness/identity"
)

// Visitor is who looks at a page.
type Visitor struct {
	User *auth.User // nil for nobody
	Docs bool       // the docs page is there
}

// Name returns the name of who is logged in, or "".
func (v Visitor) Name() string {
	if v.User == nil {
		return ""
	}
	return v.User.Name
}

// Admin reports whether the visitor may see the page for administrators.
func (v Visitor) Admin() bool { return v.User.HasRole("admin") && v.User.HasScope("users") }

// visitorOf provides the visitor of a page.
func visitorOf(_ context.Context, in struct {
	App    *fastness.App
	Caller *auth.User
}) (Visitor, error) {
	return Visitor{in.Caller, in.App.DocsShown()}, nil
}

// leadToLogin leads people who open a page that wants a caller to the page to log
// in, which leads them back. A program gets its 401 as ever.
func leadToLogin(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		person := (r.Method == http.MethodGet || r.Method == http.MethodHead) && strings.Contains(r.Header.Get("Accept"), "text/html")
		if !person {
			next.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(&turned{ResponseWriter: w, turn: func(h http.Header, status int) int {
			// A log-in is of no use where a cookie is not taken, and a page elsewhere that
			// links to there must not log its readers out.
			challenges := h.Values("WWW-Authenticate")
			if status != http.StatusUnauthorized || !slices.ContainsFunc(challenges, func(c string) bool { return strings.HasPrefix(c, "Cookie") }) {
				return status
			}
			h.Set("Location", "/login?next="+url.QueryEscape(r.URL.RequestURI()))
			h.Del("WWW-Authenticate")
			if slices.Equal(challenges, []string{"Cookie"}) { // Its session is over, and every page would ask about it.
				http.SetCookie(w, &http.Cookie{Name: "__Host-session", Path: "/", MaxAge: -1, Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode})
			}
			return http.StatusSeeOther
		}}, r)
	})
}

// turned is an answer whose status is another one on its way out.
type turned struct {
	http.ResponseWriter
	turn  func(http.Header, int) int
	empty bool // it leads elsewhere, so nobody reads it
}

func (t *turned) WriteHeader(status int) {
	status = t.turn(t.Header(), status)
	if status == http.StatusSeeOther {
		t.empty = true
		t.Header().Del("Content-Type")
		t.Header().Del("Content-Length")
	}
	t.ResponseWriter.WriteHeader(status)
}

func (t *turned) Write(b []byte) (int, error) {
	if t.empty {
		return len(b), nil
	}
	return t.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (t *turned) Unwrap() http.ResponseWriter { return t.ResponseWriter }

// formOutcome is how a form went: the status of the page that answers it, or where the
// browser goes on to.
type formOutcome struct {
	status int
	path   string
}

type outcomeKey struct{}

// withOutcome lets an operation that answers with a page say how its form went.
func withOutcome(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		went := new(formOutcome)
		next.ServeHTTP(&turned{ResponseWriter: w, turn: func(h http.Header, status int) int {
			switch {
			case status != http.StatusOK:
				return status
			case went.path != "":
				h.Set("Location", went.path)
				return http.StatusSeeOther
			case went.status != 0:
				return went.status
			}
			return status
		}}, r.WithContext(context.WithValue(r.Context(), outcomeKey{}, went)))
	})
}

// setOutcome says how a form went.
func setOutcome(ctx context.Context, o formOutcome) {
	if went, ok := ctx.Value(outcomeKey{}).(*formOutcome); ok {
		*went = o
	}
}

type logOutInput struct {
	Core    *identity.Core
	Request *http.Request
	Next    string `form:"next" default:"/" maxLength:"2048"`
}

// logOutForm ends the session of a browser, and leads on.
func logOutForm(ctx context.Context, in logOutInput) (fastness.Result[fastness.NoContent], error) {
	set := http.Header{}
	err := in.Core.Cookies.LogOut(ctx, set, in.Request)
	return fastness.Result[fastness.NoContent]{
		Status:  http.StatusSeeOther,
		Header:  http.Header{"Location": {identity.OwnPath(in.Next)}, "Clear-Site-Data": {headers.ClearSiteData}},
		Cookies: (&http.Response{Header: set}).Cookies(),
	}, err
}

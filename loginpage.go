package fastness

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/fastness/fastness/observe"
	"github.com/fastness/fastness/problem"
)

// UseLogInPage tells the app where people log in: at a path that takes the parameter
// next, to go on to. A person whose browser opens a page that wants a caller, and
// takes a cookie for one, is led there. Programs get their 401 as ever. Package
// identity has such a page, and says so.
func (a *App) UseLogInPage(path string) {
	a.mustBeOpen("a page to log in")
	a.logInPage = path
}

// leadToLogIn answers a person who is not known, and reports whether it did. A
// session that is over takes its cookie along, or every page would ask about it; one
// that was not asked for stays, so that no link logs its readers out.
func (x *exchange) leadToLogIn(p *problem.Problem) bool {
	g := x.gate()
	if p.Status != http.StatusUnauthorized || x.app.logInPage == "" || g == nil || g.schemes == nil ||
		x.r.Method != http.MethodGet && x.r.Method != http.MethodHead || !prefersHTML(x.r.Header["Accept"]) {
		return false
	}
	h, challenges := x.out.Header(), p.Header()["Www-Authenticate"]
	taken := false
	for _, d := range g.schemes.Descriptions() {
		if !d.Cookie() || !slices.Contains(challenges, d.Challenge) { // What is wrong is another credential.
			continue
		}
		taken = true
		if len(challenges) == 1 && len(x.r.CookiesNamed(d.Security.Name)) > 0 {
			observe.DropPrepared(h)
			setCookie(h, &http.Cookie{Name: d.Security.Name, MaxAge: -1})
		}
	}
	location, err := sameSite(x.app.base + x.app.logInPage + "?next=" + url.QueryEscape(x.app.base+x.r.URL.RequestURI()))
	if !taken || err != nil {
		return false
	}
	h["Location"], h["Cache-Control"] = []string{location}, x.app.noStore
	h.Add("Vary", "Accept, Cookie")
	x.out.WriteHeader(http.StatusSeeOther)
	return true
}

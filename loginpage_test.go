package fastness_test

import (
	"context"
	"html/template"
	"testing"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/fastnesstest"
	"github.com/fastness/fastness/guard/csrf"
)

// People are led to the page to log in, and back; programs are told what is missing.
func TestPeopleAreLedToThePageToLogIn(t *testing.T) {
	app := fastness.New(fastness.Config{Title: "T", Version: "1", CSRF: csrf.Config{Keys: csrf.EphemeralKeys()}})
	app.Authenticate(letters{name: "letter", header: "X-Letter", users: people()}, cookies{people()})
	app.UseLogInPage("/login")
	fastness.Get(app, "/own", say("own"), access.Authenticated)
	fastness.Post(app, "/own", say("own"), access.Authenticated)
	fastness.Get(app, "/keyed", say("keyed"), access.By("letter"))
	api := fastnesstest.New(t, app)
	page := fastnesstest.Accept("text/html,application/xhtml+xml")
	led := "/login?next=%2Fown%3Fa%3D1%26b%3D%2F%2Fevil.example"
	api.Get("/own?a=1&b=//evil.example", page).Want(303).WantHeader("Location", led).WantHeader("Cache-Control", "no-store").WantHeader("Set-Cookie", "")
	over := api.Get("/own", page, fastnesstest.Cookie("who", "somebody who has left")).Want(303)
	if got := over.Header.Get("Set-Cookie"); got != "who=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax" {
		t.Errorf("the cookie of a session that is over: %q", got)
	}
	api.Get("/own").Want(401).WantHeader("Location", "")
	api.Get("/own", fastnesstest.Accept("application/json, text/html")).Want(401)
	api.Do("POST", "/own", nil, page).Want(401)
	api.Get("/keyed", page).Want(401)                                                                             // A log-in would be of no use.
	api.Get("/own", page, fastnesstest.Header("X-Letter", "nobody"), fastnesstest.Cookie("who", "ann")).Want(401) // Its own credential is wrong.
	api.Get("/own", page, fastnesstest.Cookie("who", "ann")).Want(200)
}

func TestFormLeadsOnOrIsShownAgain(t *testing.T) {
	app, public := open(fastness.Config{})
	page := template.Must(template.New("").Parse(`<p>{{.Name}}</p>`))
	fastness.Post(public, "/form", func(_ context.Context, in struct {
		Name string `form:"name" default:""`
	}) (fastness.View[greetingPage], error) {
		view := fastness.View[greetingPage]{Template: page, Body: greetingPage{Name: in.Name}, SeeOther: "/done"}
		switch in.Name {
		case "":
			view.SeeOther, view.Status = "", 422
		case "evil":
			view.SeeOther = "//evil.example"
		}
		return view, nil
	})
	api := fastnesstest.New(t, app)
	html := fastnesstest.Accept("text/html")
	send := func(name string, options ...fastnesstest.Option) *fastnesstest.Response {
		return api.Do("POST", "/form", fastnesstest.Raw{ContentType: "application/x-www-form-urlencoded", Body: []byte("name=" + name)}, options...)
	}
	if res := send("ann", html).Want(303).WantHeader("Location", "/done").WantHeader("Content-Type", ""); len(res.Body) > 0 {
		t.Errorf("who is led on gets %s", res.Body)
	}
	send("ann").Want(200).WantJSON(`{"name":"ann"}`).WantHeader("Location", "")
	send("", html).Want(422).WantHeader("Content-Type", "text/html; charset=utf-8")
	send("").Want(422).WantJSON(`{"name":""}`)
	send("evil", html).Want(500).WantHeader("Location", "")
}

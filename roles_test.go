package fastness_test

import (
	"context"
	"html/template"
	"iter"
	"net/url"
	"strings"
	"testing"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/fastnesstest"
	"github.com/fastness/fastness/schema"
	"github.com/fastness/fastness/secret"
)

type offer struct {
	Name   string `json:"name"`
	Margin int    `json:"margin,omitzero" visibleTo:"admin,seller"`
	Status string `json:"status" default:"draft" writableBy:"admin"`
}

// letter is the credential of who, or of nobody.
func letter(who string) []fastnesstest.Option {
	if who == "" {
		return nil
	}
	return []fastnesstest.Option{fastnesstest.Header("X-Letter", who)}
}

type sendOffer struct{ Body offer }

func echoOffer(_ context.Context, in sendOffer) (offer, error) { return in.Body, nil }

func TestMembersForSomeInRequestsAndAnswers(t *testing.T) {
	app := secured()
	fastness.Post(app, "/public", echoOffer, access.Public)
	fastness.Post(app, "/", echoOffer, access.Authenticated)
	api := fastnesstest.New(t, app)
	const sent = `{"name":"a","margin":4}`
	for _, tt := range []struct{ who, path, want string }{
		{"", "/public", `{"name":"a","status":"draft"}`},
		{"ann", "/public", `{"name":"a","status":"draft"}`},
		{"bob", "/public", `{"name":"a","margin":4,"status":"draft"}`},
		{"ann", "/", `{"name":"a","status":"draft"}`},
		{"eve", "/", `{"name":"a","margin":4,"status":"draft"}`},
	} {
		res := api.Post(tt.path, fastnesstest.Raw{ContentType: "application/json", Body: []byte(sent)}, letter(tt.who)...).Want(200).WantJSON(tt.want)
		res.WantHeader("Cache-Control", "no-store")
	}
	const opens = `{"name":"a","status":"open"}`
	for who, status := range map[string]int{"": 422, "bob": 422, "eve": 200} {
		res := api.Post("/public", fastnesstest.Raw{ContentType: "application/json", Body: []byte(opens)}, letter(who)...).Want(status)
		if status == 422 && !strings.Contains(string(res.Body), "read_only") {
			t.Errorf("%s is told %s", who, res.Body)
		}
	}
}

func TestFormFieldsForSome(t *testing.T) {
	type form struct {
		Name   string               `form:"name"`
		Status string               `form:"status" default:"draft" writableBy:"admin"`
		Offer  fastness.Opt[offer]  `form:"offer"`
		Tags   []string             `form:"tag" writableBy:"admin"`
		Limit  fastness.Opt[[2]int] `form:"limit" writableBy:"admin"`
	}
	app := secured()
	fastness.Post(app, "/", func(_ context.Context, in form) (string, error) { return in.Status, nil }, access.Public)
	api := fastnesstest.New(t, app)
	for _, tt := range []struct {
		sent url.Values
		want map[string]int
	}{
		{url.Values{"name": {"a"}, "status": {""}}, map[string]int{"": 200, "bob": 200, "eve": 200}},
		{url.Values{"name": {"a"}, "status": {"open"}}, map[string]int{"": 422, "bob": 422, "eve": 200}},
		{url.Values{"name": {"a"}, "tag": {"x", "y"}}, map[string]int{"": 422, "bob": 422, "eve": 200}},
		{url.Values{"name": {"a"}, "limit": {"[1,2]"}}, map[string]int{"": 422, "bob": 422, "eve": 200}},
		{url.Values{"name": {"a"}, "offer": {`{"name":"b","status":"open"}`}}, map[string]int{"": 422, "bob": 422, "eve": 200}},
	} {
		for who, status := range tt.want {
			api.Post("/", tt.sent, letter(who)...).Want(status)
		}
	}
}

func TestMembersForSomeThatNobodyCouldGetAreMistakes(t *testing.T) {
	type unknown struct {
		A int `json:"a,omitzero" visibleTo:"admni"`
	}
	type file struct {
		F fastness.Opt[fastness.File] `form:"f" writableBy:"admin"`
	}
	type required struct {
		Q string `query:"q" writableBy:"admin"`
	}
	type body struct {
		Body offer `writableBy:"admin"`
	}
	other := func(context.Context, none) (string, error) { return "", nil }
	for want, declare := range map[string]func(*fastness.App){
		`role "admni" is not declared`: func(app *fastness.App) {
			fastness.Get(app, "/", func(context.Context, none) (unknown, error) { return unknown{}, nil }, access.Public)
		},
		"rule writableBy does not fit a file": func(app *fastness.App) {
			fastness.Post(app, "/", func(context.Context, file) (string, error) { return "", nil }, access.Public)
		},
		"field Q: writableBy on what is required": func(app *fastness.App) {
			fastness.Get(app, "/", func(context.Context, required) (string, error) { return "", nil }, access.Public)
		},
		"body: writableBy on what is required": func(app *fastness.App) {
			fastness.Post(app, "/", func(context.Context, body) (string, error) { return "", nil }, access.Public)
		},
		"a template of fastness_test.offer would show everybody": func(app *fastness.App) {
			fastness.Get(app, "/", func(context.Context, none) (fastness.View[offer], error) {
				return fastness.View[offer]{Template: template.New("")}, nil
			}, access.Public)
		},
	} {
		app := secured()
		declare(app)
		fastness.Get(app, "/other", other, access.Public)
		if _, err := app.Document(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Document() = %v, want %q", err, want)
		}
	}
	app := fastness.New(fastness.Config{Title: "T", Version: "1", Roles: []string{"admin", "seller"}})
	fastness.Post(app, "/", echoOffer, access.Public)
	if _, err := app.Document(); err == nil || !strings.Contains(err.Error(), "nothing verifies who is calling") {
		t.Errorf("Document() = %v", err)
	}
}

// pageItem has one member that is for administrators and one that nobody sees. A
// template reaches it through whatever holds it, also where JSON leaves that out.
type pageItem struct {
	Name string `json:"name"`
	Cost int    `json:"cost,omitzero" visibleTo:"admin"`
	Code string `json:"code" writeOnly:"true"`
}

// tree has itself inside.
type tree struct {
	Name     string `json:"name"`
	Children []tree `json:"-"`
	Next     *tree  `json:"-"`
}

// marginal has a method that only administrators get the result of.
type marginal struct {
	_ schema.Computed `name:"margin" method:"Margin" visibleTo:"admin"`
}

func (marginal) Margin() int { return 1 }

func page[T any](app *fastness.App) {
	fastness.Get(app, "/", func(context.Context, none) (fastness.View[T], error) {
		return fastness.View[T]{Template: template.New("")}, nil
	}, access.Public)
}

func TestTemplateReachesNothingThatIsNotForEverybody(t *testing.T) {
	type listed struct {
		Items []pageItem `json:"-"`
	}
	type behind struct {
		ByName map[string][]*pageItem `json:"-"`
	}
	type keyed struct {
		Of map[struct {
			Cost int `visibleTo:"admin"`
		}]bool `json:"-"`
	}
	type embedded struct {
		listed `json:"-"`
	}
	type unexported struct {
		item [1]pageItem
	}
	_ = unexported{}.item
	type called struct {
		Item func() (pageItem, error) `json:"-"`
	}
	type ranged struct {
		Items iter.Seq[pageItem] `json:"-"`
	}
	type secrets struct {
		Passwords []secret.Text `json:"-"`
		Token     *secret.Text  `json:"-"`
	}
	type again struct {
		Tree tree      `json:"-"`
		Item *pageItem `json:"-"`
	}
	cost := []string{`fastness_test.pageItem.Cost, which is visibleTo:"admin"`, `fastness_test.pageItem.Code, which is writeOnly:"true"`}
	for name, tt := range map[string]struct {
		declare func(*fastness.App)
		want    []string
	}{
		"the body itself":              {page[pageItem], cost},
		"a list that JSON leaves out":  {page[listed], cost},
		"behind maps and pointers":     {page[behind], cost},
		"the key of a map":             {page[keyed], []string{`Cost, which is visibleTo:"admin"`}},
		"an embedded struct":           {page[embedded], cost},
		"a field that is not exported": {page[unexported], cost},
		"what a function returns":      {page[called], cost},
		"what a function yields":       {page[ranged], cost},
		"secrets":                      {page[secrets], []string{"secrets.Passwords, a secret.Text", "secrets.Token, a secret.Text"}},
		"a computed member":            {page[marginal], []string{`marginal.margin, which is visibleTo:"admin"`}},
		"after what has itself inside": {page[again], cost},
	} {
		app := secured()
		tt.declare(app)
		_, err := app.Document()
		for _, want := range tt.want {
			if err == nil || !strings.Contains(err.Error(), "would show everybody ") || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: Document() = %v, want %q", name, err, want)
			}
		}
	}
	app := secured()
	page[tree](app)
	if _, err := app.Document(); err != nil {
		t.Errorf("a page that has nothing to hide: %v", err)
	}
}

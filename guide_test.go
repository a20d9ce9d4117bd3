package fastness_test

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/cookie"
	"github.com/fastness/fastness/fastnesstest"
	"github.com/fastness/fastness/guard/clientip"
	"github.com/fastness/fastness/guard/compress"
	"github.com/fastness/fastness/guard/cors"
	"github.com/fastness/fastness/guard/csrf"
	"github.com/fastness/fastness/guard/headers"
	"github.com/fastness/fastness/guard/ratelimit"
	"github.com/fastness/fastness/internal/guidetest"
	"github.com/fastness/fastness/outbound"
	"github.com/fastness/fastness/redirect"
	"github.com/fastness/fastness/sanitize"
	"github.com/fastness/fastness/secret"
	"github.com/fastness/fastness/webhook"
)

// What follows is the code of docs/guards.md.

type reviewsPage struct {
	fastness.Page
	Item    int64    `json:"item"`
	Reviews []string `json:"reviews"`
}

var reviewsTemplate = template.Must(template.New("reviews").Parse(`
<ul>{{range .Reviews}}<li>{{.}}</li>{{end}}</ul>
<form method="post" action="{{.URL "addReview" .Item}}">{{.CSRFField}}<input name="text"><button>Send</button></form>
<script nonce="{{.Nonce}}">document.forms[0].text.focus()</script>
`))

type newReview struct {
	Title sanitize.Text `json:"title" maxLength:"120"` // refuses markup and control characters
	Text  sanitize.HTML `json:"text" maxLength:"4000"` // cleaned while it is decoded
}

func TestGuideToGuardsShowsCodeThatRuns(t *testing.T) {
	guidetest.Shows(t, "docs/guards.md", 4, "guide_test.go")
}

func TestGuideToGuardsRuns(t *testing.T) {
	listItems, createItem, makeReport := say("items"), say("created"), say("report")
	app := fastness.New(fastness.Config{
		Title: "Shop", Version: "1.0.0",
		CORS: cors.Config{Origins: []string{"https://app.example.com"}, Headers: []string{"Authorization", "X-CSRF-Token"}},
	})
	if err := app.Start(t.Context()); err != nil {
		t.Fatal(err)
	}

	app = fastness.New(fastness.Config{Title: "Shop", Version: "1.0.0", Roles: []string{"seller"}, CSRF: csrf.Config{Keys: csrf.EphemeralKeys()}})
	app.Authenticate(letters{name: "letter", header: "X-Letter", users: people()})
	fastness.Get(app, "/items", listItems, access.Public, ratelimit.Per("60/minute", ratelimit.ByClient))
	fastness.Post(app, "/items", createItem, access.Role("seller"), ratelimit.Per("30/minute; 500/day"))
	fastness.Post(app, "/reports", makeReport, access.Authenticated, ratelimit.Rule{
		Limit: "100 per hour", Key: ratelimit.ByUser, Scope: "heavy", Cost: 10, Message: "Reports are made for you ten times an hour.",
	})
	fastness.Get(app, "/items/{id}/reviews", func(_ context.Context, in struct {
		ID int64 `path:"id"`
	}) (fastness.View[reviewsPage], error) {
		return fastness.View[reviewsPage]{Template: reviewsTemplate, Body: reviewsPage{Item: in.ID, Reviews: []string{"<b>bold</b>"}}}, nil
	}, access.Public)
	fastness.Post(app, "/items/{id}/reviews", func(_ context.Context, in struct {
		ID   int64  `path:"id"`
		Text string `form:"text"`
	}) (string, error) {
		return in.Text, nil
	}, access.Public, csrf.RequireToken(), fastness.OperationID("addReview"))
	fastness.Post(app, "/reviews", func(_ context.Context, in struct{ Body newReview }) (string, error) {
		return in.Body.Text.String(), nil
	}, access.Public)

	api := fastnesstest.New(t, app)
	ann := fastnesstest.Header("X-Letter", "ann")
	for range 10 {
		api.Do("POST", "/reports", nil, ann).Want(200)
	}
	if p := api.Do("POST", "/reports", nil, ann).Want(429).Problem(); p.Detail != "Reports are made for you ten times an hour." {
		t.Errorf("the refusal says %q", p.Detail)
	}
	page := string(api.Get("/items/7/reviews", fastnesstest.Accept("text/html")).Want(200).Body)
	for _, want := range []string{`action="/items/7/reviews"`, `<input type="hidden" name="csrf-token" value="`, "<li>&lt;b&gt;bold&lt;/b&gt;</li>", `<script nonce="`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %s:\n%s", want, page)
		}
	}
	api.Do("POST", "/items/7/reviews", nil).WantProblem(403, "csrf_missing_cookie")
	api.Do("POST", "/reviews", fastnesstest.JSON(`{"title": "Good", "text": "<b onclick=x>Very</b><script>1</script>"}`)).WantJSON(`"\u003cb\u003eVery\u003c/b\u003e"`)
}

func TestGuideToPartsRuns(t *testing.T) {
	theme, err := cookie.New(cookie.Config{Name: "theme", MaxAge: 30 * 24 * time.Hour}) // __Host-theme; Secure; HttpOnly; SameSite=Lax
	if err != nil || theme.Name() != "__Host-theme" {
		t.Errorf("the cookie is %v, %v", theme, err)
	}
	targets, err := redirect.New(redirect.Config{Allow: []string{"https://accounts.example.com"}})
	if err != nil {
		t.Fatal(err)
	}
	location := targets.Or("//evil.example", "/") // "/"
	if location != "/" {
		t.Errorf("the redirect leads to %q", location)
	}
	client, err := outbound.New(outbound.Config{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.HTTP().Get("https://localhost/") // outbound.ErrForbiddenAddress, whatever the spelling or the DNS says
	if !errors.Is(err, outbound.ErrForbiddenAddress) {
		t.Errorf("the fetch ends in %v", err)
	}
	ctx := t.Context()
	t.Setenv("WEBHOOK_SECRET", webhook.NewSecret().Reveal())
	source, err := secret.Parse("env-or-file:WEBHOOK_SECRET") // the variable, or the file that WEBHOOK_SECRET_FILE names
	if err != nil {
		t.Fatal(err)
	}
	text, err := source.Read(ctx)
	if err != nil || fmt.Sprint(text) != "***" || text.Reveal() != os.Getenv("WEBHOOK_SECRET") {
		t.Errorf("the secret is %v, %v", text, err)
	}
	verifier, err := webhook.NewVerifier(webhook.Config{Secrets: []secret.Text{text}, MaxBody: 64 << 10})
	if err != nil {
		t.Fatal(err)
	}
	takePayment := func(_ context.Context, in struct{ Body struct{ Order int } }) (int, error) { return in.Body.Order, nil }
	app := fastness.New(fastness.Config{Title: "Shop", Version: "1.0.0"})
	fastness.Post(app, "/hooks/pay", takePayment, access.Public, fastness.Middleware(verifier.Handler), ratelimit.Per("60/minute"))
	api := fastnesstest.New(t, app)
	api.Post("/hooks/pay", fastnesstest.JSON(`{"Order": 7}`)).WantProblem(401, "invalid_webhook")
	signer, err := webhook.NewSigner(text)
	if err != nil {
		t.Fatal(err)
	}
	h := http.Header{}
	if err := signer.Sign(h, webhook.NewID(), time.Now(), []byte(`{"Order": 7}`)); err != nil {
		t.Fatal(err)
	}
	api.Post("/hooks/pay", fastnesstest.JSON(`{"Order": 7}`), fastnesstest.Header("Webhook-Id", h.Get("Webhook-Id")),
		fastnesstest.Header("Webhook-Timestamp", h.Get("Webhook-Timestamp")), fastnesstest.Header("Webhook-Signature", h.Get("Webhook-Signature"))).WantJSON(`7`)
}

func TestGuideToChainRuns(t *testing.T) {
	var mistakes []error
	clients, err := clientip.New(clientip.Config{Trust: []string{"10.0.0.0/8"}})
	mistakes = append(mistakes, err)
	defaults, err := headers.New(headers.Config{})
	mistakes = append(mistakes, err)
	policy, err := cors.New(cors.Config{Origins: []string{"https://app.example.com"}})
	mistakes = append(mistakes, err)
	limit, err := ratelimit.New(ratelimit.Config{Rule: ratelimit.Per("100/minute", ratelimit.ByClient)})
	mistakes = append(mistakes, err)
	guard, err := csrf.New(csrf.Config{Keys: csrf.EphemeralKeys()})
	mistakes = append(mistakes, err)
	gzip, err := compress.New(compress.Config{})
	if err := errors.Join(append(mistakes, err)...); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		_, _ = fmt.Fprint(w, clientip.From(r.Context()).Addr, strings.Repeat(" ", 4096))
	})
	handler := clients.Handler(defaults.Handler(policy.Handler(limit.Handler(guard.Handler(gzip.Handler(mux))))))
	send := func(method, client, site string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, "/", nil)
		r.RemoteAddr = "10.0.0.1:1234"
		r.Header.Set("X-Forwarded-For", client)
		r.Header.Set("Origin", "https://app.example.com")
		r.Header.Set("Sec-Fetch-Site", site)
		r.Header.Set("Accept-Encoding", "gzip")
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w
	}
	if w := send("POST", "203.0.113.7", "cross-site"); w.Code != 403 {
		t.Errorf("a page of another site is answered %d", w.Code)
	}
	for range 99 {
		if w := send("GET", "203.0.113.7", "cross-site"); w.Code != 200 || w.Header().Get("Content-Encoding") != "gzip" {
			t.Fatalf("the answer is %d, %v", w.Code, w.Header())
		}
	}
	w := send("GET", "203.0.113.7", "cross-site")
	if w.Code != 429 || w.Header().Get("Access-Control-Allow-Origin") == "" || w.Header().Get("Content-Security-Policy") == "" {
		t.Errorf("the refusal is %d, %v", w.Code, w.Header())
	}
	if w := send("GET", "203.0.113.8", "cross-site"); w.Code != 200 {
		t.Errorf("another client behind the same proxy is answered %d", w.Code)
	}
}

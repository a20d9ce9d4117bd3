package fastness_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/fastnesstest"
	"github.com/fastness/fastness/outbound"
	"github.com/fastness/fastness/secret"
	"github.com/fastness/fastness/webhook"
)

type orderPaid struct {
	ID    int    `json:"id" minimum:"1"`
	Notes string `json:"notes,omitempty"`
}

func TestWebhookIsSentAsItIsDeclared(t *testing.T) {
	app, public := open(fastness.Config{})
	paid := fastness.DeclareWebhook[orderPaid](app, "orderPaid", fastness.Summary("An order was paid"))
	fastness.Post(public, "/orders", func(context.Context, struct {
		Body struct {
			URL string `json:"callbackUrl" format:"uri"`
		}
	}) (string, error) {
		return "", nil
	}, fastness.Callback[orderPaid]("paid", "{$request.body#/callbackUrl}"))
	fastnesstest.New(t, app)
	document, err := app.Document()
	if err != nil {
		t.Fatal(err)
	}
	text, err := document.JSON()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"webhooks"`, `"orderPaid"`, `"webhook-signature"`, `"callbacks"`, `"{$request.body#/callbackUrl}"`, `"An order was paid"`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the document has no %s", want)
		}
	}
	key := webhook.NewSecret()
	signer, err := webhook.NewSigner(key)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := webhook.NewVerifier(webhook.Config{Secrets: []secret.Text{key}})
	if err != nil {
		t.Fatal(err)
	}
	m, err := paid.Message(webhook.NewID(), orderPaid{ID: 7})
	if err != nil || string(m.Body) != `{"id":7}` {
		t.Fatalf("Message() = %s, %v", m.Body, err)
	}
	r := httptest.NewRequest("POST", "/hook", strings.NewReader(string(m.Body)))
	if err := signer.Sign(r.Header, m.ID, time.Now(), m.Body); err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	verifier.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) })).ServeHTTP(w, r)
	if w.Code != 204 {
		t.Errorf("the receiver says %d %s, want that the signature is right", w.Code, w.Body)
	}
}

// An endpoint is a stranger's URL: the address of the machine itself is none.
func TestWebhookIsNotSentToTheMachineItself(t *testing.T) {
	app, _ := open(fastness.Config{})
	paid := fastness.DeclareWebhook[orderPaid](app, "orderPaid")
	key := webhook.NewSecret()
	signer, err := webhook.NewSigner(key)
	if err != nil {
		t.Fatal(err)
	}
	client, err := outbound.New(outbound.Config{})
	if err != nil {
		t.Fatal(err)
	}
	reached := false
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	defer server.Close()
	if result, err := paid.Send(t.Context(), signer, client, server.URL, webhook.NewID(), orderPaid{ID: 7}); err == nil || reached || result.Verdict == webhook.Delivered {
		t.Errorf("Send() = %v, %v, want that it is refused", result, err)
	}
}

func TestWrongWebhookIsAMistake(t *testing.T) {
	app, public := open(fastness.Config{})
	fastness.DeclareWebhook[func()](app, "broken")
	fastness.DeclareWebhook[orderPaid](app, "twice")
	fastness.DeclareWebhook[orderPaid](app, "twice")
	fastness.DeclareWebhook[orderPaid](app, "")
	fastness.Post(public, "/", say(""), fastness.Callback[orderPaid]("paid", "https://example.com"))
	err := app.Start(t.Context())
	for _, want := range []string{`webhook "broken": `, `webhook "twice" is there twice`, "webhook: no name", `POST /: callback "paid": want a name and an expression`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Start() = %v, want %q", err, want)
		}
	}
}

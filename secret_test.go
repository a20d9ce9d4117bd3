package fastness_test

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/fastnesstest"
	"github.com/fastness/fastness/secret"
)

type logIn struct {
	Username string      `form:"username"`
	Password secret.Text `form:"password" minLength:"3" maxLength:"1024"`
}

type newUser struct {
	Name     string      `json:"name"`
	Password secret.Text `json:"password" minLength:"12" maxLength:"1024" writeOnly:"true"`
}

func TestSecretsComeInAndDoNotGoOut(t *testing.T) {
	app, public := open(fastness.Config{})
	fastness.Post(public, "/log-in", func(_ context.Context, in logIn) (int, error) {
		return len(in.Password.Reveal()), nil
	})
	fastness.Post(public, "/users", func(_ context.Context, in struct{ Body newUser }) (newUser, error) {
		return in.Body, nil
	})
	api := fastnesstest.New(t, app)
	api.Post("/log-in", url.Values{"username": {"ada"}, "password": {" \U0001f511 "}}).Want(200).WantJSON("6")
	api.Post("/log-in", url.Values{"username": {"ada"}, "password": {"xy"}}).WantViolation("form", "/password", "string_too_short")
	api.Post("/users", newUser{"ada", secret.New("correct horse")}).Want(200).WantJSON(`{"name":"ada"}`)

	document, err := app.Document()
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"password":{"type":"string","format":"password","minLength":3,"maxLength":1024,"writeOnly":true}`,
		`"password":{"type":"string","format":"password","minLength":12,"maxLength":1024,"writeOnly":true}`,
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%s, want %s", text, want)
		}
	}
}

func TestSecretsInWrongPlacesAreStartUpErrors(t *testing.T) {
	type leaky struct {
		Key secret.Text `json:"key"`
	}
	app, public := open(fastness.Config{})
	fastness.Get(public, "/answer", func(context.Context, struct{}) ([]leaky, error) { return nil, nil })
	fastness.Get(public, "/query", func(context.Context, struct {
		Token secret.Text `query:"token"`
	}) (string, error) {
		return "", nil
	})
	fastness.Post(public, "/default", func(context.Context, struct {
		Password secret.Text `form:"password" default:"changeme"`
	}) (string, error) {
		return "", nil
	})
	_, err := app.Document()
	for _, want := range []string{
		"/answer: answer: fastness_test.leaky.key is a secret.Text",
		"field Token: a secret in an address", "field Password: a secret with a default",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want it to say %q", err, want)
		}
	}

	app, public = open(fastness.Config{})
	fastness.Get(public, "/declared", say(""), fastness.Response[leaky](409, "no"))
	if _, err := app.Document(); err == nil || !strings.Contains(err.Error(), "leaky.key is a secret.Text") {
		t.Errorf("a declared answer with a secret: %v", err)
	}
}

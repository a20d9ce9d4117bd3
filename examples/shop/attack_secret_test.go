package main

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/secret"
	"github.com/fastness/fastness/webhook"
)

// planted are secrets by their name, which must be seen nowhere but where they are
// handed out.
type planted map[string]string

// search reports every secret that text holds, in any of the ways to write one.
func (p planted) search(t testing.TB, where, text string) {
	t.Helper()
	for name, value := range p {
		if len(value) < 16 {
			t.Fatalf("%s is %q: too short to be told from other texts", name, value)
		}
		quoted := quote(value)
		for _, spelling := range []string{
			value, url.QueryEscape(value), url.PathEscape(value), quoted[1 : len(quoted)-1], hex.EncodeToString([]byte(value)),
			strings.TrimRight(base64.StdEncoding.EncodeToString([]byte(value)), "="), base64.RawURLEncoding.EncodeToString([]byte(value)), value[:16], value[len(value)-16:],
		} {
			if i := strings.Index(text, spelling); i >= 0 {
				t.Errorf("%s is in %s: …%.200s", name, where, text[max(0, i-80):])
				break
			}
		}
	}
}

// leakyShop is the shop with operations that fail with all they have, and a place
// for webhooks.
func leakyShop(t *testing.T, hooks secret.Text) (*fastness.App, *parts) {
	t.Helper()
	app, inside := testApp()
	type leaky struct {
		Key   secret.Text `header:"X-Key"`
		Mode  string      `query:"mode"`
		Error string      `query:"error" default:""`
	}
	fastness.Get(app, "/leak", func(_ context.Context, in leaky) (fastness.NoContent, error) {
		text := fmt.Sprintf("%v %+v %#v %s %q", in, in, in, in.Key, in.Key)
		switch in.Mode {
		case "panic":
			panic(text)
		case "value":
			panic(in)
		}
		return fastness.NoContent{}, errors.New(text)
	}, access.Public)
	verifier, err := webhook.NewVerifier(webhook.Config{Secrets: []secret.Text{hooks}})
	if err != nil {
		t.Fatal(err)
	}
	fastness.Mount(app, "/leak/hooks", verifier.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("leak: a receiver that fails") })), access.Public)
	return app, inside
}

func TestSecretsOfTheShopAreInNoLogAndNoError(t *testing.T) {
	hooks := webhook.NewSecret()
	app, inside := leakyShop(t, hooks)
	s := serveApp(t, app, "--log-level", "debug")
	s.parts = inside
	s.log.excused = "leak"
	c := s.client(t)
	p := planted{"the password": password, "the webhooks' secret": strings.TrimPrefix(hooks.Reveal(), "whsec_"), "a key": "canary-key-of-29-characters-xy"}
	p.collect(t, c)
	p.send(t, c)
	p.sendHooks(t, c, hooks)
	for _, mode := range []string{"panic", "value", "error"} {
		got := c.get("/leak?mode="+mode, "X-Key", p["a key"])
		wantProblem(t, mode, got, http.StatusInternalServerError)
		p.search(t, "the answer of /leak", got.body+fmt.Sprint(got.header))
	}
	if !eventually(func() bool { return strings.Count(s.log.String(), `"path":"/leak"`) == 3 }) {
		t.Error("the log is not whole")
	}
	p.search(t, "the log", s.log.String())
	if n := strings.Count(s.log.String(), "\n"); n < 150 {
		t.Errorf("the log has %d lines: too little was sent", n)
	}
}

// collect gets one of each credential that the shop hands out.
func (p planted) collect(t *testing.T, c *client) {
	t.Helper()
	stays := []string{"Sec-Fetch-Site", "same-origin"}
	name := c.account("ann", "castle", "admin")
	tokens := c.post("/token", url.Values{"username": {name}, "password": {password}}.Encode(), "Content-Type", "application/x-www-form-urlencoded").decode(t)
	for _, name := range []string{"access_token", "refresh_token"} {
		p[name], _ = tokens[name].(string)
	}
	begun := c.post("/session", `{"username":"ann","password":`+quote(password)+`}`, stays...)
	_, p["the session's cookie"], _ = strings.Cut(begun.cookies()["__Host-session"], "=")
	given := c.get("/csrftoken/", "Cookie", "__Host-session="+p["the session's cookie"])
	p["the CSRF token"], _ = given.decode(t)["csrf_token"].(string)
	_, p["the CSRF cookie"], _ = strings.Cut(given.cookies()["__Host-csrf"], "=")
	made := c.post("/me/api-keys", `{"name":"robot"}`, "Authorization", "Bearer "+p["access_token"])
	p["the API key"], _ = made.decode(t)["key"].(string)
}

// send sends each secret where it belongs and where it does not, rightly and not.
func (p planted) send(t *testing.T, c *client) {
	t.Helper()
	ask := func(method, target, body string, header ...string) {
		got := c.call(method, target, body, header...)
		p.search(t, method+" "+strings.SplitN(target, "?", 2)[0], got.body+fmt.Sprint(got.header))
	}
	for _, name := range slices.Sorted(maps.Keys(p)) {
		value := p[name]
		for _, header := range [][]string{
			{"Authorization", "Bearer " + value}, {"Authorization", "Basic " + value}, {"Authorization", value}, {"X-API-Key", value}, {"X-CSRF-Token", value},
			{"Cookie", "__Host-session=" + value}, {"Cookie", "__Host-csrf=" + value}, {"Cookie", "__Host-session=" + value + "; __Host-session=" + value}, {"Cookie", "other=" + value},
			{"Authorization", "Bearer " + value + "x", "X-API-Key", value}, {"Cookie", "__Host-session=" + p["the session's cookie"] + "; __Host-csrf=" + value, "X-CSRF-Token", value, "Sec-Fetch-Site", "same-origin"},
		} {
			for _, target := range []string{"/me", "/read_item/7", "/nowhere"} {
				ask("GET", target, "", header...)
			}
			ask("POST", "/orders", `{"item_id":`+quote(value)+`}`, header...)
		}
		escaped := url.QueryEscape(value)
		ask("GET", "/items/1?access_token="+escaped+"&q="+strings.Repeat("x", 60), "")
		ask("GET", "/login?problem="+escaped, "")
		for _, target := range []string{"/token/refresh", "/revoke", "/oauth/token", "/oauth/consent"} {
			form := url.Values{"refresh_token": {value + "x"}, "token": {value + "x"}, "csrf-token": {value}, "client_secret": {value}, "code": {value}, "grant_type": {value}}
			ask("POST", target, form.Encode(), "Content-Type", "application/x-www-form-urlencoded")
			ask("POST", target, form.Encode()+"%zz", "Content-Type", "application/x-www-form-urlencoded")
		}
		for _, body := range []string{`{"password":` + quote(value), `{"username":` + quote(value) + `}`, quote(value), `{"username":[` + quote(value) + `]}`} {
			ask("POST", "/session", body, "Sec-Fetch-Site", "same-origin")
		}
	}
}

// sendHooks sends webhooks: signed well, badly, and with the secret itself.
func (p planted) sendHooks(t *testing.T, c *client, hooks secret.Text) {
	t.Helper()
	for _, with := range []secret.Text{hooks, webhook.NewSecret()} {
		signer, err := webhook.NewSigner(with)
		if err != nil {
			t.Fatal(err)
		}
		signed := http.Header{}
		if err := signer.Sign(signed, webhook.NewID(), time.Now(), []byte(`{}`)); err != nil {
			t.Fatal(err)
		}
		var header []string
		for name, values := range signed {
			header = append(header, name, values[0])
		}
		got := c.post("/leak/hooks", `{}`, header...)
		p.search(t, "the answer to a webhook", got.body+fmt.Sprint(got.header))
	}
	got := c.post("/leak/hooks", `{}`, webhook.IDHeader, "msg_1", "Webhook-Timestamp", strconv.FormatInt(time.Now().Unix(), 10), "Webhook-Signature", "v1,"+p["the webhooks' secret"])
	p.search(t, "the answer to a webhook", got.body+fmt.Sprint(got.header))
	if got.status < 400 {
		t.Errorf("a webhook that is not signed: %d", got.status)
	}
}

// noted is a test that counts what it is told.
type noted struct {
	testing.TB
	n int
}

func (n *noted) Helper()               {}
func (n *noted) Errorf(string, ...any) { n.n++ }

// A search that finds nothing anywhere proves nothing.
func TestSearchForSecretsFindsThem(t *testing.T) {
	p := planted{"it": "a secret of/22+letters"}
	for text, want := range map[string]int{
		"nothing": 0, "a secret of/22+apples": 0, `{"msg":"a secret of/22+letters"}`: 1, "q=a+secret+of%2F22%2Bletters": 1, "YSBzZWNyZXQgb2YvMjIrbGV0dGVycw==": 1,
		"6120736563726574206f662f32322b6c657474657273": 1, "cut: a secret of/22+le…": 1, "the end: et of/22+letters": 1,
	} {
		r := &noted{TB: t}
		if p.search(r, "a text", text); r.n != want {
			t.Errorf("in %q the search finds %d, want %d", text, r.n, want)
		}
	}
}

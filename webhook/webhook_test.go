package webhook_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/secret"
	"github.com/fastness/fastness/webhook"
)

// vectors were made by the package standardwebhooks 1.0.0 of npm, with
// new Webhook(secret).sign(id, new Date(timestamp*1000), body), and the last one
// by the Go library of the same project.
func vectors() []struct {
	secret, public, id string
	timestamp          int64
	body, signature    string
} {
	return []struct {
		secret, public, id string
		timestamp          int64
		body, signature    string
	}{
		{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, `{"test": 2432232314}`, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="},
		{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "", "msg_1", 1, "", "v1,fUIsxxTK5tKgKbC2AwzF7wnOr3WsI1RCNgGdkLxy5PY="},
		{"whsec_AQQHCg0QExYZHB8iJSgrLjE0Nzo9QENGSUxPUlVYW15hZGdqbXBzdnl8f4KFiIuOkZSXmp2go6aprK+ytbi7vg==", "", "evt-2026_~!", 1795459200,
			"{\"name\":\"Zoë 🔑\\n\",\"n\":1.0}\n", "v1,iwW8kB5lvbd/YzPYD7AjhQ9s11fzgOJeG2UH536RsBI="},
		{"whsec_//79/Pv6+fj39vX08/Lx8O/u7ezr6uno", "", "m", 99999999999, "not.json.with.stops", "v1,F2QEV+xnwKEy8X5KI+DmuQ0YJ2XLyYUeLAr/NvFgbqM="},
		{"whsk_VEVTVFNJR05JTkdLRVlET05PVFVTRVRISVNGT1JBTlk=", "whpk_ZlN4eg7dSSqi0moX9hQUk3orrOouK3QVQSlJa248c/g=", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, `{"test": 2432232314}`,
			"v1a,tQ9V2XOqn7jL/DQenEFpqIugdBVtiMmER5mhSkXBNwM0mkATuDe6KYYUuxqtaiHeYGb7KaaBRdM5WqyeFiL8Ag=="},
	}
}

func TestSignaturesAreThoseOfOthers(t *testing.T) {
	for _, v := range vectors() {
		at := time.Unix(v.timestamp, 0)
		h := http.Header{}
		if err := newSigner(t, v.secret).Sign(h, v.id, at, []byte(v.body)); err != nil {
			t.Fatal(err)
		}
		if got := h.Get("webhook-signature"); got != v.signature {
			t.Errorf("%s: %s, want %s", v.id, got, v.signature)
		}
		verifying := v.secret
		if v.public != "" {
			verifying = v.public
		}
		verifier := newVerifier(t, webhook.Config{Secrets: texts(verifying), Now: func() time.Time { return at }})
		if err := verifier.Verify(t.Context(), h, []byte(v.body)); err != nil {
			t.Errorf("%s: %v", v.id, err)
		}
	}
}

const (
	oldSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	newSecret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
)

func texts(all ...string) (out []secret.Text) {
	for _, text := range all {
		out = append(out, secret.New(text))
	}
	return out
}

func newSigner(t testing.TB, secrets ...string) *webhook.Signer {
	t.Helper()
	s, err := webhook.NewSigner(texts(secrets...)...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newVerifier(t testing.TB, cfg webhook.Config) *webhook.Verifier {
	t.Helper()
	v, err := webhook.NewVerifier(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// start is when tests happen.
func start() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }

// message is a message of oldSecret, sent at start.
func message(t testing.TB, id, body string) http.Header {
	t.Helper()
	h := http.Header{}
	if err := newSigner(t, oldSecret).Sign(h, id, start(), []byte(body)); err != nil {
		t.Fatal(err)
	}
	return h
}

// wantRefused fails unless err is the 401 for why.
func wantRefused(t *testing.T, what string, err, why error) {
	t.Helper()
	p := problem.From(err)
	if err == nil || p.Status != 401 || p.Header().Get("WWW-Authenticate") == "" || !errors.Is(err, why) {
		t.Errorf("%s: %v, want a 401 because of %q", what, err, why)
	}
}

func config() webhook.Config { return webhook.Config{Secrets: texts(oldSecret), Now: start} }

func TestChangedMessageIsRefused(t *testing.T) {
	const body = `{"amount":100}`
	other := message(t, "msg_2", `{"amount":999}`)
	for name, change := range map[string]func(h http.Header, body *string){
		"another body":                     func(_ http.Header, body *string) { *body = `{"amount":900}` },
		"no body":                          func(_ http.Header, body *string) { *body = "" },
		"a body with one byte more":        func(_ http.Header, body *string) { *body += " " },
		"the body of another message":      func(_ http.Header, body *string) { *body = `{"amount":999}` },
		"another id":                       func(h http.Header, _ *string) { h.Set("webhook-id", "msg_2") },
		"another time":                     func(h http.Header, _ *string) { h.Set("webhook-timestamp", fmt.Sprint(start().Unix()+1)) },
		"the signature of another message": func(h http.Header, _ *string) { h["Webhook-Signature"] = other["Webhook-Signature"] },
		"another version of the signature": func(h http.Header, _ *string) { h.Set("webhook-signature", "v2"+h.Get("webhook-signature")[2:]) },
		"a signature without its version":  func(h http.Header, _ *string) { h.Set("webhook-signature", h.Get("webhook-signature")[3:]) },
		"a shorter signature": func(h http.Header, _ *string) {
			s := h.Get("webhook-signature")
			h.Set("webhook-signature", s[:len(s)-1])
		},
		"an empty signature":                 func(h http.Header, _ *string) { h.Set("webhook-signature", "v1,") },
		"a signature with the version twice": func(h http.Header, _ *string) { h.Set("webhook-signature", "v1,"+h.Get("webhook-signature")) },
		"16 wrong signatures": func(h http.Header, _ *string) {
			h.Set("webhook-signature", strings.TrimSpace(strings.Repeat("v1,AAAA ", 16)))
		},
		"other bits in the last character": func(h http.Header, _ *string) {
			s := h.Get("webhook-signature")
			last := strings.IndexByte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", s[len(s)-2])
			h.Set("webhook-signature", s[:len(s)-2]+string("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[last^1])+"=")
		},
	} {
		h, sent := message(t, "msg_1", body), body
		change(h, &sent)
		wantRefused(t, name, newVerifier(t, config()).Verify(t.Context(), h, []byte(sent)), webhook.ErrSignature)
	}
	wantRefused(t, "another secret", newVerifier(t, webhook.Config{Secrets: texts(newSecret), Now: start}).Verify(t.Context(), message(t, "msg_1", body), []byte(body)), webhook.ErrSignature)
}

func TestFieldsThatAreNotInOrderAreRefused(t *testing.T) {
	const body = "{}"
	now := fmt.Sprint(start().Unix())
	for name, change := range map[string]func(h http.Header){
		"no id":                  func(h http.Header) { h.Del("webhook-id") },
		"no time":                func(h http.Header) { h.Del("webhook-timestamp") },
		"no signature":           func(h http.Header) { h.Del("webhook-signature") },
		"two ids":                func(h http.Header) { h.Add("webhook-id", "msg_2") },
		"the same id twice":      func(h http.Header) { h.Add("webhook-id", "msg_1") },
		"two times":              func(h http.Header) { h.Add("webhook-timestamp", now) },
		"two signatures":         func(h http.Header) { h.Add("webhook-signature", h.Get("webhook-signature")) },
		"an empty id":            func(h http.Header) { h.Set("webhook-id", "") },
		"an id with a full stop": func(h http.Header) { h.Set("webhook-id", "msg.1") },
		"an id with a line":      func(h http.Header) { h.Set("webhook-id", "msg\n1") },
		"an id beyond ASCII":     func(h http.Header) { h.Set("webhook-id", "msg_é") },
		"an id of 257 bytes":     func(h http.Header) { h.Set("webhook-id", strings.Repeat("a", 257)) },
		"a huge time":            func(h http.Header) { h.Set("webhook-timestamp", strings.Repeat("9", 1<<20)) },
		"a huge signature": func(h http.Header) {
			h.Set("webhook-signature", h.Get("webhook-signature")+" "+strings.Repeat("a", 1<<20))
		},
		"17 signatures": func(h http.Header) {
			h.Set("webhook-signature", strings.Repeat("v1,AAAA ", 16)+h.Get("webhook-signature"))
		},
		"a time in milliseconds": func(h http.Header) { h.Set("webhook-timestamp", now+"000") },
		"a time with a sign":     func(h http.Header) { h.Set("webhook-timestamp", "+"+now) },
		"a time before 1970":     func(h http.Header) { h.Set("webhook-timestamp", "-"+now) },
		"a time with a fraction": func(h http.Header) { h.Set("webhook-timestamp", now+".0") },
		"a time with a zero":     func(h http.Header) { h.Set("webhook-timestamp", "0"+now) },
		"a time in base 16":      func(h http.Header) { h.Set("webhook-timestamp", fmt.Sprintf("0x%x", start().Unix())) },
		"a time with a space":    func(h http.Header) { h.Set("webhook-timestamp", now+" ") },
		"a time in words":        func(h http.Header) { h.Set("webhook-timestamp", start().Format(time.RFC3339)) },
		"no time at all":         func(h http.Header) { h.Set("webhook-timestamp", "") },
	} {
		h := message(t, "msg_1", body)
		change(h)
		wantRefused(t, name, newVerifier(t, config()).Verify(t.Context(), h, []byte(body)), webhook.ErrUnsigned)
	}
}

func TestOldAndFutureMessagesAreRefused(t *testing.T) {
	for _, tt := range []struct {
		later time.Duration
		ok    bool
	}{
		{0, true}, {5 * time.Minute, true}, {-5 * time.Minute, true}, {5*time.Minute + time.Second, false}, {-5*time.Minute - time.Second, false},
		{24 * time.Hour, false}, {-24 * time.Hour, false}, {290 * 365 * 24 * time.Hour, false},
	} {
		cfg := config()
		cfg.Now = func() time.Time { return start().Add(tt.later) }
		err := newVerifier(t, cfg).Verify(t.Context(), message(t, "msg_1", ""), nil)
		if tt.ok && err != nil {
			t.Errorf("%v later: %v", tt.later, err)
		}
		if !tt.ok {
			wantRefused(t, tt.later.String(), err, webhook.ErrTimestamp)
		}
	}
}

func TestReplayedMessageIsRefused(t *testing.T) {
	now := start()
	cfg := config()
	cfg.Now = func() time.Time { return now }
	v := newVerifier(t, cfg)
	h := message(t, "msg_1", "{}")
	if err := v.Verify(t.Context(), h, []byte("{}")); err != nil {
		t.Fatal(err)
	}
	for _, later := range []time.Duration{0, time.Second, 4 * time.Minute, 5 * time.Minute} {
		now = start().Add(later)
		wantRefused(t, later.String(), v.Verify(t.Context(), h, []byte("{}")), webhook.ErrReplayed)
	}
	// The next attempt of the same event has a time of its own.
	again := http.Header{}
	now = start().Add(2 * time.Minute)
	if err := newSigner(t, oldSecret).Sign(again, "msg_1", now, []byte("{}")); err != nil {
		t.Fatal(err)
	}
	if err := v.Verify(t.Context(), again, []byte("{}")); err != nil {
		t.Errorf("another attempt: %v", err)
	}
	// Whoever says why accepts it again.
	cfg.InsecureReplay = "test"
	careless := newVerifier(t, cfg)
	for range 2 {
		if err := careless.Verify(t.Context(), h, []byte("{}")); err != nil {
			t.Errorf("with InsecureReplay: %v", err)
		}
	}
}

// A message that has two signatures is one attempt, whichever of them comes.
func TestMessageIsNotReplayedUnderItsOtherSignature(t *testing.T) {
	h := http.Header{}
	if err := newSigner(t, newSecret, oldSecret).Sign(h, "msg_1", start(), []byte("{}")); err != nil {
		t.Fatal(err)
	}
	signatures := strings.Fields(h.Get("webhook-signature"))
	v := newVerifier(t, webhook.Config{Secrets: texts(oldSecret, newSecret), Now: start})
	h.Set("webhook-signature", signatures[0])
	if err := v.Verify(t.Context(), h, []byte("{}")); err != nil || len(signatures) != 2 {
		t.Fatal(signatures, err)
	}
	h.Set("webhook-signature", signatures[1])
	wantRefused(t, "the other signature", v.Verify(t.Context(), h, []byte("{}")), webhook.ErrReplayed)
}

func TestChangedMessageOfAKeyPairIsRefused(t *testing.T) {
	private, public := webhook.NewKeyPair()
	_, stranger := webhook.NewKeyPair()
	signer, err := webhook.NewSigner(private)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(h http.Header, body *string){
		"another body":         func(_ http.Header, body *string) { *body = "[]" },
		"another id":           func(h http.Header, _ *string) { h.Set("webhook-id", "msg_2") },
		"another time":         func(h http.Header, _ *string) { h.Set("webhook-timestamp", fmt.Sprint(start().Unix()+1)) },
		"a version for HMAC":   func(h http.Header, _ *string) { h.Set("webhook-signature", "v1"+h.Get("webhook-signature")[3:]) },
		"a signature of zeros": func(h http.Header, _ *string) { h.Set("webhook-signature", "v1a,"+strings.Repeat("A", 86)+"==") },
		"no base64":            func(h http.Header, _ *string) { h.Set("webhook-signature", "v1a,!") },
		"a short one":          func(h http.Header, _ *string) { h.Set("webhook-signature", "v1a,AAAA") },
	} {
		h, body := http.Header{}, "{}"
		if err := signer.Sign(h, "msg_1", start(), []byte(body)); err != nil {
			t.Fatal(err)
		}
		change(h, &body)
		v := newVerifier(t, webhook.Config{Secrets: append(texts(), stranger, public), Now: start})
		wantRefused(t, name, v.Verify(t.Context(), h, []byte(body)), webhook.ErrSignature)
	}
	h := http.Header{}
	if err := signer.Sign(h, "msg_1", start(), nil); err != nil {
		t.Fatal(err)
	}
	wantRefused(t, "another key", newVerifier(t, webhook.Config{Secrets: append(texts(), stranger), Now: start}).Verify(t.Context(), h, nil), webhook.ErrSignature)
}

// Nobody can make an honest message look as if it had been here before.
func TestForgedMessageDoesNotUseUpAnID(t *testing.T) {
	v := newVerifier(t, config())
	forged := message(t, "msg_1", "{}")
	forged.Set("webhook-signature", "v1,AAAA")
	wantRefused(t, "forged", v.Verify(t.Context(), forged, []byte("{}")), webhook.ErrSignature)
	if err := v.Verify(t.Context(), message(t, "msg_1", "{}"), []byte("{}")); err != nil {
		t.Errorf("the honest message: %v", err)
	}
}

func TestSecretsRotate(t *testing.T) {
	const body = "{}"
	signed := map[string]http.Header{}
	for name, secrets := range map[string][]string{"old": {oldSecret}, "both": {newSecret, oldSecret}, "new": {newSecret}} {
		h := http.Header{}
		if err := newSigner(t, secrets...).Sign(h, "msg_"+name, start(), []byte(body)); err != nil {
			t.Fatal(err)
		}
		signed[name] = h
	}
	accepted := texts(oldSecret)
	v := newVerifier(t, webhook.Config{Rotating: func() []secret.Text { return accepted }, Now: start, InsecureReplay: "test"})
	for _, step := range []struct {
		secrets []secret.Text
		want    string
	}{
		{texts(oldSecret), "old both"}, {texts(newSecret, oldSecret), "old both new"}, {texts(newSecret), "both new"}, {texts(oldSecret, newSecret), "old both new"},
	} {
		accepted = step.secrets
		for name, h := range signed {
			err := v.Verify(t.Context(), h, []byte(body))
			if want := strings.Contains(step.want, name); want != (err == nil) {
				t.Errorf("signed with %s, accepted %d secrets: %v, want those signed with %s", name, len(accepted), err, step.want)
			}
		}
	}
	for _, broken := range [][]secret.Text{nil, texts(""), texts(oldSecret, "whsec_short")} {
		accepted = broken
		if err := v.Verify(t.Context(), signed["old"], []byte(body)); problem.From(err).Status != 503 {
			t.Errorf("with %d secrets that are none: %v, want a 503", len(broken), err)
		}
	}
}

type brokenReplay struct{}

func (brokenReplay) First(context.Context, string, time.Time) (bool, error) {
	return true, errors.New("redis at 10.0.0.7 is away")
}

func TestMessageIsRefusedWhileTheMemoryOfAttemptsIsAway(t *testing.T) {
	cfg := config()
	cfg.Replay = brokenReplay{}
	err := newVerifier(t, cfg).Verify(t.Context(), message(t, "msg_1", "{}"), []byte("{}"))
	p := problem.From(err)
	document, _ := p.MarshalJSON()
	if p.Status != 503 || p.Header().Get("Retry-After") == "" || strings.Contains(string(document), "10.0.0.7") {
		t.Errorf("%s, want a 503 without the cause", document)
	}
}

func TestSecretsThatAreNoneAreRefused(t *testing.T) {
	encode := base64.StdEncoding.EncodeToString
	random := []byte("\x8f\x12\xa7\x03\x5c\xee\x41\x90\x22\xfb\x6d\xc8\x17\x39\xb4\x50\xd1\x0e\x7a\x95\x63\x2b\xf8\x46\xac")
	for name, text := range map[string]string{
		"empty": "", "no prefix": encode(random), "another prefix": "whsek_" + encode(random), "23 bytes": "whsec_" + encode(random[:23]), "nothing": "whsec_",
		"65 bytes": "whsec_" + encode(append(random, make([]byte, 40)...)), "no base64": "whsec_" + strings.Repeat("!", 32), "bits that are left over": "whsec_" + encode(append(random[:25:25], 0))[:34] + "B=", "base64 of URLs": "whsec_" + strings.ReplaceAll(encode(random[:24]), "/", "_") + "-_",
		"zeros": "whsec_" + encode(make([]byte, 32)), "a repetition": "whsec_" + encode([]byte(strings.Repeat("\x8f\x12\xa7", 10))), "words": "whsec_" + encode([]byte("this-is-a-very-secret-webhook-key")),
		"a word with digits": "whsec_" + encode([]byte("password12345678901234567890")), "words as base64": "whsec_supersecretwebhookkeysupersecret00",
		"a line break": "whsec_" + encode(random[:24]) + "\n", "a public key to sign with": "whpk_" + encode(make([]byte, 32)), "31 bytes of ed25519": "whsk_" + encode(make([]byte, 31)),
	} {
		_, err := webhook.NewSigner(secret.New(text))
		if err == nil {
			t.Errorf("%s: a signer takes it", name)
		} else if len(text) > 8 && strings.Contains(err.Error(), text[6:]) {
			t.Errorf("%s: the error shows the secret: %v", name, err)
		}
		if _, err := webhook.NewVerifier(webhook.Config{Secrets: texts(text)}); err == nil && !strings.Contains(name, "public") {
			t.Errorf("%s: a verifier takes it", name)
		}
	}
	private, public := webhook.NewKeyPair()
	for name, text := range map[string]secret.Text{"a private key to verify with": private, "31 bytes": secret.New("whpk_" + encode(make([]byte, 31))), "no base64": secret.New("whpk_!")} {
		if _, err := webhook.NewVerifier(webhook.Config{Secrets: []secret.Text{text}}); err == nil {
			t.Errorf("%s: a verifier takes it", name)
		}
	}
	if _, err := webhook.NewVerifier(webhook.Config{Secrets: []secret.Text{public, webhook.NewSecret()}}); err != nil {
		t.Error(err)
	}
}

func TestNewVerifierNamesEveryMistake(t *testing.T) {
	_, err := webhook.NewVerifier(webhook.Config{
		Secrets: texts("a", "whsec_b"), Rotating: func() []secret.Text { return texts("a", "whsec_b") }, Tolerance: 2 * time.Hour, MaxBody: -1, Replay: brokenReplay{}, InsecureReplay: "test",
	})
	for _, want := range []string{"webhook config: ", "Secrets and Rotating", "secret 0 does not begin", "secret 1 is no base64", "Tolerance is 2h", "MaxBody is -1", "Replay and InsecureReplay"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("NewVerifier() = %v, want %q in it", err, want)
		}
	}
	if _, err := webhook.NewVerifier(webhook.Config{}); err == nil || !strings.Contains(err.Error(), "0 secrets") {
		t.Errorf("without secrets: %v", err)
	}
	if _, err := webhook.NewSigner(texts(strings.Split(strings.Repeat(oldSecret+" ", 9), " ")[:9]...)...); err == nil {
		t.Error("nine secrets are taken")
	}
}

func TestSignRefusesWhatCannotBeVerified(t *testing.T) {
	s := newSigner(t, oldSecret)
	for name, id := range map[string]string{"empty": "", "full stop": "a.b", "space": "a b", "line": "a\r\nX: y", "long": strings.Repeat("a", 257)} {
		h := http.Header{}
		if err := s.Sign(h, id, start(), nil); err == nil || len(h) != 0 {
			t.Errorf("%s: %v, %v", name, err, h)
		}
	}
	for _, at := range []time.Time{{}, time.Unix(0, 0), time.Unix(1e12, 0)} {
		if err := s.Sign(http.Header{}, "msg_1", at, nil); err == nil {
			t.Errorf("%v is signed", at)
		}
	}
	if a, b := webhook.NewID(), webhook.NewID(); a == b || s.Sign(http.Header{}, a, start(), nil) != nil {
		t.Errorf("NewID() = %q, %q", a, b)
	}
}

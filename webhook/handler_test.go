package webhook_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fastness/fastness/outbound"
	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/webhook"
)

// watched is a body that counts what is read of it.
type watched struct {
	io.Reader
	read int
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	w.read += n
	return n, err
}

func post(h http.Header, body io.Reader) *http.Request {
	r := httptest.NewRequest("POST", "/hooks", body)
	r.Header = h
	return r
}

func TestHandlerPassesTheBodyThatWasSigned(t *testing.T) {
	cfg := config()
	cfg.MaxBody = 8
	for _, body := range []string{"", "{}", "12345678"} {
		v := newVerifier(t, cfg)
		var got string
		h := v.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			text, err := io.ReadAll(r.Body)
			got = string(text)
			if err != nil || r.ContentLength != int64(len(text)) {
				t.Errorf("%v, ContentLength %d of %d bytes", err, r.ContentLength, len(text))
			}
			w.WriteHeader(http.StatusNoContent)
		}))
		w := httptest.NewRecorder()
		r := post(message(t, "msg_1", body), &watched{Reader: strings.NewReader(body)})
		r.ContentLength = -1
		h.ServeHTTP(w, r)
		if w.Code != 204 || got != body {
			t.Errorf("%q: %d, the handler read %q", body, w.Code, got)
		}
	}
}

func TestHandlerRefusesBeforeItReads(t *testing.T) {
	cfg := config()
	cfg.MaxBody = 1000
	big := strings.Repeat("a", 100_000)
	stale := message(t, "msg_1", big)
	stale.Set("webhook-timestamp", "1")
	for _, tt := range []struct {
		name   string
		h      http.Header
		length int64
		status int
		most   int
	}{
		{"no fields", http.Header{}, -1, 401, 0},
		{"an old time", stale, -1, 401, 0},
		{"a size that is announced", message(t, "msg_1", big), int64(len(big)), 413, 0},
		{"a size that is not", message(t, "msg_1", big), -1, 413, 2000},
		{"a size that is a lie", message(t, "msg_1", big), 10, 413, 2000},
	} {
		body := &watched{Reader: strings.NewReader(big)}
		r := post(tt.h, body)
		r.ContentLength = tt.length
		w := httptest.NewRecorder()
		newVerifier(t, cfg).Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Errorf("%s: it was let in", tt.name) })).ServeHTTP(w, r)
		if w.Code != tt.status || body.read > tt.most || w.Header().Get("Content-Type") != problem.MediaType {
			t.Errorf("%s: %d after %d bytes, want %d after at most %d", tt.name, w.Code, body.read, tt.status, tt.most)
		}
	}
}

func TestBodyThatBreaksOffIsNoMessage(t *testing.T) {
	body := io.MultiReader(strings.NewReader("{}"), failing{})
	if err := newVerifier(t, config()).Check(post(message(t, "msg_1", "{}"), body)); problem.From(err).Status != 400 {
		t.Errorf("%v, want a 400", err)
	}
	r := post(message(t, "msg_1", ""), nil)
	r.Body = nil
	if err := newVerifier(t, config()).Check(r); err != nil {
		t.Errorf("no body: %v", err)
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("connection reset") }

func TestRefusalTellsNoReason(t *testing.T) {
	forged, stale := message(t, "msg_1", "{}"), message(t, "msg_1", "{}")
	forged.Set("webhook-signature", "v1,AAAA")
	stale.Set("webhook-timestamp", "1")
	v := newVerifier(t, config())
	documents := map[string]bool{}
	for _, h := range []http.Header{{}, forged, stale, message(t, "msg_1", "{}"), message(t, "msg_1", "{}")} {
		if err := v.Verify(t.Context(), h, []byte("{}")); err != nil {
			text, _ := problem.From(err).MarshalJSON()
			documents[string(text)] = true
		}
	}
	if len(documents) != 1 {
		t.Errorf("the refusals can be told apart: %v", documents)
	}
}

func TestRefusalIsCheap(t *testing.T) {
	v := newVerifier(t, config())
	stale := message(t, "msg_1", "{}")
	stale.Set("webhook-timestamp", "1")
	for name, h := range map[string]http.Header{"no fields": {}, "an old time": stale} {
		if n := testing.AllocsPerRun(100, func() { _ = v.Verify(context.Background(), h, nil) }); n > 6 {
			t.Errorf("%s: %v allocations, want at most 6", name, n)
		}
	}
}

func TestOfManyWhoSendAnAttemptAtOnceOneComesIn(t *testing.T) {
	v := newVerifier(t, config())
	h := message(t, "msg_1", "{}")
	var in atomic.Int64
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			if v.Verify(context.Background(), h, []byte("{}")) == nil {
				in.Add(1)
			}
		})
	}
	wg.Wait()
	if in.Load() != 1 {
		t.Errorf("%d of 16 came in", in.Load())
	}
}

func sender(t *testing.T, h http.HandlerFunc) (*outbound.Client, string) {
	t.Helper()
	server := httptest.NewTLSServer(h)
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	client, err := outbound.New(outbound.Config{
		Ports: []uint16{uint16(server.Listener.Addr().(*net.TCPAddr).Port)}, RootCAs: roots, Timeout: 5 * time.Second,
		InsecurePrivateNetworks: []outbound.PrivateNetwork{{Prefix: netip.MustParsePrefix("127.0.0.1/32"), InsecureReason: "the receiver of the test"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return client, server.URL
}

func TestSentMessageIsVerified(t *testing.T) {
	private, public := webhook.NewKeyPair()
	shared := webhook.NewSecret()
	v, err := webhook.NewVerifier(webhook.Config{Secrets: append(texts(), public)})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	client, url := sender(t, v.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = append(got, r.Method+r.Header.Get("Content-Type")+r.Header.Get("Webhook-Id")+string(body))
	})).ServeHTTP)
	s, err := webhook.NewSigner(shared, private)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range []webhook.Message{{ID: "msg_1", Body: []byte("{}")}, {ID: "msg_2", Body: []byte("a"), ContentType: "text/plain"}} {
		if result, err := s.Send(t.Context(), client, url, m); err != nil || result != (webhook.Result{Verdict: webhook.Delivered, Status: 200}) {
			t.Errorf("%+v, %v", result, err)
		}
	}
	if text := fmt.Sprint(got); text != "[POSTapplication/jsonmsg_1{} POSTtext/plainmsg_2a]" {
		t.Error(text)
	}
}

func TestVerdictOfAnAttempt(t *testing.T) {
	at := start()
	var status int
	var after string
	var sent atomic.Int64
	client, url := sender(t, func(w http.ResponseWriter, r *http.Request) {
		sent.Add(1)
		w.Header().Set("Location", "/elsewhere")
		w.Header().Set("Retry-After", after)
		w.WriteHeader(status)
		_, _ = w.Write(bytes.Repeat([]byte("a"), 100))
	})
	s := newSigner(t, oldSecret)
	for _, tt := range []struct {
		status int
		after  string
		want   webhook.Result
	}{
		{200, "", webhook.Result{Verdict: webhook.Delivered}},
		{299, "9", webhook.Result{Verdict: webhook.Delivered}},
		{302, "", webhook.Result{}},
		{308, "", webhook.Result{}},
		{404, "", webhook.Result{}},
		{410, "", webhook.Result{Verdict: webhook.Gone}},
		{429, "120", webhook.Result{RetryAfter: 2 * time.Minute}},
		{503, at.Add(time.Hour).Format(http.TimeFormat), webhook.Result{RetryAfter: time.Hour}},
		{503, at.Add(-time.Hour).Format(http.TimeFormat), webhook.Result{}},
		{503, "99999999", webhook.Result{RetryAfter: 24 * time.Hour}},
		{503, "-1", webhook.Result{}},
		{503, "soon", webhook.Result{}},
		{500, "", webhook.Result{}},
	} {
		status, after = tt.status, tt.after
		before := sent.Load()
		result, err := s.Send(t.Context(), client, url, webhook.Message{ID: "msg_1", At: at})
		tt.want.Status = tt.status
		if result != tt.want || (err == nil) != (tt.want.Verdict == webhook.Delivered) || sent.Load() != before+1 {
			t.Errorf("%d %s: %+v, %v, want %+v", tt.status, tt.after, result, err, tt.want)
		}
	}
}

func TestSendNeverGoesInside(t *testing.T) {
	client, err := outbound.New(outbound.Config{Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	s := newSigner(t, oldSecret)
	for url, want := range map[string]error{
		"https://169.254.169.254/": outbound.ErrForbiddenAddress, "http://receiver.example/": outbound.ErrForbiddenURL, "https://u:canary@receiver.example/": outbound.ErrForbiddenURL,
		"https://receiver.example/\x00canary": outbound.ErrForbiddenURL,
	} {
		result, err := s.Send(t.Context(), client, url, webhook.Message{ID: "msg_1"})
		if !errors.Is(err, want) || result.Verdict != webhook.GiveUp || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %+v, %v", url, result, err)
		}
	}
	if result, err := s.Send(t.Context(), client, "https://receiver.example/", webhook.Message{ID: "a.b"}); err == nil || result.Verdict != webhook.GiveUp {
		t.Errorf("an id that is none: %+v, %v", result, err)
	}
	if _, err := s.Send(t.Context(), client, "https://localhost/canary?canary", webhook.Message{ID: "msg_1"}); !errors.Is(err, outbound.ErrForbiddenAddress) || strings.Contains(err.Error(), "canary") {
		t.Errorf("a name of this machine: %v", err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if result, err := s.Send(gone, client, "https://receiver.example/", webhook.Message{ID: "msg_1"}); err == nil || result != (webhook.Result{}) {
		t.Errorf("no answer: %+v, %v", result, err)
	}
}

// What is accepted was signed with the secret: nobody finds fields that pass.
func FuzzVerify(f *testing.F) {
	good := http.Header{}
	s := newSigner(f, oldSecret)
	if err := s.Sign(good, "msg_1", start(), []byte("{}")); err != nil {
		f.Fatal(err)
	}
	f.Add("msg_1", good.Get("webhook-timestamp"), good.Get("webhook-signature"), []byte("{}"))
	f.Add("msg.1", "1", "v1,", []byte(""))
	f.Add("", "0x10", "v1a,AAAA v1,AAAA", []byte("."))
	cfg := config()
	cfg.InsecureReplay = "test"
	cfg.Secrets = append(cfg.Secrets, texts("whpk_ZlN4eg7dSSqi0moX9hQUk3orrOouK3QVQSlJa248c/g=")...)
	v := newVerifier(f, cfg)
	f.Fuzz(func(t *testing.T, id, timestamp, signature string, body []byte) {
		h := http.Header{"Webhook-Id": {id}, "Webhook-Timestamp": {timestamp}, "Webhook-Signature": {signature}}
		err := v.Verify(t.Context(), h, body)
		if err != nil {
			if p := problem.From(err); p.Status != 401 {
				t.Errorf("%v", err)
			}
			return
		}
		if id != "msg_1" || timestamp != good.Get("webhook-timestamp") || string(body) != "{}" || !strings.Contains(" "+signature+" ", " "+good.Get("webhook-signature")+" ") {
			t.Errorf("%q %q %q %q is accepted", id, timestamp, signature, body)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	cfg := config()
	cfg.InsecureReplay = "benchmark"
	v, h, body := newVerifier(b, cfg), message(b, "msg_1", strings.Repeat("a", 2000)), []byte(strings.Repeat("a", 2000))
	for b.Loop() {
		_ = v.Verify(context.Background(), h, body)
	}
}

func BenchmarkRefusal(b *testing.B) {
	v, h := newVerifier(b, config()), http.Header{}
	for b.Loop() {
		_ = v.Verify(context.Background(), h, nil)
	}
}

func TestLogSaysWhyAMessageIsRefused(t *testing.T) {
	var log bytes.Buffer
	cfg := config()
	cfg.Logger = slog.New(slog.NewJSONHandler(&log, nil))
	h := newVerifier(t, cfg).Handler(http.NotFoundHandler())
	old := message(t, "msg_1", "{}")
	old.Set("webhook-timestamp", "1")
	for header, why := range map[*http.Header]error{&old: webhook.ErrTimestamp, {}: webhook.ErrUnsigned} {
		log.Reset()
		h.ServeHTTP(httptest.NewRecorder(), post(*header, strings.NewReader("{}")))
		if !strings.Contains(log.String(), `"level":"INFO"`) || !strings.Contains(log.String(), why.Error()) {
			t.Errorf("the log is %q, want %v", log.String(), why)
		}
	}
}

func TestVerdictsAreWords(t *testing.T) {
	if got := fmt.Sprint(webhook.Retry, webhook.Delivered, webhook.Gone, webhook.GiveUp, webhook.Verdict(9)); got != "retry delivered gone give up Verdict(9)" {
		t.Error(got)
	}
}

package fastness_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/fastnesstest"
	"github.com/fastness/fastness/guard/headers"
	"github.com/fastness/fastness/securitytxt"
)

func zipped(t *testing.T, text string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// What may hold a secret of the caller is not compressed: its length would tell
// who watches the wire (BREACH).
func TestOnlyWhatIsPublicIsCompressed(t *testing.T) {
	app, public := open(fastness.Config{})
	long := strings.Repeat("a text that repeats itself ", 200)
	fastness.Get(public, "/public", say(long))
	fastness.Get(app, "/own", say(long), access.Authenticated)
	app.Authenticate(letters{name: "letter", header: "X-Letter", users: people()})
	api := fastnesstest.New(t, app)
	gzipped := fastnesstest.Header("Accept-Encoding", "gzip")
	res := api.Get("/public", gzipped).Want(200).WantHeader("Content-Encoding", "gzip")
	r, err := gzip.NewReader(bytes.NewReader(res.Body))
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(r); err != nil || string(text) != `"`+long+`"` {
		t.Errorf("the body is %.60q, %v", text, err)
	}
	api.Get("/public").Want(200).WantHeader("Content-Encoding", "")
	api.Get("/public", gzipped, fastnesstest.Header("Cookie", "a=b")).Want(200).WantHeader("Content-Encoding", "")
	api.Get("/own", gzipped, fastnesstest.As(auth.User{ID: "u1"})).Want(200).WantHeader("Content-Encoding", "")

	plain, public := open(fastness.Config{NoCompression: true})
	fastness.Get(public, "/public", say(long))
	fastnesstest.New(t, plain).Get("/public", gzipped).Want(200).WantHeader("Content-Encoding", "")
}

func TestGzippedBodyIsTakenWhereAnOperationSaysSo(t *testing.T) {
	app, public := open(fastness.Config{})
	type input struct {
		Body struct {
			Text string `json:"text"`
		}
	}
	length := func(_ context.Context, in input) (int, error) { return len(in.Body.Text), nil }
	fastness.Post(public, "/plain", length)
	fastness.Post(public, "/zipped", length, fastness.GzipBody(), fastness.BodyLimit(100_000))
	api := fastnesstest.New(t, app)
	send := func(path string, body []byte) *fastnesstest.Response {
		return api.Do("POST", path, fastnesstest.Raw{ContentType: "application/json", Body: body}, fastnesstest.Header("Content-Encoding", "gzip"))
	}
	send("/plain", zipped(t, `{"text":"abc"}`)).WantProblem(415, "unsupported_content_encoding")
	send("/zipped", zipped(t, `{"text":"abc"}`)).WantJSON("3")
	send("/zipped", zipped(t, `{"text":"`+strings.Repeat("a", 200_000)+`"}`)).Want(413)
	send("/zipped", zipped(t, string(zipped(t, `{"text":"abc"}`)))).Want(400)
	send("/zipped", []byte("not gzip")).Want(400)
}

func TestSecurityTxtAndReportsAreServed(t *testing.T) {
	var log bytes.Buffer
	app, _ := open(fastness.Config{
		Logger:      slog.New(slog.NewTextHandler(&log, nil)),
		SecurityTxt: securitytxt.Config{Contact: []string{"mailto:security@example.com"}},
		Headers:     headers.Config{ReportTo: "/csp-reports"},
	})
	api := fastnesstest.New(t, app)
	if text := string(api.Get("/.well-known/security.txt").Want(200).WantHeader("Content-Type", "text/plain; charset=utf-8").Body); !strings.Contains(text, "Contact: mailto:security@example.com") || !strings.Contains(text, "Expires: ") {
		t.Errorf("security.txt is %s", text)
	}
	res := api.Get("/nothing").Want(404)
	if !strings.Contains(res.Header.Get("Content-Security-Policy"), "report-to csp") || res.Header.Get("Reporting-Endpoints") == "" {
		t.Errorf("an answer does not say where to report: %v", res.Header)
	}
	report := `{"csp-report":{"document-uri":"https://localhost/a?token=secret","blocked-uri":"https://evil.example/x.js","violated-directive":"script-src","effective-directive":"script-src"}}`
	api.Do("POST", "/csp-reports", fastnesstest.Raw{ContentType: "application/csp-report", Body: []byte(report)}).Want(204)
	if text := log.String(); !strings.Contains(text, "evil.example") || strings.Contains(text, "token=secret") {
		t.Errorf("the log has %s", text)
	}
	api.Do("POST", "/csp-reports", fastnesstest.Raw{ContentType: "application/csp-report", Body: []byte("{")}).Want(400)

	without, _ := open(fastness.Config{})
	fastnesstest.New(t, without).Get("/.well-known/security.txt").Want(404)
}

// One client of IPv6 has more addresses than there are lines in a minute.
func TestReportsOfOneNetworkAreThoseOfOneClient(t *testing.T) {
	var log bytes.Buffer
	app, _ := open(fastness.Config{Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn})), Headers: headers.Config{ReportTo: "/csp-reports"}})
	report := func(addr string) int {
		r := httptest.NewRequest("POST", "http://localhost/csp-reports", strings.NewReader(`{"csp-report":{"document-uri":"https://localhost/"}}`))
		r.Header.Set("Content-Type", "application/csp-report")
		r.RemoteAddr = addr
		w := httptest.NewRecorder()
		app.ServeHTTP(w, r)
		return w.Code
	}
	for i := range 100 {
		report(fmt.Sprintf("[2001:db8::%x]:1", i+1))
	}
	if n := strings.Count(log.String(), "policy violation"); n != 60 {
		t.Errorf("%d lines of one network, want 60", n)
	}
	if got := report("[2001:db8:0:1::1]:1"); got != 204 {
		t.Errorf("another network: %d, want 204", got)
	}
}

package compress_test

import (
	"bytes"
	"compress/gzip"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/fastness/fastness/guard/compress"
)

func compressor(t testing.TB, cfg compress.Config) *compress.Compressor {
	t.Helper()
	c, err := compress.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func gunzip(t testing.TB, data []byte) string {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// long is a body that is worth it.
func long() string { return strings.Repeat(`{"name":"lamp"},`, 1000) }

// answered is what a handler answers: what it sets, and how.
type answered struct {
	status int
	header http.Header
	body   string
}

func (a answered) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	for name, values := range a.header {
		w.Header()[name] = values
	}
	if a.status != 0 {
		w.WriteHeader(a.status)
	}
	for part := range slices.Chunk([]byte(a.body), 700) {
		_, _ = w.Write(part)
	}
}

func ask(h http.Handler, method string, header http.Header) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "/", nil)
	r.Header = header
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func gzipped() http.Header { return http.Header{"Accept-Encoding": {"gzip, deflate, br"}} }

func TestAnswersAreCompressed(t *testing.T) {
	c := compressor(t, compress.Config{})
	for name, header := range map[string]http.Header{
		"JSON": {}, "with a charset": {"Content-Type": {"Application/JSON; charset=utf-8"}}, "text": {"Content-Type": {"text/html"}}, "a problem": {"Content-Type": {"application/problem+json"}},
		"a picture in XML": {"Content-Type": {"image/svg+xml"}}, "with a length": {"Content-Length": {fmt.Sprint(len(long()))}}, "public": {"Cache-Control": {"public, max-age=60"}}, "a weak tag": {"Etag": {`W/"1"`}},
		"ranges": {"Accept-Ranges": {"bytes"}},
	} {
		for _, status := range []int{0, 201, 404, 500} {
			w := ask(c.Handler(answered{status, header, long()}), "GET", gzipped())
			h := w.Result().Header
			if h.Get("Content-Encoding") != "gzip" || gunzip(t, w.Body.Bytes()) != long() || w.Body.Len() > 1000 || w.Code != max(status, 200) {
				t.Errorf("%s, %d: %d %v, %d bytes", name, status, w.Code, h, w.Body.Len())
			}
			if h.Get("Content-Length") != "" || h.Get("Accept-Ranges") != "" || h.Get("Vary") != "Accept-Encoding" {
				t.Errorf("%s: %v", name, h)
			}
		}
	}
}

// TestSecretsAreNotCompressed: the length of such an answer would tell them.
func TestSecretsAreNotCompressed(t *testing.T) {
	with := func(name, value string) http.Header { return http.Header{name: {value}} }
	for name, tt := range map[string]struct{ request, answer http.Header }{
		"a cookie":            {with("Cookie", "a=b"), nil},
		"a token":             {with("Authorization", "Bearer x"), nil},
		"a password":          {with("Authorization", "Basic x"), nil},
		"a cookie that's set": {nil, with("Set-Cookie", "a=b")},
		"no-store":            {nil, with("Cache-Control", "no-store")},
		"private":             {nil, with("Cache-Control", `max-age=60, Private="x"`)},
		"no-store among more": {nil, http.Header{"Cache-Control": {"max-age=0", "must-revalidate,NO-STORE"}}},
	} {
		request := gzipped()
		for name, values := range tt.request {
			request[name] = values
		}
		w := ask(compressor(t, compress.Config{}).Handler(answered{0, tt.answer, long()}), "GET", request)
		if w.Header().Get("Content-Encoding") != "" || w.Body.String() != long() || w.Header().Get("Vary") != "" {
			t.Errorf("%s: %v, %d bytes", name, w.Header(), w.Body.Len())
		}
		w = ask(compressor(t, compress.Config{InsecureSecrets: "a test"}).Handler(answered{0, tt.answer, long()}), "GET", request)
		if w.Header().Get("Content-Encoding") != "gzip" {
			t.Errorf("%s, with a reason: %v", name, w.Header())
		}
	}
	r := httptest.NewRequest("GET", "/", nil)
	r.Header, r.TLS = gzipped(), &tls.ConnectionState{}
	c := compressor(t, compress.Config{})
	h := http.Header{"Content-Type": {"text/plain"}}
	if !c.Negotiate(h, r, 200, 5000) {
		t.Error("TLS alone makes an answer secret")
	}
	r.TLS.PeerCertificates = []*x509.Certificate{{}}
	if c.Negotiate(h, r, 200, 5000) {
		t.Error("a client certificate makes no answer secret")
	}
}

// TestLengthDoesNotTellASecret is BREACH: a page that repeats its query and has a
// secret is as long for a right guess as for a wrong one.
func TestLengthDoesNotTellASecret(t *testing.T) {
	const secret = "csrf_token=8fe3a41c9d"
	page := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, strings.Repeat("<p>hello, world</p>", 100)+secret+strings.Repeat("<b>more</b>", 50)+"you asked for "+r.URL.RawQuery)
	})
	length := func(c *compress.Compressor, guess string) int {
		r := httptest.NewRequest("GET", "/?"+guess, nil)
		r.Header = gzipped()
		r.Header.Set("Cookie", "__Host-session=1")
		w := httptest.NewRecorder()
		c.Handler(page).ServeHTTP(w, r)
		return w.Body.Len()
	}
	right, wrong := secret, "csrf_token=0123456789"
	if a, b := length(compressor(t, compress.Config{}), right), length(compressor(t, compress.Config{}), wrong); a != b {
		t.Errorf("%d bytes for the right guess, %d for a wrong one", a, b)
	}
	weak := compressor(t, compress.Config{InsecureSecrets: "a test"})
	if a, b := length(weak, right), length(weak, wrong); a >= b {
		t.Errorf("%d and %d bytes: the attack does not work here, and the test tests nothing", a, b)
	}
}

func TestWhatIsLeftAlone(t *testing.T) {
	for name, tt := range map[string]struct {
		answer  answered
		request http.Header
	}{
		"a short body":                {answered{body: `"x"`}, nil},
		"a short body by its length":  {answered{header: http.Header{"Content-Length": {"3"}}, body: `"x"`}, nil},
		"nothing":                     {answered{}, nil},
		"a picture":                   {answered{header: http.Header{"Content-Type": {"image/png"}}, body: long()}, nil},
		"a stream of events":          {answered{header: http.Header{"Content-Type": {"text/event-stream; charset=utf-8"}}, body: long()}, nil},
		"a body of no type":           {answered{header: http.Header{"Content-Type": nil}, body: long()}, nil},
		"two types":                   {answered{header: http.Header{"Content-Type": {"text/plain", "text/html"}}, body: long()}, nil},
		"what is encoded":             {answered{header: http.Header{"Content-Encoding": {"br"}}, body: long()}, nil},
		"a part":                      {answered{status: 206, header: http.Header{"Content-Range": {"bytes 0-1/2"}}, body: long()}, nil},
		"a part that does not say so": {answered{status: 206, body: long()}, nil},
		"a range of another status":   {answered{status: 416, header: http.Header{"Content-Range": {"bytes */2"}}, body: long()}, nil},
		"not to be transformed":       {answered{header: http.Header{"Cache-Control": {"public, No-Transform"}}, body: long()}, nil},
		"a strong tag":                {answered{header: http.Header{"Etag": {`"1"`}}, body: long()}, nil},
		"a request for a range":       {answered{body: long()}, http.Header{"Range": {"bytes=0-1"}}},
	} {
		request := gzipped()
		for name, values := range tt.request {
			request[name] = values
		}
		w := ask(compressor(t, compress.Config{}).Handler(tt.answer), "GET", request)
		if got := w.Header().Get("Content-Encoding"); got == "gzip" || w.Body.String() != tt.answer.body {
			t.Errorf("%s: %v, %d bytes", name, w.Header(), w.Body.Len())
		}
	}
	for _, status := range []int{204, 205, 304} {
		w := ask(compressor(t, compress.Config{}).Handler(answered{status: status}), "GET", gzipped())
		if w.Code != status || w.Header().Get("Content-Encoding") != "" || w.Header().Get("Vary") != "" || w.Body.Len() > 0 {
			t.Errorf("%d: %d %v", status, w.Code, w.Header())
		}
	}
}

func TestAcceptEncoding(t *testing.T) {
	c := compressor(t, compress.Config{})
	for accept, want := range map[string]bool{
		"gzip": true, "GZIP": true, "x-gzip": true, "deflate, gzip;q=1.0, *;q=0.5": true, "*": true, "gzip;q=0.001": true, "gzip ; q=0.5": true, "gzip;Q=1.000": true, "identity;q=0.5, gzip;q=0.5": true,
		"identity;q=0": false, "": false, "br": false, "gzip;q=0": false, "gzip;q=0.000": false, "*;q=0": false, "gzip;q=0, *": false, "*, gzip;q=0": false, "identity, gzip;q=0.5": false, "identity;q=0.6, gzip;q=0.5": false,
		"gzip;q=1.1": false, "gzip;q=-1": false, "gzip;q=0.0001": false, "gzip;q=": false, "gzip;q=x": false, "gzip;level=1": false, "gzip;q=2": false, "pack200-gzip": false, "gzipped": false, "gzip q=1": false, "\"gzip\"": false,
	} {
		w := ask(c.Handler(answered{body: long()}), "GET", http.Header{"Accept-Encoding": {accept}})
		if got := w.Header().Get("Content-Encoding") == "gzip"; got != want || w.Header().Get("Vary") != "Accept-Encoding" {
			t.Errorf("%q: compressed %v, want %v, Vary %q", accept, got, want, w.Header().Get("Vary"))
		}
	}
	if w := ask(c.Handler(answered{body: long()}), "GET", http.Header{"Accept-Encoding": {"br;q=1", "gzip;q=0.5"}}); w.Header().Get("Content-Encoding") != "gzip" {
		t.Error("the second field is not read")
	}
	if w := ask(c.Handler(answered{body: long()}), "GET", http.Header{}); w.Header().Get("Content-Encoding") != "" || w.Header().Get("Vary") != "Accept-Encoding" {
		t.Errorf("without the field: %v", w.Header())
	}
}

func TestVaryIsKept(t *testing.T) {
	c := compressor(t, compress.Config{})
	for _, tt := range []struct{ before, want []string }{
		{[]string{"Origin"}, []string{"Origin", "Accept-Encoding"}}, {[]string{"Origin, accept-encoding"}, []string{"Origin, accept-encoding"}}, {[]string{"*"}, []string{"*"}},
	} {
		w := ask(c.Handler(answered{header: http.Header{"Vary": tt.before}, body: long()}), "GET", gzipped())
		if got := w.Header().Values("Vary"); !slices.Equal(got, tt.want) {
			t.Errorf("Vary %q becomes %q, want %q", tt.before, got, tt.want)
		}
	}
}

func TestHeadLooksLikeGet(t *testing.T) {
	c := compressor(t, compress.Config{})
	length := fmt.Sprint(len(long()))
	for name, header := range map[string]http.Header{"a length": {"Content-Length": {length}}, "a strong tag": {"Content-Length": {length}, "Etag": {`"1"`}}, "a short one": {"Content-Length": {"3"}}} {
		body := long()
		if name == "a short one" {
			body = "[1]"
		}
		get := ask(c.Handler(answered{header: header, body: body}), "GET", gzipped()).Header()
		head := ask(c.Handler(answered{header: header}), "HEAD", gzipped()).Header()
		for _, field := range []string{"Content-Encoding", "Content-Length", "Vary", "Etag"} {
			if get.Get(field) != head.Get(field) {
				t.Errorf("%s: %s is %q for HEAD, %q for GET", name, field, head.Get(field), get.Get(field))
			}
		}
	}
}

func TestFlushSendsWhatIsThere(t *testing.T) {
	next := make(chan bool)
	server := httptest.NewServer(compressor(t, compress.Config{}).Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/x-ndjson")
		for i := range 3 {
			fmt.Fprintf(w, "%d\n", i)
			w.(http.Flusher).Flush()
			<-next
		}
	})))
	defer server.Close()
	res, err := server.Client().Get(server.URL) // Its transport asks for gzip and decodes it.
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if !res.Uncompressed {
		t.Error("it is not compressed")
	}
	for i := range 3 {
		line := make([]byte, 2)
		if _, err := io.ReadFull(res.Body, line); err != nil || string(line) != fmt.Sprintf("%d\n", i) {
			t.Fatalf("line %d: %q, %v", i, line, err)
		}
		next <- true // Only now the handler goes on: the line was not held back.
	}
}

func TestHalfAnAnswerDoesNotEndLikeAWhole(t *testing.T) {
	c := compressor(t, compress.Config{Writers: 1})
	server := httptest.NewServer(c.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, long())
		panic(http.ErrAbortHandler)
	})))
	defer server.Close()
	for range 3 { // The one writer is given back each time.
		res, err := server.Client().Get(server.URL)
		if err == nil {
			_, err = io.ReadAll(res.Body)
			_ = res.Body.Close()
		}
		if err == nil {
			t.Error("the client takes it for a whole answer")
		}
	}
	if w := ask(c.Handler(answered{body: long()}), "GET", gzipped()); w.Header().Get("Content-Encoding") != "gzip" {
		t.Error("the writer is lost")
	}
}

// TestAPanicLeavesTheAnswerToOthers: nothing ends what has begun, and what has not
// begun is for who recovers.
func TestAPanicLeavesTheAnswerToOthers(t *testing.T) {
	for name, body := range map[string]string{"a long answer": long(), "a short one": "[1]"} {
		w := httptest.NewRecorder()
		func() {
			defer func() { _ = recover() }() // the panic below
			compressor(t, compress.Config{}).Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				answered{body: body}.ServeHTTP(w, r)
				panic("here")
			})).ServeHTTP(w, &http.Request{Method: "GET", Header: gzipped()})
		}()
		if body == "[1]" {
			if w.Body.Len() > 0 || w.Result().Header.Get("Content-Encoding") != "" {
				t.Errorf("%s: %d bytes are sent", name, w.Body.Len())
			}
			continue
		}
		r, err := gzip.NewReader(w.Body)
		if err == nil {
			_, err = io.ReadAll(r)
		}
		if err == nil {
			t.Errorf("%s ends like a whole one", name)
		}
	}
}

func TestWritersAreBounded(t *testing.T) {
	c := compressor(t, compress.Config{Writers: 2})
	var inside sync.WaitGroup
	release := make(chan bool)
	inside.Add(2)
	slow := c.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, long())
		inside.Done()
		<-release
	}))
	var done sync.WaitGroup
	for range 2 {
		done.Go(func() { ask(slow, "GET", gzipped()) })
	}
	inside.Wait()
	w := ask(c.Handler(answered{header: http.Header{"Content-Length": {fmt.Sprint(len(long()))}}, body: long()}), "GET", gzipped())
	if w.Header().Get("Content-Encoding") != "" || w.Body.String() != long() || w.Header().Get("Content-Length") == "" {
		t.Errorf("a third answer: %v", w.Header())
	}
	if out, ok := c.Encode([]byte("x"), []byte(long())); ok || string(out) != "x" {
		t.Errorf("Encode finds a writer, or changes dst: %q", out)
	}
	close(release)
	done.Wait()
	if _, ok := c.Encode(nil, []byte(long())); !ok {
		t.Error("no writer was given back")
	}
}

func TestBody(t *testing.T) {
	c := compressor(t, compress.Config{})
	r := httptest.NewRequest("GET", "/", nil)
	r.Header = gzipped()
	h := http.Header{"Content-Type": {"application/json"}}
	dst := make([]byte, 3, 4096)
	body := c.Body(h, r, 200, dst, []byte(long()))
	if gunzip(t, body) != long() || h.Get("Content-Encoding") != "gzip" || h.Get("Content-Length") != fmt.Sprint(len(body)) || h.Get("Vary") != "Accept-Encoding" {
		t.Errorf("%v, %d bytes", h, len(body))
	}
	if &body[0] != &dst[:4][3] {
		t.Error("the room of dst is not used")
	}
	noise := make([]byte, 2000) // What cannot be compressed goes out as it is.
	for i, x := 0, uint32(1); i < len(noise); i++ {
		x = x*1664525 + 1013904223
		noise[i] = byte(x >> 24)
	}
	h = http.Header{"Content-Type": {"application/json"}}
	if body := c.Body(h, r, 200, nil, noise); !bytes.Equal(body, noise) || h.Get("Content-Encoding") != "" {
		t.Errorf("%v, %d bytes", h, len(body))
	}
	if body := c.Body(h, r, 200, nil, []byte("[]")); string(body) != "[]" {
		t.Errorf("%q", body)
	}
}

func TestNewRefuses(t *testing.T) {
	for _, cfg := range []compress.Config{
		{MinSize: -1}, {Level: -1}, {Level: 10}, {Writers: -1}, {Types: []string{"*/*"}}, {Types: []string{"json"}}, {Types: []string{"text/event-stream"}}, {Types: []string{"Text/html"}},
		{Types: []string{"text/html; charset=utf-8"}}, {Types: []string{"text/h*"}}, {Types: []string{"application/*+*"}}, {Types: []string{"/"}},
	} {
		if c, err := compress.New(cfg); c != nil || err == nil || !strings.HasPrefix(err.Error(), "compress config: ") {
			t.Errorf("New(%+v) = %v", cfg, err)
		}
	}
	_, err := compress.New(compress.Config{MinSize: -1, Level: 10, Writers: -1, Types: []string{"x", "*/*"}})
	for _, want := range []string{"MinSize", "Level", "Writers", `"x"`, `"*/*"`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s is missing in %v", want, err)
		}
	}
}

func TestTypes(t *testing.T) {
	c := compressor(t, compress.Config{Types: []string{"application/*+json", "text/csv"}})
	for media, want := range map[string]bool{"application/problem+json": true, "text/csv": true, "application/json": false, "text/plain": false, "image/a+json": false} {
		h := http.Header{"Content-Type": {media}}
		r := &http.Request{Header: gzipped()}
		if got := c.Negotiate(h, r, 200, 5000); got != want {
			t.Errorf("%s: %v, want %v", media, got, want)
		}
	}
}

func TestNegotiatingAllocatesNothing(t *testing.T) {
	c := compressor(t, compress.Config{})
	r := &http.Request{Header: gzipped()}
	personal := &http.Request{Header: http.Header{"Accept-Encoding": {"gzip"}, "Authorization": {"Bearer x"}}}
	h := http.Header{"Content-Type": {"application/json"}, "Vary": {"Accept-Encoding"}}
	if n := testing.AllocsPerRun(100, func() {
		c.Negotiate(h, r, 200, 5000)
		c.Negotiate(h, personal, 200, 5000)
		c.Negotiate(h, r, 200, 10)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzHandler wants that a client that decodes gets what the handler wrote.
func FuzzHandler(f *testing.F) {
	f.Add("gzip", "application/json", "", 200, 3000, 700)
	f.Add("gzip;q=0", "text/plain", "no-transform", 404, 1024, 1)
	f.Add("*", "text/html", "", 206, 1023, 5000)
	c := compressor(f, compress.Config{})
	f.Fuzz(func(t *testing.T, accept, media, cache string, status, size, step int) {
		if status < 200 || status > 599 || size < 0 || size > 1<<16 || step < 1 {
			return
		}
		body := strings.Repeat("0123456789", size/10+1)[:size]
		w := ask(c.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header()["Content-Type"], w.Header()["Cache-Control"] = []string{media}, []string{cache}
			w.WriteHeader(status)
			for part := range slices.Chunk([]byte(body), step) {
				if n, err := w.Write(part); n != len(part) && !errors.Is(err, http.ErrBodyNotAllowed) {
					t.Errorf("%d of %d bytes: %v", n, len(part), err)
				}
			}
		})), "GET", http.Header{"Accept-Encoding": {accept}})
		got := w.Body.String()
		if w.Header().Get("Content-Encoding") == "gzip" {
			got = gunzip(t, w.Body.Bytes())
			if !strings.Contains(w.Header().Get("Vary"), "Accept-Encoding") {
				t.Error("it does not say that it varies")
			}
		}
		if got != body || w.Code != status {
			t.Errorf("%d bytes of %d, status %d, want %d", len(got), size, w.Code, status)
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	body := []byte(long())
	for level := 1; level <= 9; level++ {
		b.Run(fmt.Sprintf("level %d", level), func(b *testing.B) {
			c := compressor(b, compress.Config{Level: level})
			dst := make([]byte, 0, len(body))
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				out, _ := c.Encode(dst, body)
				b.ReportMetric(float64(len(out)), "bytes")
			}
		})
	}
}

package compress_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/fastness/fastness/guard/compress"
	"github.com/fastness/fastness/problem"
)

func zip(t testing.TB, parts ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	for _, part := range parts { // Each is a member of its own.
		w := gzip.NewWriter(&out)
		_, err := io.WriteString(w, part)
		if err = errors.Join(err, w.Close()); err != nil {
			t.Fatal(err)
		}
	}
	return out.Bytes()
}

func read(data []byte, limit int64, ratio int) (string, error) {
	text, err := io.ReadAll(compress.Reader(bytes.NewReader(data), limit, ratio))
	return string(text), err
}

func TestReaderGivesBackWhatWasCompressed(t *testing.T) {
	for _, text := range []string{"", "x", `{"name":"lamp"}`, long(), strings.Repeat("a", 64<<10)} {
		if got, err := read(zip(t, text), 0, 0); err != nil || got != text {
			t.Errorf("%d bytes: %d, %v", len(text), len(got), err)
		}
		var one [1]byte // Byte by byte, too.
		r, n := compress.Reader(io.MultiReader(bytes.NewReader(zip(t, text))), 0, 0), 0
		for {
			m, err := r.Read(one[:])
			n += m
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatalf("byte %d: %v", n, err)
			}
		}
		if n != len(text) {
			t.Errorf("byte by byte: %d of %d", n, len(text))
		}
	}
	var named bytes.Buffer
	w := gzip.NewWriter(&named)
	w.Name, w.Comment, w.Extra = "a.json", "x", []byte("extra")
	_, _ = io.WriteString(w, "text") // To a buffer.
	_ = w.Close()
	if got, err := read(named.Bytes(), 0, 0); err != nil || got != "text" {
		t.Errorf("with a name: %q, %v", got, err)
	}
}

func TestWhatIsNotOneMemberIsRefused(t *testing.T) {
	good := zip(t, "text")
	broken := bytes.Clone(good)
	broken[len(broken)-8] ^= 1 // the checksum
	short := bytes.Clone(good)
	short[len(short)-4] ^= 1 // the length
	for name, data := range map[string][]byte{
		"nothing": nil, "plain text": []byte("text"), "half a header": good[:5], "a header alone": good[:10], "half of it": good[:len(good)/2], "no checksum": good[:len(good)-8],
		"half a checksum": good[:len(good)-1], "a wrong checksum": broken, "a wrong length": short, "a byte behind": append(bytes.Clone(good), 0), "text behind": append(bytes.Clone(good), "text"...),
		"two members": zip(t, "one", "two"), "an empty second member": zip(t, "one", ""), "gzip in gzip": zip(t, string(good)), "an empty one in another": zip(t, string(zip(t, ""))),
		"zlib": {0x78, 0x9c, 0x2b, 0x49, 0xad, 0x28, 0x01, 0x00, 0x04, 0x5d, 0x01, 0xc1}, "deflate": good[10 : len(good)-8], "another method": append([]byte{0x1f, 0x8b, 7}, good[3:]...),
	} {
		_, err := read(data, 0, 0)
		var p *problem.Problem
		if !errors.As(err, &p) || p.Status != 400 {
			t.Errorf("%s: %v, want 400", name, err)
		}
	}
}

// TestAnErrorIsForGood: whoever reads on after an error must not come to an end
// that looks well, nor get the part that was not checked.
func TestAnErrorIsForGood(t *testing.T) {
	broken := zip(t, "text")
	broken[len(broken)-8] ^= 1
	for name, data := range map[string][]byte{"a byte behind": append(zip(t, "text"), 0), "a wrong checksum": broken} {
		r, buffer := compress.Reader(bytes.NewReader(data), 0, 0), make([]byte, 100)
		var got int
		var err error
		for range 10 {
			var n int
			n, err = r.Read(buffer)
			if got += n; n > 0 && err != nil {
				t.Errorf("%s: %d bytes with %v", name, n, err)
			}
		}
		if problem.From(err).Status != 400 || err == io.EOF {
			t.Errorf("%s: %v after %d bytes", name, err, got)
		}
	}
}

func TestBodiesBeyondTheLimitAreRefused(t *testing.T) {
	text := strings.Repeat("abcdefghij", 100)
	if got, err := read(zip(t, text), 1000, 0); err != nil || got != text {
		t.Errorf("of the limit: %d, %v", len(got), err)
	}
	if _, err := read(zip(t, text+"!"), 1000, 0); problem.From(err).Status != 413 || problem.From(err).Code != "body_too_large" {
		t.Errorf("one byte more: %v, want 413", err)
	}
	r := compress.Reader(bytes.NewReader(zip(t, text+"!")), 1000, 0)
	_, _ = io.ReadAll(r) // The error is looked at now.
	if n, err := r.Read(make([]byte, 10)); n != 0 || problem.From(err).Status != 413 {
		t.Errorf("after the error: %d bytes, %v", n, err)
	}
}

func TestTheRatioIsBounded(t *testing.T) {
	free := strings.Repeat("a", 64<<10)
	if _, err := read(zip(t, free), 1<<20, 10); err != nil {
		t.Errorf("the first 64 KiB: %v", err)
	}
	if _, err := read(zip(t, free+"a"), 1<<20, 10); problem.From(err).Status != 413 || problem.From(err).Code != "compression_ratio" {
		t.Errorf("one byte more: %v, want 413", err)
	}
	if _, err := read(zip(t, free+free), 1<<20, 2000); err != nil {
		t.Errorf("with a wide ratio: %v", err)
	}
}

// bomb is gzip of zeros without an end. It counts what is taken of it.
type bomb struct {
	chunk []byte // one block of deflate, a mebibyte of zeros, ending at a byte
	rest  []byte
	taken int64
}

func newBomb(t testing.TB, text []byte) *bomb {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, 9)
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.Write(text)
	if err = errors.Join(err, w.Flush()); err != nil {
		t.Fatal(err)
	}
	return &bomb{chunk: bytes.Clone(out.Bytes()[10:]), rest: bytes.Clone(out.Bytes()[:10])}
}

func (b *bomb) Read(p []byte) (int, error) {
	if len(b.rest) == 0 {
		b.rest = b.chunk
	}
	n := copy(p, b.rest)
	b.rest = b.rest[n:]
	b.taken += int64(n)
	return n, nil
}

// rss returns how much memory the process has.
func rss(t testing.TB) int64 {
	t.Helper()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Skip("no /proc here: the memory of the process is unknown")
	}
	pages, err := strconv.ParseInt(strings.Fields(string(text))[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}

// TestABombIsRefusedAtItsFirstKilobytes: ten gigabytes that would come of ten
// megabytes.
func TestABombIsRefusedAtItsFirstKilobytes(t *testing.T) {
	b := newBomb(t, make([]byte, 1<<20))
	if len(b.chunk) > 1100 {
		t.Fatalf("a mebibyte is %d bytes: no bomb", len(b.chunk))
	}
	for name, tt := range map[string]struct {
		limit int64
		ratio int
		taken int64
	}{
		"by the limit": {1 << 20, 5000, 8 << 10}, "by the ratio": {10 << 30, 0, 8 << 10},
	} {
		b := newBomb(t, make([]byte, 1<<20))
		n, err := io.Copy(io.Discard, compress.Reader(b, tt.limit, tt.ratio))
		if problem.From(err).Status != 413 || b.taken > tt.taken || n > 1<<20 {
			t.Errorf("%s: %v after %d bytes, of which %d came", name, err, b.taken, n)
		}
	}
}

// TestTheMemoryIsFlat: what is allowed may be long; it must not be in memory.
func TestTheMemoryIsFlat(t *testing.T) {
	const size = 64 << 20
	runtime.GC()
	before := rss(t)
	n, err := io.Copy(io.Discard, compress.Reader(newBomb(t, make([]byte, 1<<20)), size, 5000))
	if grown := rss(t) - before; grown > 24<<20 || n != size || problem.From(err).Status != 413 {
		t.Errorf("%d MiB more after %d MiB, %v", grown>>20, n>>20, err)
	}
}

// TestAnEndlessEmptyBodyIsRefused: blocks of deflate may be empty, so a body can
// go on for ever and stay within every limit of what comes out of it.
func TestAnEndlessEmptyBodyIsRefused(t *testing.T) {
	b := newBomb(t, nil)
	if _, err := io.Copy(io.Discard, compress.Reader(b, 1000, 0)); problem.From(err).Status != 413 || b.taken > 70<<10 {
		t.Errorf("%v after %d bytes", err, b.taken)
	}
}

func TestALongNameIsRefused(t *testing.T) {
	endless := io.MultiReader(bytes.NewReader([]byte{0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 0}), strings.NewReader(strings.Repeat("a", 1<<20)))
	if _, err := io.ReadAll(compress.Reader(endless, 0, 0)); problem.From(err).Status != 400 {
		t.Errorf("%v, want 400", err)
	}
}

func TestErrorsOfTheConnectionAreKept(t *testing.T) {
	mine := problem.New(http.StatusRequestTimeout, "too slow")
	for _, tt := range []struct {
		err    error
		status int
	}{{mine, 408}, {errors.New("reset"), 400}} {
		half := zip(t, long())[:20]
		_, err := io.ReadAll(compress.Reader(io.MultiReader(bytes.NewReader(half), failing{tt.err}), 0, 0))
		if p := problem.From(err); p.Status != tt.status || !errors.Is(err, tt.err) {
			t.Errorf("%v becomes %v", tt.err, err)
		}
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func post(body []byte, encodings ...string) *http.Request {
	r := httptest.NewRequest("POST", "/", bytes.NewReader(body))
	if len(encodings) > 0 {
		r.Header["Content-Encoding"] = encodings
	}
	return r
}

func TestRequestTakesGzipOnly(t *testing.T) {
	for _, coding := range []string{"gzip", "GZIP", "x-gzip"} {
		r := post(zip(t, "text"), coding)
		if err := compress.Request(r, 0, 0); err != nil || r.ContentLength != -1 || r.Header.Get("Content-Encoding") != "" {
			t.Errorf("%s: %v, length %d, %v", coding, err, r.ContentLength, r.Header)
		}
		if text, err := io.ReadAll(r.Body); err != nil || string(text) != "text" || r.Body.Close() != nil {
			t.Errorf("%s: %q, %v", coding, text, err)
		}
	}
	r := post([]byte("text"))
	if err := compress.Request(r, 0, 0); err != nil || r.ContentLength != 4 {
		t.Errorf("a plain body: %v, length %d", err, r.ContentLength)
	}
	for _, codings := range [][]string{{"br"}, {"deflate"}, {"zstd"}, {"identity"}, {""}, {"gzip, gzip"}, {"gzip,gzip"}, {"gzip", "gzip"}, {"deflate, gzip"}, {"gzip, identity"}, {" gzip"}, {"gzip;q=1"}, {"*"}} {
		p := problem.From(compress.Request(post(zip(t, "text"), codings...), 0, 0))
		if p.Status != 415 || p.Header().Get("Accept-Encoding") != "gzip" {
			t.Errorf("%q: %d %v, want 415", codings, p.Status, p.Header())
		}
	}
}

func TestGzipIsRefusedWhereNobodyAskedForIt(t *testing.T) {
	for _, coding := range []string{"gzip", "br", "identity", ""} {
		p := problem.From(compress.Refuse(post(nil, coding)))
		if p.Status != 415 || p.Header().Get("Accept-Encoding") != "identity" {
			t.Errorf("%q: %d %v, want 415", coding, p.Status, p.Header())
		}
	}
	if err := compress.Refuse(post(nil)); err != nil {
		t.Errorf("a plain body: %v", err)
	}
	r := post(nil, "gzip")
	if n := testing.AllocsPerRun(100, func() { _ = compress.Refuse(r) }); n > 6 {
		t.Errorf("a refusal: %v allocations, want at most 6", n)
	}
}

func TestRequestHandler(t *testing.T) {
	h := compress.RequestHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(w, r.Body)
		if err != nil {
			problem.Write(w, problem.From(err))
		}
	}), 100, 0)
	for _, tt := range []struct {
		request *http.Request
		status  int
		body    string
	}{
		{post(zip(t, "text"), "gzip"), 200, "text"}, {post([]byte("plain")), 200, "plain"}, {post([]byte("x"), "br"), 415, ""}, {post(zip(t, long()), "gzip"), 413, ""}, {post([]byte("text"), "gzip"), 400, ""},
	} {
		before := tt.request.Header.Clone()
		w := httptest.NewRecorder()
		h.ServeHTTP(w, tt.request)
		if w.Code != tt.status || tt.body != "" && w.Body.String() != tt.body {
			t.Errorf("%v: %d %s", before, w.Code, w.Body)
		}
		if tt.request.Header.Get("Content-Encoding") != before.Get("Content-Encoding") {
			t.Error("the request of others is changed")
		}
	}
}

// FuzzReader holds the reader against the standard library's: what it takes, that
// takes, too, as one member, and gives the same.
func FuzzReader(f *testing.F) {
	f.Add(zip(f, "text"))
	f.Add(zip(f, "one", "two"))
	f.Add(zip(f, string(zip(f, "x"))))
	f.Add(zip(f, strings.Repeat("a", 70000)))
	f.Add(append(zip(f, ""), 0))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := read(data, 100000, 0)
		if err != nil {
			if s := problem.From(err).Status; s != 400 && s != 413 {
				t.Errorf("%v", err)
			}
			return
		}
		rest := bytes.NewReader(data)
		r, err := gzip.NewReader(rest)
		if err != nil {
			t.Fatalf("it takes what is not gzip: %v", err)
		}
		r.Multistream(false)
		want, err := io.ReadAll(r)
		if err != nil || string(want) != got || rest.Len() > 0 || len(got) > 100000 || len(got) > max(64<<10, 100*len(data)) || strings.HasPrefix(got, "\x1f\x8b") {
			t.Errorf("%d bytes, want %d, %d left over, %v", len(got), len(want), rest.Len(), err)
		}
	})
}

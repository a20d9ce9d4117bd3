package fastness_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/fastnesstest"
	"github.com/fastness/fastness/sqldb"
)

func ExampleDownload() {
	app := fastness.New(fastness.Config{Title: "Invoices", Version: "1", Hosts: []string{"example.com"}})
	fastness.Get(app, "/invoices/7", func(context.Context, struct{}) (fastness.Download, error) {
		return fastness.Download{Content: strings.NewReader("%PDF-…"), Name: "Invoice 7.pdf", Version: "7"}, nil
	}, access.Public)

	r := httptest.NewRequest("GET", "https://example.com/invoices/7", nil)
	r.Header.Set("Range", "bytes=0-3")
	w := httptest.NewRecorder()
	app.ServeHTTP(w, r)
	fmt.Println(w.Code, w.Header().Get("Content-Type"), w.Header().Get("Content-Disposition"), w.Body)
	// Output: 206 application/pdf attachment; filename="Invoice 7.pdf" %PDF
}

func downloadOf(t *testing.T, d func() fastness.Download) *fastnesstest.API {
	app, public := open(fastness.Config{})
	fastness.Get(public, "/", func(context.Context, none) (fastness.Download, error) { return d(), nil })
	return fastnesstest.New(t, app)
}

// closing counts how often it is closed.
type closing struct {
	io.ReadSeeker
	times *int
}

func (c closing) Close() error { *c.times++; return nil }

func TestDownloadsAreSavedUnderTheirNameAndClosed(t *testing.T) {
	closed := 0
	api := downloadOf(t, func() fastness.Download {
		return fastness.Download{Content: closing{strings.NewReader("0123456789"), &closed}, Name: "Bücher.txt", Version: "1", Header: http.Header{"Cache-Control": {"private, max-age=60"}}}
	})
	first := api.Get("/").Want(200).WantHeader("Content-Type", "text/plain; charset=utf-8").WantHeader("Content-Length", "10").
		WantHeader("Cache-Control", "private, max-age=60").WantHeader("Accept-Ranges", "bytes")
	if _, p, err := mime.ParseMediaType(first.Header.Get("Content-Disposition")); err != nil || p["filename"] != "Bücher.txt" || string(first.Body) != "0123456789" {
		t.Errorf("%v: %q", first.Header, first.Body)
	}
	tag := first.Header.Get("ETag")
	if res := api.Get("/", fastnesstest.Header("If-None-Match", tag)).Want(304); len(res.Body) > 0 || tag == "" {
		t.Errorf("304 with %q", res.Body)
	}
	api.Get("/", fastnesstest.Header("Range", "bytes=8-"), fastnesstest.Header("If-Range", tag)).Want(206).WantHeader("Content-Range", "bytes 8-9/10")
	api.Get("/", fastnesstest.Header("Range", "bytes=0-5,3-9")).WantProblem(416, "range_not_satisfiable").
		WantHeader("Content-Range", "bytes */10").WantHeader("Content-Disposition", "").WantHeader("ETag", "")
	api.Get("/", fastnesstest.Header("If-Match", `"x"`)).WantProblem(412, "precondition_failed")
	api.Do("HEAD", "/", nil).Want(200).WantHeader("Content-Length", "10")
	if closed != 6 {
		t.Errorf("closed %d times, want 6", closed)
	}
}

// TestUploadIsNoPageOfTheSite: whatever a stranger has put into a file, a browser that
// is led to it shows no page of this origin.
func TestUploadIsNoPageOfTheSite(t *testing.T) {
	for _, name := range []string{"a.html", "a.svg", "a.xhtml", "a.xml", "a.pdf", "a.js", "a", "a.png.html"} {
		api := downloadOf(t, func() fastness.Download {
			return fastness.Download{Content: strings.NewReader("<script>alert(1)</script>"), Name: name, Inline: true}
		})
		res := api.Get("/").Want(200).WantHeader("X-Content-Type-Options", "nosniff")
		if d := res.Header.Get("Content-Disposition"); !strings.HasPrefix(d, "attachment;") {
			t.Errorf("%s: Content-Disposition %q, want attachment", name, d)
		}
		if p := res.Header.Get("Content-Security-Policy"); !strings.HasPrefix(p, "sandbox; default-src 'none';") {
			t.Errorf("%s: policy %q", name, p)
		}
	}
	api := downloadOf(t, func() fastness.Download {
		return fastness.Download{Content: strings.NewReader("<script>alert(1)</script>"), Name: "a.png", Inline: true}
	})
	api.Get("/").Want(200).WantHeader("Content-Disposition", `inline; filename="a.png"`).WantHeader("Content-Type", "image/png").WantHeader("X-Content-Type-Options", "nosniff")
}

func TestUploadsNameCannotForgeAHeader(t *testing.T) {
	for _, name := range []string{"a\r\nSet-Cookie: x=y", "a\"; filename=\"evil.exe", "\u202egpj.exe", "..\\..\\CON", strings.Repeat("ü", 2048), "\x00"} {
		api := downloadOf(t, func() fastness.Download {
			return fastness.Download{Content: strings.NewReader(""), Name: name}
		})
		res := api.Get("/").Want(200).WantHeader("Set-Cookie", "")
		d := res.Header.Get("Content-Disposition")
		if _, p, err := mime.ParseMediaType(d); err != nil || len(d) > 2048 || strings.ContainsAny(p["filename"], "\r\n\\/\"\u202e") || strings.EqualFold(p["filename"], "CON") {
			t.Errorf("%q: %q (%v)", name, d, err)
		}
	}
}

func TestDownloadWithAProviderThatWritesDoesNotStart(t *testing.T) {
	app, public := open(fastness.Config{})
	fastness.ProvideCleanup(app, func(context.Context, none) (*sqldb.Tx, func(error) error, error) { return nil, nil, nil })
	fastness.Post(public, "/", func(context.Context, struct{ Tx *sqldb.Tx }) (fastness.Download, error) {
		return fastness.Download{}, nil
	})
	if err := app.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "which writes, and its answer is sent before that is committed") {
		t.Errorf("Start() = %v", err)
	}
}

// halfway fails in the middle.
type halfway struct {
	*bytes.Reader
	left int
}

func (f *halfway) Read(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		return 0, errors.New("disk: password is hunter2")
	}
	return f.Reader.Read(p)
}

// TestDownloadThatBreaksOffIsCut: half of a file is not to be taken for all of it.
func TestDownloadThatBreaksOffIsCut(t *testing.T) {
	app, public := open(fastness.Config{})
	fastness.Get(public, "/", func(context.Context, none) (fastness.Download, error) {
		return fastness.Download{Content: &halfway{bytes.NewReader(make([]byte, 1<<20)), 200 << 10}}, nil
	})
	server := httptest.NewServer(app)
	defer server.Close()
	res, err := server.Client().Get(strings.Replace(server.URL, "127.0.0.1", "localhost", 1))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if body, err := io.ReadAll(res.Body); err == nil || len(body) >= 1<<20 || bytes.Contains(body, []byte("hunter2")) {
		t.Errorf("%d bytes, %v, want it cut", len(body), err)
	}
}

func TestDownloadOfAFileKnowsItsNameAndTime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "report.csv")
	if err := os.WriteFile(path, []byte("a,b"), 0o600); err != nil {
		t.Fatal(err)
	}
	date := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	if err := os.Chtimes(path, date, date); err != nil {
		t.Fatal(err)
	}
	api := downloadOf(t, func() fastness.Download {
		f, err := os.Open(path)
		if err != nil {
			t.Error(err)
		}
		return fastness.Download{Content: f}
	})
	api.Get("/").Want(200).WantHeader("Content-Disposition", `attachment; filename="report.csv"`).
		WantHeader("Last-Modified", "Fri, 02 Jan 2026 03:04:05 GMT").WantHeader("Content-Type", "text/csv; charset=utf-8")
	folder := downloadOf(t, func() fastness.Download {
		f, err := os.Open(filepath.Dir(path))
		if err != nil {
			t.Error(err)
		}
		return fastness.Download{Content: f}
	})
	folder.Get("/").WantProblem(500, "")
	memory := downloadOf(t, func() fastness.Download {
		f, err := fstest.MapFS{"x.bin": {Data: []byte("x")}}.Open("x.bin")
		if err != nil {
			t.Error(err)
		}
		return fastness.Download{Content: f.(interface {
			fs.File
			io.Seeker
		})}
	})
	memory.Get("/").Want(200).WantHeader("Content-Disposition", `attachment; filename="x.bin"`)
}

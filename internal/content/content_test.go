package content_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/fastness/fastness/conditional"
	"github.com/fastness/fastness/internal/content"
	"github.com/fastness/fastness/problem"
)

func Example() {
	w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Range", "bytes=-3")
	err := content.Serve(w, r, content.Content{Reader: strings.NewReader("0123456789"), Type: "text/plain"})
	fmt.Println(w.Code, w.Header().Get("Content-Range"), w.Body, err)
	// Output: 206 bytes 7-9/10 789 <nil>
}

var modified = time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)

// digits answers a request for ten digits.
func digits(method string, fields ...string) (*httptest.ResponseRecorder, error) {
	w, r := httptest.NewRecorder(), httptest.NewRequest(method, "/", nil)
	for i := 0; i < len(fields); i += 2 {
		r.Header.Add(fields[i], fields[i+1])
	}
	err := content.Serve(w, r, content.Content{Reader: strings.NewReader("0123456789"), Type: "text/plain", Tag: conditional.Of("v"), Modified: modified})
	return w, err
}

func TestRangesAreThoseOfRFC9110(t *testing.T) {
	for _, tt := range []struct{ ranges, want, contentRange string }{
		{"bytes=0-4", "01234", "bytes 0-4/10"},
		{"bytes=4-", "456789", "bytes 4-9/10"},
		{"bytes=-3", "789", "bytes 7-9/10"},
		{"bytes=-99999999999999999999", "0123456789", "bytes 0-9/10"},
		{"bytes=9-99999999999999999999", "9", "bytes 9-9/10"},
		{"bytes= 0-1 , ", "01", "bytes 0-1/10"},
		{"bytes=0-1,20-30", "01", "bytes 0-1/10"},
		// What is no range is passed over.
		{"bytes=5-4", "0123456789", ""},
		{"bytes=a-b", "0123456789", ""},
		{"bytes=-", "0123456789", ""},
		{"bytes=1", "0123456789", ""},
		{"bytes=0-1,x", "0123456789", ""},
		{"bytes=+0-1", "0123456789", ""},
		{"bytes=--1", "0123456789", ""},
		{"lines=0-1", "0123456789", ""},
	} {
		w, err := digits("GET", "Range", tt.ranges)
		if err != nil || w.Body.String() != tt.want || w.Header().Get("Content-Range") != tt.contentRange ||
			(w.Code == 206) != (tt.contentRange != "") || w.Header().Get("Content-Length") != fmt.Sprint(len(tt.want)) {
			t.Errorf("%s: %d %q, Content-Range %q, %v, want %q, %q", tt.ranges, w.Code, w.Body, w.Header().Get("Content-Range"), err, tt.want, tt.contentRange)
		}
	}
}

// TestRangeFloodIsRefused: many or overlapping parts are an answer many times as large
// as the file (CVE-2011-3192).
func TestRangeFloodIsRefused(t *testing.T) {
	for name, ranges := range map[string]string{
		"twice the same": "bytes=0-9,0-9", "overlapping": "bytes=0-5,5-9", "out of order and overlapping": "bytes=5-9,0-5",
		"many": "bytes=" + strings.Repeat("0-0,", 11), "a thousand": "bytes=" + strings.Repeat("0-,", 1000), "commas": "bytes=0-1" + strings.Repeat(",", 8000),
		"behind the end": "bytes=10-", "the last none": "bytes=-0", "none": "bytes=", "far behind": "bytes=99999999999999999999-",
		"eleven": "bytes=0-0,1-1,2-2,3-3,4-4,5-5,6-6,7-7,8-8,9-9,9-9",
	} {
		w, err := digits("GET", "Range", ranges)
		var p *problem.Problem
		if !errors.As(err, &p) || p.Status != 416 || p.Header().Get("Content-Range") != "bytes */10" || w.Body.Len() > 0 {
			t.Errorf("%s: %v, %q, want 416", name, err, w.Body)
		}
	}
	if w, err := digits("GET", "Range", "bytes=0-1", "Range", "bytes=2-3"); err != nil || w.Code != 200 {
		t.Errorf("two fields: %d, %v, want all", w.Code, err)
	}
}

func TestSeveralPartsAreSentAsTheyAre(t *testing.T) {
	w, err := digits("GET", "Range", "bytes=0-1,4-5,-1")
	_, parameters, _ := mime.ParseMediaType(w.Header().Get("Content-Type"))
	if err != nil || w.Code != 206 || w.Header().Get("Content-Length") != fmt.Sprint(w.Body.Len()) || w.Header().Get("Content-Range") != "" {
		t.Fatalf("%d %v, %v", w.Code, w.Header(), err)
	}
	var got []string
	for parts := multipart.NewReader(w.Body, parameters["boundary"]); ; {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(part)
		got = append(got, part.Header.Get("Content-Range")+" "+part.Header.Get("Content-Type")+" "+string(text))
	}
	if want := "[bytes 0-1/10 text/plain 01 bytes 4-5/10 text/plain 45 bytes 9-9/10 text/plain 9]"; fmt.Sprint(got) != want {
		t.Errorf("parts %v, want %v", got, want)
	}
}

func TestConditionsAreThoseOfRFC9110(t *testing.T) {
	tag := conditional.Of("v").String()
	date, before, after := modified.Format(http.TimeFormat), modified.Add(-time.Hour).Format(http.TimeFormat), modified.Add(time.Hour).Format(http.TimeFormat)
	for _, tt := range []struct {
		name   string
		fields []string
		status int
	}{
		{"the same tag", []string{"If-None-Match", tag}, 304},
		{"the same tag, weakly", []string{"If-None-Match", "W/" + tag}, 304},
		{"another tag wins over the date", []string{"If-None-Match", `"x"`, "If-Modified-Since", date}, 200},
		{"not modified since", []string{"If-Modified-Since", date}, 304},
		{"modified since", []string{"If-Modified-Since", before}, 200},
		{"if it is that one", []string{"If-Match", tag}, 200},
		{"if it is another one", []string{"If-Match", `"x"`}, 412},
		{"if unmodified", []string{"If-Unmodified-Since", after}, 200},
		{"if unmodified, and it was", []string{"If-Unmodified-Since", before}, 412},
		{"a part of that one", []string{"If-Range", tag, "Range", "bytes=0-1"}, 206},
		{"a part of another one", []string{"If-Range", `"x"`, "Range", "bytes=0-1"}, 200},
		{"a part of a weak one", []string{"If-Range", "W/" + tag, "Range", "bytes=0-1"}, 200},
		{"a part by date", []string{"If-Range", date, "Range", "bytes=0-1"}, 206},
		{"a part by a later date", []string{"If-Range", after, "Range", "bytes=0-1"}, 200},
		{"no part of what did not change", []string{"If-None-Match", tag, "Range", "bytes=0-1"}, 304},
	} {
		w, err := digits("GET", tt.fields...)
		status := w.Code
		if p, ok := errors.AsType[*problem.Problem](err); ok {
			status = p.Status
		}
		if status != tt.status || status == 304 && (w.Body.Len() > 0 || w.Header().Get("ETag") != tag) {
			t.Errorf("%s: %d %q %v, want %d", tt.name, status, w.Body, err, tt.status)
		}
	}
	w, err := digits("HEAD", "Range", "bytes=0-1")
	if err != nil || w.Code != 200 || w.Body.Len() > 0 || w.Header().Get("Content-Length") != "10" {
		t.Errorf("HEAD: %d %v %v", w.Code, w.Header(), err)
	}
}

// broken ends, or fails, before its size.
type broken struct {
	*bytes.Reader
	err error
}

func (b broken) Read(p []byte) (int, error) {
	if n, _ := b.Reader.Read(p); n > 0 && b.Reader.Len() > 50_000 {
		return n, nil
	}
	return 0, b.err
}

func TestContentThatBreaksOffIsSaid(t *testing.T) {
	for _, failure := range []error{io.EOF, errors.New("disk")} {
		w := httptest.NewRecorder()
		err := content.Serve(w, httptest.NewRequest("GET", "/", nil), content.Content{Reader: broken{bytes.NewReader(make([]byte, 100_000)), failure}, Type: "a/b"})
		if !errors.Is(err, content.ErrContent) || w.Body.Len() == 0 || w.Body.Len() >= 100_000 {
			t.Errorf("%v: %d bytes, %v, want ErrContent", failure, w.Body.Len(), err)
		}
	}
}

// TestTypesAreOfAnOwnTable: those of the system differ from one machine to the next.
func TestTypesAreOfAnOwnTable(t *testing.T) {
	for name, want := range map[string]string{
		"a.js": "text/javascript; charset=utf-8", "A.HTML": "text/html; charset=utf-8", "a": content.Binary, "a.php": content.Binary, "a.jpg.exe": content.Binary, "a.svg": "image/svg+xml",
	} {
		if got := content.Type(name); got != want {
			t.Errorf("Type(%q) = %q, want %q", name, got, want)
		}
	}
	for _, active := range []string{"text/html", "image/svg+xml", "application/pdf", "application/xml", "text/xml", "application/xhtml+xml", "text/javascript", "", "image/png+html", "IMAGE/SVG+XML"} {
		if content.MayShow(active) {
			t.Errorf("MayShow(%q)", active)
		}
	}
	if !content.MayShow("Image/PNG; x=y") {
		t.Error("a PNG may not be shown")
	}
}

func FuzzRange(f *testing.F) {
	for _, seed := range []string{"bytes=0-1,4-5", "bytes=-3", "bytes=5-", "bytes=9-99999999999999999999", "bytes=,,,", "bytes=0-0,2-2"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, ranges string) {
		w, err := digits("GET", "Range", ranges)
		if err != nil {
			return
		}
		// Ten parts of one byte, each with its head, are the most.
		if w.Body.Len() > 10*200 || w.Header().Get("Content-Length") != fmt.Sprint(w.Body.Len()) {
			t.Errorf("%q: %d bytes, Content-Length %s", ranges, w.Body.Len(), w.Header().Get("Content-Length"))
		}
		if w.Header().Get("Content-Range") != "" && !strings.Contains("0123456789", w.Body.String()) {
			t.Errorf("%q: %q", ranges, w.Body)
		}
	})
}

// TestElevenPartsAreRefusedThoughTheyDoNotOverlap: each has a head larger than itself.
func TestElevenPartsAreRefusedThoughTheyDoNotOverlap(t *testing.T) {
	for n, want := range map[int]int{10: 206, 11: 416} {
		w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil)
		ranges := make([]string, n)
		for i := range ranges {
			ranges[i] = fmt.Sprintf("%d-%d", 2*i, 2*i)
		}
		r.Header.Set("Range", "bytes="+strings.Join(ranges, ","))
		err := content.Serve(w, r, content.Content{Reader: strings.NewReader(strings.Repeat("x", 100)), Type: "text/plain"})
		status := w.Code
		if p, ok := errors.AsType[*problem.Problem](err); ok {
			status = p.Status
		}
		if status != want {
			t.Errorf("%d parts: %d, want %d", n, status, want)
		}
	}
}

// counting counts how often it is read.
type counting struct {
	io.ReadSeeker
	reads int
}

func (c *counting) Read(p []byte) (int, error) {
	c.reads++
	return c.ReadSeeker.Read(p)
}

func TestAPartOfOneByteDoesNotMakeTheNextGoByteByByte(t *testing.T) {
	w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Range", "bytes=0-0,10-65545")
	file := &counting{ReadSeeker: strings.NewReader(strings.Repeat("a", 1<<17))}
	if err := content.Serve(w, r, content.Content{Reader: file, Type: "text/plain"}); err != nil || w.Code != http.StatusPartialContent {
		t.Fatal(w.Code, err)
	}
	if file.reads > 3 { // One for the byte, two of 32 KiB.
		t.Errorf("65537 bytes took %d reads", file.reads)
	}
}

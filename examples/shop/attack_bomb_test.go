package main

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"context"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
)

// bomb is a member of gzip with that many MiB of spaces, of which each MiB takes
// about a KB. Its end is missing: nobody may come as far.
func bomb(t *testing.T, mebibytes int) string {
	t.Helper()
	var block bytes.Buffer
	w, err := flate.NewWriter(&block, flate.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(bytes.Repeat([]byte(" "), 1<<20)); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil { // At a border of bytes, and without the last block.
		t.Fatal(err)
	}
	return "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff" + strings.Repeat(block.String(), mebibytes)
}

// numbers are n different texts of 8 bytes, which are compressed to a fifth.
func numbers(n int) string {
	var out strings.Builder
	for i := range n {
		fmt.Fprintf(&out, "%08d", i)
	}
	return out.String()
}

// zipped is text as one member of gzip.
func zipped(t *testing.T, text string) string {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// Unpacked is how long a text was.
type Unpacked struct {
	Bytes int `json:"bytes"`
}

// serveUnpacking serves operations that take compressed bodies, up to a limit each.
func serveUnpacking(t *testing.T, args ...string) *stack {
	t.Helper()
	app := fastness.New(fastness.Config{Title: "Unpacking", Version: "1"})
	unpack := func(_ context.Context, in struct{ Body struct{ Text string } }) (Unpacked, error) {
		return Unpacked{len(in.Body.Text)}, nil
	}
	for path, options := range map[string][]fastness.Option{
		"/plain": nil, "/zipped": {fastness.GzipBody()}, "/large": {fastness.GzipBody(), fastness.BodyLimit(16 << 20)},
	} {
		fastness.Post(app, path, unpack, append(options, access.Public, fastness.OperationID(path[1:]))...)
	}
	return serveApp(t, app, args...)
}

// A body of 10 KB that becomes 10 MB, of a megabyte that becomes one GB, and of ten
// that become ten: each is refused at the limit of its operation, and several at
// once do not take more memory than that.
func TestCompressionBombIsCutAtTheLimit(t *testing.T) {
	bombs := map[string]string{"10 MiB": bomb(t, 10), "1 GiB": bomb(t, 1000), "10 GiB": bomb(t, 10_000)}
	s := serveUnpacking(t, plainHTTP[:]...)
	c := s.client(t)
	post := func(path, body string, header ...string) reply {
		return c.post(path, body, append([]string{"Content-Encoding", "gzip"}, header...)...)
	}
	good := zipped(t, `{"Text":"`+numbers(12_500)+`"}`)
	if got := post("/zipped", good); got.status != http.StatusOK || got.body != `{"bytes":100000}` {
		t.Fatalf("a body in order: %d %s", got.status, got.body)
	}
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for name, body := range bombs {
		if len(body) > 1<<20 {
			wantProblem(t, name, s.one(t, "POST /large HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: "+fmt.Sprint(len(body))+"\r\n\r\n"+body), http.StatusRequestEntityTooLarge)
			continue
		}
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() { wantProblem(t, name, post("/zipped", body), http.StatusRequestEntityTooLarge) })
		}
		all.Wait()
	}
	runtime.ReadMemStats(&after)
	// What was taken from the system, which is never less than what is in use.
	if grown := int64(after.Sys) - int64(before.Sys); grown > 32<<20 {
		t.Errorf("the bombs took %d MiB, want 32 at most", grown>>20)
	}
	for name, tt := range map[string]struct {
		path, body string
		header     []string
		statuses   []int
	}{
		"too large, and no bomb":  {"/zipped", zipped(t, `{"Text":"`+numbers(1<<17)+`"}`), nil, []int{413}},
		"nobody asked for gzip":   {"/plain", good, nil, []int{415}},
		"a bomb there":            {"/plain", bombs["10 MiB"], nil, []int{415}},
		"gzip in gzip":            {"/zipped", zipped(t, good), nil, []int{400}},
		"gzip twice":              {"/zipped", zipped(t, good), []string{"Content-Encoding", "gzip, gzip"}, []int{415}},
		"gzip and nothing":        {"/zipped", good, []string{"Content-Encoding", "gzip, identity"}, []int{415}},
		"deflate":                 {"/zipped", good, []string{"Content-Encoding", "deflate"}, []int{415}},
		"br":                      {"/zipped", good, []string{"Content-Encoding", "br"}, []int{415}},
		"two members":             {"/zipped", good + good, nil, []int{400}},
		"bytes behind the member": {"/zipped", good + "x", nil, []int{400}},
		"half a member":           {"/zipped", good[:len(good)/2], nil, []int{400}},
		"no gzip":                 {"/zipped", `{"Text":"a"}`, nil, []int{400}},
		"another check sum":       {"/zipped", good[:len(good)-8] + "xxxx" + good[len(good)-4:], nil, []int{400}},
		"another length":          {"/zipped", good[:len(good)-4] + "xxxx", nil, []int{400}},
	} {
		wantProblem(t, name, post(tt.path, tt.body, tt.header...), tt.statuses...)
	}
	if got := post("/zipped", good); got.status != http.StatusOK {
		t.Errorf("a body in order, afterwards: %d", got.status)
	}
}

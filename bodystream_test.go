package fastness_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/fastnesstest"
)

func ExampleStream() {
	app := fastness.New(fastness.Config{Title: "Photos", Version: "1", Hosts: []string{"example.com"}})
	fastness.Put(app, "/photos/{id}", func(_ context.Context, in struct {
		ID   int64           `path:"id"`
		Body fastness.Stream `accept:"image/png, image/jpeg"`
	}) (int64, error) {
		return io.Copy(io.Discard, in.Body)
	}, access.Public, fastness.BodyLimit(50<<20), fastness.Timeout(10*time.Minute))

	r := httptest.NewRequest("PUT", "https://example.com/photos/7", strings.NewReader("\x89PNG…"))
	r.Header.Set("Content-Type", "image/png")
	w := httptest.NewRecorder()
	app.ServeHTTP(w, r)
	fmt.Println(w.Code, w.Body)
	// Output: 200 7
}

// counted answers with how many bytes it has read.
func counted(_ context.Context, in struct {
	Body fastness.Stream `accept:"image/*, application/zip"`
}) (string, error) {
	n, err := io.Copy(io.Discard, in.Body)
	return fmt.Sprint(n, " ", in.Body.ContentType()), err
}

func TestBodyOfBytesIsOfADeclaredTypeAndSize(t *testing.T) {
	app, public := open(fastness.Config{})
	fastness.Post(public, "/", counted, fastness.BodyLimit(1000))
	fastness.Post(public, "/unread", func(context.Context, struct{ Body fastness.Stream }) (string, error) { return "unread", nil })
	api := fastnesstest.New(t, app)
	send := func(media string, n int) *fastnesstest.Response {
		return api.Post("/", fastnesstest.Raw{ContentType: media, Body: make([]byte, n)})
	}
	send("image/png", 1000).Want(200).WantJSON(`"1000 image/png"`)
	send("application/zip; x=y", 1).Want(200).WantJSON(`"1 application/zip"`)
	send("", 0).Want(200).WantJSON(`"0 "`)
	send("image/png", 1001).WantProblem(413, "body_too_large")
	send("text/html", 1).WantProblem(415, "unsupported_media_type")
	send("application/json", 1).WantProblem(415, "unsupported_media_type")
	send("", 1).WantProblem(415, "media_type_missing")
	api.Post("/", fastnesstest.Raw{ContentType: "image/png", Body: []byte("x")}, fastnesstest.Header("Content-Encoding", "gzip")).WantProblem(415, "")
	api.Post("/unread", fastnesstest.Raw{ContentType: "application/octet-stream", Body: []byte("x")}).Want(200)
	doc, err := app.Document()
	if err != nil {
		t.Fatal(err)
	}
	item, _ := doc.Paths.Get("/")
	for _, media := range []string{"image/*", "application/zip"} {
		if _, ok := item.Post.RequestBody.Content.Get(media); !ok {
			t.Errorf("the document has no %s", media)
		}
	}
}

// TestBodyOfUnknownLengthEndsAtTheLimit: nobody has said how long it is, and no byte
// beyond the limit is handed over.
func TestBodyOfUnknownLengthEndsAtTheLimit(t *testing.T) {
	for _, chunk := range []int{1, 7, 4096} {
		app, public := open(fastness.Config{})
		read := 0
		fastness.Post(public, "/", func(_ context.Context, in struct{ Body fastness.Stream }) (int, error) {
			for p := make([]byte, chunk); ; {
				n, err := in.Body.Read(p)
				if read += n; errors.Is(err, io.EOF) {
					return read, nil
				} else if err != nil {
					return 0, err
				}
			}
		}, fastness.BodyLimit(1000))
		api := fastnesstest.New(t, app)
		for n, want := range map[int]int{999: 200, 1000: 200, 1001: 413, 100_000: 413} {
			read = 0
			r := httptest.NewRequest("POST", "https://localhost/", struct{ io.Reader }{bytes.NewReader(make([]byte, n))})
			r.Header.Set("Content-Type", "application/octet-stream")
			if api.Send(r).Want(want); read > 1000 {
				t.Errorf("%d bytes of %d are read, want at most 1000", read, n)
			}
		}
	}
}

// TestBodyThatStopsComingIsGivenUp: a caller who sends a byte now and then has until the
// operation's time is over, and one who sends none much less.
func TestBodyThatStopsComingIsGivenUp(t *testing.T) {
	both(t, func(t *testing.T, http2 bool) {
		app, public := open(fastness.Config{})
		fastness.Post(public, "/idle", counted, fastness.StreamLimits{Read: 100 * time.Millisecond})
		fastness.Post(public, "/drip", counted, fastness.StreamLimits{Read: 300 * time.Millisecond}, fastness.Timeout(600*time.Millisecond))
		url, client := live(t, app, http2)
		for path, every := range map[string]time.Duration{"/idle": 0, "/drip": 50 * time.Millisecond} {
			body, feed := io.Pipe()
			stop := make(chan struct{})
			go func() {
				defer feed.Close()
				for {
					if _, err := feed.Write([]byte("x")); err != nil {
						return
					}
					var more <-chan time.Time
					if every > 0 {
						more = time.After(every)
					}
					select {
					case <-more:
					case <-stop:
						return
					}
				}
			}()
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+path, body)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Type", "image/png")
			r.Host = "localhost"
			res, err := client.Do(r)
			close(stop)
			if err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			if text, _ := io.ReadAll(res.Body); res.StatusCode != 408 {
				t.Errorf("%s: %s %s, want 408", path, res.Status, text)
			}
			_ = res.Body.Close()
		}
	})
}

// TestLongUploadOutlastsTheLimitsOfARequest: as long as it goes on.
func TestLongUploadOutlastsTheLimitsOfARequest(t *testing.T) {
	both(t, func(t *testing.T, http2 bool) {
		app, public := open(fastness.Config{})
		fastness.Post(public, "/", counted)
		url, client := live(t, app, http2)
		body, feed := io.Pipe()
		go func() {
			defer feed.Close()
			ticks := time.NewTicker(50 * time.Millisecond)
			defer ticks.Stop()
			for range 14 {
				<-ticks.C
				if _, err := feed.Write([]byte("x")); err != nil {
					return
				}
			}
		}()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, body)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "image/png")
		r.Host = "localhost"
		res, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if text, err := io.ReadAll(res.Body); res.StatusCode != 200 || string(text) != `"14 image/png"` {
			t.Errorf("%s %s (%v)", res.Status, text, err)
		}
	})
}

func TestBodyOfBytesIsGoneAfterTheOperation(t *testing.T) {
	app, public := open(fastness.Config{})
	var kept fastness.Stream
	fastness.Post(public, "/", func(_ context.Context, in struct{ Body fastness.Stream }) (string, error) {
		kept = in.Body
		return "kept", nil
	})
	api := fastnesstest.New(t, app)
	api.Post("/", fastnesstest.Raw{ContentType: "application/octet-stream", Body: []byte("secret")}).Want(200)
	if n, err := kept.Read(make([]byte, 10)); n > 0 || err == nil {
		t.Errorf("Read() = %d, %v, want an error", n, err)
	}
	var zero fastness.Stream
	if _, err := zero.Read(nil); !errors.Is(err, io.EOF) {
		t.Errorf("the zero Stream: %v", err)
	}
}

func TestBodyOfBytesIsDeclaredCompletely(t *testing.T) {
	app, public := open(fastness.Config{})
	fastness.Get(public, "/get", func(context.Context, struct{ Body fastness.Stream }) (string, error) { return "", nil })
	fastness.Post(public, "/two", func(context.Context, struct {
		Body fastness.Stream
		Name string `form:"name"`
	}) (string, error) {
		return "", nil
	})
	for i, bad := range []func(fastness.Router, string){
		accepting[struct {
			Body fastness.Stream `accept:"image"`
		}],
		accepting[struct {
			Body fastness.Stream `accept:"*/*"`
		}],
		accepting[struct {
			Body fastness.Stream `accept:""`
		}],
		accepting[struct {
			Body fastness.Stream `accept:"image/png;q=1"`
		}],
	} {
		bad(public, fmt.Sprintf("/bad/%d", i))
	}
	err := app.Start(t.Context())
	for _, want := range []string{"GET /get: the body of a GET request", "POST /two: a body is one field", "POST /bad/0: body: accept", "POST /bad/1: body: accept", "POST /bad/2: body: accept", "POST /bad/3: body: accept"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Start() = %v, want %q", err, want)
		}
	}
}

func accepting[In any](r fastness.Router, path string) {
	fastness.Post(r, path, func(context.Context, In) (string, error) { return "", nil })
}

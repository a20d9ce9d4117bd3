package fastness_test

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/fastnesstest"
	"github.com/fastness/fastness/problem"
)

// hexed is JSON in hexadecimal digits.
type hexed struct {
	media string
	write error
}

func (h hexed) MediaType() string { return h.media }

func (h hexed) ToJSON(data []byte) ([]byte, error) {
	if string(data) == "bomb" {
		return make([]byte, 1<<10), nil
	}
	return hex.DecodeString(string(data))
}

func (h hexed) FromJSON(data []byte) ([]byte, error) {
	return []byte(hex.EncodeToString(data)), h.write
}

const hexMedia = "application/x-hex"

type jotted struct {
	Text string `json:"text" minLength:"1" maxLength:"20"`
}

func (n jotted) Version() string { return "7" }

type jottedInput struct{ Body jotted }

// noting returns an app that answers with the notes it gets, and counts them.
func noting(t *testing.T, format hexed) (app *fastness.App, times *int) {
	t.Helper()
	times = new(int)
	app = quiet(fastness.Config{Formats: []fastness.Format{format}})
	fastness.Post(app, "/notes", func(_ context.Context, in jottedInput) (fastness.Created[jotted], error) {
		*times++
		return fastness.Created[jotted]{Body: in.Body}, nil
	}, access.Public)
	fastness.Get(app, "/note", func(context.Context, none) (jotted, error) { return jotted{"hi"}, nil }, access.Public)
	fastness.Get(app, "/raw", func(context.Context, none) (fastness.Raw, error) {
		return fastness.Raw{ContentType: "text/plain", Body: []byte("x")}, nil
	}, access.Public)
	return app, times
}

func negotiated(h http.Handler, method, target, contentType, accept, body string, header ...string) *http.Response {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	if accept != "" {
		r.Header.Set("Accept", accept)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func textOf(t *testing.T, res *http.Response) string {
	t.Helper()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestBodiesAreInTheFormatThatTheRequestNames(t *testing.T) {
	app, _ := noting(t, hexed{media: hexMedia})
	hexBody := hex.EncodeToString([]byte(`{"text":"hi"}`))
	for _, tt := range []struct {
		name, contentType, accept, body string
		status                          int
		gotType, got                    string
	}{
		{"JSON", "application/json", "", `{"text":"hi"}`, 201, "application/json", `{"text":"hi"}`},
		{"the format in, JSON out", hexMedia, "", hexBody, 201, "application/json", `{"text":"hi"}`},
		{"both", hexMedia, hexMedia, hexBody, 201, hexMedia, hexBody},
		{"JSON in, the format out", "application/json", hexMedia + ", */*", `{"text":"hi"}`, 201, hexMedia, hexBody},
		{"an Accept that cannot be read", "application/json", "*; q=.2", `{"text":"hi"}`, 201, "application/json", `{"text":"hi"}`},
		{"none of both", "application/json", "image/png", `{"text":"hi"}`, 406, "application/problem+json", `"not_acceptable"`},
		{"another type", "text/plain", "", "x", 415, "application/problem+json", "application/json or " + hexMedia},
		{"another suffix", "application/vnd.x+hex", "", hexBody, 415, "application/problem+json", ""},
		{"not the format", hexMedia, "", "xyz", 400, "application/problem+json", `"body_invalid"`},
		{"not valid", hexMedia, "", hex.EncodeToString([]byte(`{"text":""}`)), 422, "application/problem+json", `"string_too_short"`},
		{"twice", hexMedia, "", hex.EncodeToString([]byte(`{"text":"a","text":"b"}`)), 400, "application/problem+json", ""},
		{"a bomb", hexMedia, "", "bomb", 413, "application/problem+json", ""},
		{"a problem in the format", "application/json", hexMedia, `{}`, 422, hexMedia, hex.EncodeToString([]byte(`"missing"`))},
		{"a problem for who wants a document", "application/json", "application/problem+json, " + hexMedia + ";q=0.5", `{}`, 422, "application/problem+json", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			res := negotiated(app, "POST", "http://example.com/notes", tt.contentType, tt.accept, tt.body)
			got := textOf(t, res)
			if res.StatusCode != tt.status || res.Header.Get("Content-Type") != tt.gotType || !strings.Contains(got, tt.got) {
				t.Errorf("%d %s %s, want %d %s %s", res.StatusCode, res.Header.Get("Content-Type"), got, tt.status, tt.gotType, tt.got)
			}
			if !slices.Contains(res.Header.Values("Vary"), "Accept") {
				t.Errorf("Vary is %q: a cache would give the answer to those who want another", res.Header.Values("Vary"))
			}
			if res.StatusCode == 415 && res.Header.Get("Accept") != "application/json, "+hexMedia {
				t.Errorf("Accept is %q", res.Header.Get("Accept"))
			}
		})
	}
}

func TestNothingIsDoneForWhoCannotReadTheAnswer(t *testing.T) {
	app, times := noting(t, hexed{media: hexMedia})
	res := negotiated(app, "POST", "http://example.com/notes", "application/json", "application/json;q=0, text/*", `{"text":"hi"}`)
	if res.StatusCode != 406 || *times != 0 {
		t.Errorf("status %d after %d runs", res.StatusCode, *times)
	}
	if res := negotiated(app, "GET", "http://example.com/raw", "", "image/png", ""); res.StatusCode != 200 {
		t.Errorf("what is in no format: status %d", res.StatusCode)
	}
}

func TestAnswerThatCannotBeWrittenIsAFailure(t *testing.T) {
	app, _ := noting(t, hexed{media: hexMedia, write: errors.New("a secret cause")})
	res := negotiated(app, "POST", "http://example.com/notes", "application/json", hexMedia, `{"text":"hi"}`)
	if got := textOf(t, res); res.StatusCode != 500 || res.Header.Get("Content-Type") != problem.MediaType || strings.Contains(got, "secret") {
		t.Errorf("%d %s", res.StatusCode, got)
	}
}

// A cache that has the one must not take it for the other.
func TestFormatsHaveTagsOfTheirOwn(t *testing.T) {
	app, _ := noting(t, hexed{media: hexMedia})
	tagOf := func(accept string) string {
		return negotiated(app, "GET", "http://example.com/note", "", accept, "").Header.Get("Etag")
	}
	plain, other := tagOf(""), tagOf(hexMedia)
	if plain == "" || other == "" || plain == other {
		t.Fatalf("tags are %s and %s", plain, other)
	}
	for accept, want := range map[string]int{"": 200, hexMedia: 304} {
		res := negotiated(app, "GET", "http://example.com/note", "", accept, "", "If-None-Match", other)
		if res.StatusCode != want || !slices.Contains(res.Header.Values("Vary"), "Accept") {
			t.Errorf("%q: status %d, Vary %q, want %d", accept, res.StatusCode, res.Header.Values("Vary"), want)
		}
	}
}

// Without formats nothing is negotiated.
func TestAcceptIsNotReadWithoutFormats(t *testing.T) {
	app := quiet(fastness.Config{})
	fastness.Get(app, "/note", func(context.Context, none) (jotted, error) { return jotted{"hi"}, nil }, access.Public)
	res := negotiated(app, "GET", "http://example.com/note", "", "image/png", "")
	if res.StatusCode != 200 || slices.Contains(res.Header.Values("Vary"), "Accept") {
		t.Errorf("status %d, Vary %q", res.StatusCode, res.Header.Values("Vary"))
	}
}

// A page of another site may send these without being asked, or a browser would run
// them.
func TestFormatsThatBrowsersKnowAreRefused(t *testing.T) {
	for _, media := range []string{
		"text/plain", "text/html", "application/x-www-form-urlencoded", "multipart/form-data", "application/xhtml+xml", "image/svg+xml",
		"application/javascript", "application/ecmascript", "application/json", "application/problem+json", "application/xml", "application/pdf",
		"application/octet-stream", "APPLICATION/X", "application/x; y=z", "application/x\r\nSet-Cookie: a=b", "application/", "cbor", "",
	} {
		app := quiet(fastness.Config{Formats: []fastness.Format{hexed{media: media}, nil}})
		err := app.Start(t.Context())
		if err == nil || !strings.Contains(err.Error(), "Formats: 2 is nil") || strings.Count(err.Error(), "Formats") != 2 {
			t.Errorf("%q: %v", media, err)
		}
	}
	app := quiet(fastness.Config{Formats: []fastness.Format{hexed{media: hexMedia}, hexed{media: hexMedia}}})
	if err := app.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("a format twice: %v", err)
	}
}

func TestFormatsAreInTheDocument(t *testing.T) {
	app, _ := noting(t, hexed{media: hexMedia})
	document, err := app.Document()
	if err != nil {
		t.Fatal(err)
	}
	item, _ := document.Paths.Get("/notes")
	if _, ok := item.Post.RequestBody.Content.Get(hexMedia); !ok {
		t.Error("the request has no such body")
	}
	for _, status := range []string{"201", "406"} {
		res, ok := item.Post.Responses.Get(status)
		if ok && res.Ref != "" {
			res, ok = document.Components.Responses.Get(strings.TrimPrefix(res.Ref, "#/components/responses/"))
		}
		if !ok {
			t.Errorf("there is no answer %s", status)
			continue
		}
		if _, ok := res.Content.Get(hexMedia); !ok {
			t.Errorf("the answer %s is not in the format", status)
		}
	}
	raw, _ := document.Paths.Get("/raw")
	if _, ok := raw.Get.Responses.Get("406"); ok {
		t.Error("what is in no format has a 406")
	}
}

// An answer that is kept is sent again in the format that this time is wanted.
func TestKeptAnswerIsSentAgainInTheFormatThatIsWanted(t *testing.T) {
	app, o := newOrdersIn(t, fastness.Config{Formats: []fastness.Format{hexed{media: hexMedia}}})
	api := fastnesstest.New(t, app)
	first := api.Post("/orders", newOrder{"lamp"}, keyed("ann", aKey)...).Want(201)
	again := api.Post("/orders", newOrder{"lamp"}, append(keyed("ann", aKey), fastnesstest.Accept(hexMedia))...).Want(201)
	if got, err := hex.DecodeString(string(again.Body)); err != nil || string(got) != string(first.Body) || o.made != 1 || again.Header.Get("Content-Type") != hexMedia {
		t.Errorf("%d orders; the answers are %s and %s", o.made, first.Body, again.Body)
	}
}

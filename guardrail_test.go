package fastness_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/schema"
)

func ask(app *fastness.App, method, target, contentType, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	w := httptest.NewRecorder()
	app.ServeHTTP(w, r)
	return w
}

type spanInput struct {
	From int `query:"from"`
	To   int `query:"to"`
}

func (s spanInput) Validate(context.Context) error {
	if s.To < s.From {
		return schema.Invalid("to must not be before from").At("to")
	}
	return nil
}

func TestInputsAreValidatedAcrossParameters(t *testing.T) {
	app := costApp()
	fastness.Get(app, "/", func(_ context.Context, in spanInput) (int, error) { return in.To - in.From, nil }, access.Public)
	if w := ask(app, "GET", "/?from=1&to=3", "", ""); w.Code != 200 {
		t.Errorf("a span in order: %d %s", w.Code, w.Body)
	}
	w := ask(app, "GET", "/?from=3&to=1", "", "")
	if w.Code != 422 || !strings.Contains(w.Body.String(), `{"in":"query","pointer":"/to","code":"value_error"`) {
		t.Errorf("a span backwards: %d %s, want a violation of the query at /to", w.Code, w.Body)
	}
}

// Who reads the body by itself reads it to the limit, and so does middleware.
func TestBodyLimitHoldsForWhoeverReads(t *testing.T) {
	app := costApp()
	var inMiddleware int
	reading := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			data, _ := io.ReadAll(r.Body)
			inMiddleware = len(data)
			next.ServeHTTP(w, r)
		})
	}
	hook := func(_ context.Context, in struct{ Request *http.Request }) (string, error) {
		data, err := io.ReadAll(in.Request.Body)
		return fmt.Sprint(len(data), err), nil
	}
	fastness.Post(app, "/hook", hook, access.Public, fastness.BodyLimit(1000), fastness.OperationID("hook"))
	fastness.Post(app, "/wrapped", hook, access.Public, fastness.BodyLimit(1000), fastness.Middleware(reading), fastness.OperationID("wrapped"))
	fastness.Mount(app, "/mounted", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, err := io.ReadAll(r.Body)
		fmt.Fprint(w, len(data), err)
	}), access.Public, fastness.BodyLimit(1000))
	large := strings.Repeat("a", 5000)
	for _, path := range []string{"/hook", "/mounted/x"} {
		if w := ask(app, "POST", path, "text/plain", large); !strings.Contains(w.Body.String(), "1000") {
			t.Errorf("POST %s read %s, want the first 1000 bytes and an error", path, w.Body)
		}
	}
	if ask(app, "POST", "/wrapped", "text/plain", large); inMiddleware > 1000 {
		t.Errorf("middleware read %d bytes, want at most 1000", inMiddleware)
	}
}

type adminOnly struct{}

type countedItem struct{}

// A check that must pass comes before what it protects.
func TestRequirementsRunBeforeLoads(t *testing.T) {
	app := costApp()
	loads := 0
	fastness.Provide(app, func(context.Context, struct{}) (adminOnly, error) {
		return adminOnly{}, problem.New(http.StatusForbidden, "administrators only")
	})
	fastness.Provide(app, func(_ context.Context, in struct {
		ID int `path:"id"`
	}) (countedItem, error) {
		loads++
		return countedItem{}, problem.New(http.StatusNotFound, "no such item")
	})
	group := app.Group("/items", access.Public, fastness.Requires[adminOnly]())
	fastness.Get(group, "/{id}", func(context.Context, struct{ Item countedItem }) (int, error) { return 0, nil })
	if w := ask(app, "GET", "/items/2", "", ""); w.Code != 403 || loads != 0 {
		t.Errorf("GET /items/2 = %d after %d loads, want 403 after none", w.Code, loads)
	}
}

func TestMountsDoNotSlipPastRequirements(t *testing.T) {
	app := costApp()
	group := app.Group("/admin", access.Public, fastness.Requires[adminOnly]())
	fastness.Mount(group, "/files", http.NotFoundHandler())
	if err := app.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "Requires does not reach a mounted handler") {
		t.Errorf("Start() = %v, want the mount refused", err)
	}
}

func TestRulesOfFiles(t *testing.T) {
	app := costApp()
	fastness.Post(app, "/", func(_ context.Context, in struct {
		Photos []fastness.File `form:"photos" minItems:"1" maxItems:"2"`
	}) (int, error) {
		return len(in.Photos), nil
	}, access.Public)
	for n, want := range map[int]int{0: 422, 1: 200, 2: 200, 3: 422} {
		var body bytes.Buffer
		form := multipart.NewWriter(&body)
		for i := range n {
			part, err := form.CreateFormFile("photos", fmt.Sprintf("%d.txt", i))
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprint(part, "content")
		}
		if n == 0 {
			_ = form.WriteField("photos", "")
		}
		if err := form.Close(); err != nil {
			t.Fatal(err)
		}
		if w := ask(app, "POST", "/", form.FormDataContentType(), body.String()); w.Code != want {
			t.Errorf("%d files: %d %s, want %d", n, w.Code, w.Body, want)
		}
	}
	wrong := costApp()
	fastness.Post(wrong, "/", func(context.Context, struct {
		Photo fastness.File `form:"photo" pattern:"a"`
	}) (int, error) {
		return 0, nil
	}, access.Public)
	if err := wrong.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "rule pattern does not fit a file") {
		t.Errorf("Start() = %v, want the rule refused", err)
	}
}

// Half a log-in must not leave its cookie behind.
func TestPanicDropsWhatWasPrepared(t *testing.T) {
	app := costApp()
	fastness.Mount(app, "/half", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "session", Value: "secret"})
		w.Header().Set("Etag", `"x"`)
		panic("halfway")
	}), access.Public)
	w := ask(app, "GET", "/half", "", "")
	if w.Code != 500 || w.Header().Get("Set-Cookie") != "" || w.Header().Get("Etag") != "" || w.Header().Get("Content-Security-Policy") == "" {
		t.Errorf("answer %d with %v, want 500 with the security headers alone", w.Code, w.Header())
	}
}

func TestLateDeclarationsPanic(t *testing.T) {
	app := costApp()
	if err := app.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if recover() == nil {
			t.Error("an operation that will never be served was accepted")
		}
	}()
	fastness.Get(app, "/late", readPath, access.Public)
}

var keptSecrets []*keptSecret

type keptSecret struct {
	Word string `json:"word"`
}

func (k *keptSecret) Validate(context.Context) error {
	keptSecrets = append(keptSecrets, k)
	return nil
}

// A method that keeps its receiver must not see the next caller's value by it.
func TestKeptReceiverStaysItsCallers(t *testing.T) {
	app := costApp()
	fastness.Post(app, "/", func(_ context.Context, in struct{ Body keptSecret }) (int, error) { return len(in.Body.Word), nil }, access.Public)
	for i := range 20 {
		ask(app, "POST", "/", "application/json", fmt.Sprintf(`{"word":"of caller %d"}`, i))
	}
	for i, k := range keptSecrets {
		if want := fmt.Sprintf("of caller %d", i); k.Word != want {
			t.Errorf("the pointer of call %d reads %q, want %q", i, k.Word, want)
		}
	}
	if len(keptSecrets) != 20 {
		t.Errorf("Validate ran %d times, want 20", len(keptSecrets))
	}
}

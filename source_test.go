package fastness_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/fastnesstest"
)

// echoing declares an operation that answers with its input. The fields of In
// need json tags only for what must not be shown.
func echoing[In any](t *testing.T, method, path string, options ...fastness.Option) *fastnesstest.API {
	t.Helper()
	app, public := open(fastness.Config{})
	fastness.Handle(public, method, path, through[In], options...)
	return fastnesstest.New(t, app)
}

func TestPathParameters(t *testing.T) {
	type input struct {
		Shop string `path:"shop" format:"uuid"`
		ID   int16  `path:"id" minimum:"1"`
		File string `path:"file" maxLength:"20"`
	}
	const shop = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
	api := echoing[input](t, "GET", "/{shop}/{id}/{file...}")
	api.Get("/" + shop + "/7/a/b%20c.txt").Want(200).WantJSON(`{"Shop":"` + shop + `","ID":7,"File":"a/b c.txt"}`)
	api.Get("/shop/0/a").WantViolation("path", "/shop", "uuid_parsing").WantViolation("path", "/id", "greater_than_equal")
	api.Get("/"+shop+"/32768/a").WantViolation("path", "/id", "less_than_equal")
	api.Get("/"+shop+"/7/"+strings.Repeat("x", 21)).WantViolation("path", "/file", "string_too_long")
	api.Get("/"+shop+"/7/..%2fsecret").WantProblem(400, "malformed_path")
	api.Get("/"+shop+"/7").WantProblem(404, "")
}

type queryInput struct {
	A int                   `query:"a" default:"5"`
	B bool                  `query:"b" default:"true"`
	C *string               `query:"c"`
	D fastness.Opt[float64] `query:"d"`
	E []string              `query:"e" maxItems:"2" default:""`
	F []int                 `query:"f" default:"1,2"`
	G int8                  `query:"g" default:"0"`
}

type queryOutput struct {
	A int
	B bool
	C *string
	D fastness.Opt[float64]
	E []string
	F []int
	G int8
}

func queries(t *testing.T) *fastnesstest.API {
	t.Helper()
	app, public := open(fastness.Config{})
	fastness.Get(public, "/", func(_ context.Context, in queryInput) (queryOutput, error) { return queryOutput(in), nil })
	return fastnesstest.New(t, app)
}

func TestQueryParameters(t *testing.T) {
	api := queries(t)
	for name, c := range map[string]struct{ query, want string }{
		"defaults hold where nothing is sent":                 {"", `{"A":5,"B":true,"C":null,"E":[],"F":[1,2],"G":0}`},
		"what is sent holds":                                  {"a=1&b=no&c=&d=2.5&e=x&e=y&f=3&g=-128", `{"A":1,"B":false,"C":"","D":2.5,"E":["x","y"],"F":[3],"G":-128}`},
		"zero is a value and keeps no default":                {"a=0&b=0", `{"A":0,"B":false,"C":null,"E":[],"F":[1,2],"G":0}`},
		"names are case-sensitive and others are passed over": {"A=1&utm=x", `{"A":5,"B":true,"C":null,"E":[],"F":[1,2],"G":0}`},
		"a plus sign is a space":                              {"c=a+b%2Bc", `{"A":5,"B":true,"C":"a b+c","E":[],"F":[1,2],"G":0}`},
	} {
		t.Run(name, func(t *testing.T) { api.With(t).Get("/?" + c.query).Want(200).WantJSON(c.want) })
	}
	for name, c := range map[string]struct{ query, pointer, code string }{
		"a scalar given twice":    {"a=1&a=2", "/a", "duplicate_parameter"},
		"an optional given twice": {"c=1&c=1", "/c", "duplicate_parameter"},
		"no number":               {"a=x", "/a", "int_parsing"},
		"an empty number":         {"a=", "/a", "int_parsing"},
		"no bool":                 {"b=maybe", "/b", "bool_parsing"},
		"too many items":          {"e=1&e=2&e=3", "/e", "too_long"},
		"an item that is no int":  {"f=1&f=x", "/f/1", "int_parsing"},
	} {
		t.Run(name, func(t *testing.T) { api.With(t).Get("/?"+c.query).Want(422).WantViolation("query", c.pointer, c.code) })
	}
	for _, query := range []string{"a=%zz", "a=1;b=2", "a=%ff", "c=%c0%ae"} {
		if res := api.Get("/?" + query); res.Status != 400 && res.Status != 422 {
			t.Errorf("GET /?%s: %d %s, want a refusal", query, res.Status, res.Body)
		}
	}
}

func TestBoolWords(t *testing.T) {
	api := queries(t)
	for word, want := range map[string]bool{
		"true": true, "1": true, "on": true, "yes": true, "TRUE": true, "t": true, "y": true,
		"false": false, "0": false, "off": false, "no": false, "False": false, "f": false, "n": false,
	} {
		if got := fastnesstest.Get[struct{ B bool }](api, "/?b="+word); got.B != want {
			t.Errorf("?b=%s is %v, want %v", word, got.B, want)
		}
	}
}

// TestSmallIntegerDoesNotWrap: 300 in an int8 is not 44.
func TestSmallIntegerDoesNotWrap(t *testing.T) {
	api := queries(t)
	for _, n := range []string{"300", "128", "-129", "4294967296", "18446744073709551616"} {
		if res := api.Get("/?g=" + n); res.Status != 422 {
			t.Errorf("GET /?g=%s: %d %s, want 422", n, res.Status, res.Body)
		}
	}
}

// TestDefaultDoesNotReplaceAnExplicitFalse: a default is for what is absent, in
// every source.
func TestDefaultDoesNotReplaceAnExplicitFalse(t *testing.T) {
	type body struct {
		On bool `json:"on" default:"true"`
	}
	type jsonInput struct {
		Query  bool `query:"on" default:"true"`
		Header bool `header:"X-On" default:"true"`
		Cookie bool `cookie:"on" default:"true"`
		Body   body
	}
	api := echoing[jsonInput](t, "POST", "/")
	send := []fastnesstest.Option{fastnesstest.Header("X-On", "false"), fastnesstest.Cookie("on", "false")}
	api.Post("/?on=false", fastnesstest.JSON(`{"on":false}`), send...).Want(200).
		WantJSON(`{"Query":false,"Header":false,"Cookie":false,"Body":{"on":false}}`)
	api.Post("/", fastnesstest.JSON(`{}`)).Want(200).WantJSON(`{"Query":true,"Header":true,"Cookie":true,"Body":{"on":true}}`)
	type formInput struct {
		On bool `form:"on" default:"true"`
	}
	forms := echoing[formInput](t, "POST", "/")
	forms.Post("/", url.Values{"on": {"false"}}).Want(200).WantJSON(`{"On":false}`)
	forms.Post("/", fastnesstest.Multipart(fastnesstest.Field("on", "false"))).Want(200).WantJSON(`{"On":false}`)
	forms.Post("/", nil).Want(200).WantJSON(`{"On":true}`)
}

func TestHeaderParameters(t *testing.T) {
	type input struct {
		Token string   `header:"x-api-token" minLength:"2"`
		Count int      `header:"X-COUNT" default:"3"`
		Tags  []string `header:"X-Tag"`
		Host  string   `header:"Host"`
	}
	api := echoing[input](t, "GET", "/")
	token := fastnesstest.Header("X-Api-Token", "abc")
	api.Get("/", token, fastnesstest.Header("x-tag", "a"), fastnesstest.Header("X-TAG", "b")).Want(200).
		WantJSON(`{"Token":"abc","Count":3,"Tags":["a","b"],"Host":"localhost"}`)
	api.Get("/").WantViolation("header", "/x-api-token", "missing")
	api.Get("/", token, token).WantViolation("header", "/x-api-token", "duplicate_parameter")
	api.Get("/", fastnesstest.Header("X-Api-Token", "a")).WantViolation("header", "/x-api-token", "string_too_short")
	api.Get("/", token, fastnesstest.Header("X-Count", "many")).WantViolation("header", "/x-count", "int_parsing")
}

func TestCookieParameters(t *testing.T) {
	type input struct {
		Theme *string `cookie:"theme"`
		Size  int     `cookie:"size" default:"1" minimum:"1"`
	}
	api := echoing[input](t, "GET", "/")
	api.Get("/").Want(200).WantJSON(`{"Theme":null,"Size":1}`)
	api.Get("/", fastnesstest.Cookie("theme", "dark"), fastnesstest.Cookie("size", "9")).Want(200).WantJSON(`{"Theme":"dark","Size":9}`)
	api.Get("/", fastnesstest.Cookie("size", "0")).WantViolation("cookie", "/size", "greater_than_equal")
	api.Get("/", fastnesstest.Cookie("size", "1"), fastnesstest.Cookie("size", "2")).WantViolation("cookie", "/size", "duplicate_parameter")
	api.Get("/", fastnesstest.Header("Cookie", "no pair")).WantProblem(400, "cookie_invalid")
	api.Get("/", fastnesstest.Cookie("theme", strings.Repeat("x", 17<<10))).WantProblem(431, "cookies_too_large")
}

func TestBodyParts(t *testing.T) {
	type item struct {
		Name string `json:"name" minLength:"1"`
	}
	type input struct {
		Item  item `body:"item"`
		Owner item `body:"owner"`
		Count int  `body:"count" minimum:"1" default:"2"`
	}
	api := echoing[input](t, "POST", "/")
	api.Post("/", fastnesstest.JSON(`{"item":{"name":"a"},"owner":{"name":"b"},"count":3}`)).Want(200).
		WantJSON(`{"Item":{"name":"a"},"Owner":{"name":"b"},"Count":3}`)
	api.Post("/", fastnesstest.JSON(`{"item":{"name":""},"count":0,"extra":1}`)).Want(422).
		WantViolation("body", "/item/name", "string_too_short").WantViolation("body", "/owner", "missing").
		WantViolation("body", "/count", "greater_than_equal").WantViolation("body", "/extra", "extra_forbidden")
	api.Post("/", nil).WantViolation("body", "", "missing")
}

func TestOptionalBody(t *testing.T) {
	type input struct {
		Body *struct {
			N int `json:"n"`
		}
	}
	api := echoing[input](t, "POST", "/")
	api.Post("/", nil).Want(200).WantJSON(`{"Body":null}`)
	api.Post("/", fastnesstest.JSON(`{"n":1}`)).Want(200).WantJSON(`{"Body":{"n":1}}`)
	api.Post("/", fastnesstest.JSON(`{}`)).WantViolation("body", "/n", "missing")
}

func TestEmbeddedInputsAreFlat(t *testing.T) {
	type paging struct {
		Limit int `query:"limit" default:"10" maximum:"100"`
	}
	type input struct {
		paging
		ID int `path:"id"`
	}
	app, public := open(fastness.Config{})
	fastness.Get(public, "/{id}", func(_ context.Context, in input) (string, error) { return fmt.Sprint(in.ID, " ", in.Limit), nil })
	api := fastnesstest.New(t, app)
	api.Get("/3?limit=7").Want(200).WantJSON(`"3 7"`)
	api.Get("/3?limit=101").WantViolation("query", "/limit", "less_than_equal")
}

func TestViolationsOfAllSourcesAreReportedAtOnce(t *testing.T) {
	type input struct {
		ID     int `path:"id"`
		Q      int `query:"q"`
		H      int `header:"X-H"`
		Cookie int `cookie:"c"`
		Body   struct{ N int }
	}
	echoing[input](t, "POST", "/{id}").Post("/x?q=y", fastnesstest.JSON(`{"N":"z"}`), fastnesstest.Header("X-H", "h"), fastnesstest.Cookie("c", "c")).
		Want(422).WantViolation("path", "/id", "int_parsing").WantViolation("query", "/q", "int_parsing").
		WantViolation("header", "/x-h", "int_parsing").WantViolation("cookie", "/c", "int_parsing").WantViolation("body", "/N", "int_type")
}

// TestJSONOfAnotherContentTypeIsRefused: a page of any site may send text/plain,
// or nothing, without asking first.
func TestJSONOfAnotherContentTypeIsRefused(t *testing.T) {
	type input struct{ Body struct{ N int } }
	api := echoing[input](t, "POST", "/")
	for contentType, want := range map[string]int{
		"application/json": 200, "application/json; charset=utf-8": 200, "Application/JSON": 200, "application/merge-patch+json": 200,
		"": 415, "text/plain": 415, "text/plain; charset=utf-8": 415, "text/plain; application/json": 400,
		"application/x-www-form-urlencoded": 415, "multipart/form-data; boundary=x": 415, "application/jsonx": 415,
		"application/json; charset=utf-16": 415, "application/json, text/plain": 400, "text/json": 415,
	} {
		res := api.Post("/", fastnesstest.Raw{ContentType: contentType, Body: []byte(`{"N":1}`)})
		if res.Status != want {
			t.Errorf("POST / with Content-Type %q: %d %s, want %d", contentType, res.Status, res.Body, want)
		}
	}
}

func TestCompressedBodyIsRefused(t *testing.T) {
	type jsonInput struct{ Body struct{ N int } }
	type formInput struct {
		N int `form:"n"`
	}
	zipped := fastnesstest.Header("Content-Encoding", "gzip")
	echoing[jsonInput](t, "POST", "/").Post("/", fastnesstest.JSON(`{"N":1}`), zipped).WantProblem(415, "unsupported_content_encoding")
	echoing[formInput](t, "POST", "/").Post("/", url.Values{"n": {"1"}}, zipped).WantProblem(415, "unsupported_content_encoding")
}

// TestBodyLimitIsExact: the limit itself passes, one byte more does not, whatever
// the body is and whether its length is declared.
func TestBodyLimitIsExact(t *testing.T) {
	type jsonInput struct{ Body string }
	type formInput struct {
		A string `form:"a"`
	}
	const limit = 300
	app, public := open(fastness.Config{BodyLimit: 10})
	fastness.Post(public, "/json", through[jsonInput], fastness.BodyLimit(limit))
	fastness.Post(public, "/form", through[formInput], fastness.BodyLimit(limit))
	fastness.Post(public, "/default", through[jsonInput])
	api := fastnesstest.New(t, app)
	for name, body := range map[string]func(size int) (string, fastnesstest.Raw){
		"JSON": func(size int) (string, fastnesstest.Raw) {
			return "/json", fastnesstest.Raw{ContentType: "application/json", Body: []byte(`"` + strings.Repeat("x", size-2) + `"`)}
		},
		"urlencoded": func(size int) (string, fastnesstest.Raw) {
			return "/form", fastnesstest.Raw{ContentType: "application/x-www-form-urlencoded", Body: []byte("a=" + strings.Repeat("x", size-2))}
		},
		"multipart": func(size int) (string, fastnesstest.Raw) {
			empty := fastnesstest.Multipart(fastnesstest.Field("a", ""))
			return "/form", fastnesstest.Raw{
				ContentType: empty.ContentType,
				Body:        []byte(strings.Replace(string(empty.Body), "\r\n\r\n", "\r\n\r\n"+strings.Repeat("x", size-len(empty.Body)), 1)),
			}
		},
	} {
		for _, declared := range []bool{true, false} {
			for size, want := range map[int]int{limit: 200, limit + 1: 413, 3 * limit: 413} {
				target, raw := body(size)
				r, err := http.NewRequestWithContext(t.Context(), "POST", "http://localhost"+target, strings.NewReader(string(raw.Body)))
				if err != nil || len(raw.Body) != size {
					t.Fatalf("a body of %d bytes: %d, %v", size, len(raw.Body), err)
				}
				r.Header.Set("Content-Type", raw.ContentType)
				if !declared {
					r.ContentLength = -1
				}
				if res := api.Send(r); res.Status != want {
					t.Errorf("%s of %d bytes, declared %v: %d %s, want %d", name, size, declared, res.Status, res.Body, want)
				}
			}
		}
	}
	api.Post("/default", fastnesstest.JSON(`"12345678"`)).Want(200)
	api.Post("/default", fastnesstest.JSON(`"123456789"`)).WantProblem(413, "body_too_large").WantHeader("Connection", "close")
}

// TestOnlyExactMemberNamesCount: a validator that reads "role" and a decoder that
// takes "ROLE" for it disagree about who may be what.
func TestOnlyExactMemberNamesCount(t *testing.T) {
	type input struct {
		Body struct {
			Role string `json:"role" enum:"user,editor"`
		}
	}
	api := echoing[input](t, "POST", "/")
	for body, code := range map[string]string{
		`{"role":"user","ROLE":"admin"}`: "extra_forbidden", `{"ROLE":"user"}`: "missing", `{"role":"admin"}`: "enum",
	} {
		res := api.Post("/", fastnesstest.JSON(body))
		if res.Status != 422 || !strings.Contains(string(res.Body), code) {
			t.Errorf("POST / %s: %d %s, want 422 %s", body, res.Status, res.Body, code)
		}
	}
	api.Post("/", fastnesstest.JSON(`{"role":"user","role":"editor"}`)).WantProblem(400, "json_invalid")
	api.Post("/", fastnesstest.JSON(`{"role":"user"} {}`)).WantProblem(400, "json_invalid")
}

// TestRefusalNeverRepeatsWhatWasSent: it may be a password.
func TestRefusalNeverRepeatsWhatWasSent(t *testing.T) {
	type input struct {
		Q    int `query:"q"`
		Body struct {
			Password string `json:"password" maxLength:"5" pattern:"^[a-z]+$"`
			Pin      int    `json:"pin"`
			When     string `json:"when" format:"date"`
		}
	}
	api := echoing[input](t, "POST", "/")
	for _, body := range []string{
		`{"password":"hunter2-canary","pin":"canary","when":"canary"}`, `{"password":"hunter2-canary`, `["canary"]`, `"canary"`,
		`{"password":"hunter2-canary"}`, `canary`,
	} {
		res := api.Post("/?q=canary", fastnesstest.JSON(body))
		if res.Status < 400 || strings.Contains(string(res.Body), "canary") {
			t.Errorf("POST / %s: %d %s, want a refusal without what was sent", body, res.Status, res.Body)
		}
	}
}

// TestBodyThatBreaksOffIsRefused: half a body may be valid JSON.
func TestBodyThatBreaksOffIsRefused(t *testing.T) {
	type input struct{ Body []int }
	api := echoing[input](t, "POST", "/")
	for name, c := range map[string]struct {
		err    error
		status int
		code   string
	}{
		"a broken connection":             {io.ErrUnexpectedEOF, 400, "body_unreadable"},
		"a body that takes too long":      {os.ErrDeadlineExceeded, 408, ""},
		"a limit that middleware has set": {&http.MaxBytesError{Limit: 10}, 413, "body_too_large"},
	} {
		t.Run(name, func(t *testing.T) {
			body := io.MultiReader(strings.NewReader(`[1,2]`), iotest.ErrReader(c.err))
			r, err := http.NewRequestWithContext(t.Context(), "POST", "http://localhost/", body)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Type", "application/json")
			r.ContentLength = -1
			api.With(t).Send(r).WantProblem(c.status, c.code).WantHeader("Connection", "close")
		})
	}
}

func TestEveryMethodHasItsOperation(t *testing.T) {
	app, public := open(fastness.Config{})
	get := func(_ context.Context, in struct{ R *http.Request }) (fastness.Result[string], error) {
		return fastness.Result[string]{Header: http.Header{"X-Method": {in.R.Method}}, Body: in.R.Method}, nil
	}
	fastness.Get(public, "/", get)
	fastness.Head(public, "/", get, fastness.Status(203))
	fastness.Post(public, "/", get)
	fastness.Put(public, "/", get)
	fastness.Patch(public, "/", get)
	fastness.Delete(public, "/", get)
	fastness.Options(public, "/", get)
	api := fastnesstest.New(t, app)
	for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} {
		api.Do(method, "/", nil).Want(200).WantHeader("X-Method", method).WantJSON(`"` + method + `"`)
	}
	api.Do("HEAD", "/", nil).Want(203).WantHeader("X-Method", "HEAD")
}

// TestLargeBodiesAreReadWhole: their buffers are not those of small ones.
func TestLargeBodiesAreReadWhole(t *testing.T) {
	type input struct{ Body string }
	api := echoing[input](t, "POST", "/")
	for _, size := range []int{1, 511, 512, 513, 4 << 10, 64 << 10, 65<<10 + 1, 900 << 10} {
		text := strings.Repeat("x", size)
		for _, declared := range []bool{true, false} {
			r, err := http.NewRequestWithContext(t.Context(), "POST", "http://localhost/", strings.NewReader(`"`+text+`"`))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Type", "application/json")
			if !declared {
				r.ContentLength = -1
				r.Body = io.NopCloser(iotest.HalfReader(r.Body))
			}
			if res := api.Send(r).Want(200); string(res.Body) != `{"Body":"`+text+`"}` {
				t.Errorf("a text of %d bytes came back as %d bytes", size, len(res.Body))
			}
		}
	}
}

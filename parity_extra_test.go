package fastness_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"testing"
	"time"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/schema"
	"github.com/shopspring/decimal"
)

// The second set of recorded answers: one operation for each feature of FastAPI.

type sub struct {
	N    int      `json:"n" minimum:"1" multipleOf:"2"`
	Tags []string `json:"tags" minItems:"1" maxItems:"2" default:"[\"a\"]"`
}

type big struct {
	Name  string           `json:"name" minLength:"3" maxLength:"5" pattern:"^[a-z]+$"`
	Sub   sub              `json:"sub"`
	Color string           `json:"color" enum:"red,blue" default:"red"`
	When  *time.Time       `json:"when"`
	Day   *string          `json:"day" format:"date"`
	ID    *string          `json:"id" format:"uuid"`
	URL   *url.URL         `json:"url"`
	Dec   *decimal.Decimal `json:"dec" maxDigits:"5" decimalPlaces:"2"`
	OK    *bool            `json:"ok"`
	Lit   *string          `json:"lit" const:"x"`
	PW    *string          `json:"pw" writeOnly:"true"`
	FL    *float64         `json:"fl"`
}

type pet struct {
	schema.Union `discriminator:"kind"`
	Cat          *cat
	Dog          *dog
}

type cat struct {
	Kind string `json:"kind" const:"cat"`
	M    int    `json:"m"`
}

type dog struct {
	Kind string `json:"kind" const:"dog"`
	B    int    `json:"b"`
}

type two struct {
	A sub    `body:"a"`
	C string `body:"c" enum:"red,blue"`
}

type twoOut struct {
	A sub    `json:"a"`
	C string `json:"c"`
}

type queried struct {
	N     int      `query:"n" minimum:"1" exclusiveMaximum:"10"`
	S     []string `query:"s" default:""`
	B     bool     `query:"b" default:"false"`
	C     *string  `query:"c" enum:"red,blue"`
	Alias *string  `query:"item-query" maxLength:"3"`
}

type credentials struct {
	Token string `header:"X-Token"`
	SID   string `cookie:"sid"`
}

type formIn struct {
	U string `form:"u" minLength:"2"`
	N *int   `form:"n"`
}

type fileIn struct {
	F    fastness.File `form:"f"`
	Note *string       `form:"note"`
}

type fileOut struct {
	Name string  `json:"name"`
	CT   string  `json:"ct"`
	Size int64   `json:"size"`
	Note *string `json:"note"`
}

func features(app *fastness.App) {
	public := app.Group("", access.Public)
	fastness.Post(public, "/big", func(_ context.Context, in struct{ Body big }) (big, error) { return in.Body, nil })
	fastness.Post(public, "/pet", func(_ context.Context, in struct{ Body pet }) (pet, error) { return in.Body, nil })
	fastness.Post(public, "/two", func(_ context.Context, in two) (twoOut, error) { return twoOut(in), nil })
	fastness.Post(public, "/embed", func(_ context.Context, in struct {
		A sub `body:"a"`
	}) (sub, error) {
		return in.A, nil
	})
	fastness.Get(public, "/q", func(_ context.Context, in queried) ([]any, error) {
		return []any{in.N, in.S, in.B, in.C, in.Alias}, nil
	})
	fastness.Get(public, "/hc", func(_ context.Context, in credentials) ([]string, error) {
		return []string{in.Token, in.SID}, nil
	})
	fastness.Post(public, "/form", func(_ context.Context, in formIn) (fastness.NoContent, error) { return fastness.NoContent{}, nil })
	fastness.Post(public, "/file", func(_ context.Context, in fileIn) (fileOut, error) {
		return fileOut{in.F.Name, in.F.ContentType, in.F.Size, in.Note}, nil
	})
	answers(public)
}

func answers(public *fastness.Group) {
	fastness.Get(public, "/resp", func(context.Context, struct{}) (fastness.Result[map[string]int], error) {
		return fastness.Result[map[string]int]{
			Status: 201, Header: http.Header{"X-A": {"b"}},
			Cookies: []*http.Cookie{{Name: "k", Value: "v"}}, Body: map[string]int{"a": 1},
		}, nil
	})
	fastness.Get(public, "/respbad", func(context.Context, struct{}) (float64, error) { return math.NaN(), nil })
	fastness.Get(public, "/none", func(context.Context, struct{}) (fastness.NoContent, error) { return fastness.NoContent{}, nil })
	fastness.Get(public, "/err", func(context.Context, struct{}) (fastness.NoContent, error) {
		return fastness.NoContent{}, problem.New(http.StatusTeapot, "").
			Extend("detail", map[string]int{"x": 1}).With("X-E", "1")
	})
	fastness.Get(public, "/boom", func(context.Context, struct{}) (fastness.NoContent, error) {
		return fastness.NoContent{}, errors.New(privateText)
	})
	fastness.Get(public, "/redir", func(context.Context, struct{}) (fastness.Redirect, error) {
		return fastness.Redirect{Path: "/q"}, nil
	})
}

// extraCase is a recorded answer and, if there is a reason, another one of ours.
type extraCase struct {
	name         string
	method, path string
	header       map[string]string
	body         string
	recorded     want
	ours         *want
	reason       string
}

func extraCases(t *testing.T) []extraCase {
	post := func(name, path, body string, recorded want) extraCase {
		return extraCase{name: name, method: "POST", path: path, header: isJSON, body: body, recorded: recorded}
	}
	get := func(name, path string, recorded want) extraCase {
		return extraCase{name: name, method: "GET", path: path, recorded: recorded}
	}
	form := func(name, path, body string, recorded want) extraCase {
		media := map[string]string{"Content-Type": "application/x-www-form-urlencoded"}
		return extraCase{name: name, method: "POST", path: path, header: media, body: body, recorded: recorded}
	}
	missing := func(loc ...string) want {
		var list []wrong
		for _, l := range loc {
			list = append(list, wrong{"missing", l, required, ""})
		}
		return invalid(list...)
	}
	media, upload := multipartBody(t)
	fileCase := extraCase{name: "a file and a field", method: "POST", path: "/file", header: map[string]string{"Content-Type": media}, body: upload,
		recorded: ok(`{"name":"a.txt","ct":"text/plain","size":5,"note":"hi"}`)}
	headers := get("a header and a cookie", "/hc", ok(`["t","1"]`))
	headers.header = map[string]string{"X-Token": "t", "Cookie": "sid=1"}

	cases := append(bigCases(post),
		post("a variant by its tag", "/pet", `{"kind":"cat","m":1}`, ok(`{"kind":"cat","m":1}`)),
		post("a tag that no variant has", "/pet", `{"kind":"cow"}`,
			invalid(wrong{"union_tag_invalid", `["body"]`, "Input tag 'cow' found using 'kind' does not match any of the expected tags: 'cat', 'dog'",
				`{"discriminator":"'kind'","tag":"cow","expected_tags":"'cat', 'dog'"}`})).
			but("the tag that was sent is not echoed",
				invalid(wrong{"union_tag_invalid", `["body"]`, "Input tag does not match any of the expected tags: 'cat', 'dog'",
					`{"discriminator":"'kind'","expected_tags":"'cat', 'dog'"}`})),
		post("no tag", "/pet", `{"m":1}`,
			invalid(wrong{"union_tag_not_found", `["body"]`, "Unable to extract tag using discriminator 'kind'", `{"discriminator":"'kind'"}`})),
		post("two bodies in one", "/two", `{"a":{"n":2},"c":"red"}`, ok(`{"a":{"n":2,"tags":["a"]},"c":"red"}`)),
		post("one of two bodies is missing", "/two", `{"a":{"n":2}}`, missing(`["body","c"]`)),
		post("an embedded body", "/embed", `{"a":{"n":2}}`, ok(`{"n":2,"tags":["a"]}`)),
		post("an embedded body that is not embedded", "/embed", `{"n":2}`, missing(`["body","a"]`)),

		get("every kind of query parameter", "/q?n=5&s=a&s=b&b=on&c=blue&item-query=xyz", ok(`[5,["a","b"],true,"blue","xyz"]`)),
		get("the defaults of query parameters", "/q?n=5", ok(`[5,[],false,null,null]`)),
		get("a missing query parameter", "/q", missing(`["query","n"]`)),
		get("every query parameter wrong", "/q?n=0&b=2&c=z&item-query=long", invalid(
			wrong{"greater_than_equal", `["query","n"]`, tooLow + "1", `{"ge":1}`},
			wrong{"bool_parsing", `["query","b"]`, "Input should be a valid boolean, unable to interpret input", ""},
			wrong{"enum", `["query","c"]`, "Input should be 'red' or 'blue'", `{"expected":"'red' or 'blue'"}`},
			wrong{"string_too_long", `["query","item-query"]`, "String should have at most 3 characters", `{"max_length":3}`})),
		get("an exclusive maximum", "/q?n=10", invalid(wrong{"less_than", `["query","n"]`, "Input should be less than 10", `{"lt":10}`})),
		get("an empty number", "/q?n=", badInt(`["query","n"]`)),
		get("a fraction where an integer is wanted", "/q?n=1.5", badInt(`["query","n"]`)),
		headers,
		get("neither header nor cookie", "/hc", missing(`["header","x-token"]`, `["cookie","sid"]`)),

		form("a form field that is no number", "/form", "u=ab&n=x", badInt(`["body","n"]`)),
		form("a form field that is too short", "/form", "u=a",
			invalid(wrong{"string_too_short", `["body","u"]`, "String should have at least 2 characters", `{"min_length":2}`})),
		form("an empty form field counts as missing", "/form", "u=", missing(`["body","u"]`)),
		post("JSON is no form", "/form", `{"u":"ab"}`, missing(`["body","u"]`)),
		fileCase.but("the media type is found in the content, not taken from the client",
			ok(`{"name":"a.txt","ct":"text/plain; charset=utf-8","size":5,"note":"hi"}`)),
		form("no file", "/file", "note=x", missing(`["body","f"]`)),
		form("a text is no file", "/file", "f=str",
			invalid(wrong{"value_error", `["body","f"]`, "Value error, Expected UploadFile, received: <class 'str'>", `{"error":{}}`})).
			but("Python's classes mean nothing here", invalid(wrong{"value_error", `["body","f"]`, "Value error, expected a file", ""})),
	)
	return append(cases, answerCases(get)...)
}

func bigCases(post func(name, path, body string, recorded want) extraCase) []extraCase {
	crashed := want{status: 500, body: `"Internal Server Error"`}
	multiple := wrong{"multiple_of", `["body","sub","n"]`, "Input should be a multiple of 2", `{"multiple_of":2}`}
	long := wrong{"string_too_long", `["body","name"]`, "String should have at most 5 characters", `{"max_length":5}`}
	few := wrong{"too_short", `["body","sub","tags"]`, "List should have at least 1 item after validation, not 0", `{"field_type":"List","min_length":1,"actual_length":0}`}
	formats := func(uuid string) []wrong {
		return []wrong{
			{"enum", `["body","color"]`, "Input should be 'red' or 'blue'", `{"expected":"'red' or 'blue'"}`},
			{"datetime_from_date_parsing", `["body","when"]`, "Input should be a valid datetime or date, input is too short", `{"error":"input is too short"}`},
			{"date_from_datetime_parsing", `["body","day"]`, "Input should be a valid date or datetime, month value is outside expected range of 1-12", `{"error":"month value is outside expected range of 1-12"}`},
			{"uuid_parsing", `["body","id"]`, "Input should be a valid UUID, " + uuid, fmt.Sprintf(`{"error":%q}`, uuid)},
			{"url_scheme", `["body","url"]`, "URL scheme should be 'http' or 'https'", `{"expected_schemes":"'http' or 'https'"}`},
		}
	}
	return []extraCase{
		post("a nested object with its defaults", "/big", `{"name":"abc","sub":{"n":2}}`, crashed).
			but("the recorded app crashed while it encoded infinity",
				ok(`{"name":"abc","sub":{"n":2,"tags":["a"]},"color":"red","when":null,"day":null,"id":null,"url":null,"dec":null,"ok":null,"lit":null,"fl":null}`)),
		post("too short and too low", "/big", `{"name":"ab","sub":{"n":0}}`, invalid(
			wrong{"string_too_short", `["body","name"]`, "String should have at least 3 characters", `{"min_length":3}`},
			wrong{"greater_than_equal", `["body","sub","n"]`, tooLow + "1", `{"ge":1}`})),
		post("too long, odd, empty and unknown", "/big", `{"name":"abcdef","sub":{"n":7,"tags":[],"zz":1}}`,
			invalid(long, multiple, few, wrong{"extra_forbidden", `["body","sub","zz"]`, "Extra inputs are not permitted", ""})).
			but("an app drops unknown members everywhere or nowhere, not by type", invalid(long, multiple, few)),
		post("a pattern, and too many items", "/big", `{"name":"ABC","sub":{"n":3,"tags":["a","b","c"]}}`, invalid(
			wrong{"string_pattern_mismatch", `["body","name"]`, "String should match pattern '^[a-z]+$'", `{"pattern":"^[a-z]+$"}`},
			multiple,
			wrong{"too_long", `["body","sub","tags"]`, "List should have at most 2 items after validation, not 3", `{"field_type":"List","max_length":2,"actual_length":3}`})),
		post("every format wrong", "/big", `{"name":"abc","sub":{"n":2},"color":"green","when":"nope","day":"2020-13-01","id":"x","url":"ftp://x"}`,
			invalid(formats("invalid character: found `x` at 1")...)).
			but("the character that was sent is not echoed",
				invalid(formats("invalid length: expected 36 characters in groups of 8-4-4-4-12")...)),
		post("an array is no nested object", "/big", `{"name":"abc","sub":[1]}`, invalid(wrong{"model_attributes_type", `["body","sub"]`, notModel, ""})),
		post("other spellings of values", "/big", `{"name":"abc","sub":{"n":2},"ok":"yes","day":"2020-01-02","when":1577934245,"url":"http://a.b","dec":"1.20"}`, crashed).
			but("a number is no time and a text no boolean, even where texts may spell numbers", invalid(
				wrong{"bool_type", `["body","ok"]`, "Input should be a valid boolean", ""},
				wrong{"datetime_type", `["body","when"]`, "Input should be a valid datetime", ""})),
	}
}

func answerCases(get func(name, path string, recorded want) extraCase) []extraCase {
	text := want{status: 500, body: `"Internal Server Error"`}
	document := want{status: 500, body: `{"detail":"Internal Server Error"}`, header: map[string]string{"Content-Type": "application/json"}}
	result := func(cookie string) want {
		return want{status: 201, body: `{"a":1}`, header: map[string]string{"X-A": "b", "Set-Cookie": cookie}}
	}
	const crash = "a crash is answered in the renderer's shape, with every header"
	return []extraCase{
		get("a status, a header and a cookie", "/resp", result("k=v; HttpOnly; Path=/; SameSite=lax")).
			but("cookies are Secure", result("k=v; Path=/; HttpOnly; Secure; SameSite=Lax")),
		get("an answer that cannot be encoded", "/respbad", text).but(crash, document),
		get("no content", "/none", want{status: 204}),
		get("an error with a detail of its own", "/err",
			want{status: 418, body: `{"detail":{"x":1}}`, header: map[string]string{"X-E": "1", "Content-Type": "application/json"}}),
		get("an unhandled error", "/boom", text).but(crash, document),
		get("a redirect", "/redir", want{status: 307, header: map[string]string{"Location": "/q"}}),
	}
}

// but says that our answer is another one, and why.
func (c extraCase) but(reason string, ours want) extraCase {
	c.reason, c.ours = reason, &ours
	return c
}

func multipartBody(t *testing.T) (media, body string) {
	t.Helper()
	var buf bytes.Buffer
	w := multipart.NewWriter(&buf)
	f, err := w.CreateFormFile("f", "a.txt")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = f.Write([]byte("hello"))
	_ = w.WriteField("note", "hi")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return w.FormDataContentType(), buf.String()
}

// TestParityOfFeatures compares with FastAPI feature by feature.
func TestParityOfFeatures(t *testing.T) {
	app := fastness.New(fastness.Config{
		Title: "Features", Version: "1", Logger: slog.New(slog.DiscardHandler),
		Errors: fastness.FastAPIErrors, InsecureFastAPICompat: "parity with FastAPI",
	})
	features(app)
	server := httptest.NewServer(started(t, app))
	t.Cleanup(server.Close)
	for _, c := range extraCases(t) {
		t.Run(c.path+" "+c.name, func(t *testing.T) {
			expected := c.recorded
			if c.ours != nil {
				if expected = *c.ours; reflect.DeepEqual(expected, c.recorded) {
					t.Fatalf("deviation %q does not deviate", c.reason)
				}
			}
			if len(expected.wrong) > 0 {
				expected = asFastAPI(t, expected, nil)
			}
			request := parityCase{method: c.method, path: c.path, body: c.body, header: c.header}
			res, body := request.send(t, server.URL)
			compare(t, expected, res, body)
		})
	}
}

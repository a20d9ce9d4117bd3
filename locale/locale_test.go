package locale_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/fastness/fastness/locale"
	"github.com/fastness/fastness/problem"
)

func in(t *testing.T, accept string, cfg locale.Config) locale.Language {
	t.Helper()
	l, err := locale.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Accept-Language", accept)
	return l.Of(r)
}

// The codes that the packages use, read in their sources: a new one without a sentence
// fails here.
func TestEveryRuleHasASentenceInEveryLanguage(t *testing.T) {
	var codes []string
	literal := func(e ast.Expr) {
		if lit, ok := e.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			text, _ := strconv.Unquote(lit.Value)
			codes = append(codes, text)
		}
	}
	visit := func(file string, f func(ast.Node)) {
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(tree, func(n ast.Node) bool { f(n); return true })
	}
	visit("../schema/message.go", func(n ast.Node) {
		if c, ok := n.(*ast.CaseClause); ok {
			for _, e := range c.List {
				literal(e)
			}
		}
	})
	files, err := filepath.Glob("../schema/format/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		visit(file, func(n ast.Node) {
			switch n := n.(type) {
			case *ast.ValueSpec:
				for i, name := range n.Names {
					if strings.HasPrefix(name.Name, "code") && i < len(n.Values) {
						literal(n.Values[i])
					}
				}
			case *ast.CallExpr:
				if f, ok := n.Fun.(*ast.Ident); ok && (f.Name == "plain" || f.Name == "because") {
					literal(n.Args[0])
				}
			case *ast.CompositeLit:
				if f, ok := n.Type.(*ast.Ident); ok && f.Name == "Mistake" && len(n.Elts) > 0 {
					literal(n.Elts[0])
				}
			}
		})
	}
	codes = slices.DeleteFunc(codes, func(code string) bool { return code == "value_error" }) // It is in words of its own.
	if len(codes) < 55 {
		t.Fatalf("only %d codes are found", len(codes))
	}
	for _, c := range []locale.Catalogue{locale.German(), locale.French()} {
		for _, code := range codes {
			if c.Sentences[code] == "" {
				t.Errorf("%s has no sentence for %s", c.Tag, code)
			}
		}
		for key := range c.Sentences {
			if code, _, _ := strings.Cut(key, "."); !slices.Contains(codes, code) {
				t.Errorf("%s has a sentence for %s, which nobody uses", c.Tag, code)
			}
		}
	}
}

func TestWhatIsMissingIsNamed(t *testing.T) {
	poor := locale.German()
	delete(poor.Sentences, "missing")
	delete(poor.Titles, 404)
	poor.Sentences["too_long"] = "{max_lenght}"
	_, err := locale.New(locale.Config{
		Catalogues: []locale.Catalogue{poor, locale.French(), locale.French(), {Tag: "x y"}}, Codes: []string{"sold_out"},
	})
	for _, want := range []string{"de: the sentence of missing is missing", "de: the title of 404", "too_long has {max_lenght}", "fr is there twice",
		"x y: the tag is none", "application's sold_out"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in %v", want, err)
		}
	}
}

// What a limit holds is the application's, and is not filled in again.
func TestLimitsAreFilledInOnce(t *testing.T) {
	language := in(t, "de", locale.Config{Catalogues: []locale.Catalogue{locale.German()}})
	got := language.Text("string_pattern_mismatch", problem.Limit{Name: "pattern", Value: "^a{min}{pattern}$"}, problem.Limit{Name: "min", Value: 3})
	if want := "Der Text muss dem Muster '^a{min}{pattern}$' entsprechen"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestNumbersHaveTheirForm(t *testing.T) {
	for _, tt := range []struct {
		language locale.Catalogue
		n        int
		want     string
	}{
		{locale.German(), 1, "mindestens ein Eintrag statt 0"}, {locale.German(), 2, "mindestens 2 Einträge statt 0"},
		{locale.French(), 1, "1 élément est"}, {locale.French(), 0, "0 élément est"}, {locale.French(), 2, "2 éléments sont"},
	} {
		language := in(t, tt.language.Tag, locale.Config{Catalogues: []locale.Catalogue{tt.language}})
		got := language.Text("too_short", problem.Limit{Name: "field_type", Value: "List"}, problem.Limit{Name: "min_length", Value: tt.n}, problem.Limit{Name: "actual_length", Value: 0})
		if !strings.Contains(got, tt.want) {
			t.Errorf("%s, want %s", got, tt.want)
		}
	}
}

func TestWhatProgramsReadStays(t *testing.T) {
	language := in(t, "de", locale.Config{Catalogues: []locale.Catalogue{locale.German()}})
	p := problem.New(422, "the request is not as declared").Named("validation").With("Retry-After", "1")
	p.Errors = []problem.Violation{
		{In: "body", Path: []problem.Segment{problem.Name("a")}, Code: "missing", Detail: "Field required"},
		{In: "body", Code: "value_error", Detail: "Value error, it must be even"},
		{In: "body", Code: "own_code", Detail: "in English"},
	}
	shown := language.Problem(p)
	if shown.Title == "" || shown.Code != "validation" || shown.Status != 422 || shown.Header().Get("Retry-After") != "1" ||
		shown.Errors[0].Pointer() != "/a" || shown.Errors[0].Code != "missing" || shown.Errors[0].Detail != "Das Feld ist erforderlich" {
		t.Errorf("%+v", shown)
	}
	if shown.Errors[1].Detail != "Value error, it must be even" || shown.Errors[2].Detail != "in English" {
		t.Errorf("what no catalogue has is %q and %q", shown.Errors[1].Detail, shown.Errors[2].Detail)
	}
	if p.Errors[0].Detail != "Field required" || p.Title != "" {
		t.Error("the problem itself was changed, which others share")
	}
	own := p
	own.Title = "Mine"
	if language.Problem(own).Title != "Mine" {
		t.Error("a title of the application's was replaced")
	}
}

func TestEnglishIsTheDefault(t *testing.T) {
	for _, accept := range []string{"", "it", "en-GB, de;q=0.9", "de;q=0", "%"} {
		if tag := in(t, accept, locale.Config{Catalogues: []locale.Catalogue{locale.German()}}).Tag(); tag != "en" {
			t.Errorf("%q: %s", accept, tag)
		}
	}
	english := locale.Catalogue{Tag: "en", Sentences: map[string]string{"sold_out": "{left} left"}}
	language := in(t, "", locale.Config{Catalogues: []locale.Catalogue{locale.German(), english}})
	if got := language.Text("sold_out", problem.Limit{Name: "left", Value: 2}); got != "2 left" {
		t.Error(got)
	}
	var none *locale.Locales
	if tag := none.Of(httptest.NewRequest("GET", "/", nil)).Tag(); tag != "en" {
		t.Error(tag)
	}
}

// Who changes a catalogue afterwards changes nothing of an app that runs.
func TestCataloguesAreCopied(t *testing.T) {
	german := locale.German()
	cfg := locale.Config{Catalogues: []locale.Catalogue{german}}
	language := in(t, "de", cfg)
	clear(german.Sentences)
	if language.Text("missing") == "" {
		t.Error("it is gone")
	}
}

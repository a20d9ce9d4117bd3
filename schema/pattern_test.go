package schema

import (
	"math/rand/v2"
	"regexp"
	"testing"
)

func patterns() []string {
	return []string{
		`^[A-Z]{3}-[0-9]{4}$`, `^[0-9]{5}$`, `a`, ``, `^`, `$`, `^$`, `a$`, `^a|b$`, `(?i)hello`, `[^a-z]`,
		`^(?:ab|cd)*$`, `\d+\.\d+`, `^.{2,3}$`, `\bword\b`, `(?m)^a$`, `^é$`, `[à-ü]x`, `a.c`, `^[\w.-]+@[\w-]+$`,
		`$^`, `(?:$|,)(?:ab)*^`, `(?:$a|\z)\A$`, `a*$^|b`, `[^\x00-\x{10FFFF}]`, `^[^\x00-\x{10FFFF}]|$`,
		`(a|ab)(c|bcd)(d*)`, `x*`, `^x+y?z*$`, `(?s).`, `\A\z`, `^(a{1,20}){1,20}$`, `a\z`,
	}
}

func TestTableAgreesWithRE2(t *testing.T) {
	texts := []string{
		"", "a", "b", "ab", "abc", "ABC-1234", "ABC-12345", "xABC-1234", "12345", "hello", "HeLLo", "é", "aé", "éa", "àx",
		"a\nb", "\n", "word", "a word b", "swords", "1.5", "x.5", "ababcd", "abcdx", "a@b", "xyz", "xxz", "aaaaaaaaaaaaaaaaaaaaaaa", "\x00", "a\xff",
	}
	for _, text := range patterns() {
		p, err := compilePattern(text)
		if err != nil {
			t.Fatal(err)
		}
		expr := regexp.MustCompile(text)
		for _, s := range texts {
			if got, want := p.match(s), expr.MatchString(s); got != want {
				t.Errorf("pattern %q on %q: match() = %v, want %v", text, s, got, want)
			}
		}
	}
}

// TestTableAgreesWithRE2OnMadeUpPatterns: a table that is stricter refuses what
// the document allows, one that is laxer lets through what it forbids.
func TestTableAgreesWithRE2OnMadeUpPatterns(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	texts := shortTexts("ab,", 4)
	tables := 0
	for range 2000 {
		text := madeUp(random, 4)
		p, err := compilePattern(text)
		if err != nil {
			t.Fatal(err)
		}
		if p.next != nil {
			tables++
		}
		for _, s := range texts {
			if got, want := p.match(s), p.expr.MatchString(s); got != want {
				t.Fatalf("pattern %q on %q: match() = %v, want %v", text, s, got, want)
			}
		}
	}
	if tables < 1000 {
		t.Errorf("%d of 2000 patterns have a table, want most of them", tables)
	}
}

// madeUp returns a pattern of at most depth operators above each other, in which
// the beginning and the end of the text stand anywhere.
func madeUp(random *rand.Rand, depth int) string {
	if depth == 0 || random.IntN(4) == 0 {
		atoms := []string{"a", "b", ",", "^", "$", `\A`, `\z`, "[ab]", "[^a]", ".", "", "^", "$", `[^\x00-\x{10FFFF}]`}
		return atoms[random.IntN(len(atoms))]
	}
	inner := "(?:" + madeUp(random, depth-1) + ")"
	switch random.IntN(6) {
	case 0:
		return inner + []string{"*", "+", "?", "{2}", "{0,2}", "*?"}[random.IntN(6)]
	case 1, 2:
		return inner + "|" + madeUp(random, depth-1)
	default:
		return inner + madeUp(random, depth-1)
	}
}

// shortTexts returns all texts of up to n letters.
func shortTexts(letters string, n int) []string {
	texts := []string{""}
	for from := 0; n > 0; n-- {
		longest := texts[from:]
		from = len(texts)
		for _, s := range longest {
			for _, c := range letters {
				texts = append(texts, s+string(c))
			}
		}
	}
	return texts
}

func TestCommonPatternsHaveATable(t *testing.T) {
	for _, text := range []string{`^[A-Z]{3}-[0-9]{4}$`, `^[a-z0-9-]+$`, `^\d{5}$`} {
		p, err := compilePattern(text)
		if err != nil || p.next == nil {
			t.Errorf("pattern %q has no table (%v)", text, err)
		}
	}
}

func FuzzPattern(f *testing.F) {
	for _, text := range patterns() {
		f.Add(text, "ABC-1234")
		f.Add(text, "aé\n")
	}
	f.Fuzz(func(t *testing.T, text, s string) {
		if len(text) > 200 || len(s) > 2000 {
			return
		}
		p, err := compilePattern(text)
		expr, stdErr := regexp.Compile(text)
		if (err == nil) != (stdErr == nil) {
			t.Fatalf("compilePattern(%q) = %v, regexp.Compile = %v", text, err, stdErr)
		}
		if err != nil {
			return
		}
		if got, want := p.match(s), expr.MatchString(s); got != want {
			t.Errorf("pattern %q on %q: match() = %v, want %v", text, s, got, want)
		}
	})
}

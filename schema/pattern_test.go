package schema

import (
	"regexp"
	"testing"
)

func patterns() []string {
	return []string{
		`^[A-Z]{3}-[0-9]{4}$`, `^[0-9]{5}$`, `a`, ``, `^`, `$`, `^$`, `a$`, `^a|b$`, `(?i)hello`, `[^a-z]`,
		`^(?:ab|cd)*$`, `\d+\.\d+`, `^.{2,3}$`, `\bword\b`, `(?m)^a$`, `^é$`, `[à-ü]x`, `a.c`, `^[\w.-]+@[\w-]+$`,
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

package filename_test

import (
	"fmt"
	"mime"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/fastness/fastness/internal/filename"
)

func Example() {
	fmt.Println(filename.Clean(`..\..\CON.txt`))
	fmt.Println(filename.Attachment("Bücher.csv"))
	fmt.Println(filename.WithExtension("../report.EXE", ".csv"))
	// Output:
	// _CON.txt
	// attachment; filename="B_cher.csv"; filename*=UTF-8''B%C3%BCcher.csv
	// report.EXE.csv
}

func TestNamesOfStrangersAreMadeHarmless(t *testing.T) {
	for in, want := range map[string]string{
		"a.txt":                              "a.txt",
		"Urlaub 2026 ü.jpg":                  "Urlaub 2026 ü.jpg",
		"../../etc/passwd":                   "passwd",
		`..\..\windows\win.ini`:              "win.ini",
		"/":                                  "file",
		"":                                   "file",
		"..":                                 "file",
		".htaccess":                          "htaccess",
		"a.txt. . ":                          "a.txt",
		"a\r\nb\x00c":                        "abc",
		"invoice\u202egpj.exe":               "invoicegpj.exe",
		"a\u200b\u2066\ufeffb":               "ab",
		"a\u2028b":                           "ab",
		"a\u00a0b":                           "a b",
		"a:stream.txt":                       "a_stream.txt",
		`<a>"|?*.txt`:                        "_a_____.txt",
		"CON":                                "_CON",
		"con.tar.gz":                         "_con.tar.gz",
		"nul .txt":                           "_nul .txt",
		"COM1.log":                           "_COM1.log",
		"lpt².x":                             "_lpt².x",
		"COM10":                              "COM10",
		"console":                            "console",
		"-rf":                                "rf",
		"~root":                              "root",
		"a;b'c%41.txt":                       "a;b'c%41.txt",
		"\xff\xfea":                          "a",
		strings.Repeat("a", 300) + ".txt":    strings.Repeat("a", 251) + ".txt",
		strings.Repeat("é", 200) + ".png":    strings.Repeat("é", 125) + ".png",
		"a." + strings.Repeat("x", 300):      "a." + strings.Repeat("x", 253),
		strings.Repeat("a", 250) + " .b.txt": strings.Repeat("a", 250) + ".txt",
	} {
		if got := filename.Clean(in); got != want {
			t.Errorf("Clean(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzClean(f *testing.F) {
	for _, s := range []string{"a.txt", "../x", "CON.x", "\u202e", strings.Repeat("é", 200) + ".png", ". .", "con :", "nul\u3000.txt"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := filename.Clean(s)
		if got == "" || len(got) > 255 || !utf8.ValidString(got) || strings.ContainsAny(got, `/\:<>"|?*`) || strings.ContainsAny(got[:1], ".-~ ") || !filepath.IsLocal(got) {
			t.Errorf("Clean(%q) = %q", s, got)
		}
		if again := filename.Clean(got); again != got {
			t.Errorf("Clean(%q) = %q, of that %q", s, got, again)
		}
	})
}

// TestNameCannotEndTheHeaderOrItsParameter: the name of a download may be a stranger's.
func TestNameCannotEndTheHeaderOrItsParameter(t *testing.T) {
	for _, name := range hostile() {
		for kind, header := range map[string]string{"attachment": filename.Attachment(name), "inline": filename.Inline(name)} {
			disposition, parameters, err := mime.ParseMediaType(header)
			if err != nil || disposition != kind || len(parameters) != 1 || parameters["filename"] != filename.Clean(name) {
				t.Errorf("%q: %q is read as %q %q (%v)", name, header, disposition, parameters, err)
			}
			if plain, _, _ := strings.Cut(header, "filename*="); strings.Count(plain, `"`) != 2 || strings.ContainsAny(plain, `%\'`) || strings.Count(plain, ";") > 2 {
				t.Errorf("%q: header %q", name, header)
			}
			if len(header) > 2<<10 || strings.ContainsFunc(header, func(r rune) bool { return r < ' ' || r > '~' }) {
				t.Errorf("%q: header %q", name, header)
			}
		}
	}
}

func hostile() []string {
	return []string{
		"", "a.csv\r\nSet-Cookie: x=y", `a"; filename="evil.exe`, `a\"b`, "\u202evsc.exe", "a;b.exe", "a'b", "100%41.csv", "a%22.exe", "\x00\x7f\u2028\ufeff",
		strings.Repeat("ü", 2048) + ".pdf", strings.Repeat("a", 4096), `..\..\x`, "../x", "CON", "nul.txt", "\xff\xfe", "a\tb", "a\u0085b", "=?utf-8?q?x?=",
	}
}

func FuzzAttachment(f *testing.F) {
	for _, name := range hostile() {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		_, parameters, err := mime.ParseMediaType(filename.Attachment(name))
		if err != nil || parameters["filename"] != filename.Clean(name) {
			t.Errorf("%q becomes %q, read as %q (%v)", name, filename.Attachment(name), parameters["filename"], err)
		}
		got := filename.WithExtension(name, ".csv")
		if !strings.HasSuffix(got, ".csv") || len(got) > filename.MaxBytes || len(got) == len(".csv") || filename.Clean(got) != got || filename.WithExtension(got, ".csv") != got {
			t.Errorf("WithExtension(%q) = %q, of that %q", name, got, filename.WithExtension(got, ".csv"))
		}
	})
}

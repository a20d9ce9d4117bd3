package sqldb

import (
	"strings"
	"testing"
)

// FuzzSplice wants of any text that each fragment takes its own place, and that no
// argument slips to the place of another one.
func FuzzSplice(f *testing.F) {
	for _, seed := range []string{
		"SELECT ? FROM a WHERE b = ?", `SELECT '?', "?", E'\'?', $$?$$, $x$ ? $$ $x$, ??`, "-- ?\n?", "/* ? /* ? */ ? */ ?", "a ?? b ? 'it''s ?'",
		"$1?", "$", "$a", "e'", "E'\\", "'", "/*", "--", "a$b$?", "???", "x = ? AND y LIKE ? ESCAPE '\\'", "\x80?\xff", "$é$?$é$",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, sql string) {
		places := placeholders(text(sql))
		args := make([]any, places)
		var want []any
		for i := range args {
			switch i % 3 {
			case 0:
				args[i], want = i, append(want, i)
			case 1:
				args[i] = Constant("c")
			default:
				args[i], want = Condition("d BETWEEN ? AND ?", -i, i), append(want, -i, i)
			}
		}
		spliced, rest := splice(text(sql), args)
		if len(rest) != len(want) {
			t.Fatalf("%q leaves the arguments %v, want %v", sql, rest, want)
		}
		for i := range want {
			if rest[i] != want[i] {
				t.Fatalf("%q leaves the arguments %v, want %v", sql, rest, want)
			}
		}
		if places > 1 && strings.Count(string(spliced), "?") < len(want) {
			t.Errorf("%q became %q, with arguments for more", sql, spliced)
		}
	})
}

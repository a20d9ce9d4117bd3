package sqldb

import (
	"fmt"
	"strings"
	"testing"
)

func TestPlaceholdersAreNumberedForPostgreSQL(t *testing.T) {
	for _, tt := range []struct{ statement, want string }{
		{"SELECT 1", "SELECT 1"},
		{"SELECT ?", "SELECT $1"},
		{"INSERT INTO a VALUES (?, ?, ?)", "INSERT INTO a VALUES ($1, $2, $3)"},
		{"SELECT '?', ?", "SELECT '?', $1"},
		{"SELECT 'it''s ?', ?", "SELECT 'it''s ?', $1"},
		{`SELECT '\', ?`, `SELECT '\', $1`},
		{`SELECT E'\'?', ?`, `SELECT E'\'?', $1`},
		{`SELECT e'\\', ?`, `SELECT e'\\', $1`},
		{`SELECT name'?', ?`, `SELECT name'?', $1`},
		{`SELECT "a?", ?`, `SELECT "a?", $1`},
		{"SELECT ? -- why?\n, ?", "SELECT $1 -- why?\n, $2"},
		{"SELECT /* ? /* ? */ ? */ ?", "SELECT /* ? /* ? */ ? */ $1"},
		{"SELECT $$?$$, ?, $a$ $$?$a$, ?", "SELECT $$?$$, $1, $a$ $$?$a$, $2"},
		{"SELECT a$?$, ?", "SELECT a$$1$, $2"},
		{"SELECT doc ?? 'key' AND ?", "SELECT doc ? 'key' AND $1"},
		{"SELECT $1, $2", "SELECT $1, $2"},
		{"SELECT ? - ?, ?/?", "SELECT $1 - $2, $3/$4"},
		{"SELECT 'open ?", "SELECT 'open ?"},
	} {
		if got := PostgreSQL.Rebind(tt.statement); got != tt.want {
			t.Errorf("%q becomes %q, want %q", tt.statement, got, tt.want)
		}
		if got := SQLite.Rebind(tt.statement); got != tt.statement {
			t.Errorf("%q becomes %q for SQLite", tt.statement, got)
		}
	}
}

func TestFragmentsTakeThePlaceOfTheirArgument(t *testing.T) {
	name, since := Constant("name DESC"), Constant("created > ? AND id > ?")
	for _, tt := range []struct {
		statement text
		args      []any
		want      text
		wantArgs  []any
	}{
		{"SELECT ?", []any{1}, "SELECT ?", []any{1}},
		{"SELECT a ORDER BY ? LIMIT ?", []any{name, 5}, "SELECT a ORDER BY name DESC LIMIT ?", []any{5}},
		{"SELECT a WHERE b = ? AND (?) LIMIT ?", []any{1, since, 2, 3, 4}, "SELECT a WHERE b = ? AND (created > ? AND id > ?) LIMIT ?", []any{1, 2, 3, 4}},
		{"SELECT a WHERE ? ORDER BY ? LIMIT ?", []any{since, 1, 2, name, 3}, "SELECT a WHERE created > ? AND id > ? ORDER BY name DESC LIMIT ?", []any{1, 2, 3}},
		{"SELECT '?' ORDER BY ?", []any{name}, "SELECT '?' ORDER BY name DESC", nil},
		{"ORDER BY ?, ?", []any{name, name}, "ORDER BY name DESC, name DESC", nil},
		{"ORDER BY ? LIMIT 1", []any{Fragment{}}, "ORDER BY  LIMIT 1", nil},
	} {
		got, args := splice(tt.statement, tt.args)
		if got != tt.want || fmt.Sprint(args) != fmt.Sprint(tt.wantArgs) {
			t.Errorf("%q with %v becomes %q with %v, want %q with %v", tt.statement, tt.args, got, args, tt.want, tt.wantArgs)
		}
	}
}

func TestLikeEscapesWildcards(t *testing.T) {
	for literal, want := range map[string]string{"": "", "50%": `50\%`, "a_b": `a\_b`, `\%`: `\\\%`, "lamp": "lamp"} {
		if got := Like(literal); got != want {
			t.Errorf("Like(%q) = %q, want %q", literal, got, want)
		}
	}
}

// What a quoted text, a comment or a name holds comes through as it was.
func FuzzRebind(f *testing.F) {
	for _, seed := range []string{"SELECT ?", "'?", `"?"`, "E'\\'?'", "$$?$$", "$1?$1", "/*/?*/?", "--?\n?", "??", "???", "e", "-", "/", "$", "a$?$"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, statement string) {
		got := PostgreSQL.Rebind(statement)
		n := 0
		var back strings.Builder // The tokens, put together as they were.
		for rest := statement; rest != ""; {
			size, what := nextToken(rest)
			if size <= 0 || size > len(rest) {
				t.Fatalf("a part of %d bytes of %q", size, rest)
			}
			switch what {
			case placeholder:
				n++
				fmt.Fprintf(&back, "$%d", n)
			case operator:
				back.WriteByte('?')
			default:
				back.WriteString(rest[:size])
			}
			rest = rest[size:]
		}
		if got != back.String() {
			t.Errorf("%q becomes %q, want %q", statement, got, back.String())
		}
		if n != placeholders(text(statement)) {
			t.Errorf("%q has %d placeholders, and %d", statement, n, placeholders(text(statement)))
		}
		// Nothing but placeholders changes.
		if !strings.Contains(statement, "?") && got != statement {
			t.Errorf("%q without an argument becomes %q", statement, got)
		}
		quotes := "'" + strings.ReplaceAll(statement, "'", "''") + "'"
		if got := PostgreSQL.Rebind(quotes); got != quotes {
			t.Errorf("the text %q becomes %q", quotes, got)
		}
	})
}

// A pattern that Like has made matches its text and no other, by the rules of
// LIKE with \ to escape.
func FuzzLike(f *testing.F) {
	f.Add("50%", "50 %")
	f.Add(`\_`, `\a`)
	f.Add("", "a")
	f.Fuzz(func(t *testing.T, literal, other string) {
		if got := like(Like(literal), other); got != (literal == other) {
			t.Errorf("Like(%q) matches %q: %t", literal, other, got)
		}
		if !like(Like(literal), literal) {
			t.Errorf("Like(%q) does not match itself", literal)
		}
	})
}

// like is LIKE, byte by byte.
func like(pattern, s string) bool {
	switch {
	case pattern == "":
		return s == ""
	case pattern[0] == '%':
		return like(pattern[1:], s) || s != "" && like(pattern, s[1:])
	case s == "":
		return false
	case pattern[0] == '\\':
		return len(pattern) > 1 && pattern[1] == s[0] && like(pattern[2:], s[1:])
	case pattern[0] == '_':
		return like(pattern[1:], s[1:])
	}
	return pattern[0] == s[0] && like(pattern[1:], s[1:])
}

package sqldb

import (
	"strconv"
	"strings"
	"sync"
)

// Rebind returns a statement that is written with ? for each argument as the
// dialect wants it: PostgreSQL numbers them ($1, $2 …). A ? within a quoted text,
// a quoted name or a comment is left alone, and ?? is the ? of an operator of
// PostgreSQL, such as that of JSON.
//
// It runs nothing. [Tx] and [ReadTx] do this by themselves.
func (d Dialect) Rebind(statement string) string {
	if d != PostgreSQL || !strings.Contains(statement, "?") {
		return statement
	}
	var b strings.Builder
	b.Grow(len(statement) + 16)
	n := 0
	for statement != "" {
		size, what := nextToken(statement)
		switch what {
		case placeholder:
			n++
			b.WriteString("$" + strconv.Itoa(n))
		case operator:
			b.WriteByte('?')
		default:
			b.WriteString(statement[:size])
		}
		statement = statement[size:]
	}
	return b.String()
}

// rebinder remembers what became of the constant statements of a program.
type rebinder struct{ done sync.Map } // text → string

func (r *rebinder) rebind(d Dialect, statement text) string {
	if d != PostgreSQL {
		return string(statement)
	}
	if done, ok := r.done.Load(statement); ok {
		return done.(string)
	}
	rebound := d.Rebind(string(statement))
	r.done.Store(statement, rebound)
	return rebound
}

type tokenKind int

const (
	other       tokenKind = iota
	placeholder           // ?
	operator              // ??
)

// nextToken returns the size of the first part of SQL that is to be looked at as
// one, and what it is.
func nextToken(sql string) (size int, what tokenKind) {
	switch sql[0] {
	case '?':
		if strings.HasPrefix(sql, "??") {
			return 2, operator
		}
		return 1, placeholder
	case '\'', '"':
		return quoted(sql, 0), other
	case 'E', 'e':
		if strings.HasPrefix(sql[1:], "'") { // E'…\'…' of PostgreSQL.
			return 1 + quoted(sql[1:], '\\'), other
		}
		return word(sql), other
	case '-':
		if strings.HasPrefix(sql, "--") {
			return until(sql, "\n"), other
		}
	case '/':
		if strings.HasPrefix(sql, "/*") {
			return comment(sql), other
		}
	case '$':
		return dollarQuoted(sql), other
	}
	if isWord(sql[0]) {
		return word(sql), other
	}
	return 1, other
}

// quoted returns the size of a text in quotes. Doubled quotes stay within it, as
// two texts side by side.
func quoted(sql string, escape byte) int {
	for i := 1; i < len(sql); i++ {
		switch {
		case escape != 0 && sql[i] == escape:
			i++
		case sql[i] == sql[0]:
			return i + 1
		}
	}
	return len(sql)
}

func until(sql, end string) int {
	if i := strings.Index(sql, end); i >= 0 {
		return i + len(end)
	}
	return len(sql)
}

// comment returns the size of a comment. Those of PostgreSQL nest.
func comment(sql string) int {
	depth := 0
	for i := 0; i < len(sql); i++ {
		switch {
		case strings.HasPrefix(sql[i:], "/*"):
			depth++
			i++
		case strings.HasPrefix(sql[i:], "*/"):
			depth--
			i++
			if depth == 0 {
				return i + 1
			}
		}
	}
	return len(sql)
}

// dollarQuoted returns the size of a text such as $$…$$ or $name$…$name$.
func dollarQuoted(sql string) int {
	end := 1
	for end < len(sql) && isWord(sql[end]) {
		end++
	}
	if end == len(sql) || sql[end] != '$' || '0' <= sql[1] && sql[1] <= '9' {
		return 1
	}
	tag := sql[:end+1]
	return len(tag) + until(sql[len(tag):], tag)
}

func word(sql string) int {
	end := 1
	for end < len(sql) && (isWord(sql[end]) || sql[end] == '$') {
		end++
	}
	return end
}

func isWord(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c >= 0x80
}

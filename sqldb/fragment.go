package sqldb

import "strings"

// Fragment is a part of a statement that is chosen at run time among constants
// of the program: a column to sort by, a condition. Given as an argument it takes
// the place of its ?, as text:
//
//	orders := map[string]sqldb.Fragment{
//		"name":  sqldb.Constant("name, id"),
//		"-name": sqldb.Constant("name DESC, id DESC"),
//	}
//	rows, err := tx.Query(ctx, "SELECT id, name FROM items ORDER BY ? LIMIT ?", orders[in.Sort], in.Limit)
//
// A fragment may have a ? for arguments of its own, which come right after it. One
// from a map that has no such key is empty: SQL that is wrong, but nobody else's.
//
// A [Condition] has its arguments with it.
type Fragment struct {
	text text
	args []any
}

// Constant returns a fragment. Its text is a constant of the program; what a
// caller sent cannot become one.
func Constant(t text) Fragment { return Fragment{text: t} }

// splice puts the fragments among args into the statement, and returns the other
// arguments.
func splice(statement text, args []any) (text, []any) {
	if !hasFragment(args) {
		return statement, args
	}
	var b strings.Builder
	rest := make([]any, 0, len(args))
	next := 0
	for sql := string(statement); sql != ""; {
		size, what := nextToken(sql)
		if what != placeholder || next >= len(args) {
			b.WriteString(sql[:size])
			sql = sql[size:]
			continue
		}
		sql = sql[size:]
		f, ok := args[next].(Fragment)
		if !ok {
			b.WriteByte('?')
			rest = append(rest, args[next])
			next++
			continue
		}
		b.WriteString(string(f.text))
		next++
		rest = append(rest, f.args...)
		for own := placeholders(f.text) - len(f.args); own > 0 && next < len(args); own-- {
			rest = append(rest, args[next])
			next++
		}
	}
	return text(b.String()), append(rest, args[next:]...)
}

func hasFragment(args []any) bool {
	for _, arg := range args {
		if _, ok := arg.(Fragment); ok {
			return true
		}
	}
	return false
}

func placeholders(t text) (n int) {
	for sql := string(t); sql != ""; {
		size, what := nextToken(sql)
		if what == placeholder {
			n++
		}
		sql = sql[size:]
	}
	return n
}

// Like returns what a LIKE must be given to find a text literally: the wildcards
// in it are escaped. Put your own around it, and say which sign escapes: SQLite
// has none unless it is told.
//
//	tx.Query(ctx, `SELECT id, name FROM items WHERE name LIKE ? ESCAPE '\'`, "%"+sqldb.Like(in.Search)+"%")
//
// SQLite ignores the case of ASCII letters there, PostgreSQL does not: write
// lower(name) LIKE lower(?) for both.
func Like(literal string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(literal)
}

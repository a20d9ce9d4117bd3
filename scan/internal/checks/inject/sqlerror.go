package inject

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/wire"
)

// What databases say of statements that they cannot read. What they say of a value of the
// wrong type is not among it: values of parameters have types, too.
var (
	ofMySQL      = regexp.MustCompile(`You have an error in your SQL syntax|ER_PARSE_ERROR|SQLSTATE\[42000\]`)
	ofPostgreSQL = regexp.MustCompile(`unterminated quoted (string|identifier) at or near|syntax error at or near "|PG::SyntaxError|psycopg2?\.errors\.SyntaxError|PostgresSyntaxError|SQLSTATE\[?:? ?42601`)
	ofSQLite     = regexp.MustCompile(`unrecognized token: "|near "[^"]{0,200}": syntax error|SQLITE_ERROR: (unrecognized|near|incomplete)|incomplete input`)
	ofSQLServer  = regexp.MustCompile(`Unclosed quotation mark (after|before) the character string|Incorrect syntax near`)
	ofOracle     = regexp.MustCompile(`ORA-01756|ORA-00933|ORA-00936|ORA-00911|ORA-00907|ORA-01740|quoted string not properly terminated`)
	ofH2         = regexp.MustCompile(`Syntax error in SQL statement|JdbcSQLSyntaxErrorException|unexpected token: .{0,60} in statement`)
	ofDb2        = regexp.MustCompile(`SQL0104N|SQL0010N|SQLCODE=-104|SQLCODE=-10[,;]`)
	ofAny        = regexp.MustCompile(`SQLSyntaxErrorException|BadSqlGrammarException|SQLGrammarException|You have an error in your (SQL|query)`)
)

// database is one, and what it says.
type database struct {
	name string
	says *regexp.Regexp
}

func databases() []database {
	return []database{
		{"MySQL or MariaDB", ofMySQL},
		{"PostgreSQL", ofPostgreSQL},
		{"SQLite", ofSQLite},
		{"SQL Server", ofSQLServer},
		{"Oracle", ofOracle},
		{"H2 or HSQLDB", ofH2},
		{"Db2", ofDb2},
		{"a database", ofAny},
	}
}

// otherLanguage are languages within parameters: a search for an odd text fails in them, and
// the statement is whole.
var otherLanguage = regexp.MustCompile(`(?i)fts[345]:|tsquery|malformed MATCH|fulltext|regular expression|regexp|lucene|query_string|json path|jsonpath|xpath`)

// syntaxError returns the database whose complaint about a statement is in an answer, and
// the complaint; or "".
func syntaxError(ex *wire.Exchange) (engine, words string) {
	text := strings.ReplaceAll(ex.Text(), `\"`, `"`) // It may be within JSON.
	for _, e := range databases() {
		if at := e.says.FindStringIndex(text); at != nil {
			around := text[max(at[0]-60, 0):min(at[1]+80, len(text))]
			if otherLanguage.MatchString(around) {
				continue
			}
			return e.name, text[at[0]:min(at[1]+60, len(text))]
		}
	}
	return "", ""
}

// sqlError looks for quotes that break a statement, and doubled ones that do not.
func sqlError(ctx context.Context, t *probe.Target, s spot) (claim check.Claim, found bool) {
	base := s.text()
	for _, quote := range []string{"'", `"`, `\`} {
		ex := s.with(ctx, t, base+quote)
		engine, words := syntaxError(ex)
		if engine == "" {
			continue
		}
		// Either the pair is read as one quote, or the value is outside of quotes, where
		// letters are no error of syntax. A target that always complains does so of both.
		for _, control := range []string{base + quote + quote, base + t.Marker()} {
			calm := s.with(ctx, t, control)
			if other, _ := syntaxError(calm); other != "" || calm.Status == 0 || calm.Status == 429 {
				continue
			}
			again := s.with(ctx, t, base+quote)
			if e, _ := syntaxError(again); e != engine {
				return claim, false
			}
			return check.Claim{
				Says:     fmt.Sprintf("a quote in %s breaks the statement: %s answers %q", s.point, engine, clip(words)),
				Control:  fmt.Sprintf("%q is answered without that error, and the quote with it again: it is the quote that the database trips over", clip(control)),
				Evidence: []finding.Evidence{evidence("the quote breaks the statement", ex), evidence("the control does not", calm)},
			}, true
		}
	}
	return claim, false
}

// clip shortens a text for a sentence.
func clip(text string) string {
	if len(text) > 80 {
		return text[:80] + "…"
	}
	return text
}

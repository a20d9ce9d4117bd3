package exposure

import (
	"regexp"
	"strings"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/wire"
)

// sign is how an error shows the inside of a program.
type sign struct {
	what     string
	severity finding.Severity
	holds    string // a text that has to be there
	re       *regexp.Regexp
	least    int // how often
}

func signs() []sign {
	s := func(severity finding.Severity, what, holds, re string, least int) sign {
		return sign{what, severity, holds, regexp.MustCompile(re), least}
	}
	return []sign{
		s(finding.High, "the debugger of Werkzeug, which runs code", "Werkzeug", `Werkzeug Debugger|EVALEX\s*=\s*true`, 1),
		s(finding.Medium, "the debug page of Django", "DEBUG", `DEBUG\s*=\s*True</code>|<title>\w+ at /[^<]*</title>`, 1),
		s(finding.Medium, "the debug page of Laravel", "gnition", `(?i)laravel[\s\S]{0,1000}ignition|ignition[\s\S]{0,1000}laravel`, 1),
		s(finding.Medium, "the debug page of Symfony", "Symfony", `Symfony\\Component\\[\w\\]+Exception|sf-toolbar|class="exception-(?:message|hierarchy)`, 1),
		s(finding.Medium, "the debug page of Rails", "Action Controller", `Action Controller: Exception caught`, 1),
		s(finding.Medium, "a stack trace of Python", ", line ", `File \\?"[^"\\]+\\?", line \d+, in `, 1),
		s(finding.Medium, "a stack trace of Java", "at ", `\bat (?:[\w$]+[./])+[\w$<>]+\((?:[\w$]+\.(?:java|kt|scala|groovy):\d+|Native Method|Unknown Source)\)`, 2),
		s(finding.Medium, "a stack trace of .NET", "at ", `\bat [\w.`+"`"+`<>\[\]+]+\([^)]*\)(?: in [^\n]+:line \d+|(?:\\r)?(?:\\n|\n)\s+at )`, 2),
		s(finding.Medium, "a stack trace of JavaScript", "at ", `\bat (?:async )?(?:[^\n()\\]{1,120} \()?(?:file://|node:|/|[A-Z]:\\)[^\s()]*:\d+:\d+\)?`, 2),
		s(finding.Medium, "a stack trace of PHP", ".php", `#\d+ [^\n]{0,200}\.php\(\d+\): |(?:Fatal error|Warning|Notice|Parse error)(?:</b>)?: [^\n]{1,400} in (?:<b>)?[^\n<]+\.php(?:</b>)? on line (?:<b>)?\d+|\\?"file\\?":\s*\\?"[^"]+\.php\\?",\s*\\?"line\\?":\s*\d+`, 1),
		s(finding.Medium, "a stack trace of Ruby", ".rb:", `[\w./-]+\.rb:\d+:in ['`+"`"+`]`, 1),
		s(finding.Medium, "a stack trace of Go", "goroutine ", `goroutine \d+ \[[a-z ,0-9]+\]:`, 1),
		s(finding.Medium, "a panic of Rust", "panicked at", `thread '[^']*' panicked at|panicked at [^\n]{0,200}\.rs:\d+`, 1),
		s(finding.Medium, "a stack trace of Elixir", ".ex", `\(\w+ \d+\.\d+[\w.-]*\) [\w/]+\.exs?:\d+:`, 1),
		s(finding.Low, "an error of the database with its statement", "", `\[SQL: |SQLSTATE\[\w{5}\]|\bORA-\d{5}: |You have an error in your SQL syntax|\bPG::\w+(?:Error)?:|psycopg2?\.(?:errors|\w*Error)|\(sqlite3\.\w+Error\)|sqlite3\.\w+Error|SQLITE_(?:ERROR|CONSTRAINT)|SQL logic error|Unclosed quotation mark after the character string|com\.mysql\.|org\.postgresql\.util\.PSQLException|org\.hibernate\.\w|java\.sql\.SQL|MongoServerError|E11000 duplicate key error|unterminated quoted string at or near|syntax error at or near \\?"|(?:UNIQUE|NOT NULL|CHECK|FOREIGN KEY) constraint failed|duplicate key value violates unique constraint|violates (?:foreign key|not-null|check) constraint|Duplicate entry '[^']*' for key|Sequelize\w*Error|PrismaClient\w+Error|QueryFailedError|near \\?"[^"\\]{1,40}\\?": syntax error|System\.Data\.SqlClient|Microsoft\.Data\.SqlClient|ER_(?:PARSE_ERROR|DUP_ENTRY|BAD_FIELD_ERROR)|Cast to \w+ failed for value`, 1),
	}
}

// traces looks for errors that show the inside of the program, in all answers of the scan.
func traces() check.Check {
	once, list := newOnce(), signs()
	return check.Check{Kind: kindTraces(), Phase: check.Passive, Look: func(t *probe.Target, ex *wire.Exchange, report check.Report) {
		if len(ex.Body) < 8 || !failed(ex) || !once.first(ex.Request.Operation, ex.Request.Path, head(ex)) {
			return
		}
		// Texts in JSON have their line breaks written out.
		body := strings.NewReplacer(`\n`, "\n", `\r`, "\r", `\t`, "\t", `\"`, `"`, `\\`, `\`).Replace(head(ex))
		for _, s := range list {
			found, ok := s.find(ex, body)
			if !ok {
				continue
			}
			at := place(t, ex, "")
			report(check.Claim{
				Place: at, Cause: s.what, Severity: as(s.severity),
				Says:     "an error shows " + s.what + ": " + cut(found, 100),
				Control:  "the text is in the answer and not in the request",
				Evidence: []finding.Evidence{evidence("the answer shows it", ex)},
			})
			return
		}
	}}
}

// find returns what shows it.
func (s sign) find(ex *wire.Exchange, body string) (string, bool) {
	if !strings.Contains(body, s.holds) {
		return "", false
	}
	found := s.re.FindAllString(body, s.least)
	if len(found) < s.least {
		return "", false
	}
	for _, f := range found {
		if sent(ex, f) {
			return "", false
		}
	}
	return found[0], true
}

// failed reports whether an answer is an error, or a page with an error in it: PHP goes on
// after one. A success that holds a trace may be a log that somebody asked for.
func failed(ex *wire.Exchange) bool {
	return ex.Status >= 400 || ex.OK() && (probe.Refused(ex) || ex.Media() == "text/html" && strings.Contains(head(ex), ".php"))
}

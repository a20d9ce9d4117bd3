package inventory

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/wire"
)

// leftovers looks for what developers and operators use, and nobody else should reach.
func leftovers() check.Check {
	kind, known := kindLeftover(), newMarks()
	return check.Check{Kind: kind, Phase: check.Read, Run: func(ctx context.Context, t *probe.Target, report check.Report) error {
		for _, path := range suspects(t) {
			if ctx.Err() != nil {
				break
			}
			ex := get(ctx, t, nil, path, kind.ID)
			what := known.signature(ex)
			if what == "" && forDebugging(path) && probe.Granted(ex) && hasData(ex) {
				what = "a page for debugging"
			}
			if what == "" || !ex.OK() {
				continue
			}
			absent := get(ctx, t, nil, beside(t, path), kind.ID)
			if absent.OK() && (known.signature(absent) != "" || alike(ex, absent)) {
				continue
			}
			report(check.Claim{
				Place: finding.Place{Method: http.MethodGet, Path: ex.Request.Path}, Cause: group(ex.Request.Path, what), Severity: as(known.weight(what)),
				Says:    "everybody reads " + what,
				Control: fmt.Sprintf("the answer has the form of it, and a path beside it that cannot be there is answered %d", absent.Status),
				Evidence: []finding.Evidence{
					evidence("it is served", ex), evidence("a path beside it", absent),
				},
			})
		}
		return ctx.Err()
	}}
}

// group is the cause of a finding: the files of one folder are one mistake.
func group(path, what string) string {
	if i := strings.Index(path, "/.git/"); i >= 0 {
		return path[:i] + "/.git"
	}
	return path + what
}

// usual are paths that discovering may not have asked for.
const usual = `/.git/HEAD /.git/config /.env /.env.local /.env.production /.svn/entries /actuator /actuator/env /actuator/heapdump /actuator/mappings /actuator/configprops
/metrics /debug/vars /debug/pprof/ /server-status /phpinfo.php /info.php /h2-console /elmah.axd /trace.axd /_profiler /__debug__/ /console /telescope /rails/info/properties
/backup.sql /dump.sql /backup.zip /config.json /.htpasswd /.npmrc /.aws/credentials /id_rsa /.DS_Store /wp-config.php.bak /Dockerfile /docker-compose.yml /web.config /appsettings.json /application.yml /application.properties`

// suspects are paths that may be such: those that were found, and the usual ones.
func suspects(t *probe.Target) (out []string) {
	add := func(path string) {
		if path != "" && !strings.Contains(path, "{") && !slices.Contains(out, path) {
			out = append(out, path)
		}
	}
	for _, op := range t.API.Operations {
		if op.Method == http.MethodGet && (op.Found != "" || forDebugging(op.Path)) {
			add(op.Path)
		}
	}
	for _, path := range strings.Fields(usual) {
		add(path)
		if t.API.Base != "" && (strings.HasPrefix(path, "/actuator") || strings.HasPrefix(path, "/metrics") || strings.HasPrefix(path, "/debug")) {
			add(t.API.Base + path)
		}
	}
	return out
}

// forDebugging reports whether a path says that it is for debugging.
func forDebugging(path string) bool {
	for part := range strings.SplitSeq(strings.ToLower(path), "/") {
		switch strings.Trim(part, "_-.") {
		case "debug", "dump", "trace", "debugger", "phpinfo", "heapdump", "threaddump", "diagnostics":
			return true
		}
		if strings.HasPrefix(part, "_debug") || strings.HasSuffix(part, "_debug") || strings.HasPrefix(part, "debug-") || strings.HasSuffix(part, "-debug") {
			return true
		}
	}
	return false
}

// mark is how an answer shows what it is.
type mark struct {
	what     string
	severity finding.Severity
	holds    string
	re       *regexp.Regexp
}

// marks are what files and pages look like that are not for everybody.
type marks []mark

func newMarks() marks {
	return marks{
		{"the repository of the source", finding.High, "", regexp.MustCompile(`^(?:ref: refs/[\w./-]+|[0-9a-f]{40})\s*$|^\[core\]\s+repositoryformatversion`)},
		{"a folder of Subversion", finding.Medium, "", regexp.MustCompile(`^(?:\d+\s+dir\s|12\s*$)|^SQLite format 3\x00[\s\S]*wc\.db`)},
		{"a list of files of a desktop", finding.Low, "Bud1", regexp.MustCompile(`^\x00\x00\x00\x01Bud1`)},
		{"settings with secrets", finding.High, "=", regexp.MustCompile(`(?m)^(?:export )?[A-Z][A-Z0-9_]*(?:SECRET|PASSWORD|PASSWD|PRIVATE|API_?KEY|TOKEN|_KEY|DATABASE_URL|DSN)[A-Z0-9_]*\s*=\s*["']?[^\s"'<]{3,}`)},
		{"settings with secrets", finding.High, "_", regexp.MustCompile(`"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*_?(?:SECRET|PASSWORD|PASSWD|API_?KEY|PRIVATE_KEY|ACCESS_KEY)(?:_[A-Z0-9]+)*"\s*:\s*"[^"*]{3,}"`)},
		{"metrics of the server", finding.Low, "# TYPE ", regexp.MustCompile(`(?m)^# TYPE [a-zA-Z_:][\w:]* (?:counter|gauge|histogram|summary|untyped)`)},
		{"variables of the process (expvar)", finding.Medium, "memstats", regexp.MustCompile(`"cmdline"\s*:[\s\S]*"memstats"\s*:`)},
		{"profiles of the process (pprof)", finding.High, "profile", regexp.MustCompile(`Types of profiles available|/debug/pprof/</title>`)},
		{"the environment of the program (Actuator)", finding.High, "propertySources", regexp.MustCompile(`"propertySources"\s*:\s*\[`)},
		{"a dump of the memory", finding.Critical, "JAVA PROFILE", regexp.MustCompile(`^JAVA PROFILE 1\.0`)},
		{"the operations of the program (Actuator)", finding.Medium, "mappings", regexp.MustCompile(`"contexts"\s*:\s*\{[\s\S]{0,1000}"(?:mappings|beans)"\s*:`)},
		{"the list of Actuator's pages", finding.Low, "_links", regexp.MustCompile(`"_links"\s*:\s*\{[\s\S]{0,1000}/(?:env|heapdump|beans|mappings|configprops|loggers)"`)},
		{"the configuration of PHP", finding.Medium, "phpinfo", regexp.MustCompile(`<title>(?:PHP [\d.]+ - )?phpinfo\(\)`)},
		{"the status of the web server", finding.Low, "", regexp.MustCompile(`<title>Apache Status</title>|Apache Server Status for|^Active connections: \d+`)},
		{"the console of the database", finding.High, "H2", regexp.MustCompile(`<title>H2 Console</title>`)},
		{"a debugging console", finding.High, "onsole", regexp.MustCompile(`<title>Interactive Console|Console Locked[\s\S]*Werkzeug|EVALEX\s*=\s*true`)},
		{"the debug page of the framework", finding.Medium, "", regexp.MustCompile(`Using the URLconf defined in|<title>Telescope|class="sf-toolbar|<title>Rails Info|Symfony Profiler|<title>Error log for [\s\S]*ELMAH|<title>Application Trace`)},
		{"a private key", finding.Critical, "PRIVATE KEY", regexp.MustCompile(`^-----BEGIN (?:RSA |EC |DSA |OPENSSH |ENCRYPTED )?PRIVATE KEY-----`)},
		{"a database", finding.High, "SQLite", regexp.MustCompile(`^SQLite format 3\x00`)},
		{"a dump of the database", finding.High, "", regexp.MustCompile(`^(?:-- (?:MySQL|MariaDB|PostgreSQL|SQLite)[\s\S]{0,40}dump|PRAGMA foreign_keys|BEGIN TRANSACTION;|PGDMP)|(?m)^(?:CREATE TABLE|INSERT INTO) [^\n]+`)},
		{"passwords of the web server", finding.High, ":", regexp.MustCompile(`^[\w.@-]+:(?:\$apr1\$|\$2[aby]\$|\{SHA\}|\$[156]\$)`)},
		{"credentials of a cloud", finding.Critical, "aws_", regexp.MustCompile(`(?m)^\s*aws_secret_access_key\s*=\s*\S{20,}`)},
		{"a token of a package registry", finding.High, "_authToken", regexp.MustCompile(`_authToken\s*=\s*\S{8,}`)},
		{"the configuration of the program", finding.Medium, "", regexp.MustCompile(`"ConnectionStrings"\s*:\s*\{|<connectionStrings>|(?m)^\s*spring\.datasource\.\w+\s*=|^services:\s*$[\s\S]{0,400}image:|^FROM [\w./:-]+\s`)},
		{"a backup", finding.Medium, "", regexp.MustCompile(`^PK\x03\x04|^\x1f\x8b\x08`)},
		{"a list of the files of a folder", finding.Low, "", regexp.MustCompile(`<title>(?:Index of|Directory listing for) /`)},
		{"a log of the program", finding.Medium, "", regexp.MustCompile(`(?m)(?:^\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[^\n]{0,40}\b(?:ERROR|WARN|WARNING|INFO|DEBUG|FATAL)\b[^\n]*\n?){3,}`)},
	}
}

// signature returns what an answer shows to everybody who asks, by its content, or "".
func (list marks) signature(ex *wire.Exchange) string {
	if !ex.OK() || len(ex.Body) == 0 {
		return ""
	}
	body := string(ex.Body[:min(len(ex.Body), 64<<10)])
	html := strings.HasPrefix(ex.Media(), "text/html")
	for _, m := range list {
		if !strings.Contains(body, m.holds) {
			continue
		}
		if html && !strings.ContainsAny(m.re.String(), "<") && !strings.Contains(m.re.String(), "profiles") && !strings.Contains(m.re.String(), "URLconf") {
			continue // A page that speaks of a file is not the file.
		}
		if m.what == "a backup" && !strings.Contains(ex.Request.Path, "backup") && !strings.Contains(ex.Request.Path, "dump") {
			continue
		}
		if m.re.MatchString(body) {
			return m.what
		}
	}
	return ""
}

// weight returns how much harm it does.
func (list marks) weight(what string) finding.Severity {
	for _, m := range list {
		if m.what == what {
			return m.severity
		}
	}
	return finding.Medium
}

// isDescription reports whether an answer describes an API, or a key that everybody may
// have.
func isDescription(ex *wire.Exchange) bool {
	start := string(ex.Body[:min(len(ex.Body), 8000)])
	return strings.Contains(start, `"openapi"`) || strings.Contains(start, `"swagger"`) || strings.Contains(start, `"kty"`) || strings.Contains(start, `"jwks_uri"`)
}

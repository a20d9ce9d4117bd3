package report

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/url"
	"slices"
	"strings"

	"github.com/fastness/fastness/observe"
)

// violation is what is kept of a report.
type violation struct {
	kind, document, blocked, source, directive, disposition string
	line, column                                            int64
}

func (v *violation) log(ctx context.Context, logger *slog.Logger) {
	logger.LogAttrs(ctx, slog.LevelWarn, "policy violation",
		slog.String("type", v.kind), slog.String("document", v.document), slog.String("directive", v.directive), slog.String("blocked", v.blocked),
		slog.String("source", v.source), slog.Int64("line", v.line), slog.Int64("column", v.column), slog.String("disposition", v.disposition))
}

// reader returns what reads bodies of a media type, or nil. It returns at most
// maxReports violations, and how many more there are.
func reader(media string) func([]byte) ([]violation, int, error) {
	switch media {
	case "application/csp-report":
		return readCSPReport
	case "application/reports+json":
		return readReports
	}
	return nil
}

var errNoReport = errors.New("no report in the body")

// readCSPReport reads the one report of CSP Level 2, section 4.4.
func readCSPReport(body []byte) ([]violation, int, error) {
	var sent struct {
		Report *struct {
			Document    string `json:"document-uri"`
			Blocked     string `json:"blocked-uri"`
			Source      string `json:"source-file"`
			Effective   string `json:"effective-directive"`
			Violated    string `json:"violated-directive"`
			Disposition string `json:"disposition"`
			Line        number `json:"line-number"`
			Column      number `json:"column-number"`
		} `json:"csp-report"`
	}
	if err := json.Unmarshal(body, &sent); err != nil {
		return nil, 0, err
	}
	r := sent.Report
	if r == nil {
		return nil, 0, errNoReport
	}
	if r.Effective == "" { // Old browsers send the directive with its sources.
		r.Effective, _, _ = strings.Cut(r.Violated, " ")
	}
	return []violation{{
		kind: "csp-violation", document: address(r.Document), blocked: address(r.Blocked), source: address(r.Source),
		directive: word(r.Effective), disposition: word(r.Disposition), line: int64(r.Line), column: int64(r.Column),
	}}, 0, nil
}

// readReports reads a list of the Reporting API, of any types: of those that are
// not about a Content-Security-Policy only the type and the page are kept.
func readReports(body []byte) (all []violation, omitted int, err error) {
	var sent []struct {
		Type string `json:"type"`
		URL  string `json:"url"`
		Body struct {
			Document    string `json:"documentURL"`
			Blocked     string `json:"blockedURL"`
			Source      string `json:"sourceFile"`
			Effective   string `json:"effectiveDirective"`
			Disposition string `json:"disposition"`
			Line        number `json:"lineNumber"`
			Column      number `json:"columnNumber"`
		} `json:"body"`
	}
	if body = bytes.TrimLeft(body, " \t\r\n"); bytes.HasPrefix(body, []byte("{")) { // Some browsers send one by itself.
		body = slices.Concat([]byte("["), body, []byte("]"))
	}
	if err := json.Unmarshal(body, &sent); err != nil {
		return nil, 0, err
	}
	if len(sent) == 0 {
		return nil, 0, errNoReport
	}
	if len(sent) > maxReports {
		omitted = len(sent) - maxReports
		sent = sent[:maxReports]
	}
	for i := range sent {
		r := &sent[i]
		v := violation{kind: word(r.Type), document: address(r.URL)}
		if b := &r.Body; r.Type == "csp-violation" {
			if b.Document != "" {
				v.document = address(b.Document)
			}
			v.blocked, v.source, v.directive, v.disposition = address(b.Blocked), address(b.Source), word(b.Effective), word(b.Disposition)
			v.line, v.column = int64(b.Line), int64(b.Column)
		}
		all = append(all, v)
	}
	return all, omitted, nil
}

// number is a place in a file. What is none is 0: browsers send null, and text.
type number int64

func (n *number) UnmarshalJSON(data []byte) error {
	var v int64
	if json.Unmarshal(data, &v) == nil && v > 0 && v < 1<<31 {
		*n = number(v)
	}
	return nil
}

const unreadable = "unreadable"

// word returns s if it is a word of a policy, such as "script-src-elem".
func word(s string) string {
	if len(s) > 40 || strings.Trim(s, "abcdefghijklmnopqrstuvwxyz-") != "" {
		return unreadable
	}
	return s
}

const maxAddress = 300

// address returns a URL without what may be secret in it: only http and https URLs
// keep more than their scheme, and those neither user name, query nor fragment.
// Instead of a URL there may be a word, such as "inline".
func address(s string) string {
	if strings.IndexByte(s, ':') < 0 {
		return word(s)
	}
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return unreadable
	case u.Scheme != "http" && u.Scheme != "https":
		if len(u.Scheme) > 40 {
			return unreadable
		}
		return u.Scheme + ":"
	}
	return observe.Printable(u.Scheme+"://"+u.Host+u.EscapedPath(), maxAddress)
}

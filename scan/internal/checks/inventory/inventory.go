// Package inventory has the checks of what is there beside what the document names: hidden
// and forgotten operations, old versions, other hosts, pages for debugging, methods, and
// who may ask from elsewhere: other origins, caches, links with a host of the caller's.
//
// That something is there is proved by what it holds, and by what a path beside it that
// cannot be there is answered.
package inventory

import (
	"context"
	"net/http"
	"strings"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/login"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/wire"
)

// Checks returns the checks of this group.
func Checks() []check.Check {
	return []check.Check{
		hidden(), oldVersions(), hosts(), leftovers(), methods(), origins(), links(), caches(), graphQL(),
	}
}

// evidence is an exchange with what it shows.
func evidence(says string, ex *wire.Exchange) finding.Evidence {
	return finding.Evidence{Says: says, Exchange: ex}
}

// as returns a severity other than that of the kind.
func as(s finding.Severity) *finding.Severity { return &s }

// get asks for a path.
func get(ctx context.Context, t *probe.Target, user *login.User, path, why string, header ...string) *wire.Exchange {
	path, query, _ := strings.Cut(path, "?")
	r := wire.Request{Method: http.MethodGet, Path: path, Query: query, Why: why, Header: http.Header{"Accept": {"application/json, */*;q=0.5"}}}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	if user == nil {
		return t.Once(ctx, nil, r)
	}
	return t.Do(ctx, user, r)
}

// beside returns a path next to another one that cannot be there.
func beside(t *probe.Target, path string) string {
	path = strings.TrimRight(path, "/")
	at := strings.LastIndexByte(path, '/') + 1
	name := path[at:]
	dot, ending := "", ""
	if strings.HasPrefix(name, ".") {
		dot, name = ".", name[1:]
	}
	if i := strings.LastIndexByte(name, '.'); i > 0 {
		ending = name[i:]
	}
	return path[:at] + dot + t.Marker() + ending
}

// alike reports whether two answers say the same for whoever does not look at values.
func alike(a, b *wire.Exchange) bool {
	if a.Status != b.Status || a.Media() != b.Media() {
		return false
	}
	if _, ok := probe.Decode(a); ok {
		return probe.Shape(a) == probe.Shape(b)
	}
	return abs(len(a.Body)-len(b.Body)) <= 64+len(a.Body)/10
}

func abs(n int) int { return max(n, -n) }

// documented reports whether there is a document at all.
func documented(t *probe.Target) bool {
	for _, op := range t.API.Operations {
		if op.Template != "" || op.Found == "" {
			return true
		}
	}
	return false
}

// hasData reports whether an answer of JSON holds values.
func hasData(ex *wire.Exchange) bool {
	n := 0
	for _, leaf := range probe.Leaves(ex) {
		if leaf.Value != nil && leaf.Text() != "" {
			n++
		}
	}
	return n > 0
}

// plain returns a name without case and separators.
func plain(name string) string {
	return strings.ToLower(strings.Map(func(r rune) rune {
		if r == '_' || r == '-' || r == ' ' || r == '.' {
			return -1
		}
		return r
	}, name))
}

// cut shortens a text for a report.
func cut(s string, n int) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > n {
		return strings.ToValidUTF8(s[:n], "") + "…"
	}
	return s
}

// sensitive returns the first member of an answer whose name is of what nobody shows to
// everybody, or "".
func sensitive(ex *wire.Exchange) string {
	for _, leaf := range probe.Leaves(ex) {
		if leaf.Value == nil || leaf.Text() == "" {
			continue
		}
		name := plain(leaf.Name())
		for _, part := range []string{"email", "phone", "mobile", "address", "street", "ssn", "password", "passwd", "secret", "token", "apikey", "iban", "cardnumber", "creditcard", "cvv", "salary", "balance", "birth", "passport", "username", "customer", "revenue", "userid", "dsn", "connectionstring"} {
			if strings.Contains(name, part) {
				return leaf.Name()
			}
		}
	}
	return ""
}

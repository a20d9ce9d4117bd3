// Package exposure has the checks of what answers give away: secrets, data of others,
// fields that nobody declared, traces of errors, and what header fields leave out. They
// also find answers that contradict the document, and input that makes the target fail.
//
// A name alone is no secret, and a status no failure. What proves is the form of a value
// with its checksum, a value that the scan knows to be somebody else's, or the same failure
// twice while the request without it works.
package exposure

import (
	"bytes"
	"hash/maphash"
	"regexp"
	"strings"
	"sync"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/internal/spec"
	"github.com/fastness/fastness/scan/wire"
)

// Checks returns the checks of this group.
func Checks() []check.Check {
	return []check.Check{
		secretsInAnswers(), personalData(), undeclared(), secretsInScripts(), traces(), crashes(), conformance(), headers(), transport(), lint(),
	}
}

// place returns where an exchange was: the operation, or method and path.
func place(t *probe.Target, ex *wire.Exchange, point string) finding.Place {
	if op := operation(t, ex); op != nil {
		return probe.PlaceOf(op, point, "")
	}
	return finding.Place{Method: ex.Request.Method, Path: ex.Request.Path, Parameter: point}
}

// operation returns that of an exchange, or nil.
func operation(t *probe.Target, ex *wire.Exchange) *spec.Operation {
	var fits *spec.Operation
	for _, op := range t.API.Operations {
		if ex.Request.Operation != "" && op.ID == ex.Request.Operation {
			return op
		}
		if op.Method == ex.Request.Method && (fits == nil || strings.Count(op.Path, "{") < strings.Count(fits.Path, "{")) && matches(op.Path, ex.Request.Path) {
			fits = op
		}
	}
	return fits
}

// matches reports whether a path is one of a template.
func matches(template, path string) bool {
	want, have := strings.Split(strings.Trim(template, "/"), "/"), strings.Split(strings.Trim(path, "/"), "/")
	if len(want) != len(have) {
		return false
	}
	for i := range want {
		if want[i] != have[i] && !strings.Contains(want[i], "{") {
			return false
		}
	}
	return true
}

// guessed reports whether a path was only tried: what is there is an operation later, and
// asked for again.
func guessed(ex *wire.Exchange) bool {
	return ex.Request.Operation == "" && strings.HasPrefix(ex.Request.Why, "discover")
}

// evidence is an exchange with what it shows.
func evidence(says string, ex *wire.Exchange) finding.Evidence {
	return finding.Evidence{Says: says, Exchange: ex}
}

// as returns a severity other than that of the kind.
func as(s finding.Severity) *finding.Severity { return &s }

// attack is the purpose of requests of checks.
var attack = regexp.MustCompile(`^[A-Z]{2,6}-\d+$`)

// attacks reports whether a request tries to make the target do what it should not: what
// comes of it is for the check that sent it to say.
func attacks(ex *wire.Exchange) bool {
	why := ex.Request.Why
	return attack.MatchString(why) && !strings.HasPrefix(why, "AZ-") && !strings.HasPrefix(why, "AU-") && !strings.HasPrefix(why, "IV-")
}

// sent reports whether the request has a text: then the answer only repeats it.
func sent(ex *wire.Exchange, text string) bool {
	if bytes.Contains(ex.Request.Body, []byte(text)) || strings.Contains(decoded(ex.Request.Target()), text) {
		return true
	}
	for _, values := range ex.Request.Header {
		for _, v := range values {
			if strings.Contains(v, text) {
				return true
			}
		}
	}
	return false
}

// once tells whether an answer was looked at already: scans see the same ones again and
// again.
type once struct {
	mu   sync.Mutex
	seed maphash.Seed
	seen map[uint64]bool
}

// maxOnce is how many answers are told apart.
const maxOnce = 200_000

func newOnce() *once { return &once{seed: maphash.MakeSeed(), seen: map[uint64]bool{}} }

// first reports whether parts are new.
func (o *once) first(parts ...string) bool {
	var h maphash.Hash
	h.SetSeed(o.seed)
	for _, p := range parts {
		_, _ = h.WriteString(p) // It never fails.
		_ = h.WriteByte(0)
	}
	sum := h.Sum64()
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.seen[sum] || len(o.seen) >= maxOnce {
		return false
	}
	o.seen[sum] = true
	return true
}

// maxLook is how much of an answer passive checks look at.
const maxLook = 256 << 10

// head returns the part of a body that is looked at.
func head(ex *wire.Exchange) string { return string(ex.Body[:min(len(ex.Body), maxLook)]) }

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

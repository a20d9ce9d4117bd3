// Package limits has the checks of how much: pages, bodies and patterns without a bound
// (OWASP API4), and rules of business that hold only for who behaves (OWASP API6): what may
// be done once, what there is only one of, and numbers that make no sense.
//
// Of what takes long or is large, one probe is sent at a time, and no larger one than is
// needed. What proves is what the target shows afterwards: the rows of an answer, a balance,
// a total; and time that grows faster than the input does, again and again.
package limits

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/explore"
	"github.com/fastness/fastness/scan/internal/login"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/internal/spec"
	"github.com/fastness/fastness/scan/internal/value"
	"github.com/fastness/fastness/scan/wire"
)

// Checks returns the checks of this group.
func Checks() []check.Check {
	return []check.Check{pageSize(), bodySize(), superlinear(), rate(), once(), belowZeroAmounts(), ownPrice(), wrapped(), oversold()}
}

// evidence is an exchange with what it shows.
func evidence(says string, ex *wire.Exchange) finding.Evidence {
	return finding.Evidence{Says: says, Exchange: ex}
}

// status returns the status of an answer as a text.
func status(ex *wire.Exchange) string { return strconv.Itoa(ex.Status) }

// wordsOf returns the words of the path and the id of an operation.
func wordsOf(op *spec.Operation) []string {
	words := value.Words(op.ID)
	for _, segment := range op.Segments() {
		if !strings.HasPrefix(segment, "{") {
			words = append(words, value.Words(segment)...)
		}
	}
	return words
}

// has reports whether some words hold one of others, in the singular or plural.
func has(words []string, any ...string) bool {
	return slices.ContainsFunc(words, func(w string) bool {
		return slices.Contains(any, w) || slices.Contains(any, value.Singular(w))
	})
}

// float returns a value as a number.
func float(v any) (float64, bool) {
	switch v := v.(type) {
	case json.Number:
		f, err := v.Float64()
		return f, err == nil && !math.IsInf(f, 0)
	case float64:
		return v, true
	case int:
		return float64(v), true
	case string: // Money is often a text: "12.50".
		if v == "" || len(v) > 24 || strings.Trim(v, "-.0123456789") != "" {
			return 0, false
		}
		f, err := strconv.ParseFloat(v, 64)
		return f, err == nil
	}
	return 0, false
}

// same reports whether two sums are the same money.
func same(a, b float64) bool { return math.Abs(a-b) < 0.005 }

// changes reports whether a check may send an operation several times.
func changes(op *spec.Operation) bool {
	return (op.Method == "POST" || op.Method == "PUT" || op.Method == "PATCH") && explore.Dangerous(op) == ""
}

// byOrdinary returns a request of an ordinary user that succeeded, else of anybody, or nil.
func byOrdinary(t *probe.Target, op *spec.Operation) *probe.Sample {
	for _, u := range t.Ordinary() {
		if s := t.Sample(op, u); s != nil {
			return s
		}
	}
	return t.AnySample(op)
}

// signs reports whether an operation makes accounts or logs in: those have limits of their
// own.
func signs(op *spec.Operation) bool {
	return has(wordsOf(op), "login", "logon", "signin", "signup", "register", "registration", "token", "auth", "session", "password", "otp", "pin")
}

func name(u *login.User) string { return u.Called() }

// logsIn reports whether an operation takes a secret of somebody: wrong ones may lock them.
func logsIn(op *spec.Operation) bool {
	return !op.Safe() && has(wordsOf(op), "login", "logon", "signin", "token", "session", "otp", "pin", "mfa", "verify")
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

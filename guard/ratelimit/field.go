package ratelimit

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The fields in the form in which net/http keeps them.
const (
	fieldPolicy     = "Ratelimit-Policy"
	fieldState      = "Ratelimit"
	fieldXLimit     = "X-Ratelimit-Limit"
	fieldXRemaining = "X-Ratelimit-Remaining"
	fieldXReset     = "X-Ratelimit-Reset"
)

// fields writes what a limit is and what is left of it.
type fields struct {
	names  []string // of the quotas
	limits []string // their counts, in digits
	policy []string
}

func newFields(name string, quotas []Quota) fields {
	var f fields
	var policy []byte
	for i, q := range quotas {
		quota := name
		if len(quotas) > 1 {
			quota += "-" + windowName(q.Window)
		}
		f.names = append(f.names, quota)
		f.limits = append(f.limits, strconv.Itoa(q.Count))
		if i > 0 {
			policy = append(policy, ", "...)
		}
		policy = append(append(append(policy, '"'), quota...), `";q=`...)
		policy = append(append(policy, f.limits[i]...), ";w="...)
		policy = strconv.AppendInt(policy, seconds(q.Window), 10)
	}
	f.policy = []string{string(policy)}
	return f
}

// seconds rounds up: who waits that long has waited long enough.
func seconds(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) }

// write adds the limit to h. Other limiters may have written there: the fields
// are lists (RFC 9651 section 3.1), and a list that is in one line is understood
// by clients that read only one. A name may be there once only; the limiter that
// came first has it.
func (f *fields) write(h http.Header, states []State) {
	policy := h[fieldPolicy]
	var room [192]byte
	b := room[:0]
	if len(policy) > 0 {
		if strings.Contains(policy[0], `"`+f.names[0]+`"`) {
			return
		}
		h[fieldPolicy] = []string{policy[0] + ", " + f.policy[0]}
		if before := h[fieldState]; len(before) > 0 {
			b = append(append(b, before[0]...), ", "...)
		}
	} else {
		h[fieldPolicy] = f.policy
	}
	for i, s := range states {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = append(append(append(b, '"'), f.names[i]...), `";r=`...)
		b = strconv.AppendInt(b, int64(s.Remaining), 10)
		b = append(b, ";t="...)
		b = strconv.AppendInt(b, seconds(s.until()), 10)
	}
	h[fieldState] = []string{string(b)}
}

// until returns what the parameter t says: when there is what was asked for, or
// else when everything is there.
func (s State) until() time.Duration {
	if s.Wait > 0 {
		return s.Wait
	}
	return s.Reset
}

// writeX writes the quota that has least left, unless h has one with less.
func (f *fields) writeX(h http.Header, states []State) {
	least := 0
	for i, s := range states {
		if s.Remaining < states[least].Remaining {
			least = i
		}
	}
	s := states[least]
	if old := h[fieldXRemaining]; len(old) > 0 {
		if n, err := strconv.Atoi(old[0]); err == nil && n <= s.Remaining {
			return
		}
	}
	h[fieldXLimit] = []string{f.limits[least]}
	h[fieldXRemaining] = []string{strconv.Itoa(s.Remaining)}
	h[fieldXReset] = []string{strconv.FormatInt(seconds(s.until()), 10)}
}

package ratelimit

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
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
	last   atomic.Pointer[values]
}

// values are those of one refusal. They are kept: while a flood is refused, they
// are the same for a second.
type values struct {
	wait         int64 // in seconds
	state, retry []string
}

func newFields(name string, quotas []Quota) *fields {
	f := new(fields)
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
//
// wait is how long a refused caller has to wait, nil for others. write returns
// the value of Retry-After for it.
func (f *fields) write(h http.Header, states []State, wait *time.Duration) (retry []string) {
	var room [192]byte
	b := f.appendState(room[:0], states)
	var state []string
	if wait == nil {
		state = []string{string(b)}
	} else {
		v, n := f.last.Load(), seconds(*wait)
		if v == nil || v.wait != n || v.state[0] != string(b) {
			v = &values{n, []string{string(b)}, []string{strconv.FormatInt(n, 10)}}
			f.last.Store(v)
		}
		state, retry = v.state, v.retry
	}
	if policy := h[fieldPolicy]; len(policy) == 0 {
		h[fieldPolicy], h[fieldState] = f.policy, state
	} else if !strings.Contains(policy[0], `"`+f.names[0]+`"`) {
		h[fieldPolicy] = []string{policy[0] + ", " + f.policy[0]}
		h[fieldState] = []string{strings.Join(append(slices.Clone(h[fieldState]), state[0]), ", ")}
	}
	return retry
}

func (f *fields) appendState(b []byte, states []State) []byte {
	for i, s := range states {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = append(append(append(b, '"'), f.names[i]...), `";r=`...)
		b = strconv.AppendInt(b, int64(s.Remaining), 10)
		b = append(b, ";t="...)
		b = strconv.AppendInt(b, seconds(s.until()), 10)
	}
	return b
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

package ratelimit

import (
	"net/http"
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
	quoted string   // the first name, as a policy has it
	policy []string
	joined atomic.Pointer[joined]
	last   atomic.Pointer[values]
}

// joined is the policy behind that of other limiters. It is kept: they run in the
// same order in each request for the same thing.
type joined struct {
	before string
	policy []string
}

// values are those of one refusal. They are kept: while a flood of one client is
// refused, they are the same for a second.
type values struct {
	wait         int64 // in seconds
	state, retry [1]string
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
	f.quoted = `"` + f.names[0] + `"`
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
	var room [256]byte
	b, policy, named := room[:0], f.policy, false
	if others := h[fieldPolicy]; len(others) > 0 {
		policy, named = f.behind(others[0]), strings.Contains(others[0], f.quoted)
		for _, line := range h[fieldState] {
			b = append(append(b, line...), ", "...)
		}
	}
	b = f.appendState(b, states)
	var state []string
	if wait == nil {
		state = []string{string(b)}
	} else {
		v := f.refused(seconds(*wait), b)
		state, retry = v.state[:], v.retry[:]
	}
	if !named {
		h[fieldPolicy], h[fieldState] = policy, state
	}
	return retry
}

// behind returns the policy behind that of others.
func (f *fields) behind(others string) []string {
	j := f.joined.Load()
	if j == nil || j.before != others {
		j = &joined{others, []string{others + ", " + f.policy[0]}}
		f.joined.Store(j)
	}
	return j.policy
}

// refused returns the values of a refusal.
func (f *fields) refused(wait int64, state []byte) *values {
	v := f.last.Load()
	if v == nil || v.wait != wait || v.state[0] != string(state) {
		v = &values{wait, [1]string{string(state)}, [1]string{strconv.FormatInt(wait, 10)}}
		f.last.Store(v)
	}
	return v
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

package ratelimit

import (
	"net/http"
	"sync/atomic"
	"time"

	"github.com/fastness/fastness/problem"
)

// quotaExceeded is the type of the problem, and violatedPolicies its member
// (draft-ietf-httpapi-ratelimit-headers).
const (
	quotaExceeded    = "https://iana.org/assignments/http-problem-types#quota-exceeded"
	violatedPolicies = "violated-policies"
)

// refusals are what refused callers get: one for each set of quotas that may be
// used up, made when it is first needed. A flood of refusals costs less than the
// answers that it asks for.
type refusals struct {
	message string
	names   []string // of the quotas
	made    []atomic.Pointer[refusal]
}

// refusal is what callers get who have used up the same quotas.
type refusal struct {
	message  string
	violated any // the names of the quotas, a []string
	shared   *problem.Problem
	body     []byte
	// What problem.Write writes.
	contentType, cacheControl, typeOptions []string
}

func newRefusals(message string, names []string) *refusals {
	return &refusals{message, names, make([]atomic.Pointer[refusal], 1<<len(names))}
}

// of returns the refusal of the quotas that one has to wait for, and how long.
func (r *refusals) of(states []State) (refused *refusal, wait time.Duration) {
	set := 0
	for i, s := range states {
		if s.Wait > 0 {
			set |= 1 << i
			wait = max(wait, s.Wait)
		}
	}
	if refused = r.made[set].Load(); refused == nil {
		refused = r.make(set)
		r.made[set].Store(refused)
	}
	return refused, wait
}

func (r *refusals) make(set int) *refusal {
	violated := []string{}
	for i, name := range r.names {
		if set&(1<<i) != 0 {
			violated = append(violated, name)
		}
	}
	refused := &refusal{
		message: r.message, violated: violated,
		contentType: []string{problem.MediaType}, cacheControl: []string{"no-store"}, typeOptions: []string{"nosniff"},
	}
	refused.shared = refused.problem(nil)
	refused.body = refused.shared.AppendJSON(nil)
	return refused
}

// problem returns a problem that is the caller's to change.
func (r *refusal) problem(retry []string) *problem.Problem {
	p := problem.New(http.StatusTooManyRequests, r.message).Named("rate_limited").Extend(violatedPolicies, r.violated)
	p.Type = quotaExceeded
	for _, value := range retry {
		p.With("Retry-After", value)
	}
	return p
}

// write answers with the problem, as problem.Write does.
func (r *refusal) write(w http.ResponseWriter, retry []string) {
	h := w.Header()
	h["Retry-After"] = retry
	h["Content-Type"], h["Cache-Control"], h["X-Content-Type-Options"] = r.contentType, r.cacheControl, r.typeOptions
	w.WriteHeader(http.StatusTooManyRequests)
	_, _ = w.Write(r.body) // The client is gone if this fails.
}

// unavailable returns the problem of a caller who is refused because nobody
// knows what they have spent.
func unavailable(cause error) error {
	return problem.New(http.StatusServiceUnavailable, "the service is not available now, try again later").
		Named("rate_limit_unavailable").With("Retry-After", "1").Wrap(cause)
}

package ratelimit

import (
	"net/http"
	"strconv"
	"time"

	"github.com/fastness/fastness/problem"
)

// quotaExceeded is the type of the problem, and violatedPolicies its member
// (draft-ietf-httpapi-ratelimit-headers).
const (
	quotaExceeded    = "https://iana.org/assignments/http-problem-types#quota-exceeded"
	violatedPolicies = "violated-policies"
)

// refusal returns the problem of a caller who must wait.
func (l *Limiter) refusal(states []State) error {
	var wait time.Duration
	var violated []string
	for i, s := range states {
		if s.Wait == 0 {
			continue
		}
		wait = max(wait, s.Wait)
		if violated == nil && i == len(states)-1 {
			violated = l.fields.names[i:]
		} else {
			violated = append(violated, l.fields.names[i])
		}
	}
	p := problem.New(http.StatusTooManyRequests, l.rule.Message).Named("rate_limited").
		With("Retry-After", strconv.FormatInt(max(1, seconds(wait)), 10)).
		Extend(violatedPolicies, violated)
	p.Type = quotaExceeded
	return p
}

// unavailable returns the problem of a caller who is refused because nobody
// knows what they have spent.
func unavailable(cause error) error {
	return problem.New(http.StatusServiceUnavailable, "the service is not available now, try again later").
		Named("rate_limit_unavailable").With("Retry-After", "1").Wrap(cause)
}

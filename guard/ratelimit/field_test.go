package ratelimit_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fastness/fastness/guard/ratelimit"
	"github.com/fastness/fastness/problem"
)

// item is one of a structured-field list: a string with parameters.
type item struct {
	name   string
	params map[string]int64
}

// parseList parses a List (RFC 9651 section 4.2.1) of strings whose parameters
// are non-negative integers, which is what the draft has, and nothing else.
func parseList(text string) (items []item, err error) {
	bare := regexp.MustCompile(`^"((?:[ !#-\[\]-~]|\\["\\])*)"`)
	param := regexp.MustCompile(`^; *([a-z*][a-z0-9_.*-]*)=(0|[1-9][0-9]{0,14})`)
	for text = strings.Trim(text, " "); ; {
		found := bare.FindStringSubmatch(text)
		if found == nil {
			return nil, fmt.Errorf("no string at %q", text)
		}
		it := item{strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(found[1]), map[string]int64{}}
		for text = text[len(found[0]):]; strings.HasPrefix(text, ";"); text = text[len(found[0]):] {
			if found = param.FindStringSubmatch(text); found == nil {
				return nil, fmt.Errorf("no parameter at %q", text)
			}
			if it.params[found[1]], err = strconv.ParseInt(found[2], 10, 64); err != nil {
				return nil, err
			}
		}
		for _, other := range items {
			if other.name == it.name {
				return nil, fmt.Errorf("%q is there twice", it.name)
			}
		}
		items = append(items, it)
		if text = strings.TrimLeft(text, " \t"); text == "" {
			return items, nil
		}
		if text[0] != ',' {
			return nil, fmt.Errorf("no comma at %q", text)
		}
		text = strings.TrimLeft(text[1:], " \t")
	}
}

func TestTheListParserIsStrict(t *testing.T) {
	for _, bad := range []string{"", `a;q=1`, `"a`, `"a";q`, `"a";q=01`, `"a";q=-1`, `"a",`, `"a" "b"`, `"a";Q=1`, `"a";q=1000000000000000`, "\"\x01\"", `"a", "a"`} {
		if items, err := parseList(bad); err == nil {
			t.Errorf("%q is read as %v", bad, items)
		}
	}
}

// fieldsOf returns both fields, by policy.
func fieldsOf(t *testing.T, h http.Header) (policy, state map[string]map[string]int64) {
	t.Helper()
	both := make([]map[string]map[string]int64, 2)
	for i, name := range []string{"RateLimit-Policy", "RateLimit"} {
		if n := len(h.Values(name)); n != 1 {
			t.Fatalf("%d fields %s, want 1 line", n, name)
		}
		items, err := parseList(h.Get(name))
		if err != nil {
			t.Fatalf("%s: %s: %v", name, h.Get(name), err)
		}
		both[i] = map[string]map[string]int64{}
		for _, it := range items {
			both[i][it.name] = it.params
		}
	}
	for name := range both[1] {
		if both[0][name] == nil {
			t.Fatalf("RateLimit has %q, which RateLimit-Policy has not", name)
		}
	}
	return both[0], both[1]
}

func TestFieldsAreStructuredFields(t *testing.T) {
	c := newClock()
	l := limiter(t, ratelimit.Config{Rule: ratelimit.Rule{Name: "default", Limit: "100/minute"}, Now: c.now})
	for i := range 50 {
		h := http.Header{}
		if err := l.Check(context.Background(), h, from("192.0.2.1")); err != nil {
			t.Fatal(err)
		}
		policy, state := fieldsOf(t, h)
		if p, s := policy["default"], state["default"]; p["q"] != 100 || p["w"] != 60 || s["r"] != int64(99-i) || s["t"] != 60 {
			t.Fatalf("request %d: %v %v", i+1, h["Ratelimit-Policy"], h["Ratelimit"])
		}
		if h.Get("Retry-After") != "" || h.Get("X-RateLimit-Limit") != "" {
			t.Fatalf("an answer that is no refusal has %v", h)
		}
		if i == 49 && h["Ratelimit-Policy"][0] != `"default";q=100;w=60` {
			t.Errorf("RateLimit-Policy: %s", h["Ratelimit-Policy"][0])
		}
	}
}

func TestSeveralQuotasAndLimitersCombine(t *testing.T) {
	c := newClock()
	general := limiter(t, ratelimit.Config{Rule: ratelimit.Per("1000/minute"), Now: c.now, XHeaders: true})
	items := limiter(t, ratelimit.Config{Rule: ratelimit.Rule{Name: "items", Limit: "2/second; 10 per 5 minutes"}, Now: c.now, XHeaders: true})
	search := limiter(t, ratelimit.Config{Rule: ratelimit.Rule{Name: "search", Limit: "100/hour"}, Now: c.now, XHeaders: true})
	h := http.Header{}
	for _, l := range []*ratelimit.Limiter{general, items, search} {
		if err := l.Check(context.Background(), h, from("192.0.2.1")); err != nil {
			t.Fatal(err)
		}
	}
	policy, state := fieldsOf(t, h)
	for name, want := range map[string][4]int64{ // q, w, r, t
		"default": {1000, 60, 999, 60}, "items-second": {2, 1, 1, 1}, "items-5-minutes": {10, 300, 9, 300}, "search": {100, 3600, 99, 3600},
	} {
		if p, s := policy[name], state[name]; [4]int64{p["q"], p["w"], s["r"], s["t"]} != want {
			t.Errorf("%s: %v %v, want %v", name, p, s, want)
		}
	}
	if len(policy) != 4 || len(state) != 4 {
		t.Errorf("%d policies, %d states, want 4", len(policy), len(state))
	}
	if h.Get("X-RateLimit-Limit") != "2" || h.Get("X-RateLimit-Remaining") != "1" || h.Get("X-RateLimit-Reset") != "1" {
		t.Errorf("X-RateLimit fields %v, want those of the quota with least left", h)
	}
	// A limiter must not write into what another one keeps.
	again := http.Header{}
	if err := general.Check(context.Background(), again, from("192.0.2.2")); err != nil || again.Get("RateLimit-Policy") != `"default";q=1000;w=60` {
		t.Errorf("the next request has %v, %v", again, err)
	}
}

// TestTheOrderOfLimitersMayDiffer: what a limiter has written behind another one is
// not what it writes behind a third.
func TestTheOrderOfLimitersMayDiffer(t *testing.T) {
	general, search := limiter(t, ratelimit.Config{Rule: ratelimit.Per("1000/minute")}), limiter(t, ratelimit.Config{Rule: ratelimit.Rule{Name: "search", Limit: "100/hour"}})
	items := limiter(t, ratelimit.Config{Rule: ratelimit.Rule{Name: "items", Limit: "1/day"}})
	for _, before := range [][]*ratelimit.Limiter{{general}, {search}, {general, search}, {}, {general}} {
		h := http.Header{}
		for _, l := range append(slices.Clone(before), items) { // From the second time on items refuses.
			_ = l.Check(context.Background(), h, from("192.0.2.1"))
		}
		policy, state := fieldsOf(t, h)
		if len(policy) != len(before)+1 || len(state) != len(before)+1 || state["items"]["r"] != 0 {
			t.Errorf("behind %d limiters: %v %v", len(before), policy, state)
		}
	}
}

func TestOneNameIsThereOnce(t *testing.T) {
	a, b := limiter(t, ratelimit.Config{Rule: ratelimit.Per("10/minute")}), limiter(t, ratelimit.Config{Rule: ratelimit.Per("5/minute")})
	h := http.Header{}
	for _, l := range []*ratelimit.Limiter{a, b} {
		if err := l.Check(context.Background(), h, from("192.0.2.1")); err != nil {
			t.Fatal(err)
		}
	}
	if policy, _ := fieldsOf(t, h); policy["default"]["q"] != 10 {
		t.Errorf("policies %v, want that of the first", policy)
	}
}

// refused sends requests until one is refused, and returns its problem and
// header.
func refused(t *testing.T, l *ratelimit.Limiter, c ratelimit.Caller) (*problem.Problem, http.Header) {
	t.Helper()
	for range 10_000 {
		h := http.Header{}
		err := l.Check(context.Background(), h, c)
		if err == nil {
			continue
		}
		p, ok := errors.AsType[*problem.Problem](err)
		if !ok {
			t.Fatalf("%T is no problem: %v", err, err)
		}
		return p, h
	}
	t.Fatal("nothing is refused")
	return nil, nil
}

// TestRetryAfterIsNeverTooShort: who waits as long as they are told must not be
// refused, and is told the same by t.
func TestRetryAfterIsNeverTooShort(t *testing.T) {
	for _, a := range []ratelimit.Algorithm{ratelimit.SlidingWindow, ratelimit.GCRA} {
		for _, limit := range []string{"1/second", "3/second", "7/minute", "100/minute", "2/second; 5/minute", "13/hour", "1/year", "5 per 3 seconds;9/minute;11/hour"} {
			c := newClock()
			l := limiter(t, ratelimit.Config{Rule: ratelimit.Rule{Limit: limit, Algorithm: a}, Now: c.now})
			for i := range 40 {
				c.advance(time.Duration(i) * 37 * time.Millisecond)
				p, h := refused(t, l, from("192.0.2.1"))
				wait, err := strconv.Atoi(p.Header().Get("Retry-After"))
				if err != nil || wait < 1 {
					t.Fatalf("%v, %s: Retry-After is %q", a, limit, p.Header().Get("Retry-After"))
				}
				_, state := fieldsOf(t, h)
				longest := int64(0)
				for _, name := range p.Extensions["violated-policies"].([]string) {
					longest = max(longest, state[name]["t"])
				}
				if longest != int64(wait) {
					t.Errorf("%v, %s: Retry-After is %d, and t of %v is %d", a, limit, wait, p.Extensions, longest)
				}
				if c.advance(time.Duration(wait) * time.Second); status(l, from("192.0.2.1")) != 200 {
					t.Fatalf("%v, %s: refused after Retry-After: %d", a, limit, wait)
				}
			}
		}
	}
}

func TestTheProblemNamesTheQuotas(t *testing.T) {
	c := newClock()
	l := limiter(t, ratelimit.Config{Rule: ratelimit.Rule{Name: "items", Limit: "2/second; 3/minute; 100/hour"}, Now: c.now})
	p, _ := refused(t, l, from("192.0.2.1"))
	want := `{"type":"https://iana.org/assignments/http-problem-types#quota-exceeded","title":"Too Many Requests","status":429,` +
		`"detail":"Too Many Requests","code":"rate_limited","violated-policies":["items-second"]}`
	if got := string(p.AppendJSON(nil)); got != want || p.Header().Get("Retry-After") != "1" {
		t.Errorf("got %s\nwant %s", got, want)
	}
	c.advance(time.Second)
	p, _ = refused(t, l, from("192.0.2.1")) // One more, and the minute is used up.
	if names := fmt.Sprint(p.Extensions["violated-policies"]); names != "[items-minute]" || p.Header().Get("Retry-After") != "59" {
		t.Errorf("violated %s, Retry-After %s", names, p.Header().Get("Retry-After"))
	}
	both := limiter(t, ratelimit.Config{Rule: ratelimit.Rule{Limit: "5/second; 6/minute", Cost: 4}, Now: c.now})
	p, _ = refused(t, both, from("192.0.2.1"))
	if names := fmt.Sprint(p.Extensions["violated-policies"]); names != "[default-second default-minute]" {
		t.Errorf("violated %s, want both", names)
	}
}

// TestAProblemIsTheCallersOwn: what one request does to its problem, no other
// request sees.
func TestAProblemIsTheCallersOwn(t *testing.T) {
	l := limiter(t, ratelimit.Config{Rule: ratelimit.Per("1/minute")})
	p, _ := refused(t, l, from("192.0.2.1"))
	p.Extend("mine", true).With("X-Mine", "true").Detail = "mine"
	p, _ = refused(t, l, from("192.0.2.1"))
	if p.Extensions["mine"] != nil || p.Header().Get("X-Mine") != "" || p.Detail == "mine" {
		t.Errorf("the next problem has it: %s %v", p.AppendJSON(nil), p.Header())
	}
}

// TestChargeSaysWhatCheckSays: only where Retry-After is and whose the problem is
// differs.
func TestChargeSaysWhatCheckSays(t *testing.T) {
	c := newClock()
	check := limiter(t, ratelimit.Config{Rule: ratelimit.Per("1/minute; 2/hour"), Now: c.now})
	charge := limiter(t, ratelimit.Config{Rule: ratelimit.Per("1/minute; 2/hour"), Now: c.now})
	h := http.Header{}
	if err := charge.Charge(context.Background(), h, from("192.0.2.1")); err != nil || h.Get("Retry-After") != "" {
		t.Errorf("the first request: %v with %v, want to pass", err, h)
	}
	p, _ := refused(t, check, from("192.0.2.1"))
	h = http.Header{}
	q, ok := errors.AsType[*problem.Problem](charge.Charge(context.Background(), h, from("192.0.2.1")))
	if !ok || string(q.AppendJSON(nil)) != string(p.AppendJSON(nil)) || h.Get("Retry-After") != "60" || p.Header().Get("Retry-After") != "60" || q.Header() != nil {
		t.Errorf("Charge says %v with %v, Check says %s with %v", q, h, p.AppendJSON(nil), p.Header())
	}
	fieldsOf(t, h)
	store := new(broken)
	store.down.Store(true)
	down := limiter(t, ratelimit.Config{Rule: ratelimit.Rule{Limit: "1/minute", FailClosed: true}, Store: store})
	if err := down.Charge(context.Background(), http.Header{}, from("192.0.2.1")); err == nil || problem.From(err).Status != http.StatusServiceUnavailable {
		t.Errorf("without a store: %v, want 503", err)
	}
}

// TestRetryAfterIsOfThisRequest: requests of different costs may have the same
// RateLimit field, and different times to wait.
func TestRetryAfterIsOfThisRequest(t *testing.T) {
	c, cost := newClock(), 2
	l := limiter(t, ratelimit.Config{Rule: ratelimit.Rule{Limit: "3/second; 5/minute", CostOf: func(ratelimit.Caller) int { return cost }}, Now: c.now})
	p, h := refused(t, l, from("192.0.2.1"))
	cost = 4
	q, i := refused(t, l, from("192.0.2.1"))
	if h.Get("RateLimit") != i.Get("RateLimit") {
		t.Fatalf("fields %s and %s: this test tests nothing", h.Get("RateLimit"), i.Get("RateLimit"))
	}
	if a, b := p.Header().Get("Retry-After"), q.Header().Get("Retry-After"); a != "1" || b != "60" {
		t.Errorf("Retry-After of 2 is %s and of 4 is %s, want 1 and 60", a, b)
	}
}

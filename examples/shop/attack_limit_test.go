package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/guard/ratelimit"
)

// The attacks on rate limits, with the limits that the shop has where customers
// use it, and a clock that stands still until a test moves it.

// limitedShop is a shop with its own limits. Its requests come from 192.0.2.1.
type limitedShop struct {
	*shop
	now time.Time
}

func openLimited(t *testing.T) *limitedShop {
	t.Helper()
	l := &limitedShop{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	app := newApp(limits{general: ratelimit.Config{Now: func() time.Time { return l.now }}})
	fastness.ProvideValue(app, inFolder(t, t.TempDir()))
	if err := app.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	l.shop = &shop{t: t, app: app, parts: new(parts)}
	t.Cleanup(l.stop)
	return l
}

// itemsFrom asks for the list of items: five a minute are for each client.
func (l *limitedShop) itemsFrom(remote, method, target string, header ...string) reply {
	r := httptest.NewRequest(method, target, nil)
	r.RemoteAddr = remote
	return l.send(r, header...)
}

// addressHeaders are those with which proxies say whom they speak for. Nobody
// trusts a proxy here, so they are texts of a stranger.
var addressHeaders = []string{
	"X-Forwarded-For", "Forwarded", "X-Real-IP", "True-Client-IP", "CF-Connecting-IP", "CF-Connecting-IPv6", "X-Client-IP", "Client-IP",
	"X-Cluster-Client-IP", "X-Originating-IP", "X-Remote-IP", "X-Remote-Addr", "Remote-Addr", "Fastly-Client-IP", "X-Envoy-External-Address",
	"X-Azure-ClientIP", "Fly-Client-IP", "X-Host", "X-Forwarded", "Forwarded-For", "Via",
}

func TestMadeUpAddressesAreOneClient(t *testing.T) {
	l := openLimited(t)
	allowed := 0
	for i := range 10_000 {
		name, address := addressHeaders[i%len(addressHeaders)], fmt.Sprintf("198.51.%d.%d", i/256, i%256)
		header := []string{name, address, "User-Agent", "client " + address}
		switch {
		case name == "Forwarded":
			header[1] = "for=" + address
		case i%3 == 0: // Behind an address that looks like a proxy's, and on two lines.
			header = append(header, name, address+", 127.0.0.1", "X-Forwarded-For", address)
		}
		if got := l.itemsFrom("192.0.2.1:"+strconv.Itoa(1024+i), "GET", "/items/?limit="+strconv.Itoa(i%100+1), header...); got.status == http.StatusOK {
			allowed++
		} else if got.status != http.StatusTooManyRequests {
			t.Fatalf("%s: %d %s", header, got.status, got.body)
		}
	}
	if allowed != 5 {
		t.Errorf("%d of 10,000 requests with made-up addresses are allowed, want 5", allowed)
	}
	if got := l.itemsFrom("192.0.2.2:1024", "GET", "/items/"); got.status != http.StatusOK {
		t.Errorf("somebody else: %d, want 200", got.status)
	}
}

// A customer of an IPv6 provider has 2^64 addresses, and each may be a new client
// to whom it is not one.
func TestOneNetworkOfIPv6IsOneClient(t *testing.T) {
	l := openLimited(t)
	allowed := 0
	for i := range 2_000 {
		if got := l.itemsFrom(fmt.Sprintf("[2001:db8:1:2:%x:%x:%x:%x]:1024", i, i*7%65536, i*31%65536, i+1), "GET", "/items/"); got.status == http.StatusOK {
			allowed++
		}
	}
	if allowed != 5 {
		t.Errorf("%d requests of one /64 are allowed, want 5", allowed)
	}
	if got := l.itemsFrom("[2001:db8:1:3::1]:1024", "GET", "/items/"); got.status != http.StatusOK {
		t.Errorf("another /64: %d, want 200", got.status)
	}
	allowed = 0
	for i, remote := range slices.Repeat([]string{"192.0.2.7:1", "[::ffff:192.0.2.7]:2", "[::ffff:c000:207]:3"}, 20) {
		if got := l.itemsFrom(remote, "GET", "/items/"); got.status == http.StatusOK {
			allowed++
		} else if i < 5 {
			t.Errorf("request %d from %s: %d", i+1, remote, got.status)
		}
	}
	if allowed != 5 {
		t.Errorf("%d requests of an IPv4 address in three spellings are allowed, want 5", allowed)
	}
	if got := l.itemsFrom("[::ffff:192.0.2.8]:1", "GET", "/items/"); got.status != http.StatusOK {
		t.Errorf("another mapped address: %d, want 200", got.status)
	}
}

// Another way to ask for the same is counted with it.
func TestSpellingsAndMethodsShareOneLimit(t *testing.T) {
	l := openLimited(t)
	ways := [][2]string{{"GET", "/items/"}, {"GET", "/%69tems/"}, {"HEAD", "/items/"}, {"GET", "/items/?offset=1"}, {"GET", "/ite%6ds/?limit=2"}}
	for _, way := range ways {
		if got := l.itemsFrom("192.0.2.1:1", way[0], way[1]); got.status != http.StatusOK {
			t.Fatalf("%s: %d %s, want 200", way, got.status, got.body)
		}
	}
	for _, way := range append(ways, [2]string{"HEAD", "/%69%74%65%6d%73/?limit=9"}) {
		if got := l.itemsFrom("192.0.2.1:1", way[0], way[1]); got.status != http.StatusTooManyRequests {
			t.Errorf("%s: %d, want 429", way, got.status)
		}
	}
}

// What is refused must not cost more than what is granted: a flood is nothing but
// refusals.
func TestRefusalByALimitIsCheaperThanAnAnswer(t *testing.T) {
	l := openLimited(t)
	asked := httptest.NewRequest("GET", "/items/1", nil)
	asked.Host = "localhost"
	cost := func(want int) (allocations float64, least time.Duration) {
		send := func() {
			w := httptest.NewRecorder()
			if l.app.ServeHTTP(w, asked); w.Code != want {
				t.Fatalf("%d, want %d", w.Code, want)
			}
		}
		allocations = testing.AllocsPerRun(50, send)
		for range 5 { // The least of some is what the machine does when nobody else uses it.
			begin := time.Now()
			for range 50 {
				send()
			}
			if took := time.Since(begin); least == 0 || took < least {
				least = took
			}
		}
		return allocations, least
	}
	answers, answered := cost(http.StatusOK)
	for range 2_000 { // Whatever the limit is, it is used up.
		l.app.ServeHTTP(httptest.NewRecorder(), asked)
	}
	refusals, refused := cost(http.StatusTooManyRequests)
	t.Logf("an answer: %.0f allocations, %v for 50; a refusal: %.0f, %v", answers, answered, refusals, refused)
	if refusals > answers/2 || refusals > 40 {
		t.Errorf("a refusal makes %.0f allocations, want at most 40, and half the %.0f of an answer", refusals, answers)
	}
	if refused > answered {
		t.Errorf("50 refusals take %v, 50 answers %v", refused, answered)
	}
}

// Every answer that has been counted says so in fields that a strict parser reads,
// and who waits as long as they are told is served.
func TestLimitsAreToldInStructuredFields(t *testing.T) {
	l := openLimited(t)
	for round := range 4 {
		var last reply
		for i := range 6 {
			last = l.itemsFrom("192.0.2.1:1", "GET", "/items/")
			policies, err := parseItems(last.header.Values("RateLimit-Policy"))
			if err != nil || len(policies) == 0 {
				t.Fatalf("RateLimit-Policy: %q: %v", last.header.Values("RateLimit-Policy"), err)
			}
			states, err := parseItems(last.header.Values("RateLimit"))
			if err != nil || len(states) != len(policies) {
				t.Fatalf("RateLimit: %q: %v", last.header.Values("RateLimit"), err)
			}
			for name, policy := range policies {
				if state := states[name]; state == nil || policy["q"] < 1 || policy["w"] < 1 || state["r"] < 0 || state["r"] > policy["q"] || state["t"] < 0 {
					t.Errorf("%s: %v %v", name, policy, state)
				}
			}
			if after := last.header.Get("Retry-After"); (after != "") != (last.status == http.StatusTooManyRequests) {
				t.Errorf("round %d, request %d: %d with Retry-After %q", round, i+1, last.status, after)
			}
		}
		wantProblem(t, "the sixth of five", last, http.StatusTooManyRequests)
		wait, err := strconv.Atoi(last.header.Get("Retry-After"))
		if err != nil || wait < 1 || wait > 60 {
			t.Fatalf("Retry-After is %q, want 1 to 60", last.header.Get("Retry-After"))
		}
		l.now = l.now.Add(time.Duration(wait) * time.Second)
		if got := l.itemsFrom("192.0.2.1:1", "GET", "/items/"); got.status != http.StatusOK {
			t.Fatalf("round %d: %d after %d seconds, which were to be waited", round, got.status, wait)
		}
		l.now = l.now.Add(2 * time.Minute)
	}
	for bad, lines := range map[string][]string{
		"no quote": {`a"`}, "half a quote": {`"a`}, "a name in capitals": {`"a";Q=1`}, "no value": {`"a";q=`}, "a leading zero": {`"a";q=01`},
		"a comma at the end": {`"a";q=1,`}, "no comma": {`"a";q=1 "b";q=1`}, "one name twice": {`"a";q=1`, `"a";q=1`}, "nothing": {""}, "no number": {`"a";q=x`},
	} {
		if got, err := parseItems(lines); err == nil {
			t.Errorf("%s: the parser of this test reads %q as %v", bad, lines, got)
		}
	}
}

// parseItems parses the lines of a field as a List (RFC 9651 section 4.2.1) of
// different Strings with parameters that are Integers of at least 0.
func parseItems(lines []string) (map[string]map[string]int64, error) {
	items, text := map[string]map[string]int64{}, strings.Join(lines, ", ")
	for {
		if text == "" || text[0] != '"' {
			return nil, fmt.Errorf("no string at %q", text)
		}
		name, rest, ok := strings.Cut(text[1:], `"`)
		if !ok || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r > '~' || r == '\\' }) || items[name] != nil {
			return nil, fmt.Errorf("no string, or one twice, at %q", text)
		}
		parameters := map[string]int64{}
		for strings.HasPrefix(rest, ";") {
			pair := strings.TrimLeft(rest[1:], " ")
			end := strings.IndexAny(pair, ";,\t ")
			if end < 0 {
				end = len(pair)
			}
			key, value, _ := strings.Cut(pair[:end], "=")
			n, err := strconv.ParseInt(value, 10, 64)
			if err != nil || n < 0 || n > 999_999_999_999_999 || strconv.FormatInt(n, 10) != value || key == "" || strings.Trim(key, "abcdefghijklmnopqrstuvwxyz") != "" {
				return nil, fmt.Errorf("no parameter at %q", rest)
			}
			parameters[key], rest = n, pair[end:]
		}
		items[name] = parameters
		if rest == "" {
			return items, nil
		}
		rest = strings.TrimLeft(rest, " \t")
		if !strings.HasPrefix(rest, ",") {
			return nil, errors.New("no comma between two")
		}
		text = strings.TrimLeft(rest[1:], " \t")
	}
}

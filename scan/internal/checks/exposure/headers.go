package exposure

import (
	"net/http"
	"regexp"
	"strings"
	"sync"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/login"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/wire"
)

// headers looks at the header fields of all answers: each flaw is one of the host.
func headers() check.Check {
	seen := &cookies{set: map[string]bool{}}
	once := newOnce()
	return check.Check{Kind: kindHeaders(), Phase: check.Passive, Look: func(t *probe.Target, ex *wire.Exchange, report check.Report) {
		if ex.Status == 0 || guessed(ex) {
			return
		}
		say := func(cause string, severity finding.Severity, says, control, point string) {
			if strings.HasPrefix(cause, "banner") && !once.first(cause) {
				return // All answers have it: one shows it.
			}
			report(check.Claim{
				Place: place(t, ex, point), Cause: cause, Severity: as(severity), Says: says, Control: control,
				Evidence: []finding.Evidence{evidence("the answer has it so", ex)},
			})
		}
		banners(ex, say)
		seen.look(t, ex, say)
		if !ex.OK() || len(ex.Body) == 0 || attacks(ex) {
			return
		}
		forBrowsers(ex, say)
		kept(t, ex, say)
	}}
}

type say func(cause string, severity finding.Severity, says, control, point string)

// versioned is the name of a software with its version.
var versioned = regexp.MustCompile(`[A-Za-z][\w.+-]*[/ ]v?\d+(?:\.\d+)+|^\d+\.\d+[\d.]*$`)

// banners are fields that name the software.
func banners(ex *wire.Exchange, say say) {
	for _, name := range []string{"Server", "X-Powered-By", "X-Aspnet-Version", "X-Aspnetmvc-Version", "X-Generator", "X-Runtime-Version", "X-Drupal-Cache", "Via"} {
		v := ex.Header.Get(name)
		if v == "" || name == "Via" || !versioned.MatchString(v) {
			continue
		}
		say("banner "+name, finding.Info, "the field "+name+" tells which software answers, with its version: "+cut(v, 80), "the field names a product and a number", "header "+name)
	}
}

// forBrowsers are fields that keep browsers from misreading an answer.
func forBrowsers(ex *wire.Exchange, say say) {
	media := ex.Media()
	if media != "" && !strings.EqualFold(strings.TrimSpace(ex.Header.Get("X-Content-Type-Options")), "nosniff") {
		say("nosniff", finding.Low, "answers have no X-Content-Type-Options: nosniff", "the answer is one of success with a body", "header X-Content-Type-Options")
	}
	if strings.HasPrefix(ex.Origin, "https:") && ex.Header.Get("Strict-Transport-Security") == "" {
		say("hsts", finding.Low, "answers over TLS have no Strict-Transport-Security", "the answer came over TLS", "header Strict-Transport-Security")
	}
	if media != "text/html" {
		return
	}
	policy := strings.Join(ex.Header.Values("Content-Security-Policy"), ";")
	if policy == "" {
		say("csp", finding.Low, "pages have no Content-Security-Policy", "the answer is a page", "header Content-Security-Policy")
	}
	if !strings.Contains(policy, "frame-ancestors") && ex.Header.Get("X-Frame-Options") == "" {
		say("framing", finding.Low, "pages can be framed by other sites", "the answer is a page with neither frame-ancestors nor X-Frame-Options", "header Content-Security-Policy")
	}
}

// kept looks at what caches may do with what is somebody's own.
func kept(t *probe.Target, ex *wire.Exchange, say say) {
	if ex.Request.Method != http.MethodGet || ex.Request.User == "" {
		return
	}
	u := userOf(t, ex.Request.User)
	if u == nil || !ownData(ex, u) {
		return
	}
	control := ex.Header.Get("Cache-Control")
	lower := strings.ToLower(control)
	switch {
	case strings.Contains(lower, "no-store"), strings.Contains(lower, "private"), strings.Contains(lower, "no-cache"), strings.Contains(lower, "max-age=0"):
	case strings.Contains(lower, "public") || strings.Contains(lower, "s-maxage"):
		say("cache public", finding.Medium, "shared caches may keep what belongs to one user: Cache-Control: "+cut(control, 60), "the answer holds values of "+u.Name+" that the request does not have", "header Cache-Control")
	case strings.EqualFold(ex.Header.Get("Pragma"), "no-cache"):
	default:
		say("cache", finding.Low, "answers with data of a user have no Cache-Control: no-store", "the answer holds values of "+u.Name+" that the request does not have", "header Cache-Control")
	}
}

// ownData reports whether an answer holds what belongs to a user.
func ownData(ex *wire.Exchange, u *login.User) bool {
	for _, kind := range []string{"email", "phone"} {
		if v := u.Known[kind]; len(v) >= 6 && strings.Contains(head(ex), v) && !sent(ex, v) {
			return true
		}
	}
	return false
}

// cookies are those that were set, by name.
type cookies struct {
	mu  sync.Mutex
	set map[string]bool
}

// look finds cookies of log-ins that lack attributes (RFC 6265, section 4.1.2).
func (c *cookies) look(t *probe.Target, ex *wire.Exchange, say say) {
	for _, cookie := range (&http.Response{Header: ex.Header}).Cookies() {
		if cookie.Value == "" || cookie.MaxAge < 0 || !isSession(t, cookie) {
			continue
		}
		var lacks []string
		severity := finding.Info
		if !cookie.HttpOnly {
			lacks, severity = append(lacks, "HttpOnly"), finding.Low
		}
		if !cookie.Secure && (!loopback(ex.Origin) || len(lacks) > 0) {
			lacks, severity = append(lacks, "Secure"), finding.Low
		}
		if cookie.SameSite == 0 && len(lacks) > 0 {
			lacks = append(lacks, "SameSite")
		}
		if len(lacks) == 0 {
			continue
		}
		c.mu.Lock()
		known := c.set[cookie.Name]
		c.set[cookie.Name] = true
		c.mu.Unlock()
		if !known {
			say("cookie "+cookie.Name, severity, "the cookie "+cookie.Name+" of the log-in has no "+strings.Join(lacks, ", no "), "its value is one that proves who is asking", "cookie "+cookie.Name)
		}
	}
}

// isSession reports whether a cookie proves who is asking.
func isSession(t *probe.Target, cookie *http.Cookie) bool {
	name := plain(cookie.Name)
	if strings.Contains(name, "csrf") || strings.Contains(name, "xsrf") {
		return false // Scripts of the page have to read it, and it proves nothing.
	}
	for _, u := range t.Users {
		for _, c := range u.Credentials() {
			if c.In == "cookie" && c.Name == cookie.Name && !c.Guard {
				return true
			}
		}
	}
	if len(cookie.Value) < 16 {
		return false
	}
	for _, w := range []string{"session", "sessid", "sid", "token", "jwt", "auth", "remember"} {
		if strings.Contains(name, w) {
			return true
		}
	}
	return false
}

// loopback reports whether nobody else can listen to the connection.
func loopback(origin string) bool {
	_, host, _ := strings.Cut(origin, "://")
	return strings.HasPrefix(host, "127.") || strings.HasPrefix(host, "localhost") || strings.HasPrefix(host, "[::1]")
}

package login

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/fastness/fastness/scan/wire"
)

var (
	logInPath     = regexp.MustCompile(`(?i)(^|[/._-])(log-?_?in|sign-?_?in|logon|auth(enticate|orize)?|sso|session/new|sessions?/new)($|[/?._-])`)
	passwordInput = regexp.MustCompile(`(?i)<input[^>]+type\s*=\s*["']?password`)
	loggedOutText = regexp.MustCompile(`(?i)\b(token|session|jwt|credentials?|signature|api.?key|authorization)\b[\w\s'":,.-]{0,40}\b(expired?|invalid|missing|required|revoked|malformed|not (valid|provided|found|set))|\b(expired|invalid|missing|no|bad|revoked) (access |auth |bearer |security )?(token|session|jwt|credentials?|api.?key|authorization)\b|not (logged|signed) in|(log|sign) ?in (required|to continue|first)|(must|need to|please) (be )?(log|sign)(ged)? ?-?in|not authenticated|unauthenticated|authentication (is )?required|unauthori[sz]ed`)
)

// toLogIn reports whether the answer leads to a log-in.
func toLogIn(ex *wire.Exchange) bool {
	if ex.Status < 300 || ex.Status >= 400 {
		return false
	}
	u, err := url.Parse(ex.Header.Get("Location"))
	return err == nil && logInPath.MatchString(u.Path)
}

// loginPage reports whether the answer is a page that asks for a password.
func loginPage(ex *wire.Exchange) bool {
	return strings.Contains(ex.Media(), "html") && passwordInput.Match(ex.Body)
}

// saysLoggedOut reports whether the answer says in words that somebody is not logged in,
// whatever its status is.
func saysLoggedOut(ex *wire.Exchange) bool {
	if len(ex.Body) > 4096 || ex.Status == 0 {
		return false
	}
	if ex.Status < 400 && !refusedPolitely(ex) && !onlyMessage(ex) {
		return false
	}
	return loggedOutText.Match(ex.Body)
}

// onlyMessage reports whether the body is nothing but a message.
func onlyMessage(ex *wire.Exchange) bool {
	m, ok := decoded(ex).(map[string]any)
	if !ok {
		return len(ex.Body) < 100 && !bytes.ContainsAny(ex.Body, "<{[")
	}
	for name := range m {
		switch plain(name) {
		case "message", "msg", "error", "detail", "status", "code", "success", "reason", "title", "errors", "statuscode", "type", "timestamp", "path":
		default:
			return false
		}
	}
	return len(m) > 0
}

// How long it is believed that an answer which looks logged out is not, in answers.
const believed = 40

// Keep is given an answer to a user. It reports whether the user was logged out, and is
// logged in again, so that the request is worth repeating. Users that it does not know,
// such as copies with forged credentials, stay as they are.
func (k *Keeper) Keep(ctx context.Context, u *User, ex *wire.Exchange) bool {
	k.mu.Lock()
	e := k.entries[u]
	k.mu.Unlock()
	if e == nil || e.recipe == nil || ex.Status == 0 {
		return false
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.answers++
	if e.lost || e.recipe.method.isStatic() {
		return false
	}
	if !k.looksLoggedOut(e, ex) {
		k.refresh(ctx, e, ex)
		return false
	}
	if !carries(ex.Request, u.Credentials()) {
		return true // Another answer said so, too, and was faster.
	}
	key := ex.Request.Method + " " + ex.Request.Path + " " + ex.Request.Operation
	if at, ok := e.denials[key]; ok && e.answers-at < believed {
		return false
	}
	if e.proof != nil && k.stillIn(ctx, e) {
		e.denials[key] = e.answers
		return false
	}
	if err := k.again(ctx, e); err != nil {
		k.failed(e, err)
		return false
	}
	clear(e.denials)
	if e.proof == nil {
		e.denials[key] = e.answers // What is still refused is refused to the user.
	} else if k.stillIn(ctx, e) {
		e.futile = 0
	} else if e.futile++; e.futile >= 2 {
		k.failed(e, errFutile)
	}
	return true
}

var errFutile = errors.New("logged in again, and still not let in")

// failed notes that a user cannot be logged in again. A refusal is final: each further
// one could lock the user.
func (k *Keeper) failed(e *entry, err error) {
	k.config.Logger.Warn("a user is logged out", "user", e.account.Name, "error", err.Error())
	e.failures++
	if e.failures >= 2 || errors.Is(err, errFutile) {
		e.lost = true
		k.mu.Lock()
		e.err = fmt.Errorf("logged out, and not in again: %w", err)
		k.mu.Unlock()
	}
}

// isStatic reports whether there is no log-in that could be repeated.
func (m *Method) isStatic() bool { return m.Basic || m.Page == nil && len(m.steps()) == 0 }

// looksLoggedOut reports whether the answer may be one to somebody who is logged out. Of
// 403 it may be only if it says so, or is what strangers are answered.
func (k *Keeper) looksLoggedOut(e *entry, ex *wire.Exchange) bool {
	s := k.config.LoggedOut
	location := ex.Header.Get("Location")
	switch {
	case slices.Contains(s.Status, ex.Status),
		slices.ContainsFunc(s.Contains, func(text string) bool { return bytes.Contains(ex.Body, []byte(text)) }),
		location != "" && slices.ContainsFunc(s.Redirects, func(part string) bool { return strings.Contains(location, part) }):
		return true
	case ex.Status == http.StatusUnauthorized, toLogIn(ex), loginPage(ex), saysLoggedOut(ex):
		return true
	}
	return e.proof != nil && (e.proof.gate.denies() && like(ex, e.proof.gate.nobody) || e.proof.garbage != nil && denied(e.proof.garbage) && like(ex, e.proof.garbage))
}

// stillIn asks whether the user is logged in. Only an answer that says otherwise counts.
func (k *Keeper) stillIn(ctx context.Context, e *entry) bool {
	ex := k.ask(ctx, e.user.Name, e.proof.gate.request, e.user.Credentials())
	if like(ex, e.proof.gate.nobody) || like(ex, e.proof.garbage) && !e.proof.weak {
		return false
	}
	return ex.Status != http.StatusUnauthorized
}

// refresh follows an answer to somebody who is logged in: new cookies and guards take the
// place of old ones, and a log-in that is about to end is renewed.
func (k *Keeper) refresh(ctx context.Context, e *entry, ex *wire.Exchange) {
	have := e.user.Credentials()
	if next, identity := rolled(have, ex); next != nil {
		if !identity || k.sameUser(ctx, e, next) {
			e.user.SetCredentials(next...)
		}
		return
	}
	if !e.renew.IsZero() && time.Now().After(e.renew) {
		if err := k.again(ctx, e); err != nil {
			e.renew = time.Now().Add(10 * time.Second)
			k.failed(e, err)
		}
	}
}

// sameUser reports whether credentials that an answer brought are those of the same user:
// it may have been the answer to a log-in of somebody else.
func (k *Keeper) sameUser(ctx context.Context, e *entry, credentials []Credential) bool {
	return e.proof != nil && like(e.proof.user, k.ask(ctx, e.user.Name, e.proof.gate.request, credentials))
}

// rolled returns the credentials that an answer changes, or nil; and whether one of them
// says who it is from.
func rolled(have []Credential, ex *wire.Exchange) (next []Credential, identity bool) {
	if ex.Status >= 400 || logInPath.MatchString(ex.Request.Path) || registerText.MatchString(ex.Request.Path) || !carries(ex.Request, have) {
		return nil, false
	}
	change := func(i int, value string) {
		if value == "" || have[i].Value == value {
			return
		}
		if next == nil {
			next = slices.Clone(have)
		}
		identity = identity || !have[i].Guard && !guardName.MatchString(have[i].Name)
		next[i].Value = value
	}
	for i, c := range have {
		switch {
		case c.In == "header" && c.Guard:
			change(i, ex.Header.Get(c.Name))
		case c.In == "cookie":
			for _, set := range setCookies(ex) {
				if set.Name == c.Name && !gone(set) {
					change(i, set.Value)
					repeatGuard(have, c, set.Value, change)
				}
			}
		}
	}
	return next, identity
}

// repeatGuard changes the header that repeats a cookie, too.
func repeatGuard(have []Credential, cookie Credential, value string, change func(int, string)) {
	for i, c := range have {
		if c.Guard && c.In == "header" && c.Value == unescaped(cookie.Value) && guardName.MatchString(cookie.Name) {
			change(i, unescaped(value))
		}
	}
}

// carries reports whether a request was sent with the credentials.
func carries(r wire.Request, credentials []Credential) bool {
	credentials = slices.DeleteFunc(slices.Clone(credentials), func(c Credential) bool { return c.Guard })
	var alone wire.Request
	(&User{credentials: credentials}).Apply(&alone)
	for name, values := range alone.Header {
		if !strings.Contains(r.Header.Get(name), values[0]) {
			return false
		}
	}
	return strings.Contains(r.Query, alone.Query)
}

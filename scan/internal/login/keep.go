package login

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"

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

// Keep is given an answer to a user. It reports whether the user was logged out, and is
// logged in again, so that the request is worth repeating.
func (k *Keeper) Keep(ctx context.Context, u *User, ex *wire.Exchange) bool {
	k.mu.Lock()
	e := k.entries[u]
	k.mu.Unlock()
	if e == nil || e.recipe == nil || !k.looksLoggedOut(e, ex) {
		return false
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if !carries(ex.Request, u.Credentials()) {
		return true // Another answer said so, too, and was faster.
	}
	if len(e.recipe.method.Credentials) > 0 || e.recipe.method.Basic || k.stillIn(ctx, e) {
		return false
	}
	return k.again(ctx, e) == nil
}

// looksLoggedOut reports whether the answer may be one to somebody who is logged out.
func (k *Keeper) looksLoggedOut(e *entry, ex *wire.Exchange) bool {
	return ex.Status == http.StatusUnauthorized || denied(ex) && ex.Status != http.StatusForbidden ||
		e.proof != nil && (like(ex, e.proof.gate.nobody) || like(ex, e.proof.garbage))
}

// stillIn asks whether the user is logged in.
func (k *Keeper) stillIn(ctx context.Context, e *entry) bool {
	if e.proof == nil {
		return false
	}
	ex := k.ask(ctx, e.user.Name, e.proof.gate.request, e.user.Credentials())
	return !like(ex, e.proof.gate.nobody) && !like(ex, e.proof.garbage) && ex.Status != http.StatusUnauthorized
}

// carries reports whether a request was sent with the credentials.
func carries(r wire.Request, credentials []Credential) bool {
	var plainRequest wire.Request
	(&User{credentials: credentials}).Apply(&plainRequest)
	for name, values := range plainRequest.Header {
		if !strings.Contains(r.Header.Get(name), values[0]) {
			return false
		}
	}
	return strings.Contains(r.Query, plainRequest.Query)
}

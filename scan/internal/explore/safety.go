package explore

import (
	"slices"
	"strings"

	"github.com/fastness/fastness/scan/internal/spec"
	"github.com/fastness/fastness/scan/internal/value"
)

// Dangerous returns why an operation is left alone by an exploration, or "": it may wipe
// the target, stop it, or lock the scan out. It looks at names only; the innocent that are
// left out with the rest are the price.
func Dangerous(op *spec.Operation) string {
	words := value.Words(op.ID)
	for _, segment := range op.Segments() {
		if !isParameter(segment) {
			words = append(words, value.Words(segment)...)
		}
	}
	if why := dangerousWords(words, op); why != "" {
		return why
	}
	if why := dangerousWords(value.Words(op.Summary), op); why != "" && len(op.Summary) < 80 {
		return why
	}
	return ""
}

func dangerousWords(words []string, op *spec.Operation) string {
	has := func(any ...string) bool {
		return slices.ContainsFunc(any, func(w string) bool { return slices.Contains(words, w) })
	}
	joined := strings.Join(words, "")
	unsafe := !op.Safe()
	switch {
	case has("wipe", "truncate", "purge", "shutdown", "restart", "reboot", "seed", "populate", "createdb", "dropdb", "resetdb", "initdb", "flush", "factory", "migrate", "selfdestruct", "nuke", "erase", "terminate", "halt", "poweroff"),
		strings.Contains(joined, "createdb") || strings.Contains(joined, "dropdb") || strings.Contains(joined, "deleteall") || strings.Contains(joined, "removeall") || strings.Contains(joined, "clearall"):
		return "its name says that it wipes or stops the target"
	case has("drop") && has("db", "database", "table", "tables", "all"):
		return "its name says that it wipes the target"
	case has("reset") && !has("password", "link"):
		return "its name says that it resets something"
	case has("logout", "signout", "logoff") || strings.Contains(joined, "logout") || strings.Contains(joined, "signout"):
		return "its name says that it ends a log-in"
	case unsafe && has("revoke", "deactivate", "suspend", "ban", "lock", "disable", "deregister", "unregister"):
		return "its name says that it takes access away"
	case unsafe && has("close", "delete", "remove", "terminate") && has("account", "me", "self", "profile"):
		return "its name says that it ends an account"
	case op.Method == "DELETE" && aboutCaller(op):
		return "it removes the caller"
	case unsafe && has("password", "passwd", "pwd", "passphrase") && !has("register", "signup", "check", "strength", "validate"):
		return "its name says that it changes a password"
	case unsafe && (has("2fa", "mfa", "totp", "webauthn") && !has("verify", "status")):
		return "its name says that it changes how users log in"
	case unsafe && has("rotate", "regenerate") && has("key", "token", "secret", "keys", "tokens"):
		return "its name says that it replaces credentials"
	case unsafe && has("broadcast", "newsletter", "bulkmail", "massmail", "blast") && !has("preview", "render", "draft", "subscribe"):
		return "its name says that it writes to many people"
	}
	return ""
}

// aboutCaller reports whether an operation is about whoever calls it, and nothing below.
func aboutCaller(op *spec.Operation) bool {
	segments := op.Segments()
	if len(segments) == 0 {
		return false
	}
	switch strings.ToLower(segments[len(segments)-1]) {
	case "me", "self", "profile", "account", "whoami", "myself", "current", "session", "sessions":
		return true
	}
	return false
}

// mine reports whether a path is about whoever calls it.
func mine(op *spec.Operation) bool {
	for _, segment := range op.Segments() {
		if isParameter(segment) {
			continue
		}
		words := value.Words(segment)
		for _, w := range words {
			switch w {
			case "me", "my", "mine", "self", "whoami", "profile", "account", "cart", "basket", "wallet", "dashboard", "settings", "preferences", "inbox", "current":
				return true
			}
		}
	}
	return false
}

// acts reports whether an operation that should only read is named after something that
// it does: GET /orders/{id}/cancel. It is tried once, and not used to look at things.
func acts(op *spec.Operation) bool {
	if !op.Safe() || len(op.Segments()) == 0 || isParameter(last(op)) {
		return false
	}
	words := value.Words(last(op))
	if len(words) == 0 {
		return false
	}
	switch words[0] {
	case "cancel", "delete", "remove", "approve", "reject", "pay", "confirm", "activate", "refund", "like", "unlike", "vote", "follow", "unfollow", "send", "transfer",
		"accept", "decline", "publish", "unpublish", "archive", "restore", "buy", "order", "checkout", "redeem", "subscribe", "unsubscribe", "add", "create", "update", "set", "toggle", "increment", "apply", "submit", "execute", "run", "trigger", "start", "stop":
		return true
	}
	return false
}

// logsIn reports whether an operation logs somebody in; signsUp whether it makes an
// account.
func logsIn(op *spec.Operation) bool {
	return !op.Safe() && hasWord(op, "login", "signin", "authenticate", "token", "session", "sessions", "auth", "logon") && !signsUp(op)
}

// IsLogIn reports whether an operation logs somebody in.
func IsLogIn(op *spec.Operation) bool { return logsIn(op) }

// IsSign reports whether an operation logs somebody in, or makes an account.
func IsSign(op *spec.Operation) bool { return logsIn(op) || signsUp(op) }

func signsUp(op *spec.Operation) bool {
	return op.Method == "POST" && (hasWord(op, "register", "signup", "registration", "registrations", "enroll") || hasWord(op, "sign") && hasWord(op, "up"))
}

// paysOrMails reports whether an operation costs something, so that once is enough.
func paysOrMails(op *spec.Operation) bool {
	return !op.Safe() && hasWord(op, "pay", "payment", "payments", "charge", "checkout", "transfer", "withdraw", "refund", "invite", "invitation", "mail", "email", "sms", "notify", "contact", "forgot")
}

func hasWord(op *spec.Operation, any ...string) bool {
	for _, segment := range op.Segments() {
		if isParameter(segment) {
			continue
		}
		words := value.Words(segment)
		if slices.ContainsFunc(any, func(w string) bool { return slices.Contains(words, w) || strings.ToLower(segment) == w }) {
			return true
		}
	}
	return false
}

// Acts reports whether an operation that should only read is named after something that it
// does, as GET /orders/{id}/cancel.
func Acts(op *spec.Operation) bool { return acts(op) }

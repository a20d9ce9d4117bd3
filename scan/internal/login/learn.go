package login

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/fastness/fastness/scan/wire"
)

// canonical returns the name under which a value of a user is known, or "" if it is none.
func canonical(name string) string {
	switch plain(name) {
	case "id", "userid", "uid", "accountid", "customerid", "memberid", "sub", "subject", "pk":
		return "id"
	case "uuid", "guid", "publicid":
		return "uuid"
	case "username", "user", "login", "preferredusername", "nickname", "handle", "uname":
		return "username"
	case "email", "mail", "emailaddress", "useremail":
		return "email"
	case "phone", "mobile", "phonenumber", "mobilenumber":
		return "phone"
	case "name", "fullname", "displayname":
		return "name"
	case "role", "accountnumber", "tenant", "tenantid", "slug", "organization":
		return strings.ToLower(name)
	}
	return ""
}

// learn collects what stands for a user: claims of the token, the answer to the log-in,
// and what operations answer that tell who somebody is.
func (k *Keeper) learn(ctx context.Context, e *entry, a *attempt) {
	known := e.user.Known
	for _, c := range e.user.Credentials() {
		claims := claimsOf(c.Value)
		for _, name := range slices.Sorted(maps.Keys(claims)) {
			e.know(canonical(name), scalar(claims[name]))
		}
		if sub := scalar(claims["sub"]); sub != "" {
			known["sub"] = sub
		}
	}
	if last := a.last(); last != nil {
		e.knowOf(decoded(last), true, 0)
	}
	if e.proof != nil {
		e.knowOf(decoded(e.proof.user), meText.MatchString(e.proof.gate.request.Path), 0)
	}
	asked := 0
	for _, op := range k.config.API.Operations {
		if op.Method != "GET" || strings.Contains(op.Path, "{") || !meText.MatchString(op.Path) || dangerous.MatchString(op.Path) || asked == 3 {
			continue
		}
		asked++
		r := wire.Request{Method: "GET", Path: op.Path, Operation: op.ID, Header: http.Header{"Accept": {"application/json"}}}
		if ex := k.ask(ctx, e.user.Name, r, e.user.Credentials()); ex.OK() {
			e.knowOf(decoded(ex), true, 0)
		}
	}
	for name, v := range known {
		if secretName(name) {
			e.user.Hide(v)
		}
	}
}

// know keeps a value, if there is none of this name.
func (e *entry) know(name, value string) {
	if name != "" && value != "" && len(value) < 256 && e.user.Known[name] == "" {
		e.user.Known[name] = value
	}
}

// knowOf keeps what a document says of the user: all of it if it is about the user, else
// the object in it that has the username or e-mail address.
func (e *entry) knowOf(v any, about bool, depth int) {
	if depth > 3 {
		return
	}
	switch v := v.(type) {
	case map[string]any:
		if other := e.anotherUser(v); other {
			return
		}
		if about || e.mentioned(v) {
			for _, name := range slices.Sorted(maps.Keys(v)) {
				if _, isBool := v[name].(bool); !isBool {
					e.know(canonicalOf(name), scalar(v[name]))
				}
			}
		}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			inner := about && slices.Contains([]string{"user", "data", "profile", "account", "me", "result", "customer", "payload"}, plain(name))
			e.knowOf(v[name], inner, depth+1)
		}
	case []any:
		for _, element := range v[:min(len(v), 100)] {
			e.knowOf(element, false, depth+1)
		}
	}
}

// canonicalOf is canonical for documents, where _id is an id, too.
func canonicalOf(name string) string {
	if name == "_id" {
		return "id"
	}
	return canonical(name)
}

// mentioned reports whether an object has a value that only this user has.
func (e *entry) mentioned(m map[string]any) bool {
	for name, v := range m {
		switch c := canonicalOf(name); c {
		case "username", "email":
			if s := scalar(v); s != "" && (strings.EqualFold(s, e.user.Known[c]) || strings.EqualFold(s, e.account.Username)) {
				return true
			}
		}
	}
	return false
}

// anotherUser reports whether an object is about somebody else.
func (e *entry) anotherUser(m map[string]any) bool {
	for name, v := range m {
		c := canonicalOf(name)
		s, have := scalar(v), e.user.Known[c]
		if c == "email" && s != "" && have != "" && !strings.EqualFold(s, have) {
			return true
		}
	}
	return false
}

package login

import (
	"encoding/json"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"sort"
	"strings"

	"github.com/fastness/fastness/scan/wire"
)

// found is a value of an answer that may be a token.
type found struct {
	where  locator
	value  string
	weight int
}

var jwtText = regexp.MustCompile(`^[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{2,}\.[A-Za-z0-9_-]*$`)

var mailText = regexp.MustCompile(`^[^@]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}$`)

// tokenNames are what tokens are called, the likely ones first, as [plain] has it.
var tokenNames = [...]string{
	"accesstoken", "token", "jwt", "jwttoken", "authtoken", "bearertoken", "apitoken", "usertoken", "sessiontoken", "xauthtoken",
	"bearer", "authorization", "authenticationtoken", "authorizationtoken", "idtoken", "sessionid", "sid", "session", "sessionkey", "ticket",
	"apikey", "xapikey", "accesskey", "authkey", "key", "auth", "access", "secret", "securitytoken", "credential",
}

// notTokens are parts of names of what looks like a token and is none.
var notTokens = [...]string{"refresh", "csrf", "xsrf", "reset", "verification", "verify", "confirm", "activation", "tokentype", "expire", "push", "device", "fcm", "remember", "requestid", "traceid", "challenge", "nonce"}

// findTokens returns the values of an answer that may be a token, the likely ones first:
// members of the body, headers, then the body as a whole.
func findTokens(ex *wire.Exchange) []found {
	var out []found
	doc := decoded(ex)
	collectTokens(doc, "", "", &out, 0)
	if s, ok := doc.(string); ok && opaque(s) {
		out = append(out, found{locator{in: "body"}, s, 50})
	}
	if text := strings.TrimSpace(ex.Text()); doc == nil && (jwtText.MatchString(text) || strings.HasPrefix(ex.Media(), "text/plain") && opaque(text)) {
		out = append(out, found{locator{in: "body"}, text, 50})
	}
	for _, name := range slices.Sorted(maps.Keys(ex.Header)) {
		out = append(out, headerToken(name, ex.Header)...)
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].weight > out[j].weight })
	return out
}

func headerToken(name string, h http.Header) []found {
	p := strings.TrimPrefix(plain(name), "x")
	if !slices.Contains(tokenNames[:], p) || p == "key" {
		return nil
	}
	value := withoutScheme(h.Get(name))
	if !opaque(value) {
		return nil
	}
	return []found{{locator{in: "header", name: name}, value, 60}}
}

// opaque reports whether a text may be a token: one word, and not a short one.
func opaque(s string) bool {
	return len(s) >= 6 && len(s) <= 8192 && !strings.ContainsAny(s, " \t\r\n<>{}\"")
}

// collectTokens walks a document.
func collectTokens(v any, at, name string, out *[]found, depth int) {
	if depth > 6 {
		return
	}
	switch v := v.(type) {
	case map[string]any:
		for _, n := range slices.Sorted(maps.Keys(v)) {
			escaped := strings.ReplaceAll(strings.ReplaceAll(n, "~", "~0"), "/", "~1")
			collectTokens(v[n], at+"/"+escaped, n, out, depth+1)
		}
	case []any:
		for i, e := range v {
			if i < 3 {
				collectTokens(e, at+"/"+string(rune('0'+i)), name, out, depth+1)
			}
		}
	case string:
		if w := tokenWeight(name, at, v); w > 0 {
			*out = append(*out, found{locator{in: "body", name: at}, withoutScheme(v), w})
		}
	case json.Number:
		if i := slices.Index(tokenNames[:], plain(name)); i >= 0 && i < 18 && len(v.String()) >= 6 {
			*out = append(*out, found{locator{in: "body", name: at}, v.String(), 30 - i})
		}
	}
}

// tokenWeight returns how likely a member is the token, 0 if it is none.
func tokenWeight(name, at, value string) int {
	bare := withoutScheme(value)
	if !opaque(bare) {
		return 0
	}
	p, all := plain(name), plain(at)
	for _, no := range notTokens {
		if strings.Contains(all, no) {
			return 0
		}
	}
	weight := 0
	if i := slices.Index(tokenNames[:], p); i >= 0 {
		weight = 100 - i
	} else if strings.Contains(p, "token") || strings.Contains(p, "jwt") {
		weight = 60
	} else if p == "value" && strings.Contains(all, "token") || strings.Contains(p, "session") || strings.HasSuffix(p, "apikey") {
		weight = 50
	}
	if jwtText.MatchString(bare) {
		weight += 40
	} else if weight > 0 && mailText.MatchString(bare) {
		return 0
	}
	if weight > 0 && p == "idtoken" {
		weight -= 30 // It is meant for the client (OpenID Connect Core, section 2), but not everybody knows.
	}
	return weight
}

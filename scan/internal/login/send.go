package login

import (
	"encoding/base64"
	"maps"
	"slices"
	"strings"

	"github.com/fastness/fastness/scan/internal/spec"
)

// candidate is a way in which a request may say who it is from.
type candidate struct {
	credentials []Credential
	// send are the credentials with {{token}} in place of the token, which is at token of
	// the answer; both are empty where the candidate says it all.
	send  []Credential
	token *locator
	how   string
}

// usualSends are how tokens are sent, the usual ways first.
var usualSends = [...]Credential{
	{In: "header", Name: "Authorization", Prefix: "Bearer "},
	{In: "header", Name: "Authorization", Prefix: "Token "},
	{In: "header", Name: "Authorization", Prefix: "JWT "},
	{In: "header", Name: "Authorization"},
	{In: "header", Name: "X-Access-Token"},
	{In: "header", Name: "X-Auth-Token"},
	{In: "header", Name: "X-API-Key"},
	{In: "header", Name: "X-Token"},
	{In: "header", Name: "Token"},
	{In: "header", Name: "X-Session-Token"},
	{In: "header", Name: "Authorization-Token"},
	{In: "header", Name: "X-Authorization", Prefix: "Bearer "},
	{In: "cookie", Name: "token"},
	{In: "cookie", Name: "access_token"},
	{In: "cookie", Name: "session"},
	{In: "query", Name: "token"},
	{In: "query", Name: "access_token"},
	{In: "query", Name: "api_key"},
}

// sends returns the ways to send a token: what the document declares, most used first,
// then the usual ones.
func sends(api *spec.API) (declared, usual []Credential) {
	used := map[string]int{}
	for _, op := range api.Operations {
		for _, r := range op.Security {
			for name := range r {
				used[name]++
			}
		}
	}
	names := slices.Sorted(maps.Keys(api.Schemes))
	slices.SortStableFunc(names, func(a, b string) int { return used[b] - used[a] })
	add := func(list []Credential, c Credential) []Credential {
		if c.Name == "" || slices.Contains(declared, c) {
			return list
		}
		return append(list, c)
	}
	for _, name := range names {
		switch s := api.Schemes[name]; strings.ToLower(s.Type) {
		case "http":
			if !strings.EqualFold(s.Scheme, "basic") && s.Scheme != "" {
				declared = add(declared, Credential{In: "header", Name: "Authorization", Prefix: schemeName(s.Scheme)})
			}
		case "oauth2", "openidconnect":
			declared = add(declared, usualSends[0])
		case "apikey":
			declared = add(declared, Credential{In: strings.ToLower(s.In), Name: s.Name})
			if strings.EqualFold(s.Name, "Authorization") {
				declared = add(declared, usualSends[0])
			}
		}
	}
	for _, c := range usualSends {
		usual = add(usual, c)
	}
	return declared, usual
}

// schemeName returns a scheme as it is usually written.
func schemeName(scheme string) string {
	if strings.EqualFold(scheme, "bearer") {
		return "Bearer "
	}
	return scheme + " "
}

// basicCredential returns what HTTP Basic sends (RFC 7617).
func basicCredential(username, password string) Credential {
	return Credential{In: "header", Name: "Authorization", Prefix: "Basic ", Value: base64.StdEncoding.EncodeToString([]byte(username + ":" + password))}
}

// candidates returns the ways to say who the user is after a log-in, the likely ones
// first. Of a method that says how, it is one.
func (m *Method) candidates(a *attempt, api *spec.API) []candidate {
	switch {
	case m.Basic:
		c := basicCredential(a.values["username"], a.values["password"])
		return []candidate{{credentials: []Credential{c}, how: "HTTP Basic"}}
	case len(m.Credentials) > 0:
		return []candidate{{credentials: filled(m.Credentials, a.values, ""), how: describeSend(m.Credentials)}}
	}
	tokens := m.tokens(a)
	guards := a.guards()
	cookies := append(a.jar.credentials(), guards...)
	if m.cookies {
		return []candidate{{credentials: cookies, how: "the cookies of the log-in"}}
	}
	if len(m.Send) > 0 {
		var out []candidate
		for _, t := range tokens {
			out = append(out, newCandidate(t, m.Send, a.values))
		}
		if len(tokens) == 0 && !needToken(m.Send) {
			out = append(out, candidate{credentials: append(filled(m.Send, a.values, ""), cookies...), how: describeSend(m.Send)})
		}
		return out
	}
	declared, usual := sends(api)
	var out []candidate
	try := func(ways []Credential) {
		for _, way := range ways {
			for _, t := range tokens {
				out = append(out, newCandidate(t, []Credential{way}, a.values))
			}
		}
	}
	try(declared)
	if len(tokens) > 0 && tokens[0].weight >= 60 {
		try(usual[:min(4, len(usual))])
	}
	if len(cookies) > len(guards) {
		out = append(out, candidate{credentials: cookies, how: "the cookies of the log-in"})
	}
	try(usual)
	if len(cookies) > len(guards) && len(tokens) > 0 {
		both := newCandidate(tokens[0], []Credential{usualSends[0]}, a.values)
		both.credentials, both.how = append(both.credentials, cookies...), both.how+" and the cookies of the log-in"
		out = append(out, both)
	}
	return out
}

// needToken reports whether a way to send has a place for the token.
func needToken(send []Credential) bool {
	return slices.ContainsFunc(send, func(c Credential) bool { return c.Value == "" || slices.Contains(placeholders(c.Value), "token") })
}

// tokens returns what may be the token after a log-in.
func (m *Method) tokens(a *attempt) []found {
	if t := a.values["token"]; t != "" && m.Token == "" {
		return []found{{where: locator{}, value: t, weight: 100}}
	}
	if m.Token != "" {
		where, _ := parseLocator(m.Token) // validated by New
		for _, ex := range slices.Backward(a.pages) {
			if v := withoutScheme(where.of(ex)); v != "" {
				return []found{{where, v, 100}}
			}
		}
		return nil
	}
	for _, ex := range slices.Backward(a.pages) {
		if list := findTokens(ex); len(list) > 0 {
			return list[:min(4, len(list))]
		}
	}
	return nil
}

func newCandidate(t found, send []Credential, values map[string]string) candidate {
	c := candidate{credentials: filled(send, values, t.value), send: send, how: describeSend(send)}
	if t.where.in != "" {
		c.token = &t.where
		c.how += ", with the token from " + t.where.String()
	}
	return c
}

// filled returns the credentials with their values.
func filled(send []Credential, values map[string]string, token string) []Credential {
	with := map[string]string{"token": token}
	for name, v := range values {
		if name != "token" || token == "" {
			with[name] = v
		}
	}
	out := slices.Clone(send)
	for i := range out {
		if out[i].Value == "" {
			out[i].Value = "{{token}}"
		}
		out[i].Value = fill(out[i].Value, with)
	}
	return out
}

// describeSend says how a token is sent.
func describeSend(send []Credential) string {
	var parts []string
	for _, c := range send {
		parts = append(parts, strings.TrimSpace(c.In+" "+c.Name+" "+c.Prefix))
	}
	return strings.Join(parts, " and ")
}

// garbled returns credentials that nobody has, of the same form.
func garbled(credentials []Credential) []Credential {
	out := slices.Clone(credentials)
	for i, c := range out {
		switch {
		case c.Guard:
		case c.Prefix == "Basic ":
			out[i] = basicCredential("fz-nobody", "fz-no-password")
		default:
			out[i].Value = strings.Map(rotate, c.Value)
		}
	}
	return out
}

func rotate(r rune) rune {
	switch {
	case r >= 'a' && r <= 'z':
		return 'a' + (r-'a'+7)%26
	case r >= 'A' && r <= 'Z':
		return 'A' + (r-'A'+7)%26
	case r >= '0' && r <= '9':
		return '0' + (r-'0'+3)%10
	}
	return r
}

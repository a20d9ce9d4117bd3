package main

import (
	"net/http"
	"strings"
)

// The staff is in a directory, which is asked by filters as LDAP has them (RFC 4515).

func staff() []map[string]string {
	return []map[string]string{
		{"name": "gisela", "telephone": "11", "public": "TRUE"},
		{"name": "hartmut", "telephone": "12", "public": "TRUE"},
		{"name": "mechthild", "telephone": "13", "public": "TRUE"},
		{"name": "night watch", "telephone": "666", "public": "FALSE"},
	}
}

func (s *shop) directory(w http.ResponseWriter, r *http.Request) {
	people := []map[string]string{}
	for _, entry := range staff() {
		// FLAW LK-91 (IN-09, API8:2023, CWE-90): the name becomes part of the filter, stars and brackets too
		if found, rest := filter("(&(public=TRUE)(name="+r.URL.Query().Get("name")+"))", entry); found && rest == "" {
			people = append(people, entry)
		}
	}
	reply(w, 200, map[string]any{"people": people})
}

// filter reports whether an entry fits the filter at the beginning of text, and returns
// what is behind it. A broken filter fits nothing.
func filter(text string, entry map[string]string) (fits bool, rest string) {
	text, ok := strings.CutPrefix(text, "(")
	if !ok || text == "" {
		return false, "broken"
	}
	switch operator := text[0]; operator {
	case '&', '|', '!':
		text, fits = text[1:], operator == '&'
		for strings.HasPrefix(text, "(") {
			var one bool
			one, text = filter(text, entry)
			switch operator {
			case '&':
				fits = fits && one
			case '|':
				fits = fits || one
			default:
				fits = !one
			}
		}
	default:
		var assertion string
		assertion, text, ok = strings.Cut(text, ")")
		name, value, _ := strings.Cut(assertion, "=")
		held, has := entry[name]
		return ok && has && starMatch(strings.ToLower(value), strings.ToLower(held)), text
	}
	rest, ok = strings.CutPrefix(text, ")")
	if !ok {
		return false, "broken"
	}
	return fits, rest
}

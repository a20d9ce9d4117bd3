package inject_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

var goods = []string{"lantern", "horn", "chain"}

// texts are comparisons of texts and numbers that the little database understands.
var (
	texts   = regexp.MustCompile(`(?i)^(.*?)(%?)'( *\)*) (AND|OR) (\(*)'([^']*)'(<|>|=)'([^']*)'? *\)*(?: *-- -)?'?\)*$`)
	numbers = regexp.MustCompile(`(?i)^(-?[0-9]+) (AND|OR) ([0-9]+)(<|>|=)([0-9]+)$`)
)

// decide is a condition of a statement that a value became part of: whether it holds for a
// row, and whether the statement is one at all.
func decide(value string, fits func(string) bool) (holds, ok bool) {
	compare := func(l, op, r string) bool {
		return op == "<" && l < r || op == ">" && l > r || op == "=" && l == r
	}
	if m := texts.FindStringSubmatch(value + "'"); m != nil {
		truth := compare(strings.TrimRight(m[6], "%"), m[7], strings.TrimRight(m[8], "%"))
		if strings.EqualFold(m[4], "OR") {
			return fits(m[1]) || truth, true
		}
		return fits(m[1]) && truth, true
	}
	if m := numbers.FindStringSubmatch(value); m != nil {
		truth := compare(m[3], m[4], m[5])
		if strings.EqualFold(m[2], "OR") {
			return fits(m[1]) || truth, true
		}
		return fits(m[1]) && truth, true
	}
	return fits(value), strings.Count(value, "'")%2 == 0
}

func rows(fits func(string) bool) []string {
	out := []string{}
	for _, g := range goods {
		if fits(g) {
			out = append(out, g)
		}
	}
	return out
}

// concatenated answers as if the value had become part of a statement of texts.
func concatenated(w http.ResponseWriter, value, complaint string) {
	out, broken := []string{}, false
	for _, g := range goods {
		holds, ok := decide(value, func(v string) bool { return v == g })
		broken = broken || !ok
		if holds {
			out = append(out, g)
		}
	}
	if broken {
		say(w, 500, map[string]string{"error": complaint})
		return
	}
	say(w, 200, map[string]any{"goods": out})
}

func TestSQLInjectionIsFound(t *testing.T) {
	t.Parallel()
	login := func(w http.ResponseWriter, r *http.Request) {
		name, _ := sent(r, "username").(string)
		holds, ok := decide(name, func(v string) bool { return v == "alice" })
		switch {
		case !ok:
			say(w, 500, map[string]string{"error": "oops"})
		case !holds:
			say(w, 200, map[string]any{"success": false, "error": "who?"})
		default:
			say(w, 200, map[string]any{"success": true, "hello": "alice"})
		}
	}
	try(t, []string{"IN-01", "IN-02"}, []twin{
		{"a text whose condition decides", query("/goods", "name", "string", "lantern"), func(w http.ResponseWriter, r *http.Request) {
			concatenated(w, r.FormValue("name"), "error")
		}, "IN-01 GET /goods"},
		{"a text that finds nothing as it is", query("/goods", "name", "string", "nothing"), func(w http.ResponseWriter, r *http.Request) {
			concatenated(w, r.FormValue("name"), "error")
		}, "IN-01 GET /goods"},
		{"a number in a path", `"/goods/{id}": {"get": {"parameters": [{"name": "id", "in": "path", "required": true, "example": 2, "schema": {"type": "integer"}}], "responses": {"200": {"description": "it"}}}}`,
			func(w http.ResponseWriter, r *http.Request) {
				id := strings.TrimPrefix(r.URL.Path, "/goods/")
				holds, ok := decide(id, func(v string) bool { return v == "2" })
				if !ok || !holds {
					say(w, 404, map[string]string{"error": "none"})
					return
				}
				say(w, 200, map[string]any{"id": 2, "name": "horn"})
			}, "IN-01 GET /goods/{id}"},
		{"a log-in that is a form and answers 200 to all", body("/login", "application/x-www-form-urlencoded", "username", "string", "alice"), login, "IN-01 POST /login"},
		{"an error that is shown", query("/goods", "name", "string", "lantern"), func(w http.ResponseWriter, r *http.Request) {
			concatenated(w, r.FormValue("name"), `pq: unterminated quoted string at or near "'" `)
		}, "IN-02 GET /goods"},
		{"an error of MySQL on a page", query("/goods", "name", "string", "lantern"), func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			if strings.Count(r.FormValue("name"), "'")%2 == 1 {
				fmt.Fprint(w, "<p>You have an error in your SQL syntax; check the manual</p>")
				return
			}
			fmt.Fprint(w, "<p>nothing</p>")
		}, "IN-02 GET /goods"},
	})
}

func TestWhatOnlyLooksLikeSQLInjectionIsSilent(t *testing.T) {
	t.Parallel()
	try(t, []string{"IN-01", "IN-02"}, []twin{
		{"a search by words", query("/goods", "q", "string", "lantern"), func(w http.ResponseWriter, r *http.Request) {
			words := strings.FieldsFunc(strings.ToLower(r.FormValue("q")), func(c rune) bool { return strings.ContainsRune(" '%()<>", c) })
			say(w, 200, rows(func(g string) bool {
				for _, word := range words {
					if strings.Contains(g, word) {
						return true
					}
				}
				return false
			}))
		}, ""},
		{"a number that is read up to the first letter", query("/goods", "id", "string", "2"), func(w http.ResponseWriter, r *http.Request) {
			var id int
			fmt.Sscanf(r.FormValue("id"), "%d", &id)
			say(w, 200, map[string]any{"id": id, "name": goods[id%3]})
		}, ""},
		{"a wall that refuses texts like those", query("/goods", "q", "string", "lantern"), func(w http.ResponseWriter, r *http.Request) {
			if strings.ContainsAny(r.FormValue("q"), ">'") {
				say(w, 403, map[string]string{"error": "attack"})
				return
			}
			say(w, 200, rows(func(g string) bool { return strings.Contains(g, strings.Fields(r.FormValue("q"))[0]) }))
		}, ""},
		{"answers that are never the same", query("/goods", "q", "string", "lantern"), func(w http.ResponseWriter, r *http.Request) {
			say(w, 200, map[string]any{"token": rand.Int(), "goods": goods[:rand.IntN(3)], "asked": r.FormValue("q")})
		}, ""},
		{"a value of the wrong type for a parameter", query("/goods", "id", "string", "2"), func(w http.ResponseWriter, r *http.Request) {
			if strings.Trim(r.FormValue("id"), "0123456789") != "" {
				say(w, 500, map[string]string{"error": `pq: invalid input syntax for type integer: "` + r.FormValue("id") + `"`})
				return
			}
			say(w, 200, goods)
		}, ""},
		{"a search that has a language of its own", query("/goods", "q", "string", "lantern"), func(w http.ResponseWriter, r *http.Request) {
			if strings.Count(r.FormValue("q"), "'")%2 == 1 {
				say(w, 400, map[string]string{"error": `SQL logic error: fts5: syntax error near "'": syntax error`})
				return
			}
			say(w, 200, goods)
		}, ""},
		{"a page that always shows the error of a database", query("/manual", "q", "string", "lantern"), func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, "You have an error in your SQL syntax: what does it mean?")
		}, ""},
	})
}

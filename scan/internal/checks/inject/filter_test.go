package inject_test

import (
	"fmt"
	"net/http"
	"path"
	"regexp"
	"strings"
	"testing"
)

// vouchers answers as a document database does to a filter.
func vouchers(filter any) []string {
	out := []string{}
	for _, code := range []string{"V-1", "V-2"} {
		switch f := filter.(type) {
		case string:
			if f == code {
				out = append(out, code)
			}
		case map[string]any:
			fits := len(f) > 0
			for operator, v := range f {
				switch operator {
				case "$ne":
					fits = fits && v != code
				case "$eq":
					fits = fits && v == code
				default:
					fits = false
				}
			}
			if fits {
				out = append(out, code)
			}
		}
	}
	return out
}

func TestOperatorsOfCallersAreFound(t *testing.T) {
	t.Parallel()
	try(t, []string{"IN-05"}, []twin{
		{"a search", body("/vouchers/search", "application/json", "code", "string", "nothing"), func(w http.ResponseWriter, r *http.Request) {
			say(w, 200, map[string]any{"vouchers": vouchers(sent(r, "code"))})
		}, "IN-05 POST /vouchers/search"},
		{"what has to fit", body("/vouchers/use", "application/json", "code", "string", "V-1"), func(w http.ResponseWriter, r *http.Request) {
			found := vouchers(sent(r, "code"))
			if len(found) == 0 {
				say(w, 404, map[string]string{"error": "none"})
				return
			}
			say(w, 200, map[string]any{"used": found[0]})
		}, "IN-05 POST /vouchers/use"},
		{"a query that nests", query("/vouchers", "code", "string", "nothing"), func(w http.ResponseWriter, r *http.Request) {
			var filter any = r.FormValue("code")
			for name, v := range r.URL.Query() {
				if operator, ok := strings.CutPrefix(name, "code["); ok {
					filter = map[string]any{strings.TrimSuffix(operator, "]"): v[0]}
				}
			}
			say(w, 200, vouchers(filter))
		}, "IN-05 GET /vouchers"},
	})
}

func TestWhatOnlyLooksLikeAnOperatorIsSilent(t *testing.T) {
	t.Parallel()
	try(t, []string{"IN-05"}, []twin{
		{"objects are refused", body("/vouchers/search", "application/json", "code", "string", "V-1"), func(w http.ResponseWriter, r *http.Request) {
			code, ok := sent(r, "code").(string)
			if !ok {
				say(w, 422, map[string]string{"error": "code is a text"})
				return
			}
			say(w, 200, vouchers(code))
		}, ""},
		{"any object is stored", body("/vouchers/search", "application/json", "code", "string", "V-1"), func(w http.ResponseWriter, r *http.Request) {
			say(w, 200, map[string]any{"stored": sent(r, "code")})
		}, ""},
		{"an object is no text and finds everything", body("/vouchers/search", "application/json", "code", "string", "V-1"), func(w http.ResponseWriter, r *http.Request) {
			code, ok := sent(r, "code").(string)
			if !ok {
				say(w, 200, []string{"V-1", "V-2"})
				return
			}
			say(w, 200, vouchers(code))
		}, ""},
		{"an unknown parameter shows all", query("/vouchers", "code", "string", "V-1"), func(w http.ResponseWriter, r *http.Request) {
			if !r.URL.Query().Has("code") {
				say(w, 200, []string{"V-1", "V-2"})
				return
			}
			say(w, 200, vouchers(r.FormValue("code")))
		}, ""},
	})
}

var conditions = regexp.MustCompile(`^\((!?)\(?([\w-]+)=([^()]*)\)?\)(.*)$`)

// ldap reports whether a filter fits an entry. It knows conditions that all have to hold.
func ldap(filter string, entry map[string]string) (fits, ok bool) {
	inner, found := strings.CutPrefix(filter, "(&")
	if !found || strings.Count(filter, "(") != strings.Count(filter, ")") || strings.Contains(filter, "))((") {
		return false, false
	}
	inner = strings.TrimSuffix(inner, ")")
	fits = true
	for inner != "" {
		m := conditions.FindStringSubmatch(inner)
		if m == nil {
			return false, false
		}
		v, has := entry[m[2]]
		matches, _ := path.Match(strings.ToLower(m[3]), v)
		fits = fits && (has && matches) != (m[1] == "!")
		inner = m[4]
	}
	return fits, true
}

func TestFiltersOfDirectoriesAreFound(t *testing.T) {
	t.Parallel()
	entry := map[string]string{"objectClass": "person", "public": "true", "name": "gisela"}
	try(t, []string{"IN-09"}, []twin{
		{"a name within a filter", query("/staff", "name", "string", "gisela"), func(w http.ResponseWriter, r *http.Request) {
			fits, ok := ldap("(&(public=true)(name="+r.FormValue("name")+"))", entry)
			if !ok || !fits {
				say(w, 200, map[string]any{"people": []string{}})
				return
			}
			say(w, 200, map[string]any{"people": []any{entry}})
		}, "IN-09 GET /staff"},
		{"a name within an expression of XPath", query("/staff", "name", "string", "gisela"), func(w http.ResponseWriter, r *http.Request) {
			name, condition, more := strings.Cut(r.FormValue("name"), "' and ")
			right := !more || strings.HasPrefix(condition, "string-length('abc')=3")
			if name != "gisela" || !right || strings.Contains(name, "'") {
				say(w, 404, map[string]string{"error": "nobody"})
				return
			}
			say(w, 200, entry)
		}, "IN-09 GET /staff"},
	})
}

func TestWhatOnlyLooksLikeAFilterIsSilent(t *testing.T) {
	t.Parallel()
	people := []string{"gisela", "hartmut"}
	search := func(fits func(name, q string) bool) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			found := []string{}
			for _, name := range people {
				if fits(name, r.FormValue("name")) {
					found = append(found, name)
				}
			}
			say(w, 200, map[string]any{"people": found})
		}
	}
	try(t, []string{"IN-09"}, []twin{
		{"stars are a feature", query("/staff", "name", "string", "gisela"), search(func(name, q string) bool { ok, _ := path.Match(q, name); return ok }), ""},
		{"what comes behind a parenthesis is left out", query("/staff", "name", "string", "gisela"), search(func(name, q string) bool {
			before, _, _ := strings.Cut(q, ")")
			ok, _ := path.Match(before, name)
			return ok
		}), ""},
		{"an exclamation mark means not", query("/staff", "name", "string", "gisela"), search(func(name, q string) bool {
			return strings.Contains(q, name) != strings.Contains(q, "!")
		}), ""},
	})
}

func TestADirectoryIsAsked(t *testing.T) {
	entry := map[string]string{"name": "gisela"}
	for filter, want := range map[string]string{
		"(&(name=gisela)(name=*))": "true true", "(&(name=gisela)(!(name=*)))": "false true", "(&(name=gisela)(name=*))(()": "false false",
	} {
		fits, ok := ldap(filter, entry)
		if got := fmt.Sprint(fits, ok); got != want {
			t.Errorf("%s: %s, want %s", filter, got, want)
		}
	}
}

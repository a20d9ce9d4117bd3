package inject_test

import (
	"fmt"
	"net/http"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"text/template"
)

func multiplied(form *regexp.Regexp, text string) string {
	return form.ReplaceAllStringFunc(text, func(m string) string {
		parts := form.FindStringSubmatch(m)
		a, _ := strconv.Atoi(parts[1])
		b, _ := strconv.Atoi(parts[2])
		return strconv.Itoa(a * b)
	})
}

func TestTemplatesOfCallersAreFound(t *testing.T) {
	t.Parallel()
	var twigs []twin
	for name, form := range map[string]*regexp.Regexp{
		"curly brackets": regexp.MustCompile(`\{\{(\d+)\*(\d+)\}\}`), "an expression of Java": regexp.MustCompile(`\$\{(\d+)\*(\d+)\}`), "ERB": regexp.MustCompile(`<%= (\d+)\*(\d+) %>`),
	} {
		twigs = append(twigs, twin{name, query("/hello", "name", "string", "Ada"), func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, "Hello ", multiplied(form, r.FormValue("name")))
		}, "IN-06 GET /hello"})
	}
	try(t, []string{"IN-06"}, append(twigs, twin{"a template of Go in a body", body("/preview", "application/json", "template", "string", "Dear friend"), func(w http.ResponseWriter, r *http.Request) {
		var out strings.Builder
		text, _ := sent(r, "template").(string)
		parsed, err := template.New("").Parse(text)
		if err == nil {
			err = parsed.Execute(&out, nil)
		}
		if err != nil {
			say(w, 400, map[string]string{"error": err.Error()})
			return
		}
		say(w, 200, map[string]string{"preview": out.String()})
	}, "IN-06 POST /preview"}))
}

func TestWhatOnlyLooksLikeATemplateIsSilent(t *testing.T) {
	t.Parallel()
	calculator := regexp.MustCompile(`^(\d+)\*(\d+)$`)
	try(t, []string{"IN-06", "IN-11", "IN-04"}, []twin{
		{"an echo", query("/echo", "text", "string", "a"), func(w http.ResponseWriter, r *http.Request) {
			say(w, 200, map[string]string{"text": r.FormValue("text")})
		}, ""},
		{"a calculator", query("/sum", "expression", "string", "2*3"), func(w http.ResponseWriter, r *http.Request) {
			if !calculator.MatchString(r.FormValue("expression")) {
				say(w, 400, map[string]string{"error": "two numbers are wanted, not " + r.FormValue("expression")})
				return
			}
			say(w, 200, map[string]string{"result": multiplied(calculator, r.FormValue("expression"))})
		}, ""},
		{"a template of the program, with a value", body("/preview", "application/json", "name", "string", "Ada"), func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			_ = template.Must(template.New("").Parse("Dear {{.}}, {{len .}}")).Execute(w, sent(r, "name"))
		}, ""},
		{"a wall", query("/echo", "text", "string", "a"), func(w http.ResponseWriter, r *http.Request) {
			if strings.ContainsAny(r.FormValue("text"), "{$<;|`") {
				say(w, 403, map[string]string{"blocked": r.FormValue("text")})
				return
			}
			say(w, 200, r.FormValue("text"))
		}, ""},
	})
}

func TestCommandsOfCallersAreFound(t *testing.T) {
	t.Parallel()
	shell := func(line string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			text, _ := sent(r, "text").(string)
			out, _ := exec.CommandContext(r.Context(), "sh", "-c", strings.ReplaceAll(line, "TEXT", text)).Output()
			say(w, 200, map[string]string{"out": string(out)})
		}
	}
	try(t, []string{"IN-04"}, []twin{
		{"without quotes", body("/label", "application/json", "text", "string", "a"), shell("echo Item TEXT"), "IN-04 POST /label"},
		{"in double quotes", query("/label", "text", "string", "a"), shell(`echo "Item TEXT"`), "IN-04 GET /label"},
		{"in single quotes, in a form", body("/label", "application/x-www-form-urlencoded", "text", "string", "a"), shell(`echo 'Item TEXT'`), "IN-04 POST /label"},
	})
}

func TestWhatOnlyLooksLikeACommandIsSilent(t *testing.T) {
	t.Parallel()
	try(t, []string{"IN-04"}, []twin{
		{"a program without a shell", body("/label", "application/json", "text", "string", "a"), func(w http.ResponseWriter, r *http.Request) {
			text, _ := sent(r, "text").(string)
			out, _ := exec.CommandContext(r.Context(), "echo", "Item", text).Output()
			say(w, 200, map[string]string{"out": string(out)})
		}, ""},
		{"a page that has it in an error", query("/label", "text", "string", "a"), func(w http.ResponseWriter, r *http.Request) {
			http.Error(w, "sh: cannot run "+r.FormValue("text"), 500)
		}, ""},
	})
}

func TestExpressionsOfCallersAreFound(t *testing.T) {
	t.Parallel()
	joined := regexp.MustCompile(`^'(\w+)'\+\((\d+)\*(\d+)\)\+'(\w+)'$`)
	try(t, []string{"IN-11"}, []twin{{"eval", query("/eval", "formula", "string", "1+1"), func(w http.ResponseWriter, r *http.Request) {
		m := joined.FindStringSubmatch(r.FormValue("formula"))
		if m == nil {
			say(w, 400, map[string]string{"error": "SyntaxError"})
			return
		}
		a, _ := strconv.Atoi(m[2])
		b, _ := strconv.Atoi(m[3])
		say(w, 200, map[string]string{"result": m[1] + strconv.Itoa(a*b) + m[4]})
	}, "IN-11 GET /eval"}})
}

package exposure_test

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/fastness/fastness/scan"
	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/checks/exposure"
)

func Example() {
	for _, c := range exposure.Checks()[:2] {
		fmt.Println(c.Kind.ID, c.Kind.Title)
	}
	// Output:
	// DE-01 An answer holds a secret
	// DE-02 Personal data of users is shown to others
}

const paged = `"/list": {"get": {"parameters": [{"name": "page", "in": "query", "schema": {"type": "integer", "example": 1}}], "responses": {"200": {"description": "it"}}}}`

func TestInputThatMakesTheTargetFailIsFound(t *testing.T) {
	list := found(t, "SC-01", paged, only("/list", func(w http.ResponseWriter, r *http.Request) {
		n, err := strconv.Atoi(r.URL.Query().Get("page"))
		if r.URL.RawQuery != "" && (err != nil || n < 1) {
			answer(w, 500, `{"error":"oops"}`)
			return
		}
		answer(w, 200, `{"items": [1]}`)
	}))
	if len(list) != 1 || !strings.Contains(list[0].Places[0].Parameter, "page") {
		t.Errorf("%v, want one for page", list)
	}
}

func TestFailuresThatAreNoneOfTheInputAreSilent(t *testing.T) {
	calls, broken := 0, false
	for name, h := range map[string]http.HandlerFunc{
		"not implemented": func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Get("page") != "1" && r.URL.RawQuery != "" {
				answer(w, 501, `{}`)
				return
			}
			answer(w, 200, `{"items": [1]}`)
		},
		"now and then": func(w http.ResponseWriter, _ *http.Request) {
			if calls++; calls%7 == 0 {
				answer(w, 500, `{}`)
				return
			}
			answer(w, 200, `{"items": [1]}`)
		},
		"all the time from some time on": func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.URL.RawQuery, "9223") {
				broken = true
			}
			if broken {
				answer(w, 500, `{}`)
				return
			}
			answer(w, 200, `{"items": [1]}`)
		},
		"refused": func(w http.ResponseWriter, r *http.Request) {
			if _, err := strconv.Atoi(r.URL.Query().Get("page")); err != nil && r.URL.RawQuery != "" {
				answer(w, 422, `{"error":"page"}`)
				return
			}
			answer(w, 200, `{"items": [1]}`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, f := range found(t, "SC-01", paged, only("/list", h)) {
				t.Errorf("%s: %s", f.Places[0], f.Claim)
			}
		})
	}
}

func TestErrorsThatShowTheInsideAreFound(t *testing.T) {
	for name, body := range map[string]string{
		"Python": `{"detail": "Traceback (most recent call last):\n  File \"/srv/app.py\", line 12, in read\n    return x[1]\nIndexError"}`,
		"Java":   `{"trace": "java.lang.NullPointerException\n\tat com.shop.Orders.read(Orders.java:12)\n\tat com.shop.Web.run(Web.java:40)"}`,
		"Node":   `{"stack": "TypeError: x\n    at read (/srv/app/index.js:12:7)\n    at Layer.handle (/srv/app/node_modules/express/lib/router/layer.js:95:5)"}`,
		"PHP":    `<b>Fatal error</b>: Uncaught Error in <b>/var/www/index.php</b> on line <b>3</b>`,
		"Go":     `{"trace": "goroutine 12 [running]:\nmain.read()\n\t/srv/main.go:12"}`,
		"SQL":    `{"error": "You have an error in your SQL syntax; check the manual"}`,
	} {
		t.Run(name, func(t *testing.T) {
			list := found(t, "SC-02", get("/thing"), only("/thing", func(w http.ResponseWriter, _ *http.Request) { answer(w, 500, body) }))
			if len(list) != 1 {
				t.Errorf("%d findings, want one: %v", len(list), list)
			}
		})
	}
}

func TestTextsThatSpeakOfErrorsAreSilent(t *testing.T) {
	for name, h := range map[string]http.HandlerFunc{
		"a log that was asked for": func(w http.ResponseWriter, _ *http.Request) {
			answer(w, 200, `{"lines": ["Traceback (most recent call last):", "File \"/srv/app.py\", line 12, in read"]}`)
		},
		"a plain error": func(w http.ResponseWriter, _ *http.Request) {
			answer(w, 500, `{"error": "at least one line is wrong, see page 12"}`)
		},
		"a frame's name": func(w http.ResponseWriter, _ *http.Request) {
			answer(w, 400, `{"error": "meet me at (noon) in the file app.py"}`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, f := range found(t, "SC-02", get("/thing"), only("/thing", h)) {
				t.Errorf("%s: %s", f.Places[0], f.Claim)
			}
		})
	}
}

func causes(list []*finding.Finding) (out []string) {
	for _, f := range list {
		out = append(out, f.Places[0].Parameter)
	}
	return out
}

func TestMissingHeaderFieldsAreFoundOnce(t *testing.T) {
	list := found(t, "HT-01", get("/me")+","+get("/page"), func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Server", "Shop/1.2.3")
		http.SetCookie(w, &http.Cookie{Name: "sessionid", Value: "0123456789abcdef0123"})
		if r.URL.Path == "/page" {
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, "<title>x</title>")
			return
		}
		answer(w, 200, `{"email": "`+strings.TrimSuffix(r.Header.Get("X-User"), "s-key")+`@castle.example"}`)
	})
	if len(list) != 6 { // banner, nosniff, policy, framing, cache, cookie
		t.Errorf("%d findings, want 6: %v", len(list), causes(list))
	}
}

func TestHeaderFieldsThatProtectAreSilent(t *testing.T) {
	list := found(t, "HT-01", get("/me")+","+get("/page"), func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Server", "cloudflare")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "private, max-age=60")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		http.SetCookie(w, &http.Cookie{Name: "sessionid", Value: "0123456789abcdef0123", HttpOnly: true, Secure: true, SameSite: http.SameSiteLaxMode})
		http.SetCookie(w, &http.Cookie{Name: "csrftoken", Value: "0123456789abcdef0123"})
		if r.URL.Path == "/page" {
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, "<title>x</title>")
			return
		}
		answer(w, 200, `{"email": "`+strings.TrimSuffix(r.Header.Get("X-User"), "s-key")+`@castle.example"}`)
	})
	for _, f := range list {
		t.Errorf("%s: %s", f.Places[0], f.Claim)
	}
}

const item = `"/item": {"get": {"responses": {"200": {"description": "it", "content": {"application/json": {"schema": {"type": "object", "properties": {"id": {"type": "integer"}, "name": {"type": "string"}}}}}}}}}`

func TestUndeclaredMembersAreFound(t *testing.T) {
	list := found(t, "DE-03", item, only("/item", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, 200, `{"id": 1, "name": "Lamp", "purchase_price": 3}`)
	}))
	if len(list) != 1 || list[0].Severity != finding.Medium {
		t.Errorf("%v, want one of medium severity", list)
	}
}

func TestDeclaredAndOpenMembersAreSilent(t *testing.T) {
	open := strings.Replace(item, `"type": "object"`, `"type": "object", "additionalProperties": true`, 1)
	for name, doc := range map[string]string{"declared": strings.Replace(item, `"name"`, `"purchase_price": {"type": "integer"}, "name"`, 1), "open": open, "nothing is said": get("/item")} {
		t.Run(name, func(t *testing.T) {
			for _, f := range found(t, "DE-03", doc, only("/item", func(w http.ResponseWriter, _ *http.Request) {
				answer(w, 200, `{"id": 1, "name": "Lamp", "purchase_price": 3}`)
			})) {
				t.Errorf("%s: %s", f.Places[0], f.Claim)
			}
		})
	}
}

func TestContradictionsAreOneFindingOfEachKind(t *testing.T) {
	two := item + "," + strings.ReplaceAll(item, "/item", "/second")
	list := found(t, "SC-03", two, func(w http.ResponseWriter, _ *http.Request) { answer(w, 200, `{"id": "one", "name": "Lamp"}`) })
	if len(list) != 1 || len(list[0].Places) != 2 || list[0].Severity != finding.Low {
		t.Errorf("%v, want one of low severity with two places", list)
	}
	for _, f := range found(t, "SC-03", two, func(w http.ResponseWriter, _ *http.Request) { answer(w, 200, `{"id": 1, "name": "Lamp", "more": 1}`) }) {
		t.Errorf("%s: %s", f.Places[0], f.Claim)
	}
}

const rate = `"/rate": {"post": {"requestBody": {"content": {"application/json": {"schema": {"type": "object", "required": ["stars"], "properties": {"stars": {"type": "integer", "minimum": 1, "maximum": 5}}}}}}, "responses": {"200": {"description": "it"}}}}`

func TestInputThatTheDocumentRefusesIsFoundIfItIsKept(t *testing.T) {
	kept := func(clamp bool) http.HandlerFunc {
		return only("/rate", func(w http.ResponseWriter, r *http.Request) {
			body := make([]byte, 200)
			n, _ := r.Body.Read(body)
			_, after, _ := strings.Cut(string(body[:n]), `"stars":`)
			stars, err := strconv.Atoi(strings.Trim(after, " }\n"))
			if err != nil {
				answer(w, 400, `{"error": "stars"}`)
				return
			}
			if clamp {
				stars = min(max(stars, 1), 5)
			}
			answer(w, 200, fmt.Sprintf(`{"stars": %d}`, stars))
		})
	}
	if list := found(t, "SC-03", rate, kept(false)); len(list) != 1 {
		t.Errorf("%v, want one", list)
	}
	for _, f := range found(t, "SC-03", rate, kept(true)) { // What is made to fit is not kept.
		t.Errorf("%s: %s", f.Places[0], f.Claim)
	}
}

func TestAKeyInAScriptIsFoundByItsChecksum(t *testing.T) {
	run := func(key string) []*finding.Finding {
		r, err := scan.Run(t.Context(), scan.Config{
			Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch r.URL.Path {
				case "/":
					w.Header().Set("Content-Type", "text/html")
					fmt.Fprint(w, `<script src="/app.js"></script>`)
				case "/app.js":
					w.Header().Set("Content-Type", "text/javascript")
					fmt.Fprintf(w, "const key = '%s';", key)
				default:
					http.NotFound(w, r)
				}
			}),
			Text: document(get("/none")), Users: people(), Checks: []string{"INFO-02"}, NoRegister: true,
		})
		if err != nil {
			t.Fatal(err)
		}
		return r.Findings
	}
	if list := run(token()); len(list) != 1 {
		t.Errorf("%v, want one", list)
	}
	if list := run("ghp_q8Zk2mLx7Tn4Vb1Rc9Ds6Wf3Yh5Jg0aaaaaa"); len(list) != 0 {
		t.Errorf("a wrong checksum is taken for a key: %v", list)
	}
}

func TestATypeThatTheDocumentLeavesOpenIsNoContradiction(t *testing.T) {
	doc := func(media string) string {
		return `"/page": {"get": {"responses": {"200": {"description": "it", "content": {"` + media + `": {}}}}}}`
	}
	page := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, "<title>x</title>")
	}
	for _, f := range found(t, "SC-03", doc("*/*"), page) {
		t.Errorf("%s: %s", f.Places[0], f.Claim)
	}
	if list := found(t, "SC-03", doc("application/json"), page); len(list) != 1 {
		t.Errorf("%v, want one: a page in place of JSON", list)
	}
}

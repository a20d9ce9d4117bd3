package rules_test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fastness/fastness/scan"
	"github.com/fastness/fastness/scan/report"
	"github.com/fastness/fastness/scan/rules"
)

// found returns where the rules of a text find something at the shop of the example.
func found(t *testing.T, text string) string {
	t.Helper()
	own, err := rules.Parse("own.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	ids := make([]string, len(own))
	for i := range own {
		ids[i] = own[i].Kind.ID
	}
	r, err := scan.Run(t.Context(), scan.Config{Handler: http.HandlerFunc(orders), Text: []byte(ordersDocument), Own: own, Checks: ids})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range r.Checks {
		if c.Failed != "" {
			t.Error(c.Failed)
		}
	}
	var all []string
	for _, f := range r.Findings {
		all = append(all, f.Kind.ID+" "+f.Places[0].String())
	}
	return strings.Join(all, "; ")
}

const head = "rules:\n- id: OWN-01\n  title: A rule\n  severity: high\n"

func TestRulesFindWhatTheyDescribe(t *testing.T) {
	for name, tt := range map[string]struct{ rule, want string }{
		"a request that is written down": {"  seed: {request: {path: /.env}}\n  detect: {all: [{status: [200]}, {body: {contains: PASSWORD}}]}\n", "OWN-01 GET /.env"},
		"one whose control fits, too":    {"  seed: {request: {path: /nothing}}\n  detect: {status: [404]}\n", ""},
		"a marker that comes back":       {"  seed: {operations: ['GET /orders']}\n  send: {set: {header X-Debug: 1, query q: 'a{{marker}}'}}\n  detect: {json: {/debug: {contains: 'a{{marker}}'}}}\n", "OWN-01 GET /orders (header X-Debug, query q)"},
		"each point":                     {"  seed: {operations: ['/orders']}\n  send: {set: {header X-Debug: 1}, each: {points: 'query *', values: ['{{marker}}']}}\n  detect: {body: {contains: '{{marker}}'}}\n", "OWN-01 GET /orders (query q)"},
		"a header that is missing":       {"  seed: {operations: ['/*']}\n  without_control: The header is there, or it is not.\n  detect: {not: {header: {X-Content-Type-Options: {equals: nosniff}}}}\n", "OWN-01 GET /orders"},
		"a condition that nothing fits":  {"  seed: {operations: ['/*']}\n  send: {set: {query q: x}}\n  detect: {any: [{status: [500]}, {differs: true}, {took_over: 20s}]}\n", ""},
		"an operation of another name":   {"  seed: {operations: ['POST /*', '/users/*']}\n  send: {set: {header X-Debug: 1}}\n  detect: {differs: true}\n", ""},
		"a user that there is not":       {"  seed: {operations: ['/*']}\n  send: {as: carol}\n  detect: {status: [200]}\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := found(t, head+tt.rule); got != tt.want {
				t.Errorf("found %q, want %q", got, tt.want)
			}
		})
	}
}

func TestEveryMistakeOfRulesIsNamedWithItsLine(t *testing.T) {
	_, err := rules.Parse("own.yaml", []byte(`rules:
- id: own
  severity: awful
  owasp: A1
  seed: {}
  detect: {}
- id: AZ-01
  title: x
  severity: low
  seed:
    request: {method: DELETE, path: //evil.example/x}
  send: {set: {query a: 1}}
  detect: {body: {matches: "("}, json: {role: {exists: true}}, header: {X-A: {}}}
- id: OWN-03
  title: x
  severity: low
  seed: {operations: [admin]}
  send: {set: {limit: 1}, each: {points: "["}}
  detect: {took_over: 1h}
- id: OWN-03
  title: x
  severity: low
  seed: {operations: ["/*"]}
  detect: {status: [200]}
`))
	for _, want := range []string{
		`line 2: id "own"`, "line 2: want a title", `line 3: severity: "awful"`, `line 4: owasp`, "line 5: seed: want operations or a request", "line 6: detect: an empty condition",
		"line 7: there is another check AZ-01", `line 11: seed: path "//evil.example/x"`, "line 11: seed: DELETE may change", "line 12: send: a request that is written down",
		"line 13: detect: body: error parsing regexp", `json "role": want a JSON pointer`, "header X-A: want equals",
		`line 17: seed: want a pattern`, `line 18: send: point "limit"`, "line 18: send: each", "line 19: detect: took_over",
		"line 20: there is another check OWN-03", "line 20: the rule changes nothing",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q in: %v", want, err)
		}
	}
	if _, err := rules.Parse("x", []byte("rules:\n- id: A-1\n  titel: x\n")); err == nil || !strings.Contains(err.Error(), "line 3: field titel not found") {
		t.Errorf("a misspelt field: %v", err)
	}
}

func TestRuleWritesOnlyIfItSaysSo(t *testing.T) {
	document := `{"openapi": "3.1.0", "info": {"title": "x", "version": "1"}, "paths": {"/a": {"post": {"responses": {"200": {"description": "x"}}}}}}`
	for _, writes := range []string{"false", "true"} {
		own, err := rules.Parse("x", []byte(head+"  writes: "+writes+"\n  seed: {operations: ['/*']}\n  send: {set: {header X-Own: 1}}\n  detect: {status: [500]}\n"))
		if err != nil {
			t.Fatal(err)
		}
		seen := false
		handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { seen = seen || r.Header.Get("X-Own") != "" })
		if _, err := scan.Run(context.Background(), scan.Config{Handler: handler, Text: []byte(document), Own: own, Checks: []string{"OWN-01"}}); err != nil {
			t.Fatal(err)
		}
		if seen != (writes == "true") {
			t.Errorf("writes %s: it was sent: %v", writes, seen)
		}
	}
}

func TestRuleReportsNothingThatHappensOnce(t *testing.T) {
	own, err := rules.Parse("x", []byte(head+"  seed: {operations: ['/*']}\n  send: {set: {header X-Own: 1}}\n  detect: {body: {contains: leak}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, leaks := range []int{1, 100} {
		times := 0
		r, err := scan.Run(t.Context(), scan.Config{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("X-Own") != "" {
				if times++; times <= leaks {
					_, _ = w.Write([]byte("leak"))
				}
			}
		}), Text: []byte(ordersDocument), Own: own, Checks: []string{"OWN-01"}})
		if err != nil || (len(r.Findings) == 1) != (leaks > 1) {
			t.Errorf("%d leaks: %v, %d findings", leaks, err, len(r.Findings))
		}
	}
}

func TestHostileExpressionsAreBounded(t *testing.T) {
	for _, pattern := range []string{strings.Repeat("a", 1001), "(a{1000}){1000}", `(?=a)`, `(a)\1`} {
		if _, err := rules.Parse("x", []byte(head+"  seed: {operations: ['/*']}\n  send: {as: anonymous}\n  detect: {body: {matches: '"+pattern+"'}}\n")); err == nil {
			t.Errorf("%.40s is taken", pattern)
		}
	}
	slow := strings.Repeat("a", 1<<20) + "b"
	own, err := rules.Parse("x", []byte(head+"  seed: {operations: ['/*']}\n  send: {set: {query q: x}}\n  detect: {body: {matches: '(a+)+c'}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := scan.Run(t.Context(), scan.Config{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/orders" {
				http.NotFound(w, r)
				return
			}
			_, _ = w.Write([]byte(slow))
		}), Text: []byte(ordersDocument), Own: own, Checks: []string{"OWN-01"},
	})
	if err != nil || len(r.Findings) != 0 {
		t.Errorf("%v, %d findings", err, len(r.Findings))
	}
}

func TestFolderOfRulesIsLoaded(t *testing.T) {
	folder := t.TempDir()
	rule := head + "  seed: {request: {path: /.env}}\n  detect: {status: [200]}\n"
	for name, text := range map[string]string{"a.yaml": rule, "b.yml": strings.Replace(rule, "OWN-01", "OWN-02", 1), "notes.txt": "no rule"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if checks, err := rules.Load(folder); err != nil || len(checks) != 2 || checks[0].Kind.ID != "OWN-01" {
		t.Errorf("%v, %v", checks, err)
	}
	if err := os.WriteFile(filepath.Join(folder, "c.yaml"), []byte(rule), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := rules.Load(folder); err == nil || !strings.Contains(err.Error(), "there are two rules OWN-01") {
		t.Errorf("the same id twice: %v", err)
	}
	if _, err := rules.Load(filepath.Join(folder, "none")); err == nil {
		t.Error("a folder that is not there is loaded")
	}
}

func FuzzParse(f *testing.F) {
	f.Add(head + "  seed: {request: {path: /.env}}\n  detect: {status: [200]}\n")
	f.Add(head + "  seed: {operations: ['GET /a*']}\n  send: {as: other, set: {body /a/b: [1, {a: x}]}, remove: [query q], each: {points: 'query *', values: [1]}}\n  detect: {not: {any: [{body: {matches: 'a+'}}]}}\n")
	f.Add("rules: &a [*a]\n")
	f.Add("rules: [{id: A-1, detect: {all: [{all: [{}]}]}}]\n- x")
	f.Fuzz(func(t *testing.T, text string) {
		checks, err := rules.Parse("fuzz", []byte(text))
		if err != nil {
			return
		}
		for _, c := range checks {
			if c.Kind.ID == "" || c.Run == nil {
				t.Errorf("it is no check: %+v", c)
			}
		}
		_ = (&report.Report{}).Publish()
	})
}

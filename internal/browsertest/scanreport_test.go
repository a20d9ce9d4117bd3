package browsertest_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/fastness/fastness/internal/browsertest"
	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/report"
	"github.com/fastness/fastness/scan/wire"
)

// scanned is the report of a scan of a target that wants to harm who reads it.
func scanned() *report.Report {
	evil := "</pre></style><script>document.title='ran'</script><img src=x onerror=\"document.title='ran'\">\u202e"
	kind := func(id, title, owasp string, severity finding.Severity) finding.Kind {
		return finding.Kind{
			ID: id, Title: title, Severity: severity, OWASP: owasp, CWE: 639, CVSS: "CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N",
			Describe: "An operation returns an object to anybody who knows its id, not only to its owner.",
			Remedy:   finding.Remedy{Text: "Load the object in the name of the caller.", Fastness: "access.Owner(ownerOf)", FastAPI: "if order.owner_id != user.id:\n    raise HTTPException(404)", Express: "if (order.owner !== req.user.id) return res.sendStatus(404);", Spring: "@PostAuthorize(\"returnObject.owner == authentication.name\")"},
		}
	}
	ex := func(user, body string, status int) *wire.Exchange {
		return &wire.Exchange{
			Request: wire.Request{Method: "GET", Path: "/orders/17", User: user, Header: http.Header{"Authorization": {"Bearer something-secret-0123456789"}, "Accept": {"application/json"}}},
			Status:  status, Header: http.Header{"Content-Type": {"application/json"}, "Server": {evil}}, Body: []byte(body), Took: 12 * time.Millisecond,
		}
	}
	found := func(k finding.Kind, path, claim string, proven bool) *finding.Finding {
		return &finding.Finding{
			Kind: k, Severity: k.Severity, Proven: proven, Claim: claim, Control: "Nobody gets 401 for it, and an id that does not exist gives 404.",
			Places:   []finding.Place{{Method: "GET", Path: path, Parameter: "path id", Users: "bob as alice"}},
			Evidence: []finding.Evidence{{Says: "bob reads the order of alice", Exchange: ex("bob", `{"id":17,"owner":"alice","note":"fz83ab0c51"}`, 200)}, {Says: "nobody may", Exchange: ex("", evil, 401)}},
		}
	}
	r := &report.Report{
		Version: "1.0.0", Target: "http://127.0.0.1:8080", Document: "openapi.json", Title: "Orders", APIVersion: "2.1", Profile: "deep", Seed: 7,
		Start: time.Date(2026, 11, 24, 3, 0, 0, 0, time.UTC), Duration: 42 * time.Second, Requests: 3120, Notes: []string{"The scan could not log in as root." + evil},
		Users: []report.User{{Name: "alice", LogIn: "OAuth2 password"}, {Name: "bob", LogIn: "OAuth2 password"}},
		Findings: []*finding.Finding{
			found(kind("IN-01", "SQL is injected: conditions decide what is found", "API8:2023", finding.Critical), "/search", "What is searched for becomes a part of the SQL statement.", true),
			found(kind("AZ-01", "Another user's object can be read", "API1:2023", finding.High), "/orders/{id}", "bob reads an order of alice "+evil, true),
			found(kind("RC-01", "Lists have no end", "API4:2023", finding.Medium), "/orders", "A page of a million orders is served.", true),
			found(kind("HT-01", "Headers that protect browsers are missing", "API8:2023", finding.Low), "/health", "No answer has X-Content-Type-Options.", true),
			found(kind("DE-03", "Fields that the document does not name", "API3:2023", finding.Low), "/me", "The answer has a field internal_note.", false),
		},
		Complaints: []report.Complaint{{Where: "/paths/~1orders/get", What: "the reference #/components/schemas/Ordr leads nowhere", Line: 31}},
	}
	for _, path := range []string{"/search", "/orders/{id}", "/orders", "/health", "/a/very/long/path/with/{many}/{parameters}/and/no/end/of/it/at/all/{really}"} {
		r.Operations = append(r.Operations, report.Operation{Method: "GET", Path: path, Answers: []report.Answer{{User: "alice", Status: 200}, {User: "anonymous", Status: 401}}, Checks: []string{"AZ-01", "IN-01", "RC-01"}})
	}
	r.Operations = append(r.Operations, report.Operation{Method: "POST", Path: "/admin/reset", Held: "its name says that it resets something"}, report.Operation{Method: "GET", Path: "/debug", Found: "a word list", Answers: []report.Answer{{User: "anonymous", Status: 500}}})
	return r
}

// The report of a scan is read in browsers: nothing of it runs, loads or leaves, and
// people can read it in light and dark, on a telephone and with a screen reader.
func TestReportOfAScanIsHarmlessAndAccessible(t *testing.T) {
	source := axe(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/scan.html" {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if err := report.Write(w, report.HTML, scanned().Publish(), report.Options{}); err != nil {
			t.Error(err)
		}
	}))
	defer server.Close()
	b := browsertest.Open(t)
	b.Visit(t, server.URL+"/scan.html")
	open := func(which string) {
		browsertest.Evaluate[bool](t, b, `document.querySelectorAll("`+which+`").forEach((d) => d.open = true), true`)
	}
	for _, scheme := range []string{"light", "dark"} {
		b.ColorScheme(t, scheme)
		screenshot(t, b, "scan-"+scheme+".png")
	}
	open("details")
	for _, scheme := range []string{"light", "dark"} {
		b.ColorScheme(t, scheme)
		accessible(t, b, source)
		screenshot(t, b, "scan-open-"+scheme+".png")
	}
	narrow(t, b, true)
	if wide := browsertest.Evaluate[int](t, b, "document.documentElement.scrollWidth"); wide > 360 {
		t.Errorf("it is %d pixels wide where there are 360", wide)
	}
	screenshot(t, b, "scan-narrow.png")
	narrow(t, b, false)
	if title := browsertest.Evaluate[string](t, b, "document.title"); title != "Orders – security scan" {
		t.Errorf("the title is %q: something ran", title)
	}
	if n := browsertest.Evaluate[int](t, b, `document.querySelectorAll("script, img, iframe, form, [onerror]").length`); n > 0 {
		t.Errorf("%d elements came from the target", n)
	}
	wantProblems(t, b, "favicon")
}

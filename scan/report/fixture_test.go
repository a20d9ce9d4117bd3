package report_test

import (
	"errors"
	"net/http"
	"time"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/report"
	"github.com/fastness/fastness/scan/wire"
)

const (
	tokenAlice = "alice-token-5f1c0a9de2"
	tokenBob   = "bob-token-77aa31c04b"
	password   = "correct horse battery"
)

func bola() finding.Kind {
	return finding.Kind{
		ID: "AZ-01", Title: "Another user's object can be read", Severity: finding.High, OWASP: "API1:2023", CWE: 639, ASVS: []string{"8.2.2"},
		Describe: "An operation returns an object to anybody who knows its id, not only to its owner. Ids are guessed, listed or seen in links.",
		CVSS:     "CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N",
		Remedy: finding.Remedy{
			Text:     "Load the object in the name of the caller: make the owner a condition of the query, and answer 404 if there is none.",
			Fastness: "fastness.Get(app, \"/orders/{id}\", readOrder, access.Owner(ownerOf))",
			FastAPI:  "order = db.get(Order, id)\nif order is None or order.owner_id != user.id:\n    raise HTTPException(404)",
			Express:  "const order = await Order.findOne({ _id: id, owner: req.user.id });\nif (!order) return res.sendStatus(404);",
			Spring:   "@PostAuthorize(\"returnObject.owner == authentication.name\")",
		},
	}
}

func injection() finding.Kind {
	return finding.Kind{
		ID: "IN-01", Title: "SQL is injected: conditions decide what is found", Severity: finding.Critical, OWASP: "API8:2023", CWE: 89,
		CVSS:   "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
		Remedy: finding.Remedy{Text: "Give values to the database as parameters, never as parts of the statement."},
	}
}

func banner() finding.Kind {
	return finding.Kind{ID: "HT-01", Title: "Headers that protect browsers are missing", Severity: finding.Low, OWASP: "API8:2023", CWE: 693, Remedy: finding.Remedy{Text: "Send X-Content-Type-Options: nosniff."}}
}

func exchange(user, method, path string, status int, body string) *wire.Exchange {
	token := map[string]string{"alice": tokenAlice, "bob": tokenBob}[user]
	header := http.Header{"Accept": {"application/json"}}
	if token != "" {
		header.Set("Authorization", "Bearer "+token)
	}
	target, query, _ := cutQuery(path)
	return &wire.Exchange{
		Request: wire.Request{Method: method, Path: target, Query: query, Header: header, User: user},
		Status:  status, Header: http.Header{"Content-Type": {"application/json"}, "Server": {"uvicorn"}}, Body: []byte(body), Took: 12 * time.Millisecond,
	}
}

func cutQuery(path string) (string, string, bool) {
	for i := range path {
		if path[i] == '?' {
			return path[:i], path[i+1:], true
		}
	}
	return path, "", false
}

// full is a report with something of everything.
func full() *report.Report {
	post := exchange("alice", "POST", "/orders", 201, `{"id":17,"note":"fz83ab0c51"}`)
	post.Request.Body = []byte(`{"note":"fz83ab0c51","it's":"` + password + `"}`)
	post.Request.Header.Set("Content-Type", "application/json")
	dead := exchange("bob", "GET", "/search?q=1'%20or%20sleep(4)", 0, "")
	dead.Err, dead.Header = errors.New("the answer took too long"), nil
	return &report.Report{
		Version: "1.0.0", Target: "http://127.0.0.1:8080", Document: "openapi.json", Title: "Orders", APIVersion: "2.1", Profile: "deep", Seed: 7,
		Start: time.Date(2026, 11, 24, 3, 0, 0, 0, time.UTC), Duration: 42500 * time.Millisecond, Requests: 3120,
		Users: []report.User{{Name: "alice", LogIn: "OAuth2 password"}, {Name: "bob", LogIn: "OAuth2 password"}, {Name: "root", Admin: true}, {Name: "fz-1", Registered: true}},
		Findings: []*finding.Finding{
			{Kind: banner(), Severity: finding.Low, Proven: true, Claim: "No answer has X-Content-Type-Options.", Places: []finding.Place{{Method: "GET", Path: "/health"}}, Evidence: []finding.Evidence{{Says: "the header is missing", Exchange: exchange("", "GET", "/health", 200, `"ok"`)}}},
			{
				Kind: bola(), Severity: finding.High, Proven: true, Claim: "bob reads an order of alice",
				Control:  "Nobody gets 401 for it, an id that does not exist gives 404, and the text that bob gets was made up by the scan for alice.",
				Places:   []finding.Place{{Method: "GET", Path: "/orders/{id}", Parameter: "path id", Users: "bob as alice"}, {Method: "GET", Path: "/orders/{id}/lines", Parameter: "path id", Users: "bob as alice"}},
				Evidence: []finding.Evidence{{Says: "alice makes an order", Exchange: post}, {Says: "bob reads it", Exchange: exchange("bob", "GET", "/orders/17", 200, `{"id":17,"note":"fz83ab0c51"}`)}, {Says: "nobody may", Exchange: exchange("", "GET", "/orders/17", 401, `{"detail":"who?"}`)}},
			},
			{
				Kind: injection(), Severity: finding.Critical, Proven: true, Claim: "What is searched for becomes a part of the SQL statement.", Control: "true = true again ≠ false",
				Places: []finding.Place{{Method: "GET", Path: "/search", Parameter: "query q"}}, Evidence: []finding.Evidence{{Says: "it sleeps", Exchange: dead}},
			},
			{Kind: bola(), Severity: finding.Low, Claim: "bob gets the same status as alice", Places: []finding.Place{{Method: "GET", Path: "/carts/{id}", Parameter: "path id", Users: "bob as alice"}}},
		},
		Operations: []report.Operation{
			{ID: "search", Method: "GET", Path: "/search", Line: 40, Answers: []report.Answer{{User: "bob", Status: 200}, {User: "anonymous", Status: 200}}, Checks: []string{"IN-01"}},
			{ID: "readOrder", Method: "GET", Path: "/orders/{id}", Line: 12, Answers: []report.Answer{{User: "alice", Status: 200}, {User: "anonymous", Status: 401}}, Checks: []string{"IN-01", "AZ-01"}},
			{ID: "readLines", Method: "GET", Path: "/orders/{id}/lines", Answers: []report.Answer{{User: "alice", Status: 200}}, Checks: []string{"AZ-01"}},
			{ID: "admin", Method: "POST", Path: "/admin/reset", Held: "its name says that it resets something"},
			{ID: "makeCart", Method: "PUT", Path: "/carts/{id}", Answers: []report.Answer{{User: "alice", Status: 422}, {User: "anonymous", Status: 401}}, Checks: []string{"AZ-01"}},
			{ID: "debug", Method: "GET", Path: "/debug", Found: "a word list", Answers: []report.Answer{{User: "anonymous", Status: 500}}},
			{ID: "health", Method: "GET", Path: "/health", Answers: []report.Answer{{User: "anonymous", Status: 200}}, Checks: []string{"HT-01"}},
		},
		Checks: []report.Check{
			{Kind: bola()}, {Kind: injection()}, {Kind: banner()},
			{Kind: finding.Kind{ID: "SS-01", Title: "Server-side request forgery", Severity: finding.High, OWASP: "API7:2023"}, Skipped: "there is no listener"},
			{Kind: finding.Kind{ID: "JW-01", Title: "The signature is not verified", Severity: finding.Critical, OWASP: "API2:2023"}, Failed: "the target answered no more"},
		},
		Complaints: []report.Complaint{{Where: "/paths/~1orders/get", What: "the reference #/components/schemas/Ordr leads nowhere", Line: 31}},
		Notes:      []string{"The scan could not log in as root."},
		Secrets:    secrets(),
	}
}

func secrets() *wire.Redactor {
	r := new(wire.Redactor)
	r.Add(tokenAlice, "TOKEN_ALICE")
	r.Add(tokenBob, "TOKEN_BOB")
	r.Add(password, "PASSWORD_ALICE")
	return r
}

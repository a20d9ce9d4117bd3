package main

import (
	_ "embed"
	"fmt"
	"net/http"
	"runtime"
	"strings"

	"go.yaml.in/yaml/v3"
)

// FLAW LK-76 (TLS-01, API8:2023, CWE-319): there is no TLS: passwords and tokens cross the network as they are
//
//go:embed openapi.yaml
var document []byte

func (s *shop) documentYAML(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/yaml")
	_, _ = w.Write(document)
}

func (s *shop) documentJSON(w http.ResponseWriter, _ *http.Request) {
	var v any
	must(yaml.Unmarshal(document, &v))
	reply(w, 200, v)
}

// oldOrders is what the first app used. It has been switched off for a year, in the document.
func (s *shop) oldOrders(w http.ResponseWriter, _ *http.Request) {
	// FLAW LK-77 (IV-02, API9:2023, CWE-1059): the old version is alive and asks nobody to log in
	reply(w, 200, map[string]any{"orders": s.all("SELECT * FROM orders ORDER BY id DESC LIMIT 100")})
}

func (s *shop) oldOrder(w http.ResponseWriter, r *http.Request) {
	// FLAW LK-92 (IV-02 AU-01, API9:2023, CWE-1059): the old version gives any order to anybody
	s.order(w, number(r, "order_id"))
}

// oldLogin is the log-in of the first app.
func (s *shop) oldLogin(w http.ResponseWriter, r *http.Request) {
	var in credentials
	if !decode(w, r, &in) {
		return
	}
	// FLAW LK-78 (IV-02, API2:2023, CWE-287): the old log-in does not look at the password
	u, ok := s.userBy("username", in.Username)
	if !ok {
		fail(w, 401, "wrong name or password")
		return
	}
	s.welcome(w, u.id)
}

// internalUsers is for the service of mails.
func (s *shop) internalUsers(w http.ResponseWriter, _ *http.Request) {
	// FLAW LK-79 (IV-01 AU-01 DE-02, API9:2023, CWE-1059): it is in no document, and nobody has to log in
	reply(w, 200, map[string]any{"users": s.all("SELECT id, username, email, phone FROM users ORDER BY id")})
}

// vhost serves the pages of the staff, which only the office knows by name.
func (s *shop) vhost(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// FLAW LK-80 (IV-03, API9:2023, CWE-1059): whoever sends Host: internal.… gets the page of the staff
		if strings.HasPrefix(strings.ToLower(r.Host), "internal.") && r.URL.Path == "/" {
			reply(w, 200, map[string]any{"staff": true, "revenue": s.row("SELECT sum(total) AS total FROM orders")["total"], "links": []string{"/internal/users", "/debug/vars"}})
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (s *shop) debugVars(w http.ResponseWriter, _ *http.Request) {
	// FLAW LK-81 (IV-04 DE-01, API8:2023, CWE-489): a page for debugging shows the secrets of the environment
	reply(w, 200, map[string]any{"goroutines": runtime.NumGoroutine(), "version": runtime.Version(),
		"env": map[string]any{"DB_PASSWORD": "rampart-and-moat", "JWT_SECRET": "secret123", "SMTP_PASSWORD": "pigeon-post"}})
}

func (s *shop) metrics(w http.ResponseWriter, _ *http.Request) {
	// FLAW LK-82 (IV-04, API8:2023, CWE-200): everybody reads the metrics
	w.Header().Set("Content-Type", "text/plain; version=0.0.4")
	_, _ = fmt.Fprintf(w, "# HELP go_goroutines Number of goroutines.\n# TYPE go_goroutines gauge\ngo_goroutines %d\nleaky_orders_total %v\n",
		runtime.NumGoroutine(), s.row("SELECT count(*) AS n FROM orders")["n"])
}

// leftBehind is what was copied to the server with the rest.
func (s *shop) leftBehind(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain")
	// FLAW LK-83 (IV-04, API8:2023, CWE-538): files of the developers lie where the server finds them
	switch r.URL.Path {
	case "/.env":
		// FLAW LK-93 (IV-04, API8:2023, CWE-538): the settings, with their passwords, lie where the server finds them
		_, _ = fmt.Fprint(w, "APP_ENV=production\nDB_PASSWORD=rampart-and-moat\nJWT_SECRET=secret123\n")
	case "/.git/HEAD":
		_, _ = fmt.Fprint(w, "ref: refs/heads/main\n")
	default:
		_, _ = fmt.Fprint(w, "[core]\n\trepositoryformatversion = 0\n[remote \"origin\"]\n\turl = https://git.castle.example/shop.git\n")
	}
}

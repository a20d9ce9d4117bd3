package csrf_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"

	"github.com/fastness/fastness/guard/csrf"
)

// A page with a form, and who may send it.
func Example() {
	guard, err := csrf.New(csrf.Config{Keys: csrf.EphemeralKeys()})
	if err != nil {
		fmt.Println(err)
		return
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /transfer", func(w http.ResponseWriter, r *http.Request) {
		token, err := guard.Token(w.Header(), r, "")
		if err != nil {
			http.Error(w, "", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprint(w, token) // into the hidden field csrf-token of the form
	})
	mux.HandleFunc("POST /transfer", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s is sent", r.PostFormValue("amount"))
	})
	server := guard.Handler(mux)

	page := httptest.NewRecorder()
	server.ServeHTTP(page, httptest.NewRequest("GET", "https://bank.example/transfer", nil))
	cookie, _, _ := strings.Cut(page.Header().Get("Set-Cookie"), ";")

	for _, sent := range []struct{ site, token string }{
		{"same-origin", page.Body.String()},
		{"same-origin", ""},
		{"cross-site", page.Body.String()},
	} {
		form := url.Values{"amount": {"100"}, "csrf-token": {sent.token}}
		r := httptest.NewRequest("POST", "https://bank.example/transfer", strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", sent.site)
		r.Header.Set("Cookie", cookie)
		w := httptest.NewRecorder()
		server.ServeHTTP(w, r)
		fmt.Println(w.Code, w.Body)
	}
	// Output:
	// 200 100 is sent
	// 403 {"title":"Forbidden","status":403,"detail":"the CSRF token is missing","code":"csrf_missing_token"}
	// 403 {"title":"Forbidden","status":403,"detail":"the request comes from another site","code":"cross_site"}
}

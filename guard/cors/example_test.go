package cors_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/fastness/fastness/guard/cors"
)

func Example() {
	policy, err := cors.New(cors.Config{Origins: []string{"https://app.example.com"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	api := policy.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "data") }))
	for _, origin := range []string{"https://app.example.com", "https://app.example.com.evil.example", "null"} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Origin", origin)
		w := httptest.NewRecorder()
		api.ServeHTTP(w, r)
		fmt.Printf("%q may read: %q, Vary: %s\n", origin, w.Header().Get("Access-Control-Allow-Origin"), w.Header().Get("Vary"))
	}

	_, err = cors.New(cors.Config{Origins: []string{"https://app.example.com/", "*"}, Credentials: true})
	fmt.Println(err)
	// Output:
	// "https://app.example.com" may read: "https://app.example.com", Vary: Origin
	// "https://app.example.com.evil.example" may read: "", Vary: Origin
	// "null" may read: "", Vary: Origin
	// cors config: Origins entry "https://app.example.com/" has something behind the host; an origin has no path and no final slash
	// Origins entry "*" allows every origin; say why in InsecureAnyOrigin
}

package auth_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/fastness/fastness/auth"
)

// A scheme verifies who is calling a plain handler.
func Example() {
	basic, err := auth.NewBasic(auth.BasicConfig{
		Realm: "shop",
		Verify: func(_ context.Context, _ *http.Request, name, password string) (*auth.User, error) {
			if name == "ann" && password == "correct horse" { // Ask package account in earnest.
				return &auth.User{ID: "u1", Name: name}, nil
			}
			return nil, nil
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	schemes, err := auth.New(basic)
	if err != nil {
		fmt.Println(err)
		return
	}
	handler := schemes.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "hello,", auth.From(r.Context()).Name)
	}))
	for _, password := range []string{"correct horse", "guess"} {
		r := httptest.NewRequest("GET", "https://shop.example.com/", nil)
		r.SetBasicAuth("ann", password)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		fmt.Printf("%d %q\n", w.Code, w.Header().Get("WWW-Authenticate"))
	}
	// Output:
	// 200 ""
	// 401 "Basic realm=\"shop\", charset=\"UTF-8\""
}

package cookie_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/fastness/fastness/cookie"
)

func Example() {
	theme, err := cookie.New(cookie.Config{Name: "theme", MaxAge: 24 * time.Hour})
	if err != nil {
		fmt.Println(err)
		return
	}
	h := http.Header{}
	fmt.Println(theme.Set(context.Background(), h, "dark"), h.Get("Set-Cookie"))

	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Cookie", "__Host-theme=dark")
	fmt.Println(theme.Get(r))
	r.Header.Add("Cookie", "__Host-theme=planted")
	_, _, err = theme.Get(r)
	fmt.Println(err)

	_, err = cookie.New(cookie.Config{Name: "__Host-a b", Domain: "example.com", InsecureHTTP: "a test", InsecureCrossSite: "a test"})
	fmt.Println(err)
	// Output:
	// <nil> __Host-theme=dark; Path=/; Max-Age=86400; HttpOnly; Secure; SameSite=Lax
	// dark true <nil>
	// a cookie is there more than once
	// cookie config: Name is "__Host-a b", which is no name of a cookie
	// InsecureCrossSite with InsecureHTTP: browsers refuse SameSite=None without Secure
	// Domain is "example.com", and every host below it could write the cookie; say why in InsecureSubdomains
}

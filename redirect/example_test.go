package redirect_test

import (
	"fmt"

	"github.com/fastness/fastness/redirect"
)

func Example() {
	targets, err := redirect.New(redirect.Config{Allow: []string{"https://accounts.example.com"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, next := range []string{"/orders?page=2", "https://accounts.example.com/login", "//evil.example", "/\t/evil.example"} {
		fmt.Printf("%q leads to %s\n", next, targets.Or(next, "/"))
	}
	// Output:
	// "/orders?page=2" leads to /orders?page=2
	// "https://accounts.example.com/login" leads to https://accounts.example.com/login
	// "//evil.example" leads to /
	// "/\t/evil.example" leads to /
}

func ExamplePath() {
	fmt.Println(redirect.Path("/straße?q=1"))
	fmt.Println(redirect.Path(`/\evil.example`))
	// Output:
	// /stra%C3%9Fe?q=1 <nil>
	//  location is not an absolute path of this site
}

package outbound_test

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/fastness/fastness/outbound"
	"github.com/fastness/fastness/problem"
)

// A caller names a URL, and the answer says nothing of the network inside.
func Example() {
	client, err := outbound.New(outbound.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, url := range []string{"https://169.254.169.254/latest/meta-data/", "https://2130706433/", "file:///etc/passwd"} {
		res, err := client.HTTP().Get(url)
		if err == nil {
			res.Body.Close()
		}
		text, _ := problem.From(outbound.Problem(err)).MarshalJSON()
		fmt.Println(errors.Is(err, outbound.ErrForbiddenAddress), errors.Is(err, outbound.ErrForbiddenURL), string(text))
	}
	// Output:
	// true false {"title":"Unprocessable Entity","status":422,"detail":"the URL cannot be fetched","code":"unfetchable_url"}
	// false true {"title":"Unprocessable Entity","status":422,"detail":"the URL cannot be fetched","code":"unfetchable_url"}
	// false true {"title":"Unprocessable Entity","status":422,"detail":"the URL cannot be fetched","code":"unfetchable_url"}
}

// A partner's hosts only, and a service of one's own network.
func ExampleNew() {
	client, err := outbound.New(outbound.Config{AllowHosts: []string{"*.partner.example"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	req, _ := http.NewRequest(http.MethodGet, "https://partner.example.evil.example/", nil)
	fmt.Println(client.Check(req.URL))

	_, err = outbound.New(outbound.Config{AllowHosts: []string{"*"}, MaxBody: -1})
	fmt.Println(err)
	// Output:
	// this URL is not fetched: its host is not allowed
	// outbound config: AllowHosts entry "*" allows any host, which is the default: leave AllowHosts empty
	// MaxBody is -1, want at least 1
}

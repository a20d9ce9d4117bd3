package openconn_test

import (
	"fmt"
	"net/netip"

	"github.com/fastness/fastness/guard/openconn"
)

func Example() {
	limit, err := openconn.New(openconn.Config{PerUser: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	ada := openconn.Caller{User: "ada", Addr: netip.MustParseAddr("192.0.2.1")}
	hangUp, err := limit.Open(ada)
	fmt.Println("first:", err)
	_, err = limit.Open(ada)
	fmt.Println("second:", err)
	hangUp()
	_, err = limit.Open(ada)
	fmt.Println("after the first was closed:", err)
	// Output:
	// first: <nil>
	// second: this user has too many connections open
	// after the first was closed: <nil>
}

package sanitize_test

import (
	"encoding/json"
	"fmt"

	"github.com/fastness/fastness/sanitize"
)

func Example() {
	comments, err := sanitize.New(sanitize.Config{Tags: []string{"b", "a", "p"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(comments.Clean(`<p onclick="steal()">Hi <b>there</b>, <a href="javascript:steal()">click</a>!<script>steal()</script>`))
	// Output: <p>Hi <b>there</b>, <a rel="noopener noreferrer">click</a>!</p>
}

func ExampleHTML() {
	var item struct {
		Name        sanitize.Text `json:"name"`
		Description sanitize.HTML `json:"description"`
	}
	err := json.Unmarshal([]byte(`{"name":" Lamp ","description":"<p>Bright<img src=x onerror=steal()>"}`), &item)
	fmt.Println(item.Name, item.Description, err)

	err = json.Unmarshal([]byte(`{"name":"<b>Lamp</b>"}`), &item)
	fmt.Println(err)
	// Output:
	// Lamp <p>Bright<img src="x"></p> <nil>
	// Text should have no markup; put a space behind <
}

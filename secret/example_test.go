package secret_test

import (
	"encoding/json"
	"fmt"

	"github.com/fastness/fastness/secret"
)

func Example() {
	var in struct {
		Username string      `json:"username"`
		Password secret.Text `json:"password"`
	}
	_ = json.Unmarshal([]byte(`{"username":"ada","password":"correct horse battery"}`), &in)
	fmt.Printf("%+v\n", in)
	fmt.Println(len(in.Password.Reveal()))

	_, err := json.Marshal(in)
	fmt.Println(err)
	// Output:
	// {Username:ada Password:***}
	// 21
	// json: error calling MarshalJSON for type secret.Text: secret: a secret.Text is not written down
}

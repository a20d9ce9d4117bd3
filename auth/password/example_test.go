package password_test

import (
	"context"
	"fmt"
	"log"
	"strings"

	"github.com/fastness/fastness/auth/password"
	"github.com/fastness/fastness/secret"
)

// A user whose hash another program stored logs in, and has a new one.
func ExampleHasher_VerifyAndUpdate() {
	hasher, err := password.New(password.Config{})
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	stored := "pbkdf2_sha256$1000$abcDEF123456$cUWhbeKoysLvx7qz/pU9eck3+eeQz32e1SmOmvgSt2E="
	ok, newHash, err := hasher.VerifyAndUpdate(ctx, stored, secret.New("пароль 🔑 密码"))
	fmt.Println(ok, newHash[:strings.LastIndex(newHash[:40], "$")], err)

	ok, newHash, err = hasher.VerifyAndUpdate(ctx, stored, secret.New("a guess"))
	fmt.Printf("%v %q %v\n", ok, newHash, err)
	// Output:
	// true $argon2id$v=19$m=19456,t=2,p=1 <nil>
	// false "" <nil>
}

// An unknown user costs as much as a known one with a wrong password.
func ExampleHasher_Dummy() {
	hasher, err := password.New(password.Config{})
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	hashes := map[string]string{} // no users yet
	logIn := func(username string, given secret.Text) (bool, error) {
		hash, known := hashes[username]
		if !known {
			return false, hasher.Dummy(ctx, given)
		}
		return hasher.Verify(ctx, hash, given)
	}
	fmt.Println(logIn("ada", secret.New("correct horse battery")))
	// Output: false <nil>
}

func ExamplePolicy_Check() {
	policy, err := password.NewPolicy(password.PolicyConfig{Words: []string{"Fastness Shop"}})
	if err != nil {
		log.Fatal(err)
	}
	for _, text := range []string{"Tr0ub4dor&3", "Password2024!", "ada.lovelace", "correct horse battery staple"} {
		found, err := policy.Check(context.Background(), secret.New(text), "ada.lovelace@example.com")
		if err != nil {
			log.Fatal(err)
		}
		fmt.Print(len(found))
		for _, v := range found {
			fmt.Printf(" %s: %s", v.Code, v.Detail)
		}
		fmt.Println()
	}
	// Output:
	// 1 password_too_short: Password should have at least 12 characters
	// 1 password_common: Password should not be one of those that are guessed first
	// 1 password_is_name: Password should not be a name of yours or of this service
	// 0
}

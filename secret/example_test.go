package secret_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

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

// A file is replaced, and what was signed with the old secret is still accepted.
func ExampleReloading() {
	dir, err := os.MkdirTemp("", "secret")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "hmac")
	put := func(text string) error {
		next := path + ".next"
		if err := os.WriteFile(next, []byte(text+"\n"), 0o600); err != nil {
			return err
		}
		return os.Rename(next, path)
	}
	if err := put("GWeQjY5KyrGIzkUVlI5vjBWgErT4LUnzmVeChU2mxFU="); err != nil {
		fmt.Println(err)
		return
	}
	source, err := secret.Parse("file:" + path)
	if err != nil {
		fmt.Println(err)
		return
	}
	now := time.Now()
	key, err := secret.NewReloading(context.Background(), secret.ReloadingConfig{
		Source: source,
		Accept: func(t secret.Text) error { return secret.Check(t, secret.Policy{}) },
		Logger: slog.New(slog.DiscardHandler),
		Now:    func() time.Time { return now },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	old := key.Current()
	fmt.Println(len(key.Accepted()))

	if err := put("HY4rKX1ZsyLbo9aAFD0oiQfUB0rQMlFhL8ZqHOWlQxw="); err != nil {
		fmt.Println(err)
		return
	}
	now = now.Add(time.Second)
	fmt.Println(len(key.Accepted()), key.Previous().Equal(old))

	if err := put("changeme"); err != nil { // The last good one stays.
		fmt.Println(err)
		return
	}
	now = now.Add(time.Second)
	fmt.Println(len(key.Current().Reveal()), key.Err() != nil)
	// Output:
	// 1
	// 2 true
	// 44 true
}

func ExampleCheck() {
	for _, text := range []string{"changeme", "your-256-bit-secret", "Summer2026Summer2026Summer2026Summer2026Summer2026", "HY4rKX1ZsyLbo9aAFD0oiQfUB0rQMlFhL8ZqHOWlQxw="} {
		fmt.Println(secret.Check(secret.New(text), secret.Policy{}))
	}
	// Output:
	// the secret is weak: it is from a tutorial or a template
	// the secret is weak: it is from a tutorial or a template
	// the secret is weak: it is made of words, repetitions or sequences
	// <nil>
}

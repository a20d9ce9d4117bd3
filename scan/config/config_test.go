package config_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fastness/fastness/scan/config"
)

func env(values ...string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		for i := 0; i+1 < len(values); i += 2 {
			if values[i] == name {
				return values[i+1], true
			}
		}
		return "", false
	}
}

func Example() {
	f, err := config.Parse([]byte(`
target: http://127.0.0.1:8080
users:
  - {name: alice, username: alice, password: "${ALICE_PASSWORD}"}
limits: {rate: 50, time: 10m}
reports: [html=scan.html]
`), ".", env("ALICE_PASSWORD", "wonderland"))
	if err != nil {
		fmt.Println(err)
		return
	}
	c := f.Scan()
	fmt.Println(c.Target, c.Users[0].Password, c.Rate, c.MaxTime)
	// Output: http://127.0.0.1:8080 wonderland 50 10m0s
}

func TestEveryMistakeIsNamedWithItsLine(t *testing.T) {
	_, err := config.Parse([]byte(`target: 127.0.0.1
profile: huge
users:
  - {name: a, password: "${NOT_SET}"}
  - {name: a, token: "file:none.txt"}
limits:
  rate: -1
include: [admin]
reports: [pdf=scan.pdf]
read_only: true
destructive: true
fail_on: worst
`), t.TempDir(), env())
	for _, want := range []string{
		"line 1: target", `line 2: profile "huge"`, `line 4: the variable "NOT_SET" is not set`, "line 5: open ", "line 3: users: there are two",
		"line 7: limits: rate is negative", `line 8: include`, `line 9: reports: "pdf" is no format`, "line 11: read_only and destructive", `line 12: fail_on: "worst" is no severity`,
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q in: %v", want, err)
		}
	}
	_, err = config.Parse([]byte("targte: x\nlimits: {speed: 3}\nseed: many\nusers: [{nmae: a}]\n"), ".", env())
	for _, want := range []string{"line 1: field targte is not known", "line 2: field speed is not known in limits", "line 3: cannot unmarshal", "field nmae is not known in account"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q in: %v", want, err)
		}
	}
}

func TestSecretsComeFromEnvironmentAndFiles(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "token"), []byte("s3cret: [not YAML]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := config.Parse([]byte("users: [{name: a, token: 'file:token'}, {name: b, password: 'x${P}y$${P}'}]\nheaders: {X-Key: '${P}'}\ndocument: api.yaml\n"), folder, env("P", "]}: ${P}"))
	if err != nil {
		t.Fatal(err)
	}
	c := f.Scan()
	if c.Users[0].Token != "s3cret: [not YAML]" || c.Users[1].Password != "x]}: ${P}y${P}" || c.Header.Get("X-Key") != "]}: ${P}" || c.Document != filepath.Join(folder, "api.yaml") {
		t.Errorf("it is %+v", c)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("target: http://a\nusers: [{name: '${A}'}]\n")
	f.Add("a: &a [*a, *a]\n")
	f.Add("limits: {time: 1s}\nx: !!binary a\n")
	f.Fuzz(func(t *testing.T, text string) {
		if file, err := config.Parse([]byte(text), t.TempDir(), env("A", "b")); err == nil {
			_ = file.Scan()
		}
	})
}

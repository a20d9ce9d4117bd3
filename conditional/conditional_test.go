package conditional_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/fastness/fastness/conditional"
	"github.com/fastness/fastness/problem"
)

func Example() {
	version := "7"
	put := func(w http.ResponseWriter, r *http.Request) {
		err := errors.Join(conditional.Demand(r), conditional.Check(r, conditional.Of(version)))
		if err != nil {
			problem.Write(w, problem.From(err))
			return
		}
		version = "8"
	}
	send := func(match string) int {
		r := httptest.NewRequest("PUT", "/items/1", nil)
		if match != "" {
			r.Header.Set("If-Match", match)
		}
		w := httptest.NewRecorder()
		put(w, r)
		return w.Code
	}
	seen := conditional.Of("7").String()
	fmt.Println(send(""), send(seen), send(seen))
	// Output: 428 200 412
}

func request(method, name, value string) *http.Request {
	r := httptest.NewRequest(method, "/", nil)
	r.Header.Set(name, value)
	return r
}

func status(err error) int {
	if err == nil {
		return 200
	}
	return problem.From(err).Status
}

// The forms of RFC 9110 sections 8.8.3 and 13.1.
func TestEntityTagsAreReadStrictly(t *testing.T) {
	current := conditional.Of("7")
	tag := current.String()
	for _, tt := range []struct {
		name, value string
		match, none int
	}{
		{"the tag", tag, 200, 412},
		{"any", "*", 200, 412},
		{"any with space around", " * ", 200, 412},
		{"a weak one", "W/" + tag, 412, 412},
		{"one of several", `"a",` + tag + `, W/"b"`, 200, 412},
		{"empty elements", " , ," + tag + ",,", 200, 412},
		{"a comma in a tag", `"a,b"`, 412, 200},
		{"a backslash is no escape", `"a\"`, 412, 200},
		{"bytes above ASCII", "\"\xe9\"", 412, 200},
		{"an empty tag", `""`, 412, 200},
		{"another one", `"x"`, 412, 200},
		{"no quotes", "x", 400, 400},
		{"no second quote", `"x`, 400, 400},
		{"a small w", `w/"x"`, 400, 400},
		{"a space in a tag", `"a b"`, 400, 400},
		{"no comma", `"a" "b"`, 400, 400},
		{"any and a tag", `*, "a"`, 400, 400},
		{"a tag and any", `"a", *`, 400, 400},
		{"nothing", "", 400, 400},
		{"commas only", ",,", 400, 400},
		{"too many", strings.Repeat(`"a",`, 51), 400, 400},
	} {
		if got := status(conditional.Check(request("PUT", "If-Match", tt.value), current)); got != tt.match {
			t.Errorf("%s: If-Match is answered with %d, want %d", tt.name, got, tt.match)
		}
		if got := status(conditional.Check(request("PUT", "If-None-Match", tt.value), current)); got != tt.none {
			t.Errorf("%s: If-None-Match is answered with %d, want %d", tt.name, got, tt.none)
		}
		if got := conditional.NotModified(request("GET", "If-None-Match", tt.value), current, time.Time{}); got != (tt.none == 412) {
			t.Errorf("%s: NotModified is %v", tt.name, got)
		}
	}
}

func TestWhatIsNotThereHasNoVersion(t *testing.T) {
	if got := status(conditional.Check(request("PUT", "If-Match", "*"), conditional.Tag{})); got != 412 {
		t.Errorf("If-Match: * of nothing is answered with %d, want 412", got)
	}
	if got := status(conditional.Check(request("PUT", "If-None-Match", "*"), conditional.Tag{})); got != 200 {
		t.Errorf("If-None-Match: * of nothing is answered with %d, want 200", got)
	}
	if conditional.Of("") != (conditional.Tag{}) || conditional.Of("").String() != "" {
		t.Error("no version has a tag")
	}
}

func TestVariantsAreOneVersionAndTwoAnswers(t *testing.T) {
	plain, editor := conditional.Of("7"), conditional.Of("7", "editor")
	if err := conditional.Check(request("PUT", "If-Match", editor.String()), plain); err != nil {
		t.Errorf("a variant of the version: %v", err)
	}
	if conditional.NotModified(request("GET", "If-None-Match", plain.String()), editor, time.Time{}) {
		t.Error("another variant is the same answer")
	}
	if conditional.Of("7", "a", "b") == conditional.Of("7", "ab") || strings.Contains(editor.String(), "editor") {
		t.Error("a variant can be guessed, or mistaken for another")
	}
}

func TestTwoHeadersAreOneList(t *testing.T) {
	current := conditional.Of("7")
	r := request("PUT", "If-Match", `"a"`)
	r.Header.Add("If-Match", current.String())
	if err := conditional.Check(r, current); err != nil {
		t.Errorf("the second field: %v", err)
	}
}

func TestOnlyReadsAreNotModified(t *testing.T) {
	current := conditional.OfContent([]byte("x"))
	for method, want := range map[string]bool{"GET": true, "HEAD": true, "POST": false, "PATCH": false} {
		if got := conditional.NotModified(request(method, "If-None-Match", current.String()), current, time.Time{}); got != want {
			t.Errorf("%s: NotModified is %v, want %v", method, got, want)
		}
	}
	if err := conditional.Check(request("PUT", "If-Match", current.String()), current); err == nil {
		t.Error("a weak tag is a version to change")
	}
}

func FuzzEntityTags(f *testing.F) {
	for _, seed := range []string{`"a"`, `W/"a", "b"`, "*", "", `"`, `W/`, ",", `"a"x`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		tag, ok := conditional.Parse(text)
		if ok && tag.String() != text {
			t.Errorf("%q is read as %q", text, tag)
		}
		if ok && status(conditional.Check(request("PUT", "If-None-Match", text), conditional.Of("7"))) == 400 {
			t.Errorf("%q is a tag, and no list of one", text)
		}
		current := conditional.Of("7")
		if conditional.Check(request("PUT", "If-Match", text), current) == nil && text != "" && !strings.Contains(text, "*") && !strings.Contains(text, current.String()) {
			t.Errorf("%q matches", text)
		}
	})
}

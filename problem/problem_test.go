package problem_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/fastness/fastness/problem"
)

func TestFromFindsTheProblemInAChain(t *testing.T) {
	want := problem.New(http.StatusConflict, "taken")
	for _, err := range []error{want, fmt.Errorf("insert: %w", want), errors.Join(errors.New("first"), want)} {
		if got := problem.From(err); got != want {
			t.Errorf("From(%v) = %v, want %v", err, got, want)
		}
	}
}

func TestCauseIsNeverWritten(t *testing.T) {
	const canary = "password=hunter2"
	p := problem.New(http.StatusBadGateway, "the store is away").Wrap(errors.New(canary)).Extend("retry", true)
	if text := string(p.AppendJSON(nil)); strings.Contains(text, canary) {
		t.Errorf("AppendJSON() = %s, holds the cause", text)
	}
	if !strings.Contains(p.Error(), canary) {
		t.Errorf("Error() = %q, want the cause for the log", p.Error())
	}
}

func TestExtensionsCannotReplaceMembers(t *testing.T) {
	p := problem.New(http.StatusTeapot, "short and stout").Extend("status", 200).Extend("pot", "small").Extend("bad", func() {})
	if got, want := string(p.AppendJSON(nil)), `{"title":"I'm a teapot","status":418,"detail":"short and stout","pot":"small"}`; got != want {
		t.Errorf("AppendJSON() = %s, want %s", got, want)
	}
}

func TestPointerEscapesNames(t *testing.T) {
	v := problem.Violation{In: "body", Path: []problem.Segment{problem.Name("a/b"), problem.Index(0), problem.Name("c~d\"<")}, Code: "x"}
	if got, want := v.Pointer(), `/a~1b/0/c~0d"<`; got != want {
		t.Errorf("Pointer() = %s, want %s", got, want)
	}
	var written struct{ Pointer string }
	if err := json.Unmarshal(v.AppendJSON(nil), &written); err != nil || written.Pointer != v.Pointer() {
		t.Errorf("AppendJSON() has the pointer %q (%v), want %q", written.Pointer, err, v.Pointer())
	}
}

func FuzzAppendString(f *testing.F) {
	for _, s := range []string{"", "plain", "</script>", "\u2028\u2029", "\xff\xfe", "\x00\x1f\"\\", "é😀&"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		text := problem.AppendString(nil, s)
		var back string
		if err := json.Unmarshal(text, &back); err != nil {
			t.Fatalf("AppendString(%q) = %s: %v", s, text, err)
		}
		if want := strings.ToValidUTF8(s, "\ufffd"); utf8.ValidString(s) && back != want {
			t.Errorf("AppendString(%q) reads back as %q", s, back)
		}
		if strings.ContainsAny(string(text), "<>&\u2028\u2029") {
			t.Errorf("AppendString(%q) = %s breaks out of a script element", s, text)
		}
	})
}

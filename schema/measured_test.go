package schema_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/fastness/fastness/openapi"
	"github.com/fastness/fastness/schema"
)

// trimmed keeps less than what was sent, and describes itself.
type trimmed struct{ text string }

func (t trimmed) MarshalText() ([]byte, error) { return []byte(t.text), nil }
func (t trimmed) Length() int                  { return utf8.RuneCountInString(t.text) }
func (trimmed) JSONSchema() *openapi.Schema {
	return &openapi.Schema{Type: openapi.Types{"string"}, ContentMediaType: "text/plain"}
}

func (t *trimmed) UnmarshalText(text []byte) error {
	t.text = strings.TrimSpace(string(text))
	return nil
}

func TestWhatATypeKeepsIsNotShorterThanMinLength(t *testing.T) {
	testRules(t, []ruleCase{
		{"enough is left", trimmed{}, `minLength:"2" maxLength:"4"`, `" ab "`, trimmed{"ab"}},
		{"too little is left", trimmed{}, `minLength:"2" maxLength:"4"`, `" a "`, refused("string_too_short")},
		{"too little was sent", trimmed{}, `minLength:"2"`, `"a"`, refused("string_too_short")},
		{"too much was sent", trimmed{}, `maxLength:"4"`, `" abc "`, refused("string_too_long")},
		{"characters are counted", trimmed{}, `minLength:"2"`, `" éé "`, trimmed{"éé"}},
		{"no rule", trimmed{}, ``, `"  "`, trimmed{}},
	})
	if got := decodeText(plan(t, trimmed{}, `minLength:"2"`), " a "); got != refused("string_too_short") {
		t.Errorf("from a parameter: %v", got)
	}
}

// TestRulesOfATypeThatDescribesItselfAreInTheDocument, for what is sent. What is
// kept may have grown beyond maxLength.
func TestRulesOfATypeThatDescribesItselfAreInTheDocument(t *testing.T) {
	p := plan(t, trimmed{}, `minLength:"2" maxLength:"4" pattern:"^ "`)
	for mode, want := range map[schema.Mode]string{
		schema.Input:  `{"type":"string","minLength":2,"maxLength":4,"pattern":"^ ","contentMediaType":"text/plain"}`,
		schema.Output: `{"type":"string","minLength":2,"contentMediaType":"text/plain"}`,
	} {
		got, err := json.Marshal(new(schema.Describer).Describe(p, mode))
		if err != nil || string(got) != want {
			t.Errorf("mode %v: %s (%v), want %s", mode, got, err, want)
		}
	}
}

package negotiate_test

import (
	"strings"
	"testing"

	"github.com/fastness/fastness/internal/negotiate"
)

func TestLanguageIsLookedUp(t *testing.T) {
	available := []string{"en", "de", "fr", "zh-Hant"}
	for accept, want := range map[string]int{
		"": 0, "de": 1, "DE": 1, "de-AT": 1, "de-DE-1996, en": 1, "fr;q=0.5, de;q=0.4": 2, "it, fr": 2, "*": 0, "it, *, de": 0,
		"en, de": 0, "de;q=0, fr;q=0.1": 2, "zh-Hant-TW": 3, "zh": 0, "zh-x-Hant": 0, "de-a-DE": 1, "d": 0, "pl": 0,
		"de; q=0.9, fr ;q=0.8": 1, ",, de,": 1,
		"de;q=2": 0, "de;q=0.5;q=1": 0, "de_DE": 0, "de;v=1": 0, "deutschland": 0, "1e": 0, "de-": 0, "-de": 0, "de\x00": 0,
		strings.Repeat("de,", 33): 0, "de" + strings.Repeat("-aaaaaaaa", 120): 0, "de" + strings.Repeat("-aaaaaaaa", 100): 1, "de;q=0": 0, "de;q=0.000": 0,
	} {
		if got := negotiate.Language([]string{accept}, available...); got != want {
			t.Errorf("%.40q: %s, want %s", accept, available[got], available[want])
		}
	}
}

func FuzzLanguage(f *testing.F) {
	for _, seed := range []string{"de-AT, en;q=0.5", "*", "x-x-x", "de;q=0", "a-b-c-d;q=1.000"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, accept string) {
		if got := negotiate.Language([]string{accept}, "en", "de"); got < 0 || got > 1 || got == 1 && !strings.Contains(strings.ToLower(accept), "de") {
			t.Fatalf("%q: %d", accept, got)
		}
	})
}

package scantest_test

import (
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/fastness/fastness/scan/scantest"
)

// TestGuideNamesWhatThereIs reads the test of the guide, and holds the options that the
// guide names against those of the package.
func TestGuideNamesWhatThereIs(t *testing.T) {
	text, err := os.ReadFile("../../docs/scanner.md")
	if err != nil {
		t.Fatal(err)
	}
	code := regexp.MustCompile("(?s)```go\n(package shop.*?)```").FindSubmatch(text)
	if code == nil {
		t.Fatal("the guide has no test")
	}
	if _, err := parser.ParseFile(token.NewFileSet(), "guide.go", code[1], parser.AllErrors); err != nil {
		t.Error(err)
	}
	there := map[string]any{
		"Run": scantest.Run, "Users": scantest.Users, "Profile": scantest.Profile, "Document": scantest.Document, "FailFrom": scantest.FailFrom,
		"Baseline": scantest.Baseline, "Reach": scantest.Reach, "Time": scantest.Time, "NewClock": scantest.NewClock, "Configure": scantest.Configure,
	}
	var named []string
	for _, m := range regexp.MustCompile(`scantest\.([A-Z]\w*)`).FindAllSubmatch(text, -1) {
		named = append(named, string(m[1]))
		if there[string(m[1])] == nil {
			t.Errorf("the guide names scantest.%s", m[1])
		}
	}
	for name := range there {
		if !slices.Contains(named, name) {
			t.Errorf("the guide does not name scantest.%s", name)
		}
	}
}

package guidetest_test

import (
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/fastness/fastness/internal/guidetest"
)

// heard is a test that writes down what it is told.
type heard struct {
	testing.TB
	errors []string
}

func (h *heard) Errorf(format string, args ...any) {
	h.errors = append(h.errors, fmt.Sprintf(format, args...))
}

func TestGuideIsHeldToTheCode(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{
		"a.go": "func f() {\n\treturn  1\n}\n", "b.go": "func g() {\n}\n",
		"guide.md": "One:\n\n```go\nfunc f() {\n    return 1\n}\n```\n\nTwo:\n\n```go\nfunc g() {\n}\n```\n\n    not go\n",
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		name   string
		pieces int
		code   []string
		want   []string
	}{
		{"all is there", 2, []string{"a.go", "b.go"}, nil},
		{"a line is nowhere", 2, []string{"a.go"}, []string{"this is nowhere in a.go: func g() {\n"}},
		{"a piece is gone", 3, []string{"a.go", "b.go"}, []string{"guide.md has 2 pieces of code, want at least 3"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := &heard{TB: t}
			guidetest.Shows(h, "guide.md", tt.pieces, tt.code...)
			if !slices.Equal(h.errors, tt.want) {
				t.Errorf("it says %q, want %q", h.errors, tt.want)
			}
		})
	}
}

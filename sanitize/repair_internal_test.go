package sanitize

import (
	"strings"
	"testing"
)

// FuzzRepair looks behind the last line of defence: that a second cleaning
// changes something, and all is shown as text, happens with no input.
func FuzzRepair(f *testing.F) {
	f.Add([]byte("abcdefghijklmnopqrstuvwxyz"), 0)
	f.Add([]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 250, 11, 251, 12, 252}, 9)
	tags := append(defaultTags(), "form", "button", "nobr", "rb", "dialog", "section", "my-tag", "tfoot", "font", "menu")
	p, err := New(Config{Tags: tags, MaxDepth: 8})
	if err != nil {
		f.Fatal(err)
	}
	deep, err := New(Config{Tags: tags})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, choice []byte, turn int) {
		var b strings.Builder
		for i, c := range choice[:min(len(choice), 300)] {
			tag := tags[(int(c)*7+i*turn&0xffff+len(tags))%len(tags)]
			switch c % 5 {
			case 0, 1, 2:
				b.WriteString("<" + tag + ">")
			case 3:
				b.WriteString("</" + tag + ">")
			case 4:
				b.WriteString(string("x\n <"[i%4]))
			}
		}
		for _, p := range []*Policy{p, deep} {
			first := cleaner{policy: p, spare: b.Len() + 256}
			first.run(b.String())
			again := cleaner{policy: p, spare: len(first.out) + 256, verifies: true}
			again.run(string(first.out))
			switch {
			case string(again.out) != string(first.out):
				t.Errorf("cleaning changes what is clean\n   in %q\nfirst %q\nagain %q", b.String(), first.out, again.out)
			case again.repaired:
				t.Errorf("clean output is taken for something to repair\n   in %q\nfirst %q", b.String(), first.out)
			case len(first.stack) > 0:
				t.Errorf("%d elements are not ended: %q", len(first.stack), b.String())
			}
		}
	})
}

// TestWhatChangesTheSecondTimeIsShownAsText: here x is written as y, and y as z.
func TestWhatChangesTheSecondTimeIsShownAsText(t *testing.T) {
	p, err := New(Config{Tags: []string{"p", "x", "y"}})
	if err != nil {
		t.Fatal(err)
	}
	p.elements["x"].name, p.elements["y"].name = "y", "z"
	if got, want := p.Clean("<p><p><x>a</x>"), "&lt;p&gt;&lt;p&gt;&lt;x&gt;a&lt;/x&gt;"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

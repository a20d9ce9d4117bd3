package format_test

import (
	"strings"
	"testing"
	"time"

	"github.com/fastness/fastness/schema/format"
)

// A megabyte of what a format might look at twice takes no more than eight times as
// long as an eighth of it, and less than a second.
func TestNoTextMakesAFormatSlow(t *testing.T) {
	const large, parts = 1 << 20, 8
	slowest, where := time.Duration(0), ""
	for _, unit := range []string{"a", "a.", "1:", "@", "%41", "9", "/~0", "::", "-", "((", "\\", "é", "{a}", " "} {
		for _, begin := range []string{"", "PT", "a@", "http://a/", "2026-02-28T10:00:00.", "/", "xn--"} {
			text := begin + strings.Repeat(unit, large/len(unit))
			for _, name := range format.Names() {
				f, _ := format.Lookup(name)
				judge := func(size int) time.Duration {
					start := time.Now()
					_ = f.Check(text[:size])
					return time.Since(start)
				}
				var small, whole time.Duration
				for range 5 { // A machine that does something else is slow by chance, but not five times.
					if whole = judge(len(text)); whole < 50*time.Millisecond {
						break
					}
					if small = parts * judge(len(text)/parts); whole < 4*small && whole < time.Second {
						break
					}
				}
				if whole > time.Second || whole > 50*time.Millisecond && whole > 4*small {
					t.Errorf("%s takes %v for a megabyte of %q behind %q, and %v for it in %d pieces", name, whole, unit, begin, small, parts)
				}
				if whole > slowest {
					slowest, where = whole, name+" "+begin+unit
				}
			}
		}
	}
	t.Logf("the slowest takes %v: %s", slowest, where)
}

package schema_test

import (
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fastness/fastness/schema"
)

// Regular expressions that take an engine with backtracking seconds, hours or for
// ever, each with what a text for it begins with, repeats, and ends with. They are
// those of the reports on ReDoS (CWE-1333): nested and overlapping repetitions, and
// checks of addresses, numbers and names that were in use.
var evilPatterns = []struct{ pattern, begin, repeat, end string }{
	{`^(a+)+$`, "", "a", "!"},
	{`^(a|aa)+$`, "", "a", "!"},
	{`^(a|a?)+$`, "", "a", "!"},
	{`^(a*)*b$`, "", "a", "!"},
	{`^([a-zA-Z]+)*$`, "", "a", "!"},
	{`^(.*a){11}$`, "", "a", "!"},
	{`^(\w+\s?)*$`, "", "a ", "!"},
	{`^(\d+)+x$`, "", "1", "!"},
	{`(x+x+)+y`, "", "x", "!"},
	{`(.*)*=.*;$`, "", "=", "!"},
	{`\s+$`, "", " ", "x"},
	{`^\s*|\s*$`, "x", " ", "x"},
	{`^(([a-z])+.)+[A-Z]([a-z])+$`, "", "a", "!"},
	{`^([a-zA-Z0-9])(([\-.]|[_]+)?([a-zA-Z0-9]+))*(@){1}[a-z0-9]+[.]{1}(([a-z]{2,3})|([a-z]{2,3}[.]{1}[a-z]{2,3}))$`, "", "a", "!"},
	{`^([0-9a-zA-Z]([-.\w]*[0-9a-zA-Z])*@(([0-9a-zA-Z])+([-\w]*[0-9a-zA-Z])*\.)+[a-zA-Z]{2,9})$`, "", "a", "!"},
	{`^(?:[\w!#$%&'*+/=?^{|}~-]+(?:\.[\w!#$%&'*+/=?^{|}~-]+)*)@x$`, "", "a.", ""},
	{`^(([^<>()\[\]\\.,;:\s@"]+(\.[^<>()\[\]\\.,;:\s@"]+)*)|(".+"))@x$`, "", "a.", "@"},
	{`^(https?://)?([\da-z.-]+)\.([a-z.]{2,6})([/\w .-]*)*/?$`, "http://a.bc", "/a", "!"},
	{`^((ab)*)+$`, "", "ab", "a"},
	{`(?i)<script(.*)>(.*)</script>`, "", "<script>", ""},
	{`^((?:[^"\\]|\\.)*)*"$`, "", `\a`, ""},
	{`(?s)^.*?,.*?,.*?,.*?,x$`, "", ",", "!"},
	{`^(é+)+$`, "", "é", "!"},
}

// A text of a megabyte is judged within a second, by whatever pattern, and a text of
// a tenth takes about a tenth of the time: who sends a longer one gains nothing.
func TestNoTextMakesAPatternSlow(t *testing.T) {
	const large, parts = 1 << 20, 8
	for _, tt := range evilPatterns {
		plan, err := schema.NewTypes(schema.Config{}).Plan(reflect.TypeFor[string](), reflect.StructTag(`pattern:`+strconv.Quote(tt.pattern)))
		if err != nil {
			t.Errorf("%s: %v", tt.pattern, err)
			continue
		}
		judge := func(size int) time.Duration {
			text := tt.begin + strings.Repeat(tt.repeat, size/len(tt.repeat)) + tt.end
			var report schema.Report
			begin := time.Now()
			plan.DecodeString(&report, text, reflect.New(reflect.TypeFor[string]()).Elem())
			return time.Since(begin)
		}
		var small, whole time.Duration
		for range 5 { // A machine that does something else is slow by chance, but not five times.
			small = 0
			for range parts / 2 {
				small += judge(large/parts) * 2
			}
			// A time that grows with the square is eight times as long in one piece.
			if whole = judge(large); whole < 4*small || whole < 100*time.Millisecond {
				break
			}
		}
		if whole > 4*small && whole > 100*time.Millisecond || whole > 3*time.Second { // The race detector takes most of it.
			t.Errorf("%s takes %v for a megabyte in %d pieces and %v in one", tt.pattern, small, parts, whole)
		}
		t.Logf("%-9v %s", whole.Round(time.Microsecond), tt.pattern)
	}
}

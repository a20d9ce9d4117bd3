package inject

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/probe"
)

// sum is a calculation that stands between two texts. If the answer has the result between
// them, somebody did it; a mere echo has the calculation.
type sum struct {
	left, right string
	a, b        int
}

// newSum returns one that was never used before. The numbers are small enough that no
// language puts separators into the result.
func newSum(t *probe.Target) sum {
	m := t.Marker()
	n, err := strconv.ParseUint(m[2:10], 16, 64)
	if err != nil { // It is made of hexadecimal digits.
		n = 7
	}
	return sum{left: "z" + m[10:16] + "q", right: "q" + m[16:20] + "z", a: 12 + int(n%17), b: 13 + int(n/17%19)}
}

func (s sum) product() string { return strconv.Itoa(s.a * s.b) }

// form writes a calculation in some language, in place of the value that works or behind
// it.
type form struct {
	language string
	write    func(base string, s sum) string
	// result is what comes out, if it is not the product.
	result func(s sum) string
}

// computes sends a form, and once more with other numbers if the first result is there.
func computes(ctx context.Context, t *probe.Target, s spot, f form) (claim check.Claim, found bool) {
	var proof []finding.Evidence
	said := ""
	for range 2 {
		n := newSum(t)
		result := n.product()
		if f.result != nil {
			result = f.result(n)
		}
		value := f.write(s.text(), n)
		ex := s.with(ctx, t, value)
		if !bytes.Contains(ex.Body, []byte(n.left+result+n.right)) || strings.Contains(value, n.left+result+n.right) {
			return claim, false
		}
		said = fmt.Sprintf("%q in %s is answered with %q", value, s.point, n.left+result+n.right)
		proof = append(proof, evidence("the answer has the result", ex))
	}
	return check.Claim{
		Says:     said + ": " + f.language + " was run",
		Control:  "the result is not in the request; two calculations with different numbers, each between texts that were made for it, gave each its own",
		Evidence: proof,
	}, true
}

// firstForm returns what the first form proves that computes.
func firstForm(ctx context.Context, t *probe.Target, s spot, forms []form) (claim check.Claim, found bool) {
	for _, f := range forms {
		if claim, found = computes(ctx, t, s, f); found || ctx.Err() != nil {
			return claim, found
		}
	}
	return claim, false
}

// around writes a calculation between its texts.
func around(language, format string) form {
	return form{language: language, write: func(_ string, s sum) string {
		return s.left + fmt.Sprintf(format, s.a, s.b) + s.right
	}}
}

// template writes calculations as template engines have them.
func template(ctx context.Context, t *probe.Target, s spot) (claim check.Claim, found bool) {
	if !texts(s) || !reflects(ctx, t, s) {
		return claim, false
	}
	return firstForm(ctx, t, s, []form{
		around("a template ({{ }}, as Jinja2, Twig or Nunjucks)", "{{%d*%d}}"),
		around("a template (${ }, as FreeMarker, Mako or an expression of Java)", "${%d*%d}"),
		around("a template (<%= %>, as ERB or EJS)", "<%%= %d*%d %%>"),
		around("a template (#{ }, as Pug, Slim or an expression of Java)", "#{%d*%d}"),
		{language: "a template of Go", write: func(_ string, n sum) string {
			return fmt.Sprintf(`%s{{printf "%%x" %d}}%s`, n.left, n.a*n.b*8191, n.right)
		}, result: func(n sum) string { return fmt.Sprintf("%x", n.a*n.b*8191) }},
		around("a template (Razor)", "@(%d*%d)"),
		around("a template (Smarty)", "{%d*%d}"),
		around("a template (Thymeleaf)", "[[${%d*%d}]]"),
		around("a template (Velocity)", "#set($q=%d*%d)${q}"),
		around("a template (Liquid)", "{{%d|times:%d}}"),
		{language: "a template (Django)", write: func(_ string, n sum) string {
			return fmt.Sprintf(`%s{{%d|add:"%d"}}%s`, n.left, n.a, n.b, n.right)
		}, result: func(n sum) string { return strconv.Itoa(n.a + n.b) }},
		{language: "a template (Handlebars)", write: func(_ string, n sum) string {
			return fmt.Sprintf(`%s{{#with "%s"}}{{length}}{{/with}}%s`, n.left, strings.Repeat("a", n.a), n.right)
		}, result: func(n sum) string { return strconv.Itoa(n.a) }},
	})
}

// reflects reports whether the answer has what is sent.
func reflects(ctx context.Context, t *probe.Target, s spot) bool {
	m := t.Marker()
	return probe.Holds(s.with(ctx, t, m), m)
}

// code writes expressions that join texts with a result, as programming languages have
// them: what computes on purpose knows numbers only.
func code(ctx context.Context, t *probe.Target, s spot) (claim check.Claim, found bool) {
	if !texts(s) {
		return claim, false
	}
	joined := func(language, format string) form {
		return form{language: language, write: func(_ string, n sum) string {
			return fmt.Sprintf(format, n.left, n.a, n.b, n.right)
		}}
	}
	return firstForm(ctx, t, s, []form{
		joined("JavaScript", "'%s'+(%d*%d)+'%s'"),
		joined("Python", "'%s'+str(%d*%d)+'%s'"),
		joined("PHP or Perl", "'%s'.(%d*%d).'%s'"),
		joined("Ruby", "'%s'+(%d*%d).to_s+'%s'"),
		{language: "JavaScript within a text", write: func(base string, n sum) string {
			return fmt.Sprintf("%s'+'%s'+(%d*%d)+'%s'+'", base, n.left, n.a, n.b, n.right)
		}},
	})
}

// command writes commands of shells behind the value that works: what is in quotes is left
// first.
func command(ctx context.Context, t *probe.Target, s spot) (claim check.Claim, found bool) {
	if !texts(s) && !s.numeric() {
		return claim, false
	}
	behind := func(format string) form {
		return form{language: "a command of the shell", write: func(base string, n sum) string {
			echo := fmt.Sprintf("echo %s$((%d*%d))%s", n.left, n.a, n.b, n.right)
			return base + strings.ReplaceAll(format, "ECHO", echo)
		}}
	}
	forms := []form{
		behind(";ECHO;$(ECHO)|ECHO"), behind("$(ECHO)"), behind(`";ECHO;"`), behind(`';ECHO;'`), behind("|ECHO"), behind("\nECHO\n"),
		behind("&&ECHO"), behind("&ECHO&"), behind("`ECHO`"),
		{language: "a command of Windows", write: func(base string, n sum) string {
			return fmt.Sprintf(`%s&cmd /v:on /c "set /a t=%d*%d>nul&echo %s!t!%s"`, base, n.a, n.b, n.left, n.right)
		}},
	}
	if !texts(s) {
		forms = forms[:2]
	}
	return firstForm(ctx, t, s, forms)
}

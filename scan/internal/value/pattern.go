package value

import (
	"math/rand/v2"
	"regexp"
	"regexp/syntax"
	"strings"
)

// lookaround are the parts of patterns that Go's regular expressions do not have. They
// only forbid or demand: a text made without them may still fit.
var lookaround = regexp.MustCompile(`\(\?<?[=!][^()]*(\([^()]*\)[^()]*)*\)`)

// Matching returns a text that fits a regular expression, or false if the expression is
// not understood.
func Matching(r *rand.Rand, pattern string, shortest, longest int) (string, bool) {
	re, err := syntax.Parse(lookaround.ReplaceAllString(pattern, ""), syntax.Perl)
	if err != nil {
		return "", false
	}
	check, err := regexp.Compile(lookaround.ReplaceAllString(pattern, ""))
	if err != nil {
		return "", false
	}
	for extra := range 40 {
		var b strings.Builder
		generate(r, &b, re.Simplify(), extra, 0)
		text := b.String()
		n := len([]rune(text))
		if n >= shortest && (longest < 0 || n <= longest) && check.MatchString(text) {
			return text, true
		}
		if longest >= 0 && n > longest {
			break
		}
	}
	return "", false
}

// maxPattern bounds what a pattern makes.
const maxPattern = 4096

func generate(r *rand.Rand, b *strings.Builder, re *syntax.Regexp, extra, depth int) {
	if depth > 50 || b.Len() > maxPattern {
		return
	}
	times := func(n int) {
		for range n {
			generate(r, b, re.Sub[0], extra, depth+1)
		}
	}
	switch re.Op {
	case syntax.OpLiteral:
		b.WriteString(string(re.Rune))
	case syntax.OpCharClass:
		b.WriteRune(pick(r, re.Rune))
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		b.WriteByte("abcdefghij"[r.IntN(10)])
	case syntax.OpCapture:
		generate(r, b, re.Sub[0], extra, depth+1)
	case syntax.OpStar:
		times(extra)
	case syntax.OpPlus:
		times(1 + extra)
	case syntax.OpQuest:
		if extra > 0 {
			times(1)
		}
	case syntax.OpRepeat:
		most := re.Min + extra
		if re.Max >= 0 {
			most = min(most, re.Max)
		}
		times(most)
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			generate(r, b, sub, extra, depth+1)
		}
	case syntax.OpAlternate:
		generate(r, b, re.Sub[extra%len(re.Sub)], extra, depth+1)
	}
}

// pick returns a character of a class: one that is plain if there is any.
func pick(r *rand.Rand, class []rune) rune {
	var simple []rune
	for _, c := range "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789" {
		for i := 0; i+1 < len(class); i += 2 {
			if c >= class[i] && c <= class[i+1] {
				simple = append(simple, c)
			}
		}
	}
	if len(simple) > 0 {
		return simple[r.IntN(len(simple))]
	}
	if len(class) > 0 {
		return class[0]
	}
	return 'a'
}

package token

import (
	"context"
	"crypto/hmac"
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/probe"
)

// secret is one that signs the tokens of the target.
type secret struct {
	value []byte
	text  string // as it was guessed
	from  string // where the guess is from
	alg   string
}

// forge returns what signs with the secret.
func (s *secret) forge(head, claims map[string]any) string {
	return mac(s.alg, s.value, unsigned(with(head, map[string]any{"alg": s.alg}), claims))
}

// weakSecret looks for the secret of a token without asking the target, and then forges one.
func weakSecret(l *lab) check.Check {
	return check.Check{Kind: kindWeakSecret(), Phase: check.Read, Run: func(ctx context.Context, t *probe.Target, report check.Report) error {
		gates := closed(l.gatesOf(ctx, t), maxGates)
		s := l.secretOf(ctx, t)
		if s == nil {
			return ctx.Err()
		}
		for _, g := range gates {
			if ctx.Err() != nil || g.token.alg() != s.alg {
				continue
			}
			shown, ok := g.accepts(ctx, t, s.forge(g.token.head, with(g.token.claims, map[string]any{"fz": t.Marker()})))
			if !ok {
				shown, ok = g.accepts(ctx, t, s.forge(with(g.token.head, map[string]any{"fz": "1"}), g.token.claims))
			}
			if !ok {
				continue
			}
			says, more := g.impersonate(ctx, t, s.forge)
			report(g.claim("secret", fmt.Sprintf("tokens are signed with the secret %q, %s, and one that was made with it is let in%s", hint(s.text), s.from, says),
				"the secret reproduces the signature of the target's own token; a broken signature is refused", append(shown, more...)))
			break
		}
		return ctx.Err()
	}}
}

// hint shows enough of a secret to know which it is.
func hint(text string) string {
	if len(text) <= 4 {
		return text[:min(len(text), 1)] + "…"
	}
	return text[:2] + strings.Repeat("*", min(len(text)-3, 12)) + text[len(text)-1:]
}

// secretOf returns the secret of the target's tokens if it can be guessed, or nil. It is
// looked for once.
func (l *lab) secretOf(ctx context.Context, t *probe.Target) *secret {
	gates := closed(l.gatesOf(ctx, t), maxGates)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cracked || len(gates) == 0 {
		return l.found
	}
	l.cracked = true
	tried := map[string]bool{}
	for _, g := range gates {
		if hashOf(g.token.alg()) == nil || tried[encodePart(g.token.head)] {
			continue
		}
		tried[encodePart(g.token.head)] = true
		if l.found = crack(ctx, t, g.token); l.found != nil {
			break
		}
	}
	return l.found
}

// crack guesses the secret of a token: what is known to be used, what the target says
// itself, words of its name, and numbers.
func crack(ctx context.Context, t *probe.Target, token jwt) *secret {
	want, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(token.raw[2], "="))
	if err != nil {
		return nil
	}
	text, newHash := []byte(token.signed()), hashOf(token.alg())
	sum := make([]byte, 0, 64)
	fits := func(key []byte) bool {
		m := hmac.New(newHash, key)
		m.Write(text)
		sum = m.Sum(sum[:0])
		return hmac.Equal(sum, want)
	}
	try := func(guess, from string) *secret {
		for _, key := range keysOf(guess) {
			if fits(key) {
				return &secret{value: key, text: guess, from: from, alg: token.alg()}
			}
		}
		return nil
	}
	for guess, from := range guesses(t) {
		if s := try(guess, from); s != nil {
			return s
		}
		if ctx.Err() != nil {
			return nil
		}
	}
	if !t.Limits.Deep {
		return nil
	}
	return crackNumber(ctx, fits, token.alg())
}

// crackNumber tries all numbers of up to six digits.
func crackNumber(ctx context.Context, fits func([]byte) bool, alg string) *secret {
	for width, limit := 1, 10; width <= 6; width, limit = width+1, limit*10 {
		digits := make([]byte, width)
		for n := range limit {
			for i, rest := width-1, n; i >= 0; i, rest = i-1, rest/10 {
				digits[i] = byte('0' + rest%10)
			}
			if fits(digits) {
				return &secret{value: digits, text: string(digits), from: "a number of six digits at most", alg: alg}
			}
			if n%4096 == 0 && ctx.Err() != nil {
				return nil
			}
		}
	}
	return nil
}

// keysOf returns the bytes that a text may stand for: itself, and what it is the base64 of.
func keysOf(text string) [][]byte {
	keys := [][]byte{[]byte(text)}
	if len(text) >= 16 {
		for _, e := range []*base64.Encoding{base64.StdEncoding, base64.RawURLEncoding} {
			if key, err := e.DecodeString(strings.TrimRight(text, "\n")); err == nil {
				keys = append(keys, key)
				break
			}
		}
	}
	return keys
}

package secret

import (
	_ "embed"
	"errors"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"
)

// ErrWeak says that a secret can be guessed, or has been published.
var ErrWeak = errors.New("the secret is weak")

// Policy says how strong a secret must be. The zero value is the secure one.
type Policy struct {
	// MinBits is how many random bits the secret must be able to have. The
	// default is 256, which is what HMAC-SHA256 asks for (RFC 7518 section 3.2);
	// 128 is enough for a token that is looked up. The least is 64.
	MinBits int
}

// Check returns an error that says what is wrong with a secret, and never shows
// any of it: it is empty, too short for the policy, made of words, repetitions or
// sequences, or one that stands in tutorials and templates.
//
// It finds mistakes, not chance: that a text looks random does not make it so. A
// secret is made by a random generator (openssl rand -base64 32), of which about
// one in 100,000 is refused if it has no bit more than it must.
func Check(text Text, policy Policy) error {
	want := float64(policy.MinBits)
	switch {
	case policy.MinBits == 0:
		want = 256
	case policy.MinBits < 64:
		return fmt.Errorf("secret policy: MinBits is %d, want at least 64", policy.MinBits)
	}
	plain := text.Reveal()
	switch {
	case plain == "":
		return fmt.Errorf("%w: it is empty", ErrWeak)
	case len(plain) > maxSecret:
		return fmt.Errorf("%w: it has more than %d bytes", ErrWeak, maxSecret)
	case isKnown(plain):
		return fmt.Errorf("%w: it is from a tutorial or a template", ErrWeak)
	}
	symbols, each := alphabet(plain)
	if total := float64(symbols) * each; total < want {
		return fmt.Errorf("%w: it can have %.0f random bits at most, want %.0f", ErrWeak, total, want)
	}
	// A random text loses less than two fifths by chance.
	if unpredicted(plain, each) < want*0.6 || spread(plain) < min(want*0.6, 0.75*evenSpread(plain, each)) {
		return fmt.Errorf("%w: it is made of words, repetitions or sequences", ErrWeak)
	}
	return nil
}

// uuidBits are the random bits of a UUID (RFC 9562 section 5.4).
const uuidBits = 122

// alphabet returns how many symbols a text has and how many bits each can hold.
// What looks like the encoding of random bytes is taken for that.
func alphabet(text string) (symbols int, each float64) {
	var lower, upper, digit, hex, dash, other int
	trimmed := strings.TrimRight(text, "=")
	for _, c := range []byte(trimmed) {
		switch {
		case '0' <= c && c <= '9':
			digit++
		case 'a' <= c && c <= 'f', 'A' <= c && c <= 'F':
			hex++
		}
		switch {
		case 'a' <= c && c <= 'z':
			lower++
		case 'A' <= c && c <= 'Z':
			upper++
		case c == '-':
			dash++
		case c == '+', c == '/', c == '_', '0' <= c && c <= '9':
		default:
			other++
		}
	}
	letters, all := lower+upper, len(trimmed)
	switch oneCase := lower == 0 || upper == 0; {
	case !utf8.ValidString(text):
		return len(text), 8
	case digit == all:
		return all, math.Log2(10)
	case all == 36 && dash == 4 && hex+digit == 32 && oneCase:
		return 1, uuidBits
	case letters == hex && letters+digit+dash == all && oneCase:
		return all - dash, 4
	case areWords(text):
		return all, 2.2 // a word of a list of 7776, and the sign after it
	case oneCase && letters+digit == all:
		return all, 5
	case other == 0:
		return all, 6
	}
	return utf8.RuneCountInString(trimmed), 6.5
}

// areWords reports whether a text is at least three words with a sign between
// them, as people write sentences and passphrases.
func areWords(text string) bool {
	count := 0
	for word := range strings.FieldsFuncSeq(text, func(r rune) bool { return strings.ContainsRune(" -_.,;:/+!?'\n\t", r) }) {
		if count++; len(word) > 16 {
			return false
		}
		for _, c := range []byte(word[1:]) { // The first letter may be a capital.
			if c < 'a' || c > 'z' {
				return false
			}
		}
	}
	return count >= 3
}

// spread returns the bits of a text by how often each of its bytes comes
// (Shannon's entropy).
func spread(text string) float64 {
	var counts [256]int
	for _, c := range []byte(text) {
		counts[c]++
	}
	bits := 0.0
	for _, n := range counts {
		if n > 0 {
			bits -= float64(n) * math.Log2(float64(n)/float64(len(text)))
		}
	}
	return bits
}

// evenSpread returns the most that spread can be for a text of that length: of 32
// bytes, none can come 32 times less often than another.
func evenSpread(text string, each float64) float64 {
	return float64(len(text)) * min(each, math.Log2(float64(len(text))))
}

const (
	wordBits    = 4.0 // of a word of the list, in a text that people made
	longestWord = 14
)

// unpredicted returns the bits of the cheapest way to spell a text: byte by byte,
// in words, or for nothing where it goes on in a sequence, along a keyboard or in
// a repetition.
func unpredicted(text string, each float64) float64 {
	folded := unleet(strings.ToLower(text))
	if len(folded) != len(text) { // Beyond ASCII: lower case can be longer.
		folded = text
	}
	dictionary := dictionary()
	seen := map[string]bool{}
	cheapest := make([]float64, len(text)+1)
	for i := 1; i <= len(text); i++ {
		next := each
		if goesOn(text[:i]) || i >= 4 && seen[text[i-4:i]] {
			next = 0
		}
		if i >= 4 {
			seen[text[i-4:i]] = true
		}
		cheapest[i] = cheapest[i-1] + next
		for length := 3; length <= min(longestWord, i); length++ {
			if dictionary[folded[i-length:i]] {
				cheapest[i] = min(cheapest[i], cheapest[i-length]+wordBits)
			}
		}
	}
	return cheapest[len(text)]
}

// rows are the rows of keyboards, which are drummed along both ways.
const rows = "1234567890 qwertyuiop asdfghjkl zxcvbnm azertyuiop qsdfghjklm wxcvbn qwertzuiop yxcvbnm 1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p " +
	"poiuytrewq lkjhgfdsa mnbvcxz 0987654321 zaq1xsw2cde3vfr4bgt5nhy6mju7 !@#$%^&*() )(*&^%$#@! 1q2w3e4r5t6y7u8i9o0p"

// goesOn reports whether the last byte is what the two before it lead to.
func goesOn(text string) bool {
	if len(text) < 3 {
		return false
	}
	a, b, c := text[len(text)-3], text[len(text)-2], text[len(text)-1]
	if step := int(b) - int(a); int(c)-int(b) == step && step >= -1 && step <= 1 {
		return true
	}
	return strings.Contains(rows, strings.ToLower(text[len(text)-3:]))
}

// knownSecrets are secrets of tutorials, templates, documentation and default
// configurations, as simplify leaves them, one a line.
//
//go:embed known.txt
var knownSecrets string

// words are those of which people make secrets, one a line.
//
//go:embed words.txt
var words string

func dictionary() map[string]bool {
	all := make(map[string]bool, 512)
	for word := range strings.Lines(words) {
		all[strings.TrimSuffix(word, "\n")] = true
	}
	return all
}

// longKnown is from where on a known secret is found within another text, too.
const longKnown = 12

// isKnown reports whether a text is a known secret, whatever its case, its signs
// and the digits around it.
func isKnown(text string) bool {
	simple := simplify(text)
	bare := strings.Trim(simple, "0123456789")
	loose := unleet(simple)
	most := 2*len(simple) >= len(text) // Random bytes have a letter here and there.
	for line := range strings.Lines(knownSecrets) {
		known := strings.TrimSuffix(line, "\n")
		if most && (known == simple || known == bare) {
			return true
		}
		if len(known) >= longKnown && (strings.Contains(simple, known) || strings.Contains(loose, known)) {
			return true
		}
	}
	return false
}

// simplify leaves the letters and digits of a text, in lower case.
func simplify(text string) string {
	out := make([]byte, 0, len(text))
	for _, c := range []byte(text) {
		switch {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9':
			out = append(out, c)
		case 'A' <= c && c <= 'Z':
			out = append(out, c|0x20)
		}
	}
	return string(out)
}

// unleet turns digits and signs back into the letters that they stand for.
func unleet(text string) string {
	out := []byte(text)
	for i, c := range out {
		if at := strings.IndexByte("01345789@$!", c); at >= 0 {
			out[i] = "oieastbgasi"[at]
		}
	}
	return string(out)
}

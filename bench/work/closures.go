package work

import (
	"errors"
	"slices"
	"strings"
	"unicode/utf8"
)

// ErrInvalid is what a compiled check returns for an order that breaks a rule.
var ErrInvalid = errors.New("order breaks a rule")

// A rule reports whether the order keeps it.
type rule func(*Order) bool

// Compile returns the same rules as [Order.Check] as a list of closures made
// once, patterns without regular expressions: the shape that the checks of a
// fast engine have. It shows what a decoder costs when the checks are cheap.
func Compile() func(*Order) error {
	sku, zip := shape("AAA-0000"), shape("00000")
	rules := []rule{
		func(o *Order) bool { return between(o.Name, 1, 120) },
		func(o *Order) bool { return mailbox(o.Email) },
		func(o *Order) bool { return sku(o.SKU) },
		oneOf(func(o *Order) string { return o.Status }, "draft", "open", "paid", "shipped"),
		func(o *Order) bool { return o.Quantity >= 1 && o.Quantity <= 1000 },
		func(o *Order) bool { return o.Price >= 0.01 && o.Price <= 100_000 },
		func(o *Order) bool { return o.Discount >= 0 && o.Discount <= 90 },
		func(o *Order) bool {
			return len(o.Tags) <= 10 && !slices.ContainsFunc(o.Tags, func(t string) bool { return !between(t, 1, 24) })
		},
		func(o *Order) bool { return between(o.Address.Street, 1, 100) },
		func(o *Order) bool { return between(o.Address.City, 1, 60) },
		func(o *Order) bool { return zip(o.Address.Zip) },
		oneOf(func(o *Order) string { return o.Address.Country }, "AT", "CH", "DE", "FR", "NL", "PL"),
		func(o *Order) bool { return len(o.Lines) >= 1 && len(o.Lines) <= 50 },
		func(o *Order) bool {
			for i := range o.Lines {
				l := &o.Lines[i]
				if !sku(l.SKU) || l.Qty < 1 || l.Qty > 500 || l.UnitPrice < 0 || l.UnitPrice > 10_000 {
					return false
				}
			}
			return true
		},
		func(o *Order) bool { return between(o.Note, 0, 1000) },
	}
	return func(o *Order) error {
		for _, keeps := range rules {
			if !keeps(o) {
				return ErrInvalid
			}
		}
		return nil
	}
}

func oneOf(member func(*Order) string, allowed ...string) rule {
	return func(o *Order) bool { return slices.Contains(allowed, member(o)) }
}

// shape compiles a picture of a pattern: A is a capital letter, 0 a digit,
// and any other byte stands for itself.
func shape(picture string) func(string) bool {
	return func(s string) bool {
		if len(s) != len(picture) {
			return false
		}
		for i := range len(s) {
			switch c := s[i]; picture[i] {
			case 'A':
				if c < 'A' || c > 'Z' {
					return false
				}
			case '0':
				if c < '0' || c > '9' {
					return false
				}
			default:
				if c != picture[i] {
					return false
				}
			}
		}
		return true
	}
}

func between(s string, least, most int) bool {
	n := len(s)
	if n > most { // A string of at most so many bytes has at most so many runes.
		n = utf8.RuneCountInString(s)
	}
	return n >= least && n <= most
}

// mailbox takes the form that HTML's input type=email takes: a dot-string, an
// at sign, and labels of letters, digits and hyphens.
func mailbox(s string) bool {
	local, domain, found := strings.Cut(s, "@")
	if !found || local == "" || domain == "" || len(s) > 254 {
		return false
	}
	for i := range len(local) {
		if c := local[i]; !alphanumeric(c) && !strings.ContainsRune(".!#$%&'*+/=?^_`{|}~-", rune(c)) {
			return false
		}
	}
	for label := range strings.SplitSeq(domain, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			if !alphanumeric(label[i]) && label[i] != '-' {
				return false
			}
		}
	}
	return true
}

func alphanumeric(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

package work

import (
	"net/mail"
	"regexp"
	"slices"
	"strconv"
	"unicode/utf8"
)

// The patterns of the rules.
var (
	skuPattern = regexp.MustCompile(`^[A-Z]{3}-[0-9]{4}$`)
	zipPattern = regexp.MustCompile(`^[0-9]{5}$`)
)

// IsSKU is the rule of an article's number.
func IsSKU(s string) bool { return skuPattern.MatchString(s) }

// IsZip is the rule of a postal code.
func IsZip(s string) bool { return zipPattern.MatchString(s) }

// Violation is one broken rule, as hand-written code reports it.
type Violation struct {
	Path string `json:"path"`
	Rule string `json:"rule"`
}

// Check applies every rule by hand and lists each violation. It is what a
// careful author writes without a framework.
func (o *Order) Check() []Violation {
	var bad []Violation
	length(&bad, "/name", o.Name, 1, 120)
	if !email(o.Email) {
		bad = append(bad, Violation{"/email", "email"})
	}
	if !IsSKU(o.SKU) {
		bad = append(bad, Violation{"/sku", "pattern"})
	}
	switch o.Status {
	case "draft", "open", "paid", "shipped":
	default:
		bad = append(bad, Violation{"/status", "enum"})
	}
	if o.Quantity < 1 || o.Quantity > 1000 {
		bad = append(bad, Violation{"/quantity", "range"})
	}
	if o.Price < 0.01 || o.Price > 100_000 {
		bad = append(bad, Violation{"/price", "range"})
	}
	if o.Discount < 0 || o.Discount > 90 {
		bad = append(bad, Violation{"/discount", "range"})
	}
	if len(o.Tags) > 10 {
		bad = append(bad, Violation{"/tags", "items"})
	}
	for i, tag := range o.Tags {
		if n := utf8.RuneCountInString(tag); n < 1 || n > 24 {
			bad = append(bad, Violation{"/tags/" + strconv.Itoa(i), "length"})
		}
	}
	o.Address.check(&bad)
	if len(o.Lines) < 1 || len(o.Lines) > 50 {
		bad = append(bad, Violation{"/lines", "items"})
	}
	for i := range o.Lines {
		o.Lines[i].check(&bad, i)
	}
	length(&bad, "/note", o.Note, 0, 1000)
	return bad
}

func (a *Address) check(bad *[]Violation) {
	length(bad, "/address/street", a.Street, 1, 100)
	length(bad, "/address/city", a.City, 1, 60)
	if !IsZip(a.Zip) {
		*bad = append(*bad, Violation{"/address/zip", "pattern"})
	}
	if !slices.Contains([]string{"AT", "CH", "DE", "FR", "NL", "PL"}, a.Country) {
		*bad = append(*bad, Violation{"/address/country", "enum"})
	}
}

func (l *Line) check(bad *[]Violation, i int) {
	add := func(member, rule string) {
		*bad = append(*bad, Violation{"/lines/" + strconv.Itoa(i) + "/" + member, rule})
	}
	if !IsSKU(l.SKU) {
		add("sku", "pattern")
	}
	if l.Qty < 1 || l.Qty > 500 {
		add("qty", "range")
	}
	if l.UnitPrice < 0 || l.UnitPrice > 10_000 {
		add("unit_price", "range")
	}
}

// email takes a bare address only: ParseAddress alone also takes a display
// name, which has no place in a member that mail is sent to.
func email(s string) bool {
	address, err := mail.ParseAddress(s)
	return err == nil && address.Address == s
}

func length(bad *[]Violation, path, s string, least, most int) {
	if n := utf8.RuneCountInString(s); n < least || n > most {
		*bad = append(*bad, Violation{path, "length"})
	}
}

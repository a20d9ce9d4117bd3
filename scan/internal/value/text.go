package value

import (
	"encoding/base64"
	"encoding/hex"
	"iter"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/internal/spec"
)

// minMark is how much of a marker must fit for it to be one.
const minMark = 10

// text makes a string.
func (m *Maker) text(at, name string, s *spec.Schema, examples []any) any {
	sense := senseOf(name, s)
	shortest, longest := lengths(s)
	if sense == "file" && (s.Format == "binary" || s.Format == "byte") || s.Format == "binary" {
		return File(name)
	}
	free := m.Marker != nil && isFree(sense) && s.Format == "" && looksFree(examples)
	if free && s.Pattern == "" && (longest < 0 || longest >= minMark) {
		return m.mark(at, m.Marker(), shortest, longest)
	}
	if free && s.Pattern != "" {
		marker := m.Marker()
		for _, form := range []string{marker, Letters(marker), strings.ToUpper(marker), strings.ToUpper(marker[:1]) + marker[1:]} {
			if longest >= minMark && len(form) > longest {
				form = form[:longest]
			}
			if Violation(s, form) == "" {
				m.keep(at, form)
				return form
			}
		}
	}
	for _, e := range append(append([]any{}, examples...), s.Default) {
		if text, ok := e.(string); ok && text != "" && Violation(s, text) == "" && !unique(sense) {
			return text
		}
	}
	if s.Pattern != "" {
		if text, ok := Matching(m.Rand, s.Pattern, shortest, longest); ok {
			return text
		}
	}
	return clip(m.meant(at, name, sense), shortest, longest)
}

// unique reports whether two objects are often not allowed to have the same.
func unique(sense Sense) bool { return sense == "email" || sense == "username" || sense == "phone" }

func isFree(sense Sense) bool {
	switch sense {
	case Any, "text", "title", "name", "username", "slug", "company", "html", "search", "token":
		return true
	}
	return false
}

// code is how values look that are taken from a list or a rule.
var code = regexp.MustCompile(`^([A-Z0-9_-]{2,}|[\d.:+/-]+|\S+@\S+|\w+://.*|\d{4}-\d\d.*|[0-9a-fA-F-]{24,}|#[0-9a-fA-F]+)$`)

// looksFree reports whether no example is a code, a number, a date or an address.
func looksFree(examples []any) bool {
	return !slices.ContainsFunc(examples, func(e any) bool {
		text, ok := e.(string)
		return ok && (code.MatchString(text) || strings.ContainsAny(text, "{}<>$;=[]|"))
	})
}

func (m *Maker) keep(at, marker string) {
	if m.Marks == nil {
		m.Marks = map[string]string{}
	}
	m.Marks[at] = marker
}

func (m *Maker) mark(at, marker string, shortest, longest int) string {
	text := clip(marker, shortest, longest)
	m.keep(at, text)
	return text
}

// Letters returns a marker that has letters only.
func Letters(marker string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return 'k' + r - '0'
		}
		return r
	}, marker)
}

func clip(text string, shortest, longest int) string {
	if longest >= 0 && len(text) > longest {
		text = text[:longest]
	}
	for len(text) < min(shortest, 1<<16) {
		text += "x"
	}
	return text
}

func lengths(s *spec.Schema) (shortest, longest int) {
	longest = -1
	if s.MinLength != nil {
		shortest = *s.MinLength
	}
	if s.MaxLength != nil {
		longest = *s.MaxLength
	}
	return shortest, longest
}

// formats are those of JSON Schema and OpenAPI whose sense a name need not tell.
var formats = [...]struct {
	format string
	sense  Sense
}{
	{"email", "email"}, {"idn-email", "email"}, {"uuid", "uuid"}, {"guid", "uuid"}, {"uri", "url"}, {"url", "url"},
	{"uri-reference", "url"}, {"date", "date"}, {"date-time", "datetime"}, {"datetime", "datetime"}, {"time", "time"},
	{"ipv4", "ip"}, {"ip", "ip"}, {"ipv6", "ipv6"}, {"hostname", "host"}, {"password", "password"}, {"phone", "phone"},
	{"byte", "base64"}, {"duration", "duration"}, {"color", "color"}, {"slug", "slug"}, {"partial-time", "time"},
	{"decimal", "price"}, {"objectid", "objectid"}, {"binary", "file"}, {"iri", "url"}, {"credit-card", "card"},
	{"json-pointer", "pointer"},
}

func senseOf(name string, s *spec.Schema) Sense {
	for _, f := range formats {
		if f.format == strings.ToLower(s.Format) {
			return f.sense
		}
	}
	return SenseOf(name)
}

// meant returns a text of a sense.
func (m *Maker) meant(at, name string, sense Sense) string {
	if sense == "url" && (m.Marker != nil || m.Link != nil) {
		return m.link(at)
	}
	for _, p := range plain {
		if p.sense == sense {
			return p.text
		}
	}
	switch sense {
	case "email":
		marker := m.word()
		m.keep(at, marker)
		return marker + "@example.com"
	case "password":
		if m.password == "" { // The confirmation is the same.
			m.password = "Aa1!" + m.word()[2:14]
		}
		return m.password
	case "username":
		return m.word()
	case "phone":
		return "+49151" + digits(m.Rand.Uint32(), 8)
	case "uuid":
		return m.uuid()
	case "date", "datetime":
		return m.date(name, sense)
	case "filename":
		return "notes.txt"
	case Any, "text", "title", "name", "token", "slug", "file":
		return m.word()
	}
	return m.word()
}

func (m *Maker) word() string {
	if m.Marker != nil {
		return m.Marker()
	}
	return "fz" + digits(m.Rand.Uint32(), 10) + digits(m.Rand.Uint32(), 10)
}

// link returns an address that holds a marker.
func (m *Maker) link(at string) string {
	marker := m.word()
	if m.Marker != nil {
		m.keep(at, marker)
	}
	if m.Link != nil {
		return m.Link(marker)
	}
	return "https://example.com/" + marker
}

func digits(n uint32, count int) string {
	var b strings.Builder
	for range count {
		b.WriteByte(byte('0' + n%10))
		n = n/10 + n*7919
	}
	return b.String()
}

func (m *Maker) uuid() string {
	var b [16]byte
	for i := range b {
		b[i] = byte(m.Rand.Uint32())
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

func (m *Maker) date(name string, sense Sense) string {
	day := "2030-06-15"
	for _, w := range Words(name) {
		if slices.Contains([]string{"end", "ends", "to", "until", "checkout", "return", "expires", "expiry", "due", "deadline"}, w) {
			day = "2030-06-20"
		}
	}
	if sense == "datetime" {
		return day + "T10:00:00Z"
	}
	return day
}

// plain are texts of senses that are the same each time.
var plain = [...]struct {
	sense Sense
	text  string
}{
	{"firstname", "Alex"}, {"lastname", "Miller"}, {"country", "DE"}, {"currency", "EUR"}, {"language", "en"},
	{"timezone", "Europe/Berlin"}, {"postcode", "10115"}, {"card", "4111111111111111"}, {"cvc", "123"},
	{"expiry", "12/31"}, {"iban", "DE89370400440532013000"}, {"bic", "COBADEFFXXX"}, {"isbn", "9783161484100"},
	{"ip", "192.0.2.10"}, {"ipv6", "2001:db8::1"}, {"host", "example.com"}, {"port", "8080"},
	{"url", "https://example.com/"}, {"birthday", "1990-01-15"}, {"time", "10:00:00"}, {"year", "2027"}, {"month", "6"},
	{"latitude", "48.2"}, {"longitude", "16.37"}, {"price", "10.00"}, {"quantity", "1"}, {"rating", "4"}, {"age", "30"},
	{"percent", "5"}, {"size", "10"}, {"page", "1"}, {"color", "#336699"}, {"city", "Berlin"},
	{"street", "Main Street 1"}, {"state", "Berlin"}, {"gender", "other"}, {"otp", "1234"}, {"role", "user"},
	{"flag", "false"}, {"sort", "id"}, {"status", "active"}, {"search", "a"}, {"mime", "text/plain"}, {"number", "1"},
	{"base64", "ZmFzdG5lc3M="}, {"duration", "PT1H"}, {"objectid", "507f1f77bcf86cd799439011"}, {"pointer", "/name"},
	{"xml", "<a/>"},
}

// pixel is a PNG of one pixel.
const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

// File returns a small file that fits a name: a picture, or a text.
func File(name string) probe.File {
	for _, w := range Words(name) {
		if slices.Contains([]string{"image", "photo", "picture", "avatar", "logo", "thumbnail", "img", "pic", "icon", "cover"}, w) {
			content, _ := base64.StdEncoding.DecodeString(pixel) // It is a constant.
			return probe.File{Name: "picture.png", Type: "image/png", Content: content}
		}
	}
	return probe.File{Name: "notes.txt", Type: "text/plain", Content: []byte("notes\n")}
}

func escape(name string) string {
	return strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
}

// sorted ranges over a map in the order of its keys.
func sorted[V any](in map[string]V) iter.Seq2[string, V] {
	return func(yield func(string, V) bool) {
		for _, name := range slices.Sorted(maps.Keys(in)) {
			if !yield(name, in[name]) {
				return
			}
		}
	}
}

func namesOf(s *spec.Schema) []string {
	if len(s.Names) > 0 {
		return s.Names
	}
	return slices.Sorted(maps.Keys(s.Properties))
}

package value

import (
	"bytes"
	"encoding/json"
	"image/png"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/internal/spec"
)

func maker() *Maker {
	n := 0
	return &Maker{Rand: rand.New(rand.NewPCG(1, 2)), Marker: func() string {
		n++
		return "fz0123456789abcdef01" + string(rune('a'+n%26)) + "2"
	}}
}

func of[T any](v T) *T { return &v }

func TestNamesAreTakenApart(t *testing.T) {
	for name, want := range map[string]string{
		"orderId": "order id", "order_id": "order id", "Order-ID": "order id", "orderIDs": "order ids", "HTTPServer": "http server",
		"userID2": "user id2", "x": "x", "": "", "_id": "id", "größeEinheit": "größe einheit", "ABC": "abc", "v1.2": "v1 2",
	} {
		if got := strings.Join(Words(name), " "); got != want {
			t.Errorf("Words(%q) = %q, want %q", name, got, want)
		}
	}
	for plural, want := range map[string]string{
		"orders": "order", "categories": "category", "boxes": "box", "addresses": "address", "address": "address", "status": "status", "buses": "bus", "houses": "house",
		"people": "person", "news": "news", "movies": "movie", "courses": "course", "purchases": "purchase", "branches": "branch", "classes": "class", "analysis": "analysis", "caches": "cache", "pieces": "piece", "matches": "match", "expenses": "expense", "statuses": "status", "aliases": "alias", "sizes": "size",
	} {
		if got := Singular(plural); got != want {
			t.Errorf("Singular(%q) = %q, want %q", plural, got, want)
		}
	}
}

func TestNamesSayWhatValuesMean(t *testing.T) {
	for name, want := range map[string]Sense{
		"email": "email", "userEmail": "email", "contact_email": "email", "phone_number": "phone", "mobile": "phone", "callbackUrl": "url", "website": "url",
		"birth_date": "birthday", "start_date": "date", "created_at": "datetime", "unitPrice": "price", "qty": "quantity", "lat": "latitude", "lng": "longitude",
		"currency": "currency", "countryCode": "country", "hexColor": "color", "userName": "username", "is_admin": "flag", "newPassword": "password",
		"zip": "postcode", "page_size": "size", "sortBy": "sort", "firstName": "firstname", "full_name": "name", "fooBar": Any, "phonenumber": "phone",
	} {
		if got := SenseOf(name); got != want {
			t.Errorf("SenseOf(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestWhatIsMadeFitsItsSchema(t *testing.T) {
	text, whole := []string{"string"}, []string{"integer"}
	for name, s := range map[string]*spec.Schema{
		"name":     {Types: text, MaxLength: of(12)},
		"tiny":     {Types: text, MaxLength: of(3), MinLength: of(2)},
		"long":     {Types: text, MinLength: of(60)},
		"plate":    {Types: text, Pattern: `^[A-Z]{2}-\d{3,5}$`},
		"ident":    {Types: text, Pattern: `^[a-z][a-z0-9_]{2,31}$`},
		"secret":   {Types: text, Pattern: `^(?=.*[A-Z])(?=.*\d).{8,}$`},
		"either":   {Types: text, Pattern: `^(alpha|beta)-[0-9a-f]{4}$`},
		"state":    {Types: text, Enum: []any{"admin", "open", "shut"}},
		"count":    {Types: whole, Minimum: of(5.0), ExclusiveMin: true},
		"few":      {Types: whole, Minimum: of(0.0), Maximum: of(0.0)},
		"third":    {Types: whole, MultipleOf: of(3.0), Minimum: of(4.0)},
		"half":     {Types: []string{"number"}, Maximum: of(0.5), Minimum: of(0.1)},
		"tags":     {Types: []string{"array"}, MinItems: of(2), Items: &spec.Schema{Types: text}},
		"choice":   {AnyOf: []*spec.Schema{{Types: []string{"null"}}, {Types: whole}}},
		"accepted": {Types: []string{"boolean"}},
	} {
		m := maker()
		v := m.Make("", name, s, nil)
		if what := Violation(s, v); what != "" {
			t.Errorf("%s: %#v violates its schema: %s", name, v, what)
		}
		if v == "admin" {
			t.Error("of a list the privileged value was taken")
		}
	}
}

func TestASchemaThatHoldsItselfEnds(t *testing.T) {
	s := &spec.Schema{Types: []string{"object"}, Names: []string{"child", "list"}, Required: []string{"child", "list"}, Properties: map[string]*spec.Schema{}}
	s.Properties["child"], s.Properties["list"] = s, &spec.Schema{Types: []string{"array"}, Items: s}
	if text := probe.EncodeJSON(maker().Make("", "", s, nil)); len(text) > 10000 {
		t.Errorf("%d bytes", len(text))
	}
}

func TestFreeTextsHoldAMarkerAndCodesDoNot(t *testing.T) {
	text := &spec.Schema{Types: []string{"string"}}
	for name, example := range map[string]string{"note": "Leave it at the door", "title": "", "query": "", "anything": "words"} {
		m := maker()
		v := m.Make("/"+name, name, text, []any{example})
		if m.Marks["/"+name] == "" || !strings.Contains(v.(string), m.Marks["/"+name]) {
			t.Errorf("%s: %v has no marker: %v", name, v, m.Marks)
		}
	}
	for _, example := range []string{"SAVE10", "{items{name}}", "2024-05-05", "abc@example.com", "550e8400e29b41d4a716446655440000"} {
		if v := maker().Make("/x", "x", text, []any{example}); v != example {
			t.Errorf("the example %q became %v", example, v)
		}
	}
	m := maker()
	if v := m.Make("/email", "email", text, nil); v != m.Marks["/email"]+"@example.com" || m.Marks["/email"] == "" {
		t.Errorf("%v %v", v, m.Marks)
	}
}

func TestAPasswordIsConfirmedAndAUserKeepsWhatIsKnown(t *testing.T) {
	m := maker()
	text := &spec.Schema{Types: []string{"string"}}
	if a, b := m.Make("/password", "password", text, nil), m.Make("/confirm_password", "confirm_password", text, nil); a != b {
		t.Errorf("%v is confirmed by %v", a, b)
	}
	m.Known = map[string]string{"email": "alice@example.org", "username": "alice"}
	if v := m.Make("/userEmail", "userEmail", text, nil); v != "alice@example.org" {
		t.Errorf("%v", v)
	}
}

func TestWhatIsInvalidIsSoForItsSchema(t *testing.T) {
	s := &spec.Schema{Types: []string{"integer"}, Minimum: of(1.0), Maximum: of(9.0)}
	wrong := Invalid(s)
	whys := ""
	for _, w := range wrong {
		if Violation(s, w.Value) == "" {
			t.Errorf("%v (%s) is valid", w.Value, w.Why)
		}
		whys += w.Why + "; "
	}
	for _, want := range []string{"a text", "a fraction", "below the minimum", "above the maximum", "null", "an object"} {
		if !strings.Contains(whys, want) {
			t.Errorf("nothing is %s: %s", want, whys)
		}
	}
	if Invalid(&spec.Schema{}) != nil {
		t.Error("anything goes, and something is invalid")
	}
}

func TestThePictureIsOne(t *testing.T) {
	f := File("profile_image")
	if _, err := png.Decode(bytes.NewReader(f.Content)); err != nil || f.Type != "image/png" {
		t.Error(err, f.Type)
	}
}

func FuzzMatching(f *testing.F) {
	for _, p := range []string{`^[a-z]+$`, `(a|b){2,}c?`, `^(?!x)\w{3}$`, `\d{1000}{1000}`, `(((a*)*)*)*`, `[^a]`, `\p{Lu}+`, `(?i)abc`} {
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, pattern string) {
		text, ok := Matching(rand.New(rand.NewPCG(1, 1)), pattern, 0, 40)
		if !ok {
			return
		}
		if re, err := regexp.Compile(pattern); err == nil && !re.MatchString(text) && !strings.Contains(pattern, "(?") {
			t.Errorf("%q does not match %q", text, pattern)
		}
		if len([]rune(text)) > 40 {
			t.Errorf("%q is too long", text)
		}
	})
}

func FuzzViolation(f *testing.F) {
	f.Add(`{"a":[1,2.5,"x",null,{"b":true}]}`, "name", 3)
	f.Fuzz(func(t *testing.T, text, name string, n int) {
		decoder := json.NewDecoder(strings.NewReader(text))
		decoder.UseNumber()
		var v any
		if decoder.Decode(&v) != nil {
			return
		}
		s := &spec.Schema{Types: []string{"object"}, Properties: map[string]*spec.Schema{name: {Types: []string{"string"}, MaxLength: &n, MinLength: &n}}}
		_ = Violation(s, v)
		_, _, _ = Words(name), SenseOf(name), Singular(name)
		if n >= 0 && n < 1000 {
			if made := maker().Make("", "", s, []any{v}); Violation(s, made) != "" {
				t.Errorf("%v: %s", made, Violation(s, made))
			}
		}
	})
}

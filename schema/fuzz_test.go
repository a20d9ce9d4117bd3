package schema_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/netip"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/shopspring/decimal"

	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/schema"
)

// standard reads exactly one JSON text by encoding/json, numbers as written.
func standard(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("more after the value")
	}
	return nil
}

// mustBeProblem fails if err is anything but a caller's mistake.
func mustBeProblem(t *testing.T, err error) {
	t.Helper()
	if p, ok := errors.AsType[*problem.Problem](err); !ok || len(p.Errors) == 0 || !json.Valid(p.AppendJSON(nil)) {
		t.Fatalf("Decode() = %v, want a problem with violations", err)
	}
}

// FuzzDecodeAny: what is accepted here is JSON to encoding/json, too, with the
// same value, and comes back as it was.
func FuzzDecodeAny(f *testing.F) {
	for _, seed := range []string{
		`null`, `[1.50e-3,-0,true,"\ud83d\ude00\/"]`, `{"a":{"b":[]},"":0}`, ` { "a" : "é" , "b" : 1E5 } `, `{"a":1,"\u0061":2}`,
		`"\ud800"`, "\ufeff1", `[1,]`, `{"a":1}x`, strings.Repeat("[", 70), `"<\u2028>"`, "\"\x00\"", "01", "-", `"\`, `{"__proto__":1}`,
	} {
		f.Add([]byte(seed))
	}
	anything := typed[any](f)
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := anything.Decode(t.Context(), data)
		if err != nil {
			mustBeProblem(t, err)
			return
		}
		var want any
		if err := standard(data, &want); err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%q is %#v here and %#v (%v) to encoding/json", data, got, want, err)
		}
		text, err := anything.Append(nil, got)
		if err != nil || !json.Valid(text) || bytes.ContainsAny(text, "<>&\u2028\u2029") {
			t.Fatalf("Append(%#v) = %s (%v)", got, text, err)
		}
		again, err := anything.Decode(t.Context(), text)
		if err != nil || !reflect.DeepEqual(got, again) {
			t.Fatalf("%#v came back as %#v (%v)", got, again, err)
		}
	})
}

// common has what encoding/json reads in the same way.
type common struct {
	Name    string            `json:"name" minLength:"1" maxLength:"9"`
	Code    string            `json:"code,omitzero" pattern:"^[a-z]+$"`
	Small   int8              `json:"small,omitzero"`
	Large   uint64            `json:"large,omitzero"`
	Float   float64           `json:"float,omitzero" maximum:"1e300"`
	Single  float32           `json:"single,omitzero"`
	Flag    bool              `json:"flag,omitzero"`
	Bytes   []byte            `json:"bytes,omitzero"`
	List    []int             `json:"list,omitzero" uniqueItems:"true"`
	Pair    [2]string         `json:"pair,omitzero"`
	Map     map[string]*int64 `json:"map,omitzero"`
	Self    *common           `json:"self"`
	Any     any               `json:"any,omitzero"`
	Number  json.Number       `json:"number,omitzero"`
	Address netip.Addr        `json:"address,omitzero"`
	Grade   grade             `json:"grade,omitzero"`
	address
}

// own has what only this package reads, or reads in its own way.
type own struct {
	schema.Fields
	Price    decimal.Decimal                `json:"price,omitzero" decimalPlaces:"3"`
	Time     time.Time                      `json:"time,omitzero"`
	Duration time.Duration                  `json:"duration,omitzero"`
	URL      schema.Opt[url.URL]            `json:"url"`
	Raw      json.RawMessage                `json:"raw,omitzero"`
	Opt      schema.Opt[schema.Null[int16]] `json:"opt" multipleOf:"3"`
	Null     schema.Null[[]string]          `json:"null" format:"email"`
	Pet      *pet                           `json:"pet"`
	Amount   []amount                       `json:"amount,omitzero" maxItems:"4"`
	Preset   []int                          `json:"preset" default:"[1]"`
	Alias    string                         `json:"alias,omitzero" alias:"other" enum:"a,b"`
	Common   *common                        `json:"common"`
}

// FuzzDecodeStruct: what is accepted into a struct is what encoding/json reads,
// and what is encoded from it is accepted again with the same value.
func FuzzDecodeStruct(f *testing.F) {
	for _, seed := range []string{
		`{"name":"Lamp","street":"x","zip":"12345"}`,
		`{"name":"日本語","street":"\u00e9","zip":"12345","small":-128,"large":18446744073709551615,"float":1e-7,"single":0.1,"flag":true,"bytes":"aGk=",` +
			`"list":[1,2],"pair":["a","b"],"map":{"a":null,"b":9007199254740993},"self":null,"any":[1.0,{}],"number":1.50,"address":"::1","grade":"B"}`,
		`{"name":"a","NAME":"b","street":"x","zip":"1"}`, `{"null":null}`,
		`{"price":1.50,"time":"2026-02-28T10:00:00.5+01:00","duration":"-PT1H","url":"https://a.b/?c","raw":{ "a" : 1 },"opt":null,"null":["a@b.co"],` +
			`"pet":{"kind":"cat","lives":1},"amount":[1,"x",[1,2],true,{"a":1}],"other":"a","preset":[]}`,
		`{"null":[],"opt":9,"pet":{"name":"x","kind":"dog","pups":[{"kind":"cat","lives":0}]},"common":{"name":"a","street":"x","zip":"12345"}}`,
		`{"null":[],"time":"2016-12-31T23:59:60Z"}`, `{"null":null,"price":-0.000}`,
	} {
		f.Add([]byte(seed))
	}
	commons, owns := typed[common](f), typed[own](f)
	f.Fuzz(func(t *testing.T, data []byte) {
		if value, err := commons.Decode(t.Context(), data); err != nil {
			mustBeProblem(t, err)
		} else {
			var want common
			if err := standard(data, &want); err != nil || !reflect.DeepEqual(value, want) {
				t.Fatalf("%s is %+v here and %+v (%v) to encoding/json", data, value, want, err)
			}
			if again := comesBack(t, commons, value); !reflect.DeepEqual(again, value) {
				t.Fatalf("%+v came back as %+v", value, again)
			}
		}
		if value, err := owns.Decode(t.Context(), data); err != nil {
			mustBeProblem(t, err)
		} else {
			comesBack(t, owns, value)
		}
	})
}

// comesBack encodes value, decodes it and expects the same text from it.
func comesBack[T any](t *testing.T, plan *schema.Type[T], value T) T {
	t.Helper()
	text, err := plan.Append(nil, value)
	if err != nil {
		t.Fatalf("Append(%+v) = %v", value, err)
	}
	again, err := plan.Decode(t.Context(), text)
	if err != nil {
		t.Fatalf("Decode(%s) = %v, which was encoded from %+v", text, err, value)
	}
	if second, err := plan.Append(nil, again); err != nil || !bytes.Equal(text, second) {
		t.Fatalf("%s came back as %s (%v)", text, second, err)
	}
	return again
}

// FuzzDecodeText: no parameter panics, and an integer has one spelling.
func FuzzDecodeText(f *testing.F) {
	for _, seed := range []string{"", "1", "-0", "007", "9223372036854775808", "1e400", "true", "2026-02-28T10:00:00Z", "PT1H", "aGk=", "::1", "10.0.0.0/8", "https://a.b", "B", "\xff", "null", "nan", "0x1"} {
		f.Add(seed, "2")
	}
	var plans []*schema.Plan
	for _, into := range []any{
		"", 0, int8(0), uint64(0), 0.5, float32(0), false, []byte{}, time.Time{}, time.Duration(0), netip.Addr{}, netip.Prefix{}, url.URL{}, grade(0), label{},
		decimal.Decimal{}, json.Number(""), even(0), token(""), []int{}, []string{}, new(int), schema.Opt[[]uint8]{}, schema.Null[bool]{}, []*float64{},
	} {
		plans = append(plans, plan(f, into, ""))
	}
	f.Fuzz(func(t *testing.T, first, second string) {
		for _, p := range plans {
			report := schema.Report{In: "query"}
			v := newOf(p)
			p.DecodeText(&report, []string{first, second}, v)
			if err := report.Err(); err != nil {
				mustBeProblem(t, err)
				continue
			}
			if _, err := p.Append(nil, v); err != nil {
				t.Errorf("%s from %q: Append() = %v", p.Type(), first, err)
			}
			switch {
			case v.CanInt() && p.Type() != typeOf(time.Duration(0)) && p.Type() != typeOf(grade(0)) && strconv.FormatInt(v.Int(), 10) != first,
				v.CanUint() && strconv.FormatUint(v.Uint(), 10) != first:
				t.Errorf("%s: %q was taken for %v", p.Type(), first, v)
			}
		}
	})
}

// FuzzUnescape: a string's escapes mean what they mean to encoding/json, which
// replaces what is refused here.
func FuzzUnescape(f *testing.F) {
	for _, seed := range []string{`a`, `\n\t\"\\\/`, `\u00e9é`, `\ud83d\ude00`, `\ud83d`, `\udc00\ud800`, `\u12`, `\x`, `\`, "\x1f", "a\xff", `\ufffd`, "12345678\\", "1234567\"8", `\ud800\ud83d\ude00`} {
		f.Add(seed)
	}
	words := typed[string](f)
	f.Fuzz(func(t *testing.T, content string) {
		body := []byte(`"` + content + `"`)
		got, err := words.Decode(t.Context(), body)
		var want string
		stdErr := standard(body, &want)
		if err == nil && (stdErr != nil || got != want || !utf8.ValidString(got)) {
			t.Fatalf("%s is %q here and %q (%v) to encoding/json", body, got, want, stdErr)
		}
		if err != nil && stdErr == nil && !strings.Contains(want, "\ufffd") {
			t.Fatalf("%s is refused here (%v) and %q to encoding/json", body, err, want)
		}
	})
}

// closed returns where item holds what viewer may not send, or "".
func closed(item *good, viewer schema.Viewer) string {
	admin := viewer.HasRole("admin")
	switch {
	case item == nil:
		return ""
	case !admin && item.Status != "draft":
		return "status"
	case !admin && item.Audit != nil:
		return "audit"
	case item.Audit != nil && item.Audit.Note != "none" && !viewer.HasRole("auditor"):
		return "note"
	}
	for i := range item.Parts {
		if at := closed(&item.Parts[i], viewer); at != "" {
			return at
		}
	}
	if item.Also == nil {
		return ""
	}
	if item.Also.Secret != "" && !admin {
		return "secret"
	}
	if c := item.Also.Choice; c != nil && c.Lamp != nil && c.Lamp.Cost != 0 && !viewer.HasRole("seller") {
		return "lamp"
	}
	for _, next := range item.Also.Listed {
		if at := closed(next, viewer); at != "" {
			return at
		}
	}
	for _, next := range item.Also.ByName {
		if at := closed(&next, viewer); at != "" {
			return at
		}
	}
	return ""
}

// FuzzRoles: nothing that is accepted holds what its sender may not send, and
// what nobody gets does not depend on what is hidden from them.
func FuzzRoles(f *testing.F) {
	for _, seed := range []string{
		`{"name":"a"}`, `{"name":"a","status":"open"}`, `{"name":"a","ph\u0061se":"sold","audit":{"by":"b","note":"n"}}`, `{"name":"a","parts":[{"name":"b","state":"open","cost":7}]}`,
		`{"name":"a","also":{"secret":"s","by_name":{"k":{"name":"c","status":"open"}},"listed":[null,{"name":"d","audit":null}],"choice":{"cost":1,"kind":"lamp"}}}`,
		`{"status":null,"status":"open"}`, `{"name":"a","also":{"any":{"cost":1},"pair":[{"name":"e"}],"opt":null,"lone":{"good":{"name":"f","cost":2}}}}`,
	} {
		for roles := range uint8(8) {
			f.Add([]byte(seed), roles)
		}
	}
	goods := typed[good](f)
	f.Fuzz(func(t *testing.T, data []byte, roles uint8) {
		viewer := as{}
		for i, role := range []string{"admin", "seller", "auditor"} {
			if roles>>i&1 == 1 {
				viewer = append(viewer, role)
			}
		}
		item, err := goods.DecodeFor(t.Context(), data, viewer)
		if err != nil {
			mustBeProblem(t, err)
			return
		}
		if at := closed(&item, viewer); at != "" {
			t.Fatalf("%v sent %s by %s", viewer, at, data)
		}
		before, err := goods.Append(nil, item)
		item.Cost, item.Audit = item.Cost+1, &audit{By: "canary"}
		for i := range item.Parts {
			item.Parts[i].Cost, item.Parts[i].Audit = item.Parts[i].Cost+1, nil
		}
		after, err2 := goods.Append(nil, item)
		if err != nil || err2 != nil || !json.Valid(before) || !bytes.Equal(before, after) {
			t.Fatalf("nobody gets %s (%v), and %s (%v) once hidden members are others", before, err, after, err2)
		}
	})
}

package jws_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/fastness/fastness/internal/jws"
)

// token returns a token whose parts are encoded as they should be.
func token(header, payload, sig string) string {
	return encode([]byte(header)) + "." + encode([]byte(payload)) + "." + encode([]byte(sig))
}

func TestHeaderIsReadStrictly(t *testing.T) {
	const good = `{"alg":"ES256","kid":"a","typ":"at+jwt","cty":"x","x5t":"y","iat":1}`
	h, payload, signed, sig, err := jws.Parse(token(good, "payload", "sig"), 0)
	want := jws.Header{Algorithm: jws.ES256, KeyID: "a", Type: "at+jwt", ContentType: "x"}
	if err != nil || h != want || string(payload) != "payload" || string(sig) != "sig" || signed+"."+encode(sig) != token(good, "payload", "sig") {
		t.Fatalf("Parse() = %+v, %q, %q, %q, %v", h, payload, signed, sig, err)
	}
	for _, tt := range []struct{ name, header string }{
		{"none", `{"alg":"none"}`},
		{"None", `{"alg":"None"}`},
		{"NONE", `{"alg":"NONE"}`},
		{"nOnE", `{"alg":"nOnE"}`},
		{"an empty alg", `{"alg":""}`},
		{"no alg", `{"kid":"a"}`},
		{"alg in another case", `{"alg":"es256"}`},
		{"alg with a space", `{"alg":"ES256 "}`},
		{"alg that is a list", `{"alg":["ES256"]}`},
		{"alg that is null", `{"alg":null}`},
		{"alg that is true", `{"alg":true}`},
		{"two algs", `{"alg":"ES256","alg":"ES256"}`},
		{"two algs, one of them escaped", `{"alg":"ES256","\u0061lg":"none"}`},
		{"two members of one name inside", `{"alg":"ES256","a":{"b":1,"b":2}}`},
		{"crit", `{"alg":"ES256","crit":["exp"]}`},
		{"empty crit", `{"alg":"ES256","crit":[]}`},
		{"b64", `{"alg":"ES256","b64":false}`},
		{"b64 true", `{"alg":"ES256","b64":true}`},
		{"zip", `{"alg":"ES256","zip":"DEF"}`},
		{"jku", `{"alg":"ES256","jku":"https://evil.example/keys"}`},
		{"x5u", `{"alg":"ES256","x5u":"https://evil.example/cert"}`},
		{"x5c", `{"alg":"ES256","x5c":["MIIB"]}`},
		{"jwk", `{"alg":"ES256","jwk":{"kty":"EC"}}`},
		{"kid that is null", `{"alg":"ES256","kid":null}`},
		{"kid that is a number", `{"alg":"ES256","kid":1}`},
		{"kid that is a list", `{"alg":"ES256","kid":["a"]}`},
		{"an empty kid", `{"alg":"ES256","kid":""}`},
		{"a kid of 129 characters", `{"alg":"ES256","kid":"` + strings.Repeat("a", 129) + `"}`},
		{"a kid that is not ASCII", `{"alg":"ES256","kid":"é"}`},
		{"a kid with a line end", `{"alg":"ES256","kid":"a\nb"}`},
		{"a kid with NUL", `{"alg":"ES256","kid":"a\u0000"}`},
		{"typ that is a number", `{"alg":"ES256","typ":1}`},
		{"a header of more than 1 KiB", `{"alg":"ES256","a":"` + strings.Repeat("a", 1024) + `"}`},
		{"something behind the end", good + `{}`},
		{"a byte order mark", "\ufeff" + good},
		{"a comma at the end", `{"alg":"ES256",}`},
		{"a list", `["ES256"]`},
		{"nothing", ``},
	} {
		h, _, _, _, err := jws.Parse(token(tt.header, "x", "x"), 0)
		if !errors.Is(err, jws.ErrMalformed) {
			t.Errorf("%s: Parse(%s) = %+v, %v, want ErrMalformed", tt.name, tt.header, h, err)
		}
	}
}

func TestCompactFormHasOneSpelling(t *testing.T) {
	good := token(`{"alg":"ES256"}`, "four", "four") // "four" leaves 4 bits in its last character
	parts := strings.Split(good, ".")
	for _, tt := range []struct{ name, token string }{
		{"nothing", ""},
		{"one part", parts[0]},
		{"two parts", parts[0] + "." + parts[1]},
		{"four parts", good + "." + parts[2]},
		{"five parts, as encrypted tokens have", good + "..x"},
		{"a dot more", good + "."},
		{"no header", "." + parts[1] + "." + parts[2]},
		{"no signature", parts[0] + "." + parts[1] + "."},
		{"the JSON form", `{"payload":"` + parts[1] + `","protected":"` + parts[0] + `","signature":"` + parts[2] + `"}`},
		{"padding", good + "=="},
		{"padding of the payload", parts[0] + "." + parts[1] + "==." + parts[2]},
		{"a space before", " " + good},
		{"a space behind", good + " "},
		{"a line end behind", good + "\n"},
		{"a line end inside", parts[0] + "." + parts[1][:2] + "\r\n" + parts[1][2:] + "." + parts[2]},
		{"stray bits in the signature", good[:len(good)-1] + "h"},
		{"stray bits in the payload", parts[0] + "." + parts[1][:len(parts[1])-1] + "h." + parts[2]},
		{"the other alphabet", parts[0] + "." + parts[1] + ".++//"},
		{"a character too few", good[:len(good)-1]},
		{"not ASCII", parts[0] + "." + parts[1] + ".éé"},
		{"braces", "{" + good + "}"},
		{"more than 8 KiB", token(`{"alg":"ES256"}`, strings.Repeat("x", 6130), "x")},
	} {
		if h, _, _, _, err := jws.Parse(tt.token, 0); !errors.Is(err, jws.ErrMalformed) {
			t.Errorf("%s: Parse() = %+v, %v, want ErrMalformed", tt.name, h, err)
		}
	}
	if long := token(`{"alg":"ES256"}`, strings.Repeat("x", 6120), "x"); len(long) > jws.MaxToken || len(long) < jws.MaxToken-16 {
		t.Fatalf("the case needs another length, not %d", len(long))
	} else if _, _, _, _, err := jws.Parse(long, 1<<20); err != nil {
		t.Errorf("almost 8 KiB: Parse() = %v", err)
	}
	if _, _, _, _, err := jws.Parse(good, len(good)-1); !errors.Is(err, jws.ErrMalformed) {
		t.Errorf("longer than the caller wants: Parse() = %v", err)
	}
	if _, _, _, _, err := jws.Parse(good, len(good)); err != nil {
		t.Errorf("as long as the caller wants: Parse() = %v", err)
	}
}

func TestParsingAllocatesLittle(t *testing.T) {
	good := token(`{"alg":"ES256","kid":"2026-11","typ":"at+jwt"}`, `{"iss":"https://issuer.example"}`, strings.Repeat("s", 64))
	if n := testing.AllocsPerRun(100, func() { jws.Parse(good, 0) }); n > 3 {
		t.Errorf("Parse makes %v allocations, want at most 3: key id, payload, signature", n)
	}
	data := []byte(`{"a":{"b":[1,2,{"c":"d"}]},"e":"f","g":-1.5e3}`)
	if n := testing.AllocsPerRun(100, func() {
		o := jws.Object{Data: data}
		for o.Next() {
			o.Value().Is("f")
		}
	}); n > 0 {
		t.Errorf("reading an object makes %v allocations, want 0", n)
	}
}

func TestObjectIsReadStrictly(t *testing.T) {
	deep := strings.Repeat(`{"a":`, 17) + `1` + strings.Repeat(`}`, 17)
	for _, tt := range []struct {
		name, text string
		good       bool
	}{
		{"spaces everywhere", " { \"a\" : [ 1 , { } , [ ] , \"\\u0061\\ud83d\\ude00\" ] ,\n\"b\":\ttrue } ", true},
		{"numbers of all kinds", `{"a":[0,-0,1.5,-1e-5,2E+3,10]}`, true},
		{"one name in two objects", `{"a":{"x":1},"b":{"x":1},"x":1}`, true},
		{"one name in another case", `{"a":1,"A":1}`, true},
		{"sixteen deep", deep[len(`{"a":`) : len(deep)-1], true},
		{"seventeen deep", deep, false},
		{"128 members", members(128), true},
		{"129 members", members(129), false},
		{"a hundred thousand brackets", strings.Repeat("[", 100_000), false},
		{"two members of one name", `{"a":1,"a":1}`, false},
		{"two members of one name in a list", `{"a":[{"b":1,"b":1}]}`, false},
		{"two members of one name, escaped differently", `{"\u0061":1,"\u0061":2}`, false},
		{"a lone surrogate", `{"a":"\ud800"}`, false},
		{"a surrogate with a wrong partner", `{"a":"\ud800\u0061"}`, false},
		{"a surrogate as a byte sequence", "{\"a\":\"\xed\xa0\x80\"}", false},
		{"not UTF-8", "{\"a\":\"\xff\"}", false},
		{"a name that is not UTF-8", "{\"\xff\":1}", false},
		{"a control character", "{\"a\":\"\x01\"}", false},
		{"an escape that nobody knows", `{"a":"\x"}`, false},
		{"an escape that ends", `{"a":"\u00`, false},
		{"a number with a leading zero", `{"a":01}`, false},
		{"a number with a plus", `{"a":+1}`, false},
		{"a number without digits behind the point", `{"a":1.}`, false},
		{"NaN", `{"a":NaN}`, false},
		{"a comment", `{"a":1/**/}`, false},
		{"a comma at the end of a list", `{"a":[1,]}`, false},
		{"a comma at the end", `{"a":1,}`, false},
		{"no comma", `{"a":1 "b":1}`, false},
		{"no colon", `{"a" 1}`, false},
		{"no value", `{"a":}`, false},
		{"a name without quotes", `{a:1}`, false},
		{"cut", `{"a":1`, false},
		{"NUL behind the end", "{}\x00", false},
		{"a second object", `{}{}`, false},
	} {
		o := jws.Object{Data: []byte(tt.text)}
		for o.Next() {
		}
		if err := o.Err(); (err == nil) != tt.good {
			t.Errorf("%s: Err() = %v, want accepted: %v", tt.name, err, tt.good)
		}
	}
}

func members(n int) string {
	var list []string
	for i := range n {
		list = append(list, `"`+strings.Repeat("a", i+1)+`":1`)
	}
	return "{" + strings.Join(list, ",") + "}"
}

func TestIntegersAreWrittenAsIntegers(t *testing.T) {
	for text, want := range map[string]bool{
		"0": true, "1": true, "-1": true, "1795000000": true, "9223372036854775807": true,
		"9223372036854775808": false, "1.0": false, "1e3": false, "1E3": false, "-0": false, `"1"`: false, "null": false, "true": false, "": false,
	} {
		if n, ok := jws.Value(text).Integer(); ok != want {
			t.Errorf("Value(%s).Integer() = %d, %v, want %v", text, n, ok, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(token(`{"alg":"ES256","kid":"a","typ":"at+jwt"}`, `{}`, "sig"))
	f.Add(token(`{"alg":"none"}`, `{}`, ""))
	f.Add(token(`{"alg":"HS256","k\u0069d":"a"}`, `{}`, "x"))
	f.Add("..")
	f.Fuzz(func(t *testing.T, text string) {
		h, payload, signed, sig, err := jws.Parse(text, 0)
		if err != nil {
			return
		}
		if !h.Algorithm.Known() || len(h.KeyID) > 128 {
			t.Errorf("header %+v", h)
		}
		// One spelling: what was read is written as it was.
		if signed+"."+encode(sig) != text || !strings.HasSuffix(signed, "."+encode(payload)) {
			t.Errorf("%q is another spelling of %q", text, signed)
		}
	})
}

// What Object accepts, encoding/json accepts; and it has as many members.
func FuzzObject(f *testing.F) {
	f.Add([]byte(`{"a":[1,-0.5e1,"\ud83d\ude00",{"b":null}],"c":"\u0063"}`))
	f.Add([]byte(`{"a":1,"\u0061":2}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		o := jws.Object{Data: data}
		texts := map[string]string{}
		n := 0
		for o.Next() {
			n++
			text, _ := o.Value().Text()
			texts[string(o.Name())] = text
			o.Value().Elements(func(jws.Value) bool { return true })
		}
		if o.Err() != nil {
			return
		}
		var want map[string]any
		if err := json.Unmarshal(data, &want); err != nil || len(want) != n || len(texts) != n {
			t.Fatalf("%q: encoding/json finds %d members (%v), this %d", data, len(want), err, n)
		}
		for name, value := range want {
			if text, ok := value.(string); ok && texts[name] != text {
				t.Fatalf("%q: %q is %q, want %q", data, name, texts[name], text)
			}
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	for _, alg := range []jws.Algorithm{jws.HS256, jws.EdDSA, jws.ES256} {
		b.Run(string(alg), func(b *testing.B) {
			key, err := jws.Generate(alg, "test")
			if err != nil {
				b.Fatal(err)
			}
			unsigned := encode([]byte(`{"alg":"`+string(alg)+`","kid":"test","typ":"at+jwt"}`)) + "." + encode([]byte(strings.Repeat("x", 300)))
			sig, err := key.Sign([]byte(unsigned))
			if err != nil {
				b.Fatal(err)
			}
			text := unsigned + "." + encode(sig)
			b.ReportAllocs()
			for b.Loop() {
				if err := verify(key, text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

package cbor_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"net/http"
	"reflect"
	"runtime"
	"strings"
	"testing"

	other "github.com/fxamacker/cbor/v2"

	"github.com/fastness/fastness/cbor"
	"github.com/fastness/fastness/problem"
)

func bytesOf(t testing.TB, text string) []byte {
	t.Helper()
	data, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// The examples of RFC 8949 appendix A that JSON has a value for.
func TestExamplesOfTheStandardAreRead(t *testing.T) {
	for text, want := range map[string]string{
		"00": "0", "17": "23", "1818": "24", "1903e8": "1000", "1b000000e8d4a51000": "1000000000000", "1bffffffffffffffff": "18446744073709551615",
		"c249010000000000000000": "18446744073709551616", "3bffffffffffffffff": "-18446744073709551616",
		"c349010000000000000000": "-18446744073709551617", "20": "-1", "3903e7": "-1000",
		"f90000": "0", "f98000": "-0", "f93c00": "1", "fb3ff199999999999a": "1.1", "f97bff": "65504", "fa47c35000": "100000",
		"fa7f7fffff": "3.4028234663852886e+38", "fb7e37e43c8800759c": "1e+300", "f90001": "5.960464477539063e-08", "f90400": "6.103515625e-05",
		"f9c400": "-4", "f4": "false", "f5": "true", "f6": "null", "60": `""`, "6449455446": `"IETF"`, "62225c": `"\"\\"`, "62c3bc": `"ü"`,
		"80": "[]", "83010203": "[1,2,3]", "a0": "{}", "a26161016162820203": `{"a":1,"b":[2,3]}`,
		"c074323031332d30332d32315432303a30343a30305a": `"2013-03-21T20:04:00Z"`,
		"c48221196ab3":                 "27315e-2",
		"c48200c249010000000000000000": "18446744073709551616e0",
	} {
		got, err := cbor.New().ToJSON(bytesOf(t, text))
		if err != nil || string(got) != want {
			t.Errorf("%s: %s, %v, want %s", text, got, err, want)
		}
	}
}

func TestWhatCanBeReadInTwoWaysIsRefused(t *testing.T) {
	deep := strings.Repeat("81", 65) + "00"
	for name, text := range map[string]string{
		"nothing":                            "",
		"trailing bytes":                     "0000",
		"half of it":                         "8201",
		"an indefinite array":                "9fff",
		"an indefinite map":                  "bfff",
		"an indefinite text":                 "7f6161ff",
		"an indefinite byte string":          "5f4161ff",
		"a break alone":                      "ff",
		"a reserved length":                  "1c",
		"a length beyond the end":            "7bffffffffffffffff",
		"an array beyond the end":            "9b7fffffffffffffff00",
		"a map beyond the end":               "bb7fffffffffffffff00",
		"NaN":                                "f97e00",
		"NaN of 32 bits":                     "fa7fc00000",
		"NaN of 64 bits":                     "fb7ff8000000000000",
		"infinity":                           "f97c00",
		"minus infinity":                     "fbfff0000000000000",
		"undefined":                          "f7",
		"a simple value":                     "f0",
		"a long simple value":                "f8ff",
		"a simple value of two bytes":        "f814",
		"a byte string":                      "4161",
		"text that is not UTF-8":             "61ff",
		"a surrogate in text":                "63eda080",
		"a key that is not UTF-8":            "a161ff00",
		"a key that is a number":             "a10000",
		"a key that is bytes":                "a1416100",
		"a key that is tagged":               "a1c0616100",
		"an array as a key":                  "a18000",
		"an epoch time":                      "c11a514b67b0",
		"a date that is a number":            "c000",
		"a date that is bytes":               "c04161",
		"a big integer of text":              "c26161",
		"a big integer of 129 bytes":         "c25881" + strings.Repeat("ff", 129),
		"an indefinite big integer":          "c25f41ffff",
		"a bigfloat":                         "c5822003",
		"embedded CBOR":                      "d8184100",
		"a URI":                              "d820637572693a",
		"the self-description":               "d9d9f700",
		"a tag in a tag":                     "c0c06161",
		"a decimal of three":                 "c483000000",
		"a decimal of a text":                "c4820061" + "61",
		"a decimal with a text for exponent": "c482616100",
		"a decimal that is a map":            "c4a10000",
		"a decimal's exponent of 10000":      "c482192710" + "01",
		"a decimal's exponent of -10001":     "c482392710" + "01",
		"a decimal of a decimal":             "c48200c4820001",
		"too deep":                           deep,
		"too many tags":                      strings.Repeat("c0", 65) + "6161",
	} {
		got, err := cbor.New().ToJSON(bytesOf(t, text))
		p, ok := errors.AsType[*problem.Problem](err)
		if !ok || p.Status != http.StatusBadRequest || p.Code != "cbor_invalid" {
			t.Errorf("%s: %s, %v, want a 400", name, got, err)
		}
	}
	if _, err := cbor.New().ToJSON(bytesOf(t, deep[2:])); err != nil {
		t.Errorf("64 arrays: %v", err)
	}
}

// A head of nine bytes may promise what no memory has, and a small body may be a large
// value.
func TestBombsAreBounded(t *testing.T) {
	const size = 1 << 20
	list := append([]byte{0x9a, 0, 0x0f, 0xff, 0xfb}, make([]byte, size-5)...)
	fill := func(b byte) []byte {
		for i := 5; i < len(list); i++ {
			list[i] = b
		}
		return bytes.Clone(list)
	}
	floats := []byte{0x9a, 0, 5, 0x55, 0x53}
	for len(floats)+3 <= size {
		floats = append(floats, 0xf9, 0x83, 0xff)
	}
	nuls := append([]byte{0x7a, 0, 0x0f, 0xff, 0xfb}, make([]byte, size-5)...)
	for name, data := range map[string][]byte{
		"empty maps": fill(0xa0), "empty arrays": fill(0x80), "empty texts": fill(0x60), "nulls": fill(0xf6), "zeros": fill(0),
		"small floats": floats, "NULs in a text": nuls,
		"half of a million arrays": bytes.Repeat([]byte{0x9a, 0, 0x0f, 0xff, 0xff}, size/5),
		"a promise of an array":    {0x9b, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
		"a promise of a text":      {0x7b, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		text, err := cbor.New().ToJSON(data)
		runtime.ReadMemStats(&after)
		// The growing text and its copies.
		if used := after.TotalAlloc - before.TotalAlloc; used > 48<<20 {
			t.Errorf("%s: %d bytes allocated", name, used)
		}
		if len(text) > 8*len(data) {
			t.Errorf("%s: %d bytes became %d", name, len(data), len(text))
		}
		if err == nil && !json.Valid(text) {
			t.Errorf("%s: no JSON", name)
		}
	}
}

func TestAnswersAreDeterministic(t *testing.T) {
	f := cbor.New()
	for text, want := range map[string]string{
		`{"b":1,"a":2,"aa":3}`: "a3616102616201626161" + "03", `{ "a":2, "aa":3.0,"b":1e0}`: "a361" + "61026162f93c00626161f94200",
		"0": "00", "-0": "00", "-1": "20", "18446744073709551615": "1bffffffffffffffff", "18446744073709551616": "c249010000000000000000",
		"-18446744073709551616": "3bffffffffffffffff", "-18446744073709551617": "c349010000000000000000",
		"1.5": "f93e00", "0.1": "fb3fb999999999999a", "100000.0": "fa47c35000", "1e300": "fb7e37e43c8800759c",
		"273.15": "fb4071126666666666", "0.1000000000000000055511151231257827": "c482" + "3821" + "c24d" + "0c9f2c9cd04675000000000" + "0",
		"1e400": "c482190190" + "01", "-1e-400": "c48239018f" + "20",
		`"ü"`: "62c3bc", "null": "f6", "[]": "80",
	} {
		got, err := f.FromJSON([]byte(text))
		if strings.HasPrefix(text, "0.1000") { // By hand only that it is a decimal fraction.
			if err != nil || !strings.HasPrefix(hex.EncodeToString(got), "c4823821") {
				t.Errorf("%s: %x, %v", text, got, err)
			}
			continue
		}
		if err != nil || hex.EncodeToString(got) != want {
			t.Errorf("%s: %x, %v, want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"", "{", "1 2", "[1,]", "1e99999999999", "1e10000", "1.5e-10001", "1" + strings.Repeat("0", 400) + "1"} {
		if got, err := f.FromJSON([]byte(text)); err == nil {
			t.Errorf("%.20s: %.20x", text, got)
		}
	}
}

// What the library that everybody uses sends with its defaults is read.
func TestValuesOfAnotherEncoderAreRead(t *testing.T) {
	value := map[string]any{"n": 7, "f": 0.1, "s": "x", "l": []int{1, 2}, "b": true, "nil": nil, "big": *new(big.Int).Lsh(big.NewInt(1), 70), "max": uint64(math.MaxUint64)}
	data, err := other.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	text, err := cbor.New().ToJSON(data)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"b":true,"big":1180591620717411303424,"f":0.1,"l":[1,2],"max":18446744073709551615,"n":7,"nil":null,"s":"x"}`
	if got := normal(t, text); !reflect.DeepEqual(got, normal(t, []byte(want))) {
		t.Errorf("%s, want %s", text, want)
	}
}

// normal returns a JSON value with numbers as fractions.
func normal(t testing.TB, text []byte) any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	var walk func(any) any
	walk = func(v any) any {
		switch v := v.(type) {
		case []any:
			for i := range v {
				v[i] = walk(v[i])
			}
		case map[string]any:
			for k := range v {
				v[k] = walk(v[k])
			}
		case json.Number:
			r, ok := new(big.Rat).SetString(string(v))
			if !ok {
				t.Fatalf("%s is no number", v)
			}
			return r.RatString()
		}
		return v
	}
	return walk(v)
}

// FuzzToJSON: what is taken is JSON, and is the same again through CBOR.
func FuzzToJSON(f *testing.F) {
	for _, seed := range []string{"a26161016162820203", "c48221196ab3", "c249010000000000000000", "fb7e37e43c8800759c", "9fff", "f97e00", "c06161", "7bffffffffffffffff"} {
		f.Add(bytesOf(f, seed))
	}
	format := cbor.New()
	strict, err := other.DecOptions{DupMapKey: other.DupMapKeyEnforcedAPF, UTF8: other.UTF8RejectInvalid, IndefLength: other.IndefLengthForbidden}.DecMode()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		text, err := format.ToJSON(data)
		if err != nil {
			return
		}
		if !json.Valid(text) || len(text) > 8*len(data) {
			t.Fatalf("%x: %s", data, text)
		}
		var v any
		if err := strict.Unmarshal(data, &v); err != nil {
			return // A member comes twice: the plan refuses it.
		}
		again, err := format.FromJSON(text)
		if err != nil {
			return // A number of more digits than answers have.
		}
		back, err := format.ToJSON(again)
		if err != nil || !reflect.DeepEqual(normal(t, text), normal(t, back)) {
			t.Fatalf("%x: %s, then %s, %v", data, text, back, err)
		}
		if last, err := format.FromJSON(back); err != nil || !bytes.Equal(last, again) {
			t.Fatalf("%x is %x the second time, %v", again, last, err)
		}
	})
}

// FuzzFromJSON: JSON to CBOR to JSON is the identity on values, and what another reader
// makes of the CBOR is well-formed.
func FuzzFromJSON(f *testing.F) {
	for _, seed := range []string{`{"a":[1,2.5,null,true,"x"]}`, "0.1000000000000000055511151231257827", "18446744073709551616", "-0.0", "1e400", `{"a":1,"a":2}`, `"\u0000\ud83d\ude00"`} {
		f.Add(seed)
	}
	format := cbor.New()
	f.Fuzz(func(t *testing.T, text string) {
		data, err := format.FromJSON([]byte(text))
		if err != nil {
			return
		}
		if strings.Count(text, "[")+strings.Count(text, "{") > 30 {
			return // Deeper than what is read, perhaps.
		}
		back, err := format.ToJSON(data)
		if err != nil {
			t.Fatalf("%q: %x: %v", text, data, err)
		}
		if !reflect.DeepEqual(normal(t, []byte(text)), normal(t, back)) {
			t.Fatalf("%q became %s", text, back)
		}
		if err := other.Wellformed(data); err != nil {
			t.Fatal(err)
		}
	})
}

package auditlog_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/fastness/fastness/auditlog"
	"github.com/fastness/fastness/secret"
)

// broken panics when it is asked what it is.
type broken struct{}

func (broken) String() string { panic("no") }

func TestDetailsHaveOneForm(t *testing.T) {
	deep := slog.Int("n", 1)
	for range 6 {
		deep = slog.Group("g", deep)
	}
	for _, tt := range []struct {
		name  string
		attrs []slog.Attr
		want  string
	}{
		{"none", nil, `{}`},
		{"names are in order", []slog.Attr{slog.Int("b", 1), slog.Int("a", 2)}, `{"a":2,"b":1}`},
		{"of two with one name the later counts", []slog.Attr{slog.Int("a", 1), slog.Int("a", 2)}, `{"a":2}`},
		{"a group without a name is none", []slog.Attr{slog.Group("", slog.Int("a", 1))}, `{"a":1}`},
		{"an empty group is left out", []slog.Attr{slog.Group("a")}, `{}`},
		{"an empty attribute is left out", []slog.Attr{{}}, `{}`},
		{"a secret is not shown", []slog.Attr{slog.Any("a", secret.New("hunter2"))}, `{"a":"***"}`},
		{"a secret in a struct is not shown", []slog.Attr{slog.Any("a", struct{ P secret.Text }{secret.New("hunter2")})}, `{"a":"{P:***}"}`},
		{"a secret behind a pointer is not shown", []slog.Attr{slog.Any("a", new(secret.New("hunter2")))}, `{"a":"***"}`},
		{"no number is a text", []slog.Attr{slog.Float64("a", math.NaN()), slog.Float64("b", math.Inf(1))}, `{"a":"NaN","b":"+Inf"}`},
		{"the greatest number stays", []slog.Attr{slog.Uint64("a", math.MaxUint64)}, `{"a":18446744073709551615}`},
		{"nothing is null", []slog.Attr{slog.Any("a", nil)}, `{"a":null}`},
		{"bytes are digits", []slog.Attr{slog.Any("a", []byte{0, 255})}, `{"a":"00ff"}`},
		{"an error is its text", []slog.Attr{slog.Any("a", errors.New("no"))}, `{"a":"no"}`},
		{"a time is UTC", []slog.Attr{slog.Time("a", time.Date(2026, 1, 1, 0, 0, 0, 0, time.FixedZone("", 3600)))}, `{"a":"2025-12-31T23:00:00Z"}`},
		{"who panics is survived", []slog.Attr{slog.Any("a", broken{})}, `{"a":"%!v(PANIC=String method: no)"}`},
		{"a quotation mark and a bracket stay", []slog.Attr{slog.String("a", `<"&`)}, `{"a":"<\"&"}`},
		{"too deep is left out", []slog.Attr{deep}, `{"g":{"g":{"g":{"g":{}}}},"…":1}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := string(auditlog.EncodeDetails(tt.attrs)); got != tt.want {
				t.Errorf("%v is stored as\n%s, want\n%s", tt.attrs, got, tt.want)
			}
		})
	}
}

func TestDetailsAreBounded(t *testing.T) {
	long := strings.Repeat(`"\`, 1<<19)
	var many []slog.Attr
	for i := range 1000 {
		many = append(many, slog.String(fmt.Sprint(i), long))
	}
	for _, tt := range []struct {
		name  string
		attrs []slog.Attr
		cut   string
	}{
		{"a long value ends in a mark", []slog.Attr{slog.String("a", long)}, `…"`},
		{"a long name ends in a mark", []slog.Attr{slog.Int(long, 1)}, `…":1`},
		{"many say how many are missing", many, `"…":99`},
		{"a long list says how many are missing", []slog.Attr{slog.Any("a", make([]string, 1000))}, `"…":969`},
		{"many in groups", []slog.Attr{{Key: "g", Value: slog.GroupValue(many...)}, {Key: "h", Value: slog.GroupValue(many...)}}, `"…":`},
		{"long bytes", []slog.Attr{slog.Any("a", []byte(long))}, `…"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := auditlog.EncodeDetails(tt.attrs)
			if len(got) > 4*8192 || !json.Valid(got) {
				t.Errorf("%d bytes, JSON: %t", len(got), json.Valid(got))
			}
			if !strings.Contains(string(got), tt.cut) {
				t.Errorf("%.100s … %.100s does not say that it was cut: want %s", got, got[max(0, len(got)-100):], tt.cut)
			}
		})
	}
}

func FuzzDetails(f *testing.F) {
	f.Add("a", "b", "c", 3)
	f.Add("", "\r\n", "\u202e\xff", 40)
	f.Add("…", strings.Repeat("\\", 3000), "\"", 100)
	f.Fuzz(func(t *testing.T, key, value, inner string, n int) {
		attrs := []slog.Attr{slog.String(key, value), slog.Group(inner, slog.String(key, value), slog.Any(value, []string{inner}))}
		for i := range n % 100 {
			attrs = append(attrs, slog.String(key+fmt.Sprint(i), value))
		}
		got := string(auditlog.EncodeDetails(attrs))
		if !json.Valid([]byte(got)) || len(got) > 4*8192 || strings.ContainsAny(got, "\r\n\x00\x1b\u202e\u2028\ufeff") {
			t.Fatalf("%q", got)
		}
		if again := string(auditlog.EncodeDetails(attrs)); again != got {
			t.Fatalf("%q and %q", got, again)
		}
	})
}

func FuzzParseAnchor(f *testing.F) {
	f.Add("17:" + strings.Repeat("c0", 32))
	f.Add("0:" + strings.Repeat("00", 32))
	f.Add("+1:" + strings.Repeat("00", 32))
	f.Add(":")
	f.Fuzz(func(t *testing.T, text string) {
		a, err := auditlog.ParseAnchor(text)
		if err != nil {
			if !a.IsZero() {
				t.Fatalf("%q: %v and %v", text, a, err)
			}
			return
		}
		if !strings.EqualFold(a.String(), text) {
			t.Fatalf("%q is %q", text, a)
		}
	})
}

func TestParseAnchorRefusesWhatIsNone(t *testing.T) {
	hash := strings.Repeat("c0", 32)
	for _, text := range []string{"", "17", ":" + hash, "17:", "17:" + hash[1:], "17:" + hash + "0", "017:" + hash, "-1:" + hash, "+1:" + hash,
		"17:" + strings.Repeat("g", 64), "0:" + hash, "9223372036854775808:" + hash, " 17:" + hash} {
		if a, err := auditlog.ParseAnchor(text); err == nil {
			t.Errorf("ParseAnchor(%q) = %v, want an error", text, a)
		}
	}
}

func TestOpenNamesEveryMistake(t *testing.T) {
	_, err := auditlog.Open(t.Context(), auditlog.Config{Retention: -1, Timeout: -1})
	for _, field := range []string{"DB", "Retention", "Timeout"} {
		if err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("Open() = %v, want it to name %s", err, field)
		}
	}
}

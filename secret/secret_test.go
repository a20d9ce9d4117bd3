package secret_test

import (
	"bytes"
	"database/sql"
	"database/sql/driver"
	"encoding"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"log/slog"
	"reflect"
	"strings"
	"testing"

	"github.com/fastness/fastness/secret"
)

const password = "hunter2-hunter2"

var (
	_ fmt.Formatter            = secret.Text{}
	_ fmt.GoStringer           = secret.Text{}
	_ slog.LogValuer           = secret.Text{}
	_ driver.Valuer            = secret.Text{}
	_ json.Marshaler           = secret.Text{}
	_ encoding.TextMarshaler   = secret.Text{}
	_ encoding.TextUnmarshaler = (*secret.Text)(nil)
)

// holder keeps secrets where package fmt cannot reach their methods, too.
type holder struct {
	Shown  secret.Text
	hidden secret.Text
	list   []secret.Text
	byName map[string]secret.Text
	any    any
}

func newHolder() holder {
	t := secret.New(password)
	return holder{t, t, []secret.Text{t}, map[string]secret.Text{"k": t}, t}
}

// spelt are the forms in which verbs would print the password.
func spelt() []string {
	return []string{
		password, fmt.Sprintf("%x", password), fmt.Sprintf("%X", password), fmt.Sprintf("% x", password),
		fmt.Sprintf("%d", []byte(password)), strings.Trim(fmt.Sprint([]byte(password)), "[]"),
	}
}

func mustNotSpell(t *testing.T, how, text string) {
	t.Helper()
	for _, form := range spelt() {
		if strings.Contains(text, form) {
			t.Errorf("%s spells the secret: %s", how, text)
		}
	}
}

func TestNoVerbPrintsTheSecret(t *testing.T) {
	text := secret.New(password)
	h := newHolder()
	for _, verb := range "vTtbcdoOqxXUeEfFgGspwz" {
		for _, flags := range []string{"", "+", "#", " ", "0", "-", "+#", "30", ".3"} {
			format := "%" + flags + string(verb)
			for _, value := range []any{text, &text, h, &h, []secret.Text{text}, [1]holder{h}, errors.Join(fmt.Errorf("%v", text))} {
				mustNotSpell(t, format, fmt.Sprintf(format, value))
			}
		}
	}
	if got := fmt.Sprintf("%v %s %q %x %d", text, text, text, text, text); got != "*** *** *** *** ***" {
		t.Errorf("five verbs print %s", got)
	}
	if got := fmt.Sprintf("%#v", text); got != "secret.Text(***)" {
		t.Errorf("%%#v prints %s", got)
	}
	if got := fmt.Sprintf("[%v]", secret.Text{}); got != "[]" {
		t.Errorf("an empty secret prints %s: a log should tell that nothing was set", got)
	}
}

func TestNoLogPrintsTheSecret(t *testing.T) {
	text, h := secret.New(password), newHolder()
	for name, handler := range map[string]func(io.Writer) slog.Handler{
		"text": func(w io.Writer) slog.Handler { return slog.NewTextHandler(w, nil) },
		"json": func(w io.Writer) slog.Handler { return slog.NewJSONHandler(w, nil) },
	} {
		var out bytes.Buffer
		logger := slog.New(handler(&out))
		logger.Info("log-in", "password", text, "pointer", &text, "holder", h, "holders", []any{h, &h}, slog.Group("g", "p", text))
		mustNotSpell(t, "slog "+name, out.String())
		if !strings.Contains(out.String(), "***") {
			t.Errorf("slog %s: %s, want ***", name, out.String())
		}
	}
	var out bytes.Buffer
	log.New(&out, "", 0).Println(text, &text, h, &h)
	mustNotSpell(t, "log", out.String())
}

func TestNoEncoderWritesTheSecret(t *testing.T) {
	text := secret.New(password)
	type public struct{ Password secret.Text }
	encoders := map[string]func(v any) ([]byte, error){
		"json": json.Marshal,
		"xml":  xml.Marshal,
		"gob": func(v any) ([]byte, error) {
			var out bytes.Buffer
			err := gob.NewEncoder(&out).Encode(v)
			return out.Bytes(), err
		},
	}
	for name, encode := range encoders {
		for _, v := range []any{text, &text, public{text}, &public{text}, []secret.Text{text}} {
			out, err := encode(v)
			if err == nil {
				t.Errorf("%s of a %T succeeds: %s", name, v, out)
				continue
			}
			mustNotSpell(t, name, string(out)+err.Error())
		}
	}
	if _, err := json.Marshal(map[string]any{"p": text}); !errors.Is(err, secret.ErrEncode) {
		t.Errorf("json of a map: %v, want ErrEncode", err)
	}
}

func TestNoDatabaseDriverGetsTheSecret(t *testing.T) {
	if v, err := driver.DefaultParameterConverter.ConvertValue(secret.New(password)); !errors.Is(err, secret.ErrEncode) {
		t.Errorf("a driver gets %v, %v", v, err)
	}
	if _, err := driver.DefaultParameterConverter.ConvertValue(sql.Null[secret.Text]{V: secret.New(password), Valid: true}); err == nil {
		t.Error("a driver takes a nullable secret")
	}
}

func TestSecretsCannotBeComparedByMistake(t *testing.T) {
	if reflect.TypeFor[secret.Text]().Comparable() {
		t.Error("secret.Text can be compared with ==, and be the key of a map")
	}
}

func TestEqualComparesTexts(t *testing.T) {
	tests := []struct {
		name string
		a, b string
		want bool
	}{
		{"the same text", password, password, true},
		{"two empty texts", "", "", true},
		{"a prefix", password, password[:5], false},
		{"an empty text", password, "", false},
		{"another text of the same length", "abc", "abd", false},
	}
	for _, tt := range tests {
		if got := secret.New(tt.a).Equal(secret.New(tt.b)); got != tt.want {
			t.Errorf("%s: Equal = %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestSecretsAreReadLikeStrings(t *testing.T) {
	var in struct{ Password, Other secret.Text }
	if err := json.Unmarshal([]byte(`{"Password":" a\u0000b🔑 "}`), &in); err != nil {
		t.Fatal(err)
	}
	if got := in.Password.Reveal(); got != " a\x00b🔑 " {
		t.Errorf("read %q", got)
	}
	if !in.Other.IsZero() || in.Other.Reveal() != "" || in.Password.IsZero() {
		t.Error("IsZero does not tell which was sent")
	}
	if err := json.Unmarshal([]byte(`{"Password":7}`), &in); err == nil {
		t.Error("a number was read as a secret")
	}

	var key secret.Text
	flags := flag.NewFlagSet("", flag.ContinueOnError)
	flags.TextVar(&key, "key", secret.Text{}, "")
	if err := flags.Parse([]string{"-key", password}); err != nil || key.Reveal() != password {
		t.Errorf("flag: %v", err)
	}
	mustNotSpell(t, "flag", flags.Lookup("key").Value.String())
}

func TestTheBufferThatWasReadFromIsNotKept(t *testing.T) {
	buffer := []byte(password)
	var text secret.Text
	if err := text.UnmarshalText(buffer); err != nil {
		t.Fatal(err)
	}
	clear(buffer)
	if text.Reveal() != password {
		t.Errorf("the secret changed with its buffer: %q", text.Reveal())
	}
}

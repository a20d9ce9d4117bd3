package schema_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/fastness/fastness/schema"
	"github.com/fastness/fastness/secret"
)

type credentials struct {
	Name     string                  `json:"name"`
	Password secret.Text             `json:"password" minLength:"12" maxLength:"20"`
	Old      schema.Opt[secret.Text] `json:"old"`
	Spare    []secret.Text           `json:"spare,omitzero" uniqueItems:"true" minLength:"2"`
}

func TestASecretIsReadAsAString(t *testing.T) {
	plan, err := schema.For[credentials]()
	if err != nil {
		t.Fatal(err)
	}
	in, err := plan.Decode(t.Context(), []byte(`{"name":"ada","password":" correct horse \ud83d\udd11","old":"x","spare":["aa","bb"]}`))
	if err != nil {
		t.Fatal(err)
	}
	old, sent := in.Old.Get()
	if in.Password.Reveal() != " correct horse 🔑" || !sent || old.Reveal() != "x" || in.Spare[1].Reveal() != "bb" {
		t.Errorf("read %q, %q, %v", in.Password.Reveal(), old.Reveal(), in.Spare)
	}
	for _, c := range []struct{ name, body, code string }{
		{"a short one", `{"name":"","password":"hunter2"}`, "string_too_short"},
		{"a long one", `{"name":"","password":"hunter2 hunter2 hunter2"}`, "string_too_long"},
		{"none", `{"name":""}`, "missing"},
		{"a number", `{"name":"","password":7777777777777}`, "string_type"},
		{"null", `{"name":"","password":null}`, "string_type"},
		{"two that are the same", `{"name":"","password":"correct horse","spare":["hunter2","hunter2"]}`, ""},
	} {
		_, err := plan.Decode(t.Context(), []byte(c.body))
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v, want an error that does not repeat it", c.name, err)
			continue
		}
		if said := marshal(t, err); !strings.Contains(said, c.code) || strings.Contains(said, "hunter2") {
			t.Errorf("%s: %s, want %s", c.name, said, c.code)
		}
	}
}

func TestASecretIsDescribedAsAPassword(t *testing.T) {
	plan, err := schema.NewTypes(schema.Config{}).Plan(reflect.TypeFor[credentials](), "")
	if err != nil {
		t.Fatal(err)
	}
	_, components := published(t, plan, schema.Input)
	want := `"password":{"type":"string","format":"password","minLength":12,"maxLength":20,"writeOnly":true}`
	if !strings.Contains(components, want) {
		t.Errorf("%s, want %s", components, want)
	}
}

func TestASecretIsNeverWritten(t *testing.T) {
	type hidden struct {
		Name     string      `json:"name"`
		Password secret.Text `json:"password" writeOnly:"true"`
	}
	type behindAny struct {
		Any any `json:"any"`
	}
	password := secret.New("correct horse battery")

	all, err := schema.For[credentials]()
	if err != nil {
		t.Fatal(err)
	}
	out, err := all.Append(nil, credentials{Password: password})
	if !errors.Is(err, secret.ErrEncode) || strings.Contains(string(out), "horse") {
		t.Errorf("%s, %v, want ErrEncode", out, err)
	}
	dynamic, err := schema.For[behindAny]()
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []any{password, &password, []any{password}, map[string]any{"p": password}, credentials{Password: password}} {
		out, err := dynamic.Append(nil, behindAny{v})
		if !errors.Is(err, secret.ErrEncode) || strings.Contains(string(out), "horse") {
			t.Errorf("%T: %s, %v, want ErrEncode", v, out, err)
		}
	}
	left, err := schema.For[hidden]()
	if err != nil {
		t.Fatal(err)
	}
	if out, err := left.Append(nil, hidden{"ada", password}); string(out) != `{"name":"ada"}` || err != nil {
		t.Errorf("write-only: %s, %v", out, err)
	}
	client, err := schema.NewTypes(schema.Config{Client: true}).Plan(reflect.TypeFor[hidden](), "")
	if err != nil {
		t.Fatal(err)
	}
	if out, err := client.Append(nil, reflect.ValueOf(hidden{"ada", password})); string(out) != `{"name":"ada","password":"correct horse battery"}` || err != nil {
		t.Errorf("a client: %s, %v", out, err)
	}
}

type safe struct {
	Leaf  secret.Text            `json:"leaf" writeOnly:"true"`
	Keys  map[string]secret.Text `json:"keys"`
	Twigs []*safe                `json:"twigs"`
	Inner struct {
		Key *secret.Text `json:"key"`
	} `json:"inner"`
	_ schema.Computed `name:"sum" method:"Sum"`
}

func (safe) Sum() secret.Text { return secret.New("x") }

func TestAnAnswerThatWouldHoldASecretIsNamed(t *testing.T) {
	types := schema.NewTypes(schema.Config{})
	plan := func(v any) *schema.Plan {
		p, err := types.Plan(reflect.TypeOf(v), "")
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	err := plan(safe{}).Answerable()
	for _, want := range []string{"safe.keys is a secret", "safe.sum is a secret", ".key is a secret"} {
		if err == nil || strings.Count(err.Error(), want) != 1 {
			t.Errorf("%v, want once %q", err, want)
		}
	}
	if err != nil && strings.Contains(err.Error(), ".leaf") {
		t.Errorf("%v: a write-only member is not written", err)
	}
	for _, v := range []any{secret.Text{}, []secret.Text{}, schema.Opt[secret.Text]{}} {
		if plan(v).Answerable() == nil {
			t.Errorf("a %T passes for an answer", v)
		}
	}
	for _, v := range []any{"", struct{ A []string }{}, struct {
		P secret.Text `json:"p" writeOnly:"true"`
	}{}} {
		if err := plan(v).Answerable(); err != nil {
			t.Errorf("%T: %v", v, err)
		}
	}
}

func TestASecretHasNoDefault(t *testing.T) {
	_, err := schema.For[struct {
		Key secret.Text `json:"key" default:"changeme"`
	}]()
	if err == nil || !strings.Contains(err.Error(), "a secret with a default is known to everybody") {
		t.Errorf("a default password is taken: %v", err)
	}
}

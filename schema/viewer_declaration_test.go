package schema_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/fastness/fastness/openapi"
	"github.com/fastness/fastness/schema"
)

// hiding has a member for some; selfWritten, selfRead and selfText would show it
// to all.
type hiding struct {
	Cost int `json:"cost,omitzero" visibleTo:"admin"`
}

type selfWritten struct{ inner []map[string]*hiding }

func (s selfWritten) MarshalJSON() ([]byte, error) { return json.Marshal(s.inner) }

type selfRead struct {
	Cost int `json:"cost,omitzero" writableBy:"admin"`
}

func (*selfRead) UnmarshalJSON([]byte) error { return nil }

type selfText struct {
	Cost int `json:"cost" writeOnly:"true"`
}

func (selfText) MarshalText() ([]byte, error) { return nil, nil }
func (*selfText) UnmarshalText([]byte) error  { return nil }

// promotedWriter has the MarshalJSON of what it embeds, which does not know Cost.
type promotedWriter struct {
	token
	Cost int `json:"cost,omitzero" visibleTo:"admin"`
}

// writtenByWriter is read like any other, so who may send it is heeded.
type writtenByWriter struct {
	Cost int `json:"cost,omitzero" writableBy:"admin"`
}

func (writtenByWriter) MarshalJSON() ([]byte, error) { return []byte(`0`), nil }

// invoice lets some send what nobody can.
type invoice struct {
	Net int             `json:"net"`
	_   schema.Computed `name:"gross" method:"Gross" writableBy:"admin"`
}

func (i invoice) Gross() int { return i.Net }

func TestRolesThatHoldNobodyBackAreMistakes(t *testing.T) {
	for _, c := range []struct {
		name string
		into any
		want string
	}{
		{"no role", struct {
			A int `visibleTo:""`
		}{}, `visibleTo is "", want names of roles`},
		{"a blank role", struct {
			A int `visibleTo:" "`
		}{}, `visibleTo is " ", want names of roles`},
		{"a comma too many", struct {
			A int `json:"a,omitzero" writableBy:"admin,"`
		}{}, `writableBy is "admin,", want names of roles`},
		{"a role twice", struct {
			A int `visibleTo:"admin, admin"`
		}{}, `visibleTo lists "admin" twice`},
		{"visible and write-only", struct {
			A int `visibleTo:"admin" writeOnly:"true"`
		}{}, "visibleTo on a write-only member"},
		{"writable and read-only", struct {
			A int `writableBy:"admin" readOnly:"true"`
		}{}, "writableBy on a read-only member"},
		{"required and writable by some", struct {
			A int `writableBy:"admin"`
		}{}, "writableBy on a required member"},
		{"required in words and writable by some", struct {
			A *int `writableBy:"admin" required:"true"`
		}{}, "writableBy on a required member"},
		{"required to be null or not and writable by some", struct {
			A schema.Null[int] `writableBy:"admin"`
		}{}, "writableBy on a required member"},
		{"a computed member that some may send", invoice{}, "writableBy on a computed member"},
		{"an embedded struct that some see", struct {
			member `visibleTo:"admin"`
		}{}, "visibleTo is for members of objects"},
		{"an embedded struct that some may send", struct {
			member `writableBy:"admin"`
		}{}, "writableBy is for members of objects"},
		{"an embedded struct that is read-only", struct {
			member `readOnly:"true"`
		}{}, "readOnly is for members of objects"},
		{"a rule of an embedded struct", struct {
			member `minLength:"1"`
		}{}, "rule minLength does not fit"},
		{"a discriminator that some see", struct {
			schema.Union `discriminator:"kind"`
			A            *struct {
				Kind string `json:"kind" const:"a" visibleTo:"admin"`
			}
		}{}, `the member "kind" tells the variants apart`},
		{"a discriminator that some may send", struct {
			schema.Union `discriminator:"kind"`
			A            *struct {
				Kind string `json:"kind,omitzero" const:"a" writableBy:"admin"`
			}
		}{}, `the member "kind" tells the variants apart`},
		{"a variant that some see", struct {
			schema.Union
			A *string `visibleTo:"admin"`
		}{}, "visibleTo is for members of objects"},
		{"a variant that some may send", struct {
			schema.Union
			A *string `writableBy:"admin"`
		}{}, "writableBy is for members of objects"},
		{"a type that writes itself", selfWritten{}, "visibleTo of schema_test.hiding.Cost holds nobody back"},
		{"a type that reads itself", []selfRead{}, "writableBy of schema_test.selfRead.Cost holds nobody back"},
		{"a type that reads itself from text", map[string]selfText{}, "writeOnly of schema_test.selfText.Cost holds nobody back"},
		{"a type that writes itself by what it embeds", promotedWriter{}, "visibleTo of schema_test.promotedWriter.Cost holds nobody back"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := typesPlan(c.into, "")
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Plan(%T) = %v, want %q", c.into, err, c.want)
			}
		})
	}
	for _, tag := range []string{`visibleTo:"admin"`, `writableBy:""`, `visibleTo:""`} {
		if _, err := typesPlan("", tag); err == nil {
			t.Errorf("a parameter with %s: Plan() = nil", tag)
		}
	}
	if p := plan(t, writtenByWriter{}, ""); decode(p, `{"cost":1}`) != refused("/cost read_only") {
		t.Error("a type that only writes itself is read without its roles")
	}
}

// TestMisspeltRolesAreMistakes: a member whose tag nobody reads is for everybody.
func TestMisspeltRolesAreMistakes(t *testing.T) {
	for wrote, meant := range map[string]string{
		"visibleto": "visibleTo", "visible_to": "visibleTo", "visible": "visibleTo", "visibleFor": "visibleTo", "read": "visibleTo",
		"writableby": "writableBy", "WritableBy": "writableBy", "writable": "writableBy", "writeableBy": "writableBy", "write": "writableBy",
	} {
		of := reflect.StructOf([]reflect.StructField{{Name: "A", Type: typeOf(0), Tag: reflect.StructTag(`json:"a,omitzero" ` + wrote + `:"admin"`)}})
		_, err := schema.NewTypes(schema.Config{}).Plan(of, "")
		if want := "tag " + wrote + " is not known, did you mean " + meant + "?"; err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Plan() = %v, want %q", err, want)
		}
	}
}

func TestPlansTellTheirRoles(t *testing.T) {
	type box struct {
		Hiding hiding `json:"hiding"`
		Box    *box   `json:"box"`
	}
	for _, c := range []struct {
		name    string
		into    any
		tag     string
		roles   []string
		in, out bool
	}{
		{"for everybody", []member{}, "", nil, false, false},
		{"in every way", pack{}, "", []string{"admin", "auditor", "seller"}, true, true},
		{"visible further down", map[string]*box{}, "", []string{"admin"}, false, true},
		{"writable further down", []chair{}, "", []string{"admin", "auditor", "seller"}, true, true},
		{"in a variant", struct {
			schema.Union
			Lamp *lamp
		}{}, "", []string{"seller"}, true, true},
		{"a parameter", 0, `writableBy:"b,a"`, []string{"a", "b"}, true, false},
		{"anything", map[string]any{}, "", nil, false, false},
	} {
		p, err := typesPlan(c.into, c.tag)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Roles(); strings.Join(got, " ") != strings.Join(c.roles, " ") || p.Restricted(schema.Input) != c.in || p.Restricted(schema.Output) != c.out {
			t.Errorf("%s: Roles() = %q, requests %v, answers %v; want %q, %v, %v", c.name, got, p.Restricted(schema.Input), p.Restricted(schema.Output), c.roles, c.in, c.out)
		}
	}
}

func TestRolesAreDescribed(t *testing.T) {
	for _, c := range []struct {
		name     string
		into     any
		mode     schema.Mode
		want     string
		required []string
	}{
		{"what some see, to who sends it", good{}, schema.Input, `"cost":{"type":"integer","format":"int32","minimum":0,"maximum":65535}`, []string{"name"}},
		{"what some see, to who gets it", good{}, schema.Output, `"cost":{"type":"integer","format":"int32","minimum":0,"maximum":65535,"x-visible-to":["admin","seller"]}`, []string{"name", "status", "also"}},
		{"what some send, to who sends it", good{}, schema.Input, `"status":{"type":"string","enum":["draft","open","sold"],"default":"draft","x-writable-by":["admin"]}`, []string{"name"}},
		{"what some send, to who gets it", good{}, schema.Output, `"status":{"type":"string","enum":["draft","open","sold"],"default":"draft"}`, []string{"name", "status", "also"}},
		{"beside a reference", good{}, schema.Output, `"audit":{"anyOf":[{"$ref":"#/components/schemas/audit"},{"type":"null"}],"x-visible-to":["admin"]}`, []string{"name", "status", "also"}},
		{"a computed one", pack{}, schema.Output, `"profit":{"type":"integer","format":"int32","minimum":0,"maximum":65535,"readOnly":true,"x-visible-to":["admin"]}`, []string{"best", "choice"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := schema.NewDescriber()
			d.Describe(plan(t, c.into, ""), c.mode)
			components := d.Components()
			s, ok := components.Get(typeOf(c.into).Name())
			if got := marshal(t, s); !ok || !strings.Contains(got, c.want) {
				t.Errorf("schema %s, want %s in it", got, c.want)
			}
			for _, name := range c.required {
				if !strings.Contains(" "+strings.Join(s.Required, " ")+" ", " "+name+" ") {
					t.Errorf("required %q, want %s among them", s.Required, name)
				}
			}
			if strings.Contains(strings.Join(s.Required, " "), "cost") || strings.Contains(strings.Join(s.Required, " "), "profit") || strings.Contains(strings.Join(s.Required, " "), "audit") {
				t.Errorf("required %q, which not everybody gets", s.Required)
			}
		})
	}
	if got, _ := published(t, plan(t, "", `writableBy:"admin"`), schema.Input); got != `{"type":"string","x-writable-by":["admin"]}` {
		t.Errorf("a parameter is %s", got)
	}
}

// stamped shares its schema, extensions and all.
type stamped struct{}

var stampedSchema = openapi.Schema{Type: openapi.Types{"string"}, Extensions: map[string]any{"x-own": true}} // Only read: the test sees to it.

func (stamped) JSONSchema() *openapi.Schema  { return &stampedSchema }
func (*stamped) UnmarshalJSON([]byte) error  { return nil }
func (stamped) MarshalJSON() ([]byte, error) { return []byte(`"1"`), nil }

// TestRolesAreNotWrittenIntoSharedSchemas: a type may say the same schema of
// itself each time.
func TestRolesAreNotWrittenIntoSharedSchemas(t *testing.T) {
	type two struct {
		Mine stamped `json:"mine" visibleTo:"admin"`
		All  stamped `json:"all"`
	}
	if _, got := published(t, plan(t, two{}, ""), schema.Output); strings.Count(got, "x-visible-to") != 1 || strings.Count(got, "x-own") != 2 {
		t.Errorf("schemas %s, want roles once", got)
	}
}

package schema_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/fastness/fastness/schema"
)

// maker makes types, values and callers. Each of its seeds is one case.
type maker struct{ *rand.Rand }

func (m maker) roles() []string {
	all := []string{"admin", "seller", "buyer"}
	m.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all[:1+m.IntN(len(all)-1)]
}

func (m maker) viewer() schema.Viewer {
	if m.IntN(4) == 0 {
		return nil
	}
	return as(m.roles())
}

func (m maker) structType(depth int) reflect.Type {
	fields := make([]reflect.StructField, m.IntN(7))
	for i := range fields {
		tag := fmt.Sprintf(`json:"m%d%s"`, i, []string{"", ",omitzero", ",omitempty"}[m.IntN(3)])
		if m.IntN(3) == 0 {
			tag += fmt.Sprintf(` visibleTo:"%s"`, strings.Join(m.roles(), ","))
		}
		if m.IntN(3) == 0 && strings.Contains(tag, ",omit") {
			tag += fmt.Sprintf(` writableBy:"%s"`, strings.Join(m.roles(), ", "))
		}
		fields[i] = reflect.StructField{Name: fmt.Sprintf("M%d", i), Type: m.anyType(depth), Tag: reflect.StructTag(tag)}
	}
	return reflect.StructOf(fields)
}

func (m maker) anyType(depth int) reflect.Type {
	plain := []any{"", 0, false, 0.5, decimal.Decimal{}, time.Duration(0), schema.Opt[int]{}, schema.Null[string]{}, new(string), []byte{}}
	if depth == 0 {
		return typeOf(plain[m.IntN(len(plain))])
	}
	switch m.IntN(8) {
	case 0, 1:
		return m.structType(depth - 1)
	case 2:
		return reflect.PointerTo(m.structType(depth - 1))
	case 3:
		return reflect.SliceOf(m.anyType(depth - 1))
	case 4:
		return reflect.MapOf(typeOf(""), m.anyType(depth-1))
	case 5:
		return reflect.ArrayOf(m.IntN(3), m.structType(depth-1))
	default:
		return typeOf(plain[m.IntN(len(plain))])
	}
}

// fill gives v a value; absent pointers, empty lists and zeros are among them.
func (m maker) fill(v reflect.Value) {
	if v.Kind() != reflect.Struct && m.IntN(5) == 0 {
		return
	}
	switch v.Interface().(type) {
	case decimal.Decimal:
		v.Set(reflect.ValueOf(decimal.New(m.Int64N(100), -2)))
		return
	case schema.Opt[int]:
		v.Set(reflect.ValueOf(schema.Some(m.IntN(3))))
		return
	case schema.Null[string]:
		v.Set(reflect.ValueOf(schema.NotNull("n")))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString([]string{"a", "<é>"}[m.IntN(2)])
	case reflect.Int, reflect.Int64:
		v.SetInt(m.Int64N(3) * 1e9)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Float64:
		v.SetFloat(m.Float64())
	case reflect.Uint8:
		v.SetUint(m.Uint64N(256))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		m.fill(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), m.IntN(3), 3))
		m.items(v)
	case reflect.Array:
		m.items(v)
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for i := range m.IntN(3) {
			item := reflect.New(v.Type().Elem()).Elem()
			m.fill(item)
			v.SetMapIndex(reflect.ValueOf(fmt.Sprint("k", i)), item)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			m.fill(v.Field(i))
		}
	}
}

func (m maker) items(v reflect.Value) {
	for i := range v.Len() {
		m.fill(v.Index(i))
	}
}

// open reports whether the tag lets viewer in.
func open(tag reflect.StructTag, key string, viewer schema.Viewer) bool {
	text, restricted := tag.Lookup(key)
	return !restricted || viewer != nil && slices.ContainsFunc(strings.Split(text, ","), func(role string) bool { return viewer.HasRole(strings.TrimSpace(role)) })
}

// made reports whether t is a struct or leads to one of the maker's.
func made(t reflect.Type) bool { return t.Kind() == reflect.Struct && t.Name() == "" }

// without returns t without the members that key closes to viewer, and without
// all roles.
func without(t reflect.Type, key string, viewer schema.Viewer) reflect.Type {
	switch {
	case made(t):
		var kept []reflect.StructField
		for f := range t.Fields() {
			if open(f.Tag, key, viewer) {
				name, _, _ := strings.Cut(string(f.Tag), " ")
				kept = append(kept, reflect.StructField{Name: f.Name, Type: without(f.Type, key, viewer), Tag: reflect.StructTag(name)})
			}
		}
		return reflect.StructOf(kept)
	case t.Kind() == reflect.Pointer:
		return reflect.PointerTo(without(t.Elem(), key, viewer))
	case t.Kind() == reflect.Slice:
		return reflect.SliceOf(without(t.Elem(), key, viewer))
	case t.Kind() == reflect.Array:
		return reflect.ArrayOf(t.Len(), without(t.Elem(), key, viewer))
	case t.Kind() == reflect.Map:
		return reflect.MapOf(t.Key(), without(t.Elem(), key, viewer))
	}
	return t
}

// copyInto copies what to has of from.
func copyInto(to, from reflect.Value) {
	switch {
	case to.Type() == from.Type():
		to.Set(from)
	case made(to.Type()):
		for i := range to.NumField() {
			copyInto(to.Field(i), from.FieldByName(to.Type().Field(i).Name))
		}
	case to.Kind() == reflect.Array:
		for i := range to.Len() {
			copyInto(to.Index(i), from.Index(i))
		}
	case from.IsNil():
	case to.Kind() == reflect.Pointer:
		to.Set(reflect.New(to.Type().Elem()))
		copyInto(to.Elem(), from.Elem())
	case to.Kind() == reflect.Slice:
		to.Set(reflect.MakeSlice(to.Type(), from.Len(), from.Len()))
		for i := range from.Len() {
			copyInto(to.Index(i), from.Index(i))
		}
	default:
		to.Set(reflect.MakeMap(to.Type()))
		for _, key := range from.MapKeys() {
			item := reflect.New(to.Type().Elem()).Elem()
			copyInto(item, from.MapIndex(key))
			to.SetMapIndex(key, item)
		}
	}
}

// madeCase is a value of a type with roles, its plan, and a caller.
type madeCase struct {
	plan   *schema.Plan
	value  reflect.Value
	viewer schema.Viewer
}

// eachMade calls f for many cases.
func eachMade(t *testing.T, f func(t *testing.T, name string, c madeCase)) {
	t.Helper()
	for seed := range uint64(500) {
		m := maker{rand.New(rand.NewPCG(seed, 57))}
		typ := m.structType(3)
		c := madeCase{plan: planOf(t, typ), value: reflect.New(typ).Elem(), viewer: m.viewer()}
		m.fill(c.value)
		f(t, fmt.Sprintf("seed %d, %v by %v", seed, typ, c.viewer), c)
	}
}

func planOf(t *testing.T, typ reflect.Type) *schema.Plan {
	t.Helper()
	p, err := schema.NewTypes(schema.Config{}).Plan(typ, "")
	if err != nil {
		t.Fatalf("Plan(%v) = %v", typ, err)
	}
	return p
}

// TestAViewerGetsWhatAStructWithoutTheHiddenFieldsGives: the two encoders share
// nothing about roles, as the second type has none.
func TestAViewerGetsWhatAStructWithoutTheHiddenFieldsGives(t *testing.T) {
	hidden := 0
	eachMade(t, func(t *testing.T, name string, c madeCase) {
		got, err := c.plan.AppendFor(nil, c.value, c.viewer)
		typ := without(c.value.Type(), "visibleTo", c.viewer)
		rest := reflect.New(typ).Elem()
		copyInto(rest, c.value)
		want, err2 := planOf(t, typ).Append(nil, rest)
		if err != nil || err2 != nil || string(got) != string(want) {
			t.Fatalf("%s: AppendFor() = %s (%v), want %s (%v)", name, got, err, want, err2)
		}
		if all, err := c.plan.AppendFor(nil, c.value, as{"admin", "seller", "buyer"}); err == nil && len(all) > len(got) {
			hidden++
		}
	})
	if hidden < 100 {
		t.Errorf("only %d of the values had something to hide", hidden)
	}
}

// TestAViewerSendsWhatAStructWithoutTheClosedFieldsTakes: a text is accepted of
// a caller if and only if it is by a type that has no other members, and then
// the values are equal.
func TestAViewerSendsWhatAStructWithoutTheClosedFieldsTakes(t *testing.T) {
	refused, taken := 0, 0
	eachMade(t, func(t *testing.T, name string, c madeCase) {
		all := planOf(t, without(c.value.Type(), "", nil))
		everything := newOf(all)
		copyInto(everything, c.value)
		text, err := all.Append(nil, everything)
		if err != nil {
			t.Fatal(err)
		}
		rest := planOf(t, without(c.value.Type(), "writableBy", c.viewer))
		read := func(p *schema.Plan, viewer schema.Viewer) (reflect.Value, bool) {
			v, report := newOf(p), schema.Report{Viewer: viewer}
			p.Decode(&report, text, v)
			return v, report.OK()
		}
		got, ok := read(c.plan, c.viewer)
		want, wantOK := read(rest, nil)
		if ok != wantOK {
			t.Fatalf("%s: %s taken is %v, want %v", name, text, ok, wantOK)
		}
		if !ok {
			refused++
			return
		}
		taken++
		same := newOf(rest)
		copyInto(same, got)
		if a, b := marshalled(same.Interface()), marshalled(want.Interface()); a != b || !json.Valid([]byte(a)) {
			t.Fatalf("%s: %s is %s, want %s", name, text, a, b)
		}
	})
	if refused < 100 || taken < 100 {
		t.Errorf("%d texts were refused and %d taken, want many of both", refused, taken)
	}
}

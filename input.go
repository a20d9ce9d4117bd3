package fastness

import (
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/fastness/fastness/internal/form"
	"github.com/fastness/fastness/schema"
)

// File is an uploaded file; see its methods.
type File = form.File

// Opt is a value that may be absent and tells whether it was.
type Opt[T any] = schema.Opt[T]

// Null is a value that may be null.
type Null[T any] = schema.Null[T]

// MergePatch is a body that changes a T: a JSON Merge Patch (RFC 7396).
type MergePatch[T any] = schema.MergePatch[T]

// JSONPatch is a body that changes a T: a JSON Patch (RFC 6902).
type JSONPatch[T any] = schema.JSONPatch[T]

// inputPlan says how an input struct is filled.
type inputPlan struct {
	typ    reflect.Type
	params []param
	body   bodyPlan
	deps   []dependency
	// raw are the fields that get the *http.Request itself.
	raw [][]int
	// callers are the fields that the caller fills.
	callers []callerField
	// checks are the Validate methods of the type, or nil.
	checks *schema.Checks
	// uses are the providers of the operation, each after what it needs. Only
	// the operation's own plan has them.
	uses    []*use
	query   bool // some plan of the operation reads the query
	cookies bool
}

// dependency is one field that a provider fills.
type dependency struct {
	index  []int
	source *use
}

// use is a provider as one operation uses it: its parameters are the
// operation's, so the same provider may read another place of another path.
type use struct {
	provider *provider
	slot     int
	input    inputPlan
}

type bodyKind int

const (
	noBody     bodyKind = iota
	wholeBody           // one field takes the JSON body
	partsBody           // several fields take one member each
	formBody            // fields take the fields of a form
	streamBody          // one field reads the bytes of the body
)

// bodyPlan says how the body is read.
type bodyPlan struct {
	kind     bodyKind
	plan     *schema.Plan
	index    []int   // of the field that takes the whole body
	parts    [][]int // of the fields that take one member each
	fields   []param // of a form
	files    bool
	optional bool
	accepted []string // the media types of a body of bytes
	patch    []string // the media types of a patch, nil for any other JSON
}

// inputCompiler makes the plan of an input struct.
type inputCompiler struct {
	app       *App
	group     *Group
	op        *operationPlan // nil for an app-scoped provider
	pathNames []string
	usedNames []string
	uses      map[*provider]*use
	making    []*provider // the chain of providers that are being compiled
	errs      []error
}

func (c *inputCompiler) mistake(format string, args ...any) {
	c.errs = append(c.errs, fmt.Errorf(format, args...))
}

// compile fills plan for the operation's input type.
func (c *inputCompiler) compile(plan *inputPlan, t reflect.Type) []error {
	c.uses = make(map[*provider]*use)
	for _, required := range c.op.spec.Requires { // First: who is refused by one must not cause a load.
		if p := c.group.provider(required); p == nil {
			c.mistake("requires %s, for which there is no provider", required)
		} else {
			c.use(p)
		}
	}
	c.keys()
	c.fill(plan, t)
	for _, name := range c.pathNames {
		if !slices.Contains(c.usedNames, name) {
			c.mistake("path parameter {%s} has no field with the tag `path:\"%s\"`", name, name)
		}
	}
	plan.uses = make([]*use, len(c.uses))
	for _, u := range c.uses {
		plan.uses[u.slot] = u
	}
	for _, p := range plan.withProviders() {
		for _, param := range p.params {
			plan.query = plan.query || param.in == "query"
			plan.cookies = plan.cookies || param.in == "cookie"
		}
	}
	return c.errs
}

// callsMethods reports whether methods of the application's types run on the
// input.
func (p *inputPlan) callsMethods() bool {
	for _, list := range [][]param{p.params, p.body.fields} {
		for i := range list {
			if list[i].plan != nil && list[i].plan.CallsMethods() {
				return true
			}
		}
	}
	return p.checks != nil || p.body.plan != nil && p.body.plan.CallsMethods()
}

// withProviders returns the plan of an operation and those of its providers: all
// that reads the request.
func (p *inputPlan) withProviders() []*inputPlan {
	plans := make([]*inputPlan, 0, len(p.uses)+1)
	plans = append(plans, p)
	for _, u := range p.uses {
		plans = append(plans, &u.input)
	}
	return plans
}

func (c *inputCompiler) fill(plan *inputPlan, t reflect.Type) {
	plan.typ = t
	if t.Kind() != reflect.Struct {
		c.mistake("the input is of type %s, want a struct", t)
		return
	}
	plan.checks = schema.ChecksOf(t)
	c.fields(plan, t, nil)
	c.finishBody(plan, t)
}

// sources are the tags that say where a field's value comes from.
func sources() []string { return []string{"path", "query", "header", "cookie", "form", "body"} }

func (c *inputCompiler) fields(plan *inputPlan, t reflect.Type, prefix []int) {
	for i := range t.NumField() {
		sf := t.Field(i)
		index := append(slices.Clone(prefix), i)
		source, name := "", ""
		for _, s := range sources() {
			if text, ok := sf.Tag.Lookup(s); ok {
				if source != "" {
					c.mistake("field %s has the tags %s and %s, want one source", sf.Name, source, s)
				}
				source, name = s, text
			}
		}
		p := c.group.provider(sf.Type)
		kind, isCaller := callerKindOf(sf.Type)
		switch {
		case !sf.IsExported() && (!sf.Anonymous || sf.Type.Kind() != reflect.Struct || source != "" || p != nil):
			c.mistake("field %s cannot be filled: it is not exported", sf.Name)
		case source == "body" && name != "":
			plan.body.parts = append(plan.body.parts, index)
		case source == "body" || source == "" && sf.Name == "Body" && p == nil:
			if plan.body.index != nil {
				c.mistake("field %s is a second body", sf.Name)
			}
			plan.body.index = index
		case source != "":
			c.param(plan, sf, source, name, index)
		case sf.Type == reflect.TypeFor[*http.Request]():
			plan.raw = append(plan.raw, index)
		case p != nil:
			if u := c.use(p); u != nil {
				plan.deps = append(plan.deps, dependency{index, u})
			}
		case isCaller:
			plan.callers = append(plan.callers, callerField{index, sf.Name, kind})
		case sf.Anonymous && sf.Type.Kind() == reflect.Struct:
			c.fields(plan, sf.Type, index)
		default:
			c.noSource(sf)
		}
	}
}

// noSource says that a field cannot be filled, and what was perhaps meant.
func (c *inputCompiler) noSource(sf reflect.StructField) {
	hint := "it needs a tag (path, query, header, cookie, form, body) or a provider; the whole JSON body goes into a field called Body"
	other := sf.Type
	if other.Kind() == reflect.Pointer {
		other = other.Elem()
	} else {
		other = reflect.PointerTo(other)
	}
	switch {
	case sf.Type == reflect.TypeFor[http.ResponseWriter]():
		hint = "what an operation answers is what it returns: use Result, Raw, or Mount for a plain handler"
	case sf.Type == reflect.TypeFor[http.Request]():
		hint = "a *http.Request can be had"
	case c.group.provider(other) != nil:
		hint = "there is a provider of " + other.String()
	case c.app.providedElsewhere(sf.Type) != "":
		hint = "its provider belongs to the group " + c.app.providedElsewhere(sf.Type)
	}
	c.mistake("field %s of type %s has no source: %s", sf.Name, typeName(sf.Type), hint)
}

// typeName spells a type as application authors know it.
func typeName(t reflect.Type) string {
	return strings.ReplaceAll(t.String(), "form.File", "fastness.File")
}

// finishBody makes the plan of the body and refuses what cannot be together.
func (c *inputCompiler) finishBody(plan *inputPlan, t reflect.Type) {
	b := &plan.body
	kinds := 0
	for _, has := range []bool{b.index != nil, len(b.parts) > 0, len(b.fields) > 0} {
		if has {
			kinds++
		}
	}
	if kinds > 1 {
		c.mistake("a body is one field, parts, or a form: %s mixes them", t)
		return
	}
	if kinds == 0 {
		return
	}
	if len(c.making) > 0 {
		c.mistake("provider of %s: only the operation reads the body", c.making[len(c.making)-1].typ)
		return
	}
	var err error
	switch {
	case b.index != nil:
		sf := t.FieldByIndex(b.index)
		if isStream(sf.Type) {
			err = b.compileStream(sf)
			break
		}
		b.kind = wholeBody
		b.plan, err = c.app.types.Plan(sf.Type, sf.Tag)
		b.optional = err == nil && b.plan.Optional()
		b.patch = patchTypes(b.plan, err)
		if err == nil && !b.optional && !b.plan.WritableBy(nil) {
			c.mistake("body: writableBy on what is required: let an access rule say who may call")
		}
	case len(b.parts) > 0:
		b.kind = partsBody
		b.plan, err = c.app.types.Plan(partsType(t, b.parts), "")
	default:
		b.kind = formBody
	}
	if err != nil {
		c.mistake("body: %w", err)
	}
}

// partsType makes a struct whose members are the parts, so that one walk reads
// them all and an unknown part is refused like an unknown member.
func partsType(t reflect.Type, parts [][]int) reflect.Type {
	fields := make([]reflect.StructField, len(parts))
	for i, index := range parts {
		sf := t.FieldByIndex(index)
		fields[i] = reflect.StructField{
			Name: sf.Name, Type: sf.Type,
			Tag: reflect.StructTag(`json:"`+sf.Tag.Get("body")+`" `) + sf.Tag,
		}
	}
	return reflect.StructOf(fields)
}

// use returns the provider as this operation uses it.
func (c *inputCompiler) use(p *provider) *use {
	if slices.Contains(c.making, p) {
		c.errs = append(c.errs, errCircular(c.making, p))
		return nil
	}
	if u, ok := c.uses[p]; ok {
		return u
	}
	u := &use{provider: p}
	if p.scope == requestScope {
		c.making = append(c.making, p)
		before := len(c.errs)
		outer := c.group
		c.group = p.group // What a provider needs is looked up where it was declared.
		c.fill(&u.input, p.in)
		c.group = outer
		if len(c.errs) > before {
			c.errs = append(c.errs[:before], fmt.Errorf("provider of %s: %w", p.typ, errors.Join(c.errs[before:]...)))
		}
		c.making = c.making[:len(c.making)-1]
	}
	u.slot = len(c.uses)
	c.uses[p] = u
	return u
}

package fastness

import (
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/fastness/fastness/internal/field"
	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/schema"
)

// param is one field that is read from text.
type param struct {
	in, name string
	index    []int
	plan     *schema.Plan
	required bool
	list     bool
	preset   []string // the default, or nil
	place    int      // of a path parameter, in the pattern
	field    reflect.StructField
	file     bool
	files    *fileRules        // of a file
	prefix   []problem.Segment // what violations call it
}

// param adds a field that is read from text.
func (c *inputCompiler) param(plan *inputPlan, sf reflect.StructField, source, name string, index []int) {
	if name == "" {
		name = c.app.nameOf(source, sf.Name)
	}
	p := param{in: source, name: name, index: index, field: sf}
	if name == "" {
		c.mistake("field %s: the tag %s needs a name, or the app a style of Names", sf.Name, source)
		return
	}
	if strings.ContainsAny(name, ",\"") {
		c.mistake("field %s: the tag %s is %q, want a name alone: for what may be absent use a pointer, Opt or a default", sf.Name, source, name)
		return
	}
	if c.op == nil {
		c.mistake("field %s: a value that lives as long as the app cannot read a request", sf.Name)
		return
	}
	p.prefix = []problem.Segment{problem.Name(name)}
	for _, q := range slices.Concat(plan.params, plan.body.fields) {
		if q.in == source && strings.EqualFold(q.name, name) && (q.name == name || source == "header") {
			c.mistake("fields %s and %s both read the %s %q", q.field.Name, sf.Name, kindOf(source), name)
		}
	}
	switch source {
	case "cookie":
		if !field.IsToken(name) {
			c.mistake("field %s: %q is no cookie name", sf.Name, name)
		}
	case "header":
		if !field.IsToken(name) {
			c.mistake("field %s: %q is no header name", sf.Name, name)
		}
		p.name = http.CanonicalHeaderKey(name)
		p.prefix[0].Name = strings.ToLower(name) // As HTTP/2 and FastAPI write it.
	case "path":
		if p.place = slices.Index(c.pathNames, name); p.place < 0 {
			c.mistake("field %s: the path has no {%s}", sf.Name, name)
			return
		}
		c.usedNames = append(c.usedNames, name)
	case "form":
		if p.file = fileType(sf.Type, &p); p.file {
			c.fileRules(&p, sf)
			plan.body.fields = append(plan.body.fields, p)
			plan.body.files = true
			return
		}
	}
	c.declared(sf)
	t, err := c.app.types.Plan(sf.Type, sf.Tag)
	if err != nil {
		c.mistake("field %s: %w", sf.Name, err)
		return
	}
	if p.plan = t; !t.ReadsText() && source != "form" {
		c.mistake("field %s: a %s parameter cannot be of type %s", sf.Name, source, sf.Type)
		return
	}
	if secret := t.Answerable() != nil; secret && (source == "query" || source == "path") {
		c.mistake("field %s: a secret in an address is in every log and history: take it from the body or a header", sf.Name)
	}
	// A list that nobody sent is an empty one, unless it must not be empty.
	p.list, p.required = t.TakesList(), !t.Optional() && (!t.TakesList() || sf.Tag.Get("minItems") != "")
	c.paramDefault(&p, sf)
	if p.required && !t.WritableBy(nil) {
		c.mistake("field %s: writableBy on what is required: who lacks the role could send nothing at all", sf.Name)
	}
	if source == "path" && (!p.required || p.list) {
		c.mistake("field %s: a path parameter is one value and always there", sf.Name)
	}
	if source == "form" {
		plan.body.fields = append(plan.body.fields, p)
		return
	}
	plan.params = append(plan.params, p)
}

// kindOf names what a source holds.
func kindOf(source string) string {
	if source == "form" {
		return "form field"
	}
	return source + " parameter"
}

// flag reads a tag that is true or false.
func (c *inputCompiler) flag(sf reflect.StructField, tag string) (value, given bool) {
	text, given := sf.Tag.Lookup(tag)
	if !given {
		return false, false
	}
	value, err := strconv.ParseBool(text)
	if err != nil {
		c.mistake("field %s: %s is %q, want true or false", sf.Name, tag, text)
	}
	return value, true
}

// paramDefault reads and checks the default of a parameter.
func (c *inputCompiler) paramDefault(p *param, sf reflect.StructField) {
	required, given := c.flag(sf, "required")
	if given {
		p.required = required
	}
	c.flag(sf, "deprecated")
	text, ok := sf.Tag.Lookup("default")
	if !ok {
		return
	}
	if required {
		c.mistake("field %s: what is required needs no default", sf.Name)
	}
	if p.plan.Answerable() != nil {
		c.mistake("field %s: a secret with a default is known to everybody", sf.Name)
	}
	p.required = false
	p.preset = []string{text}
	switch {
	case p.list && text == "":
		p.preset = []string{} // No items; not one that is empty.
	case p.list:
		p.preset = strings.Split(text, ",")
	}
	report := schema.Report{In: p.in}
	p.plan.DecodeDefault(&report, p.preset, reflect.New(sf.Type).Elem())
	if !report.OK() {
		c.mistake("field %s: default %q: %s", sf.Name, text, problem.From(report.Err()).Errors[0].Detail)
	}
}

// fileType reports whether t is a file, an optional file or a list of files.
func fileType(t reflect.Type, p *param) bool {
	switch t {
	case reflect.TypeFor[File]():
		p.required = true
	case reflect.TypeFor[*File](), reflect.TypeFor[Opt[File]]():
	case reflect.TypeFor[[]File]():
		p.list = true
	default:
		return false
	}
	return true
}

package fastness

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/fastness/fastness/schema"
	"github.com/fastness/fastness/secret"
)

// plans returns the plans of all that the operation reads and of its answer.
func (op *operationPlan) plans() []*schema.Plan {
	plans := []*schema.Plan{op.output, op.input.body.plan}
	for _, input := range op.input.withProviders() {
		for _, list := range [][]param{input.params, input.body.fields} {
			for i := range list {
				plans = append(plans, list[i].plan)
			}
		}
	}
	return slices.DeleteFunc(plans, func(p *schema.Plan) bool { return p == nil })
}

// compileRoles names what is wrong with members that are not for everybody. A
// public operation that has some asks who is calling, if the caller says so.
func (op *operationPlan) compileRoles(a *App) (errs []error) {
	restricted := false
	for _, p := range op.plans() {
		restricted = restricted || p.Restricted(schema.Input) || p.Restricted(schema.Output)
		for _, role := range p.Roles() {
			if !slices.Contains(a.cfg.Roles, role) {
				errs = append(errs, fmt.Errorf("%s: role %q is not declared: the roles of the app are Config.Roles", p.Type(), role))
			}
		}
	}
	switch {
	case !restricted:
	case len(a.schemes) == 0:
		errs = append(errs, errors.New("members that are not for everybody: nothing verifies who is calling: declare schemes by App.Authenticate"))
	case op.gate.schemes == nil:
		op.gate.schemes, op.gate.optional = a.callers, true
	}
	return append(errs, op.pageMistakes()...)
}

// pageMistakes names what a template could show that is not for everybody. A
// template does not know who is looking, and it reaches what JSON leaves out, too.
func (op *operationPlan) pageMistakes() (errs []error) {
	page := op.outline
	if page.content != "text/html" {
		return nil
	}
	for _, field := range guarded(page.body, page.body.String(), make(map[reflect.Type]bool)) {
		errs = append(errs, fmt.Errorf("answer: a template of %s would show everybody %s: give the page a type without", page.body, field))
	}
	return errs
}

// guarded names what inside t, which is at where, is not for everybody to see.
// Fields that are not exported count: {{.}} prints them. What is behind an
// interface is only known when it is shown.
func guarded(t reflect.Type, where string, seen map[reflect.Type]bool) (names []string) {
	if t == reflect.TypeFor[secret.Text]() {
		return []string{where + ", a secret.Text"}
	}
	if t.Name() != "" { // Whatever has itself inside has a name.
		if seen[t] {
			return nil
		}
		seen[t] = true
	}
	switch t.Kind() {
	case reflect.Map:
		return append(guarded(t.Key(), where, seen), guarded(t.Elem(), where, seen)...)
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Chan:
		return guarded(t.Elem(), where, seen)
	case reflect.Func: // A template calls it, or ranges over it.
		for _, of := range slices.Concat(slices.Collect(t.Ins()), slices.Collect(t.Outs())) {
			names = append(names, guarded(of, where, seen)...)
		}
	case reflect.Struct:
		for f := range t.Fields() {
			names = append(names, guardedField(f, t.String()+"."+cmp.Or(f.Tag.Get("name"), f.Name), seen)...)
		}
	}
	return names
}

func guardedField(f reflect.StructField, where string, seen map[reflect.Type]bool) []string {
	for _, key := range []string{"visibleTo", "writeOnly"} {
		if text, ok := f.Tag.Lookup(key); ok {
			return []string{fmt.Sprintf("%s, which is %s:%q", where, key, text)}
		}
	}
	return guarded(f.Type, where, seen)
}

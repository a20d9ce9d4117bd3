package fastness

import (
	"errors"
	"fmt"
	"slices"

	"github.com/fastness/fastness/schema"
)

// plans returns the plans of all that the operation reads and of its answer.
func (op *operationPlan) plans() []*schema.Plan {
	plans := []*schema.Plan{op.output, op.input.body.plan}
	for _, input := range append([]*inputPlan{&op.input}, inputsOf(op.input.uses)...) {
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
		return nil
	case len(a.schemes) == 0:
		errs = append(errs, errors.New("members that are not for everybody: nothing verifies who is calling: declare schemes by App.Authenticate"))
	case op.gate.schemes == nil:
		op.gate.schemes, op.gate.optional = a.callers, true
	}
	if op.output != nil && op.isResult && op.result.outline().content == "text/html" && op.output.Restricted(schema.Output) {
		errs = append(errs, fmt.Errorf("answer: a template of %s would show everybody what is visible to some: give it a type without", op.output.Type()))
	}
	return errs
}

package fastness

import (
	"cmp"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/fastness/fastness/internal/operation"
	"github.com/fastness/fastness/internal/route"
	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/schema"
)

// operationPlan is one operation: what was declared, and what was made of it.
type operationPlan struct {
	group        *Group
	method, path string
	spec         operation.Spec
	gate         gate
	limited
	in, out  reflect.Type
	function string
	outline  outline // zero for a plain body
	isResult bool
	call     func(*exchange) error // its answer is in the exchange
	socket   *socketPlan           // nil unless it opens a WebSocket

	id         string
	input      inputPlan
	output     *schema.Plan // nil if the answer has no JSON body
	table      *table       // nil if the answer is no CSV
	status     int
	tooLarge   *problem.Problem
	wrapped    http.Handler // the operation within its middleware, or nil
	told       atomic.Int64 // when the log was told that it is deprecated, in seconds
	unroutable bool         // the pattern is wrong
	conditions conditions
	keyed      keyed
	linked     bool // the answer may have a header Link
	again      bool // it may run more than once: see again.go
	pooled     bool // no method of the application's sees the input or output in its slot
}

func (op *operationPlan) where() string { return op.method + " " + op.path }

// compile makes the plans, or names every mistake of the declaration.
func (op *operationPlan) compile(a *App) (errs []error) {
	defer func() {
		for i := range errs {
			errs[i] = fmt.Errorf("%s: %w", op.where(), errs[i])
		}
	}()
	errs = append(errs, op.spec.Mistakes...)
	if op.spec.BodyLimit == 0 {
		op.spec.BodyLimit = a.cfg.BodyLimit
	}
	op.tooLarge = tooLarge(op.spec.BodyLimit)
	if op.spec.Timeout == 0 {
		op.spec.Timeout = a.cfg.Timeout
	}
	names, err := route.Names(op.path)
	if err != nil {
		op.unroutable = true
		return append(errs, err)
	}
	c := inputCompiler{app: a, group: op.group, op: op, pathNames: names}
	inputErrs := c.compile(&op.input, op.in)
	errs = append(errs, op.compileGate(a)...) // Needs the input, and is said first.
	errs = append(errs, inputErrs...)
	errs = append(errs, op.compileOutput(a)...)
	errs = append(errs, op.compileRoles(a)...)
	errs = append(errs, op.compileConditions()...)
	errs = append(errs, op.compileKeys()...)
	op.pooled = !op.input.callsMethods() && (op.output == nil || !op.output.CallsMethods()) && !op.conditions.answers
	if op.input.body.kind != noBody && (op.method == http.MethodGet || op.method == http.MethodHead) {
		errs = append(errs, fmt.Errorf("the body of a %s request has no meaning (RFC 9110 section 9.3.1)", op.method))
	}
	errs = append(errs, op.hiddenEffects()...)
	errs = append(errs, op.compileAgain()...)
	errs = append(errs, op.compileStream()...)
	errs = append(errs, op.compileSocket(a)...)
	if len(op.spec.Middleware) > 0 && len(errs) == 0 {
		op.wrapped = http.HandlerFunc(op.serveWrapped)
		for _, m := range slices.Backward(op.spec.Middleware) {
			op.wrapped = m(op.wrapped)
		}
	}
	return errs
}

// hiddenEffects finds what changes something behind a method that says it changes
// nothing (RFC 9110 section 9.2.1): a link, an image or a crawler would do it, and
// the guard against cross-site requests would look away.
func (op *operationPlan) hiddenEffects() (errs []error) {
	if op.socket != nil {
		return nil // compileSocket says so.
	}
	if op.method != http.MethodGet && op.method != http.MethodHead && op.method != http.MethodOptions || op.spec.CrossSite.Effects {
		return nil
	}
	for _, u := range op.input.uses {
		if u.provider.writes() {
			errs = append(errs, fmt.Errorf("it gets a %s, which writes, and %s must not: want another method, what only reads, or csrf.Effects()", u.provider.typ, op.method))
		}
	}
	return errs
}

// compileOutput makes the plan of the answer.
func (op *operationPlan) compileOutput(a *App) (errs []error) {
	typ := op.out
	if op.isResult {
		typ = op.outline.body
	}
	op.status = cmp.Or(op.spec.Status, op.outline.status, http.StatusOK)
	if typ == nil {
		return nil
	}
	plan, err := a.types.Plan(typ, "")
	if err != nil {
		return []error{fmt.Errorf("answer: %w", err)}
	}
	if err := plan.Answerable(); err != nil {
		return []error{fmt.Errorf("answer: %w", err)}
	}
	op.output = plan
	op.linked = typ.Implements(reflect.TypeFor[linked]())
	if op.outline.table {
		if op.table, err = newTable(a.types, typ); err != nil {
			return []error{fmt.Errorf("answer: %w", err)}
		}
	}
	return nil
}

// answer says in a what is to be sent for out, a pointer to what the function
// gave.
func (op *operationPlan) answer(a *answer, out any) error {
	a.status = op.status
	if r, ok := out.(result); !ok {
		a.body = reflect.ValueOf(out).Elem()
	} else if err := r.fill(a); err != nil {
		return err
	}
	if op.linked && a.body.IsValid() {
		return a.addLink()
	}
	return nil
}

// serveWrapped is the innermost handler of the operation's middleware.
func (op *operationPlan) serveWrapped(w http.ResponseWriter, r *http.Request) {
	x, _ := r.Context().Value(exchangeKey{}).(*exchange)
	if x == nil { // The middleware dropped the context, or came when the request was over.
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	x = x.fork(w, r)
	x.run(x.operate)
}

// nameOperations gives each operation an id that no other has.
func (a *App) nameOperations() (errs []error) {
	given := make(map[string]*operationPlan)
	times := make(map[string]int)
	for _, op := range a.operations {
		if op.function != "" {
			times[op.function]++
		}
	}
	for _, op := range a.operations {
		switch {
		case op.spec.ID != "":
			op.id = op.spec.ID
		case op.function != "" && times[op.function] == 1:
			op.id = op.function
		default:
			op.id = pathID(op.method, op.path)
		}
		if first, taken := given[op.id]; taken {
			errs = append(errs, fmt.Errorf("%s: operation id %q is that of %s, too", op.where(), op.id, first.where()))
		}
		given[op.id] = op
	}
	return errs
}

// pathID makes an id of a method and a path: get_items_id.
func pathID(method, path string) string {
	words := strings.FieldsFunc(path, func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9')
	})
	if strings.HasSuffix(path, "/") {
		words = append(words, "index")
	}
	return strings.ToLower(method) + "_" + strings.Join(words, "_")
}

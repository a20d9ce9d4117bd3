package fastness

import (
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"

	"github.com/fastness/fastness/idempotency"
	"github.com/fastness/fastness/openapi"
)

// keyed is what idempotency keys mean to an operation.
type keyed struct {
	keys *use // of the *idempotency.Keys, nil if the operation takes none
	tx   *use // of the transaction that the answer is kept in, or nil
}

// keyState is the key of one request.
type keyState struct {
	run    *idempotency.Run
	replay *idempotency.Answer
	done   bool
}

// keys makes the operation use the provider of the keys.
func (c *inputCompiler) keys() {
	if c.op == nil || !c.op.spec.Idempotency.Keyed || !c.op.changes() {
		return
	}
	p := c.group.provider(reflect.TypeFor[*idempotency.Keys]())
	if p == nil || p.scope != appScope {
		c.mistake("idempotency: there is no app-scoped provider of *idempotency.Keys")
		return
	}
	c.op.keyed.keys = c.use(p)
}

// compileKeys refuses what cannot be answered twice.
func (op *operationPlan) compileKeys() (errs []error) {
	if op.keyed.keys == nil {
		return nil
	}
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf("idempotency: "+format, args...)) }
	if op.spec.Access != nil && !op.spec.Access.Needs().Caller {
		wrong("the operation is public: a key is its caller's, and nobody knows who that is")
	}
	if op.input.body.kind == streamBody {
		wrong("a body that is read while it comes is not known when the key is looked up: want a JSON body")
	}
	if op.input.body.kind == formBody {
		wrong("a form is not read as a whole: want a JSON body")
	}
	if len(op.input.raw) > 0 {
		wrong("what a *http.Request is read for is not known: want a JSON body")
	}
	if o := op.outline; o.content != "" || o.table || o.stream != noStream {
		wrong("the answer is not JSON")
	}
	for _, u := range op.input.uses {
		if u.provider.scope == requestScope && u.provider.writes() {
			if op.keyed.tx != nil {
				wrong("the operation has two transactions, a %s and a %s", op.keyed.tx.provider.typ, u.provider.typ)
			}
			op.keyed.tx = u
		}
	}
	return errs
}

// errReplay rolls back what a request has begun that was answered before.
var errReplay = errors.New("the request was answered before")

// demandKey refuses a request without a key where one is required.
func (op *operationPlan) demandKey(x *exchange) error {
	if op.keyed.keys == nil {
		return nil
	}
	key, err := idempotency.KeyOf(x.r)
	if err == nil && key == "" && op.spec.Idempotency.Required {
		err = idempotency.Missing()
	}
	return err
}

// useKey finds out whether the request was answered before: as soon as there is the
// transaction to look in, and before all other providers if there is none.
func (op *operationPlan) useKey(x *exchange, u *use) error {
	when := op.keyed.tx
	if when == nil {
		when = op.keyed.keys
	}
	if when == nil || when != u {
		return nil
	}
	key, err := idempotency.KeyOf(x.r)
	if err != nil || key == "" {
		return err
	}
	var tx any
	if op.keyed.tx != nil {
		tx = x.states[u.slot].value.Interface()
	}
	caller := x.ctx.user
	if caller == nil {
		return errors.New("idempotency: nobody is calling")
	}
	keys := op.keyed.keys.provider.value.Interface().(*idempotency.Keys)
	x.key.run, x.key.replay, err = keys.Begin(&x.ctx, idempotency.Request{
		Key: key, Caller: []string{caller.Issuer, caller.ID, caller.Tenant.String(), caller.Client}, Operation: x.app.mountedAt() + op.where(),
		Parts: idempotency.PartsOf(x.r, x.body), View: x.view(op), Tx: tx,
	})
	return err
}

// keepAnswer keeps the answer, in the transaction that is about to commit.
func (x *exchange) keepAnswer(a *answer) error {
	if x.key.run == nil {
		return nil
	}
	kept := idempotency.Answer{Status: a.status, Header: a.header, Body: slices.Clone(a.raw)}
	if len(a.cookies) > 0 {
		kept.Header = http.Header{"Set-Cookie": {""}} // It is refused.
	}
	return x.key.run.Finish(&x.ctx, kept)
}

// endKey gives the key back if the request has not succeeded.
func (x *exchange) endKey() {
	if run := x.key.run; run != nil {
		x.key.run = nil
		if err := run.End(x.key.done); err != nil {
			x.app.cfg.Logger.ErrorContext(&x.ctx, "an idempotency key stays in use", "error", err, "request_id", x.ctx.id[0])
		}
	}
}

// replay sends the answer of the first request. An error of a clean-up comes first.
func (x *exchange) replay(err error) error {
	if err != errReplay {
		return err
	}
	stored := x.key.replay
	x.answer = answer{status: stored.Status, header: stored.Header, raw: stored.Body}
	if x.answer.header == nil {
		x.answer.header = make(http.Header, 1)
	}
	x.answer.header[idempotency.Replayed] = []string{"true"}
	if len(stored.Body) > 0 {
		x.answer.content = jsonMedia
	}
	if err := x.inFormat(x.match.Value.operation, &x.answer); err != nil {
		return err
	}
	x.send(&x.answer)
	return nil
}

// key lists the header with the key.
func (d *documenter) key(o *openapi.Operation, op *operationPlan) {
	if op.keyed.keys == nil {
		return
	}
	s := text("", 257)
	least := 18
	s.MinLength = &least
	s.Pattern = `^".*"$`
	o.Parameters = append(o.Parameters, &openapi.Parameter{
		Name: idempotency.Header, In: "header", Required: op.spec.Idempotency.Required, Schema: s,
		Description: "A random text in quotes. Who sends the request again with the same one gets the answer of the first time.",
	})
}

// refusalsOfKeys are the statuses by which a key refuses a request.
func (op *operationPlan) refusalsOfKeys() []int {
	if op.keyed.keys == nil {
		return nil
	}
	return []int{http.StatusBadRequest, http.StatusConflict, http.StatusUnprocessableEntity}
}

package fastness

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"log/slog"
	"reflect"
	"time"
)

// maxAgain is how often an operation runs again after its first time.
const maxAgain = 3

// rerunner is implemented by what a provider makes if the operation is to run
// again when err, or what the value has seen, is the fault of another request: see
// sqldb.SerialTx. It is asked of a nil value, too, if its provider has failed.
type rerunner interface{ RunsAgain(err error) bool }

// compileAgain finds out whether the operation may run more than once.
func (op *operationPlan) compileAgain() (errs []error) {
	for _, u := range op.input.uses {
		if _, op.again = reflect.Zero(u.provider.typ).Interface().(rerunner); op.again {
			if op.readsRaw() {
				errs = append(errs, fmt.Errorf("it gets a %s, which may run it again, and a *http.Request, whose body can be read once: want one of them", u.provider.typ))
			}
			break
		}
	}
	return errs
}

func (op *operationPlan) readsRaw() bool {
	raw := len(op.input.raw) > 0
	for _, u := range op.input.uses {
		raw = raw || len(u.input.raw) > 0
	}
	return raw
}

// attempt runs the operation and ends what its providers began. What it leaves in
// the exchange is ready to be sent, if there is no error.
func (x *exchange) attempt(op *operationPlan) error {
	err := op.call(x) // bind and validate, dependencies, handler: 400 413 415 422 404 403
	if err == nil && x.answer.sender != nil {
		if err = x.after.accepted(); err == nil { // 503, while it can be said
			return nil // It is sent while it is made, and then cleaned up.
		}
		x.answer.sender.drop()
	}
	if err == nil {
		x.enterPart(inEncode)
		err = x.encode(op, &x.answer) // only declared fields; before the clean-up, so that a failure rolls back
	}
	if err == nil {
		x.tag(op, &x.answer) // 304
		err = x.keepAnswer(&x.answer)
	}
	if err == nil {
		err = x.inFormat(op, &x.answer)
	}
	if err == nil {
		err = x.after.accepted() // 503, before the commit
	}
	x.enterPart(inCleanup)
	return x.cleanUp(err) // commit or roll back, before a byte is sent
}

// runsAgain reports whether err is the fault of another request, so that the
// operation may succeed now. It has waited a moment, so that two that collided do
// not do so again, and wiped what the first time has left.
func (x *exchange) runsAgain(op *operationPlan, err error, times int) bool {
	if !op.again || times > maxAgain || x.states == nil || x.sent.Started() || !x.collided(op, err) {
		return false
	}
	pause := backOff(times)
	if deadline, ok := x.ctx.Deadline(); ok && time.Until(deadline) <= pause {
		return false
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-x.ctx.Done():
		return false
	}
	x.app.cfg.Logger.Log(&x.ctx, slog.LevelInfo, "request runs again: it collided with another one",
		"times", times, "request_id", x.ctx.id[0], "route", x.route())
	x.endKey() // It is given back, and taken again.
	x.key.replay = nil
	x.after, x.answer = nil, answer{} // cleanUp has dropped its tasks.
	for i := range x.states {
		x.states[i].value, x.states[i].cleanup = reflect.Value{}, nil
	}
	return true
}

func (x *exchange) collided(op *operationPlan, err error) bool {
	for _, u := range op.input.uses {
		value := reflect.Zero(u.provider.typ)
		if u.provider.scope == requestScope && x.states[u.slot].value.IsValid() {
			value = x.states[u.slot].value
		}
		if r, ok := value.Interface().(rerunner); ok && r.RunsAgain(err) {
			return true
		}
	}
	return false
}

// backOff returns how long to wait before the given time: 10 to 20 milliseconds,
// and twice as long each time. That none knows how long keeps two apart.
func backOff(times int) time.Duration {
	var b [8]byte
	_, _ = rand.Read(b[:]) // It never fails.
	least := 10 * time.Millisecond << (times - 1)
	return least + time.Duration(binary.LittleEndian.Uint64(b[:])%uint64(least))
}

// fill binds the input, or, if the operation runs again, makes anew what the
// providers make: the request was read and validated the first time.
func (p *inputPlan) fill(x *exchange, v reflect.Value, again bool) error {
	if !again {
		return p.bind(x, v)
	}
	return p.provide(x, v)
}

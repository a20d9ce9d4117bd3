package fastness

import (
	"context"
	"errors"
	"net/http"
	"sync"

	"github.com/fastness/fastness/jobs"
	"github.com/fastness/fastness/problem"
)

// Background takes work that is done after the answer was sent: a mail, a message to
// another service. An operation, or a provider of its, asks for it by a field:
//
//	type signUp struct {
//		Background *fastness.Background
//		Body       NewAccount
//	}
//
//	in.Background.Add("welcome mail", func(ctx context.Context) error { return mail.Welcome(ctx, address) })
//
// Nothing runs unless the operation succeeds and its clean-ups do: what was rolled back
// is not announced. Tasks run in a pool of workers with a bounded queue; see
// [Config].Background. If the queue is full, the request is answered 503 before
// anything is committed, and none of its tasks runs.
//
// The context of a task has the id and the caller of the request, and a time limit of
// its own; it does not end with the request. Transactions and other values that belong
// to the request have ended: take what is needed from app-scoped values. Errors and
// panics go to the log under the request id. When the app stops it waits for its tasks
// until the end of the grace time. A process that dies loses them: what must not be lost
// belongs into the database, with a [Job] that looks for it.
//
// It is safe for concurrent use.
type Background struct {
	life *life
	app  *App

	mu    sync.Mutex
	tasks []jobs.Task
	wrong error // why the request must fail
	over  bool
}

// newBackground is the provider of *Background.
func newBackground(ctx context.Context, _ struct{}) (*Background, error) {
	x, _ := ctx.Value(exchangeKey{}).(*exchange)
	if x == nil {
		return nil, errors.New("a *fastness.Background belongs to a request")
	}
	x.after = &Background{life: x.life, app: x.app}
	return x.after, nil
}

// Add lets f run after the answer. The name is for the log.
func (b *Background) Add(name string, f func(context.Context) error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.over: // Nobody is left who could be told by an answer.
		b.app.cfg.Logger.Error("a task came after the answer and is not run", "task", name, "request_id", b.life.ctx.id[0])
	case b.wrong != nil:
	case name == "" || f == nil:
		b.wrong = errors.New("a task of the background: want a name and a function")
	case !b.app.pool.Reserve(1):
		b.wrong = problem.New(http.StatusServiceUnavailable, "too much work is waiting").Named("background_full").With("Retry-After", "5")
	default:
		b.tasks = append(b.tasks, jobs.Task{Name: name, Run: f, Context: &b.life.ctx, RequestID: b.life.ctx.id[0]})
	}
}

// accepted returns an error if a task was not.
func (b *Background) accepted() error {
	if b == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.wrong
}

// take returns the tasks, once. None is added after that.
func (b *Background) take() (tasks []jobs.Task) {
	b.mu.Lock()
	defer b.mu.Unlock()
	tasks, b.tasks, b.over = b.tasks, nil, true
	return tasks
}

// start runs the tasks.
func (b *Background) start() {
	if b == nil {
		return
	}
	b.app.pool.Start(b.take()...)
}

// drop forgets the tasks.
func (b *Background) drop() {
	if b == nil {
		return
	}
	b.app.pool.Release(len(b.take()))
}

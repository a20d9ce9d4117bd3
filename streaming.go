package fastness

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/fastness/fastness/internal/eventstream"
	"github.com/fastness/fastness/observe"
	"github.com/fastness/fastness/problem"
)

// The defaults of [StreamLimits].
const (
	defaultStreamWrite     = 15 * time.Second
	defaultStreamRead      = 15 * time.Second
	defaultStreamHeartbeat = 15 * time.Second
	defaultStreamLongest   = time.Hour
)

const (
	// firstEvent is how long the header waits for the first event. Who is refused is
	// so at once; a client that waits for news wants to know that it is connected.
	firstEvent = time.Second
	// lineFlush is how long a line waits for others to be sent with, and sendBytes how
	// many are sent at a time at most.
	lineFlush = 100 * time.Millisecond
	sendBytes = 64 << 10
)

// sender sends the body of an answer while it is made.
type sender interface {
	// send sends the header and the body. What it returns before the header is sent is
	// answered.
	send(x *exchange, op *operationPlan) error
	// drop closes what would have been sent, if it is not.
	drop()
	// cuts says that an answer that ends early is to be cut: its reader could not see
	// that it is not whole.
	cuts() bool
}

// streams reports whether the answer is sent while it is made.
func (op *operationPlan) streams() bool { return op.outline.stream != noStream }

// longest is how long the operation's context lasts.
func (op *operationPlan) longest() time.Duration {
	if op.streams() {
		return op.spec.Timeout + op.spec.Stream.Longest
	}
	return op.spec.Timeout
}

// compileStream sets the limits, and finds what cannot be together.
func (op *operationPlan) compileStream() (errs []error) {
	limits := &op.spec.Stream
	limits.Write = cmp.Or(limits.Write, defaultStreamWrite)
	limits.Read = cmp.Or(limits.Read, defaultStreamRead)
	limits.Heartbeat = cmp.Or(limits.Heartbeat, defaultStreamHeartbeat)
	limits.Longest = cmp.Or(limits.Longest, defaultStreamLongest)
	if !op.streams() {
		return nil
	}
	for _, u := range op.input.uses {
		if u.provider.writes() {
			errs = append(errs, fmt.Errorf("it gets a %s, which writes, and its answer is sent before that is committed: want what only reads, or another operation for the change", u.provider.typ))
		}
	}
	return errs
}

// limitStart ends the operation's context if the answer has not begun within the
// operation's time limit. The function that it returns frees the timer.
func (x *exchange) limitStart(op *operationPlan) (free func()) {
	l := x.life
	l.starting = time.AfterFunc(op.spec.Timeout, func() {
		l.late.Store(true)
		l.ctx.cut()
	})
	return func() { l.starting.Stop() }
}

// sendWhileMade sends the answer, and cleans up after it: what it is read from must
// last.
func (x *exchange) sendWhileMade(op *operationPlan) error {
	sender := x.answer.sender
	err := sender.send(x, op)
	if err != nil && x.late.Load() {
		err = fmt.Errorf("%w: %w", context.DeadlineExceeded, err)
	}
	begun := x.sent.Started()
	if err == nil {
		err = x.after.accepted() // A task may have come while it was sent.
	}
	if err = x.cleanUp(err); err == nil {
		x.after.start()
		return nil
	} else if !begun {
		return err
	}
	_, isTold := errors.AsType[told](err)
	switch { // For the log. The caller has the status already.
	case isTold:
	case errors.Is(err, errUnread):
		x.logFailure(slog.LevelInfo, err)
	default:
		x.problemOf(err)
	}
	if sender.cuts() {
		panic(http.ErrAbortHandler)
	}
	return errAnswered
}

// streamed is an answer of items.
type streamed struct {
	kind streamKind
	// each calls yield with each item until it returns false. Of events it gives the
	// head, and a text to send instead of the item.
	each func(yield func(eventstream.Event, reflect.Value, error) bool)
}

func (s *streamed) drop() {} // Nothing is open before the iterator runs.

func (s *streamed) cuts() bool { return s.kind != events }

func (s *streamed) send(x *exchange, op *operationPlan) error {
	if !flushes(x.out) {
		return errors.New("a middleware around the stream hides Flush: nothing would be sent before the end")
	}
	w := &streamWriter{x: x, op: op, kind: s.kind, control: http.NewResponseController(x.out)}
	if x.r.Method == http.MethodHead {
		return w.begin()
	}
	if s.kind == events { // They wait for news; what comes to an end is a request like any other.
		leave, err := x.openConnection()
		if err != nil {
			return err
		}
		defer leave()
	}
	w.right = x.standing()
	held, release := w.right.watch(&x.ctx)
	defer release()
	defer context.AfterFunc(held, x.ctx.cut)()
	stop := w.keepOpen()
	defer stop()
	err := w.each(s)
	stop()
	var ended *problem.Problem
	if errors.As(context.Cause(held), &ended) {
		err = ended
	}
	return w.end(err, ended != nil)
}

// flushes reports whether what is written can be sent at once. A Recorder passes on
// what the writer below can.
func flushes(w http.ResponseWriter) bool {
	for {
		_, records := w.(*observe.Recorder)
		switch w.(type) {
		case interface{ FlushError() error }, http.Flusher:
			if !records {
				return true
			}
		}
		below, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return false
		}
		w = below.Unwrap()
	}
}

// errUnread is a caller who is gone, or who has stopped reading.
var errUnread = errors.New("the caller is gone, or does not read what is sent")

// told is an error that was sent and logged.
type told struct{ error }

func (t told) Unwrap() error { return t.error }

// streamWriter is a stream under way. The iterator runs on the goroutine of the
// request; another one, which lasts as long, sends heartbeats and what waits.
type streamWriter struct {
	x       *exchange
	op      *operationPlan
	kind    streamKind
	control *http.ResponseController
	right   *standing

	mu      sync.Mutex // guards following, and the writer of the answer
	waiting []byte     // what is not sent yet
	at      time.Time  // when something was sent last
	failed  error      // why nothing more can be sent
}

// each sends the items, until there are no more or nobody wants them.
func (w *streamWriter) each(s *streamed) (err error) {
	stopped := false
	s.each(func(head eventstream.Event, item reflect.Value, failed error) bool {
		if stopped {
			return false
		}
		if err = failed; err == nil {
			err = w.item(head, item)
		}
		stopped = err != nil || w.x.ctx.Err() != nil
		return !stopped
	})
	return err
}

// item sends one item, as the caller may see it.
func (w *streamWriter) item(head eventstream.Event, item reflect.Value) (err error) {
	x := w.x
	if w.kind == lines || head.Data == "" {
		if x.encoded, err = w.op.output.AppendFor(x.encoded[:0], item, w.right.caller()); err != nil {
			return err
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.kind == lines {
		if bytes.IndexByte(x.encoded, '\n') >= 0 {
			return errors.New("the JSON of a line has a line end")
		}
		if w.waiting = append(append(w.waiting, x.encoded...), '\n'); len(w.waiting) < sendBytes {
			return w.failed
		}
		return w.flush()
	}
	if head.Name == "error" {
		return errors.New(`an event is called "error", as those are that say why a stream ends`)
	}
	head.Data = strings.ToValidUTF8(head.Data, "\ufffd")
	if head.Data == "" {
		head.Data = string(x.encoded)
	}
	if w.waiting, err = eventstream.Append(w.waiting, head); err != nil {
		return err
	}
	return w.flush()
}

// begin sends the header. It is the caller's time from here on.
func (w *streamWriter) begin() error {
	x := w.x
	if !x.starting.Stop() {
		return context.DeadlineExceeded
	}
	h := x.prepare(&x.answer)
	x.contentType(h, w.op.outline.content)
	h["Cache-Control"] = x.app.noStore
	h["X-Accel-Buffering"] = []string{"no"} // nginx would wait for the end.
	x.watchCaller(w.control, w.op)
	_ = w.control.SetWriteDeadline(time.Now().Add(w.op.spec.Stream.Write))
	x.out.WriteHeader(x.answer.status)
	return nil
}

// flush sends what waits. Who does not read it in time gets nothing more.
func (w *streamWriter) flush() error {
	if w.failed == nil && !w.x.sent.Started() {
		w.failed = w.begin()
	}
	rest := w.waiting
	for w.failed == nil && len(rest) > 0 {
		part := rest[:min(len(rest), sendBytes)]
		rest = rest[len(part):]
		_ = w.control.SetWriteDeadline(time.Now().Add(w.op.spec.Stream.Write)) // A recorder of tests has none.
		_, err := w.x.out.Write(part)
		if err == nil {
			err = w.control.Flush()
		}
		if err != nil {
			w.failed = fmt.Errorf("%w: %w", errUnread, err)
			w.x.ctx.cut()
		}
	}
	if w.waiting = w.waiting[:0]; cap(w.waiting) > 2*sendBytes {
		w.waiting = nil
	}
	w.at = time.Now()
	return w.failed
}

// keepOpen sends what waits and heartbeats, and ends a stream of events when the app
// stops, until the function that it returns is called.
func (w *streamWriter) keepOpen() (stop func()) {
	done, kept := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(kept)
		wait, stopping := firstEvent, w.x.app.outermost().stopping.Done()
		if w.kind == lines {
			wait, stopping = lineFlush, nil // They come to an end, as other answers do.
		}
		timer := time.NewTimer(wait)
		defer timer.Stop()
		for {
			select {
			case <-done:
				return
			case <-stopping:
				w.beat() // A client that got its header comes back, and one that got an error would not.
				w.x.ctx.cut()
				stopping = nil
			case <-timer.C:
				timer.Reset(w.beat())
			}
		}
	}()
	return sync.OnceFunc(func() {
		close(done)
		<-kept
	})
}

// beat sends what is due, and returns when to call it again.
func (w *streamWriter) beat() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.kind == lines {
		if len(w.waiting) > 0 {
			_ = w.flush() // It is remembered.
		}
		return lineFlush
	}
	if every := w.op.spec.Stream.Heartbeat; w.x.sent.Started() && time.Since(w.at) < every {
		return every - time.Since(w.at)
	}
	w.waiting = append(w.waiting, eventstream.Comment...)
	_ = w.flush() // As above.
	return w.op.spec.Stream.Heartbeat
}

// end ends the stream. err is why there are no more items, refused says that it is why
// the caller may not have them any more.
func (w *streamWriter) end(err error, refused bool) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	over, begun := w.x.ctx.Err(), w.x.sent.Started()
	defer w.x.watchedCaller(w.control, w.op)
	switch {
	case w.failed != nil:
		return w.failed
	case refused && !begun:
		return err
	case over != nil && !refused && w.kind == events && begun:
		return nil // The client comes back, if it is there.
	case over != nil && !refused:
		return errors.Join(err, over)
	case err != nil && w.kind == events && begun:
		body, _, _ := w.x.encodeProblem(w.x.problemOf(err))
		w.waiting, _ = eventstream.Append(w.waiting, eventstream.Event{Name: "error", Data: string(body)})
		_ = w.flush()
		return told{err}
	case err != nil:
		return err
	case !begun && len(w.waiting) == 0:
		w.failed = w.begin()
		return w.failed
	}
	return w.flush()
}

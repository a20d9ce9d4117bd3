package serve_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fastness/fastness/serve"
)

// flaky is a listener that has a connection where results is true, and an error
// otherwise. It notes when it was asked.
type flaky struct {
	results []bool
	asked   []time.Time
	ended   context.CancelFunc
}

func (l *flaky) Accept() (net.Conn, error) {
	l.asked = append(l.asked, time.Now())
	if len(l.results) == 0 {
		l.ended()
		return nil, net.ErrClosed
	}
	ok := l.results[0]
	l.results = l.results[1:]
	if !ok {
		return nil, errors.New("too many open files")
	}
	near, far := net.Pipe()
	_ = far.Close()
	return near, nil
}

func (l *flaky) Close() error   { return nil }
func (l *flaky) Addr() net.Addr { return &net.TCPAddr{} }

func TestFailedAcceptsBackOffUpToASecondAndTakeNoSlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, err := serve.New(serve.Config{PlainHTTP: true, MaxConns: 2, Logger: slog.New(slog.DiscardHandler)}, http.HandlerFunc(ok))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		l := &flaky{results: append(make([]bool, 10), true, false, false), ended: cancel}
		server.AcceptFrom(ctx, l)
		var waits []time.Duration
		for i := 1; i < len(l.asked); i++ {
			waits = append(waits, l.asked[i].Sub(l.asked[i-1])/time.Millisecond)
		}
		// Ten errors, a connection, two errors more.
		if want := []time.Duration{5, 10, 20, 40, 80, 160, 320, 640, 1000, 1000, 0, 5, 10}; !slices.Equal(waits, want) {
			t.Errorf("the server waited %d ms between tries, want %d", waits, want)
		}
	})
}

package fastness

import (
	"cmp"
	"sync/atomic"

	"github.com/fastness/fastness/guard/openconn"
)

// lasting is what an exchange and those behind its middleware share, for answers that
// outlive the usual time of a request.
type lasting struct {
	// left is set once the request has given its place in flight back.
	left atomic.Bool
	// later is set if the access log has its line when the connection ends.
	later atomic.Bool
}

// openConnection counts a connection that lasts, a stream of events, under the caps
// of [Config].Connections until close is called, and gives back the place among the
// requests in flight: a thousand quiet connections would leave none for requests.
// It is for operations only, once the caller is known.
func (x *exchange) openConnection() (close func(), err error) {
	if close, err = x.countConnection(); err == nil {
		x.leaveFlight()
	}
	return close, err
}

// countConnection is openConnection for a request that goes on for a moment, and is in
// flight as long.
func (x *exchange) countConnection() (close func(), err error) {
	caller := openconn.Caller{Addr: x.ctx.client.Addr}
	if x.ctx.user != nil {
		caller.User = x.ctx.user.ID
	}
	return x.app.outermost().connections.Open(caller)
}

// leaveFlight gives back the place of the request in flight, once, whatever middleware
// it runs behind.
func (x *exchange) leaveFlight() {
	if first := x.outermost(); first.inside && first.left.CompareAndSwap(false, true) {
		first.app.inflight.Leave() // It is the outermost app that has let the request in.
	}
}

// outermost returns the exchange in front of all middleware.
func (x *exchange) outermost() *exchange {
	for x.outer != nil {
		x = x.outer
	}
	return x
}

// requestConns is how many connections may be open for requests, those that wait for
// their next one included. It is what package serve has by default for everything.
const requestConns = 10_000

// maxConns returns how many connections the app's own server may have open. Those that
// last have a cap of their own, beside that of requests: were there one for both, as many
// quiet WebSockets as may be open would leave none on which anything else is answered,
// not even a health check.
func (a *App) maxConns() int {
	lasting := cmp.Or(a.cfg.Connections.Total, openconn.DefaultTotal)
	return requestConns + min(max(lasting, 0), 1<<30)
}

package probe

import (
	"context"
	"net/http"
	"time"

	"github.com/fastness/fastness/scan/internal/login"
	"github.com/fastness/fastness/scan/wire"
)

// dialer is a doer that can ask for a WebSocket.
type dialer interface {
	Socket(context.Context, wire.Request) (*wire.Socket, *wire.Exchange)
	Network() bool
	Target() string
}

// Origin returns scheme://host[:port] of the target if it can be asked for a WebSocket, or
// "": a handler of the same process cannot.
func (t *Target) Origin() string {
	if d, ok := t.config.Client.(dialer); ok && d.Network() {
		return d.Target()
	}
	return ""
}

// Socket asks for a WebSocket in the name of a user, nil for nobody. It is nil if there is
// none; the exchange says why.
func (t *Target) Socket(ctx context.Context, user *login.User, r wire.Request) (*wire.Socket, *wire.Exchange) {
	d, ok := t.config.Client.(dialer)
	if !ok {
		return nil, &wire.Exchange{Request: r, At: time.Now(), Header: http.Header{}, Err: wire.ErrNoUpgrade}
	}
	r.Header = r.Header.Clone()
	user.Apply(&r)
	socket, ex := d.Socket(ctx, r)
	t.see(ex)
	return socket, ex
}

package fastness

import (
	"math"
	"testing"

	"github.com/fastness/fastness/guard/openconn"
)

// As many quiet WebSockets as may be open leave connections for requests.
func TestConnectionsThatLastLeaveRoomForRequests(t *testing.T) {
	for _, total := range []int{0, 1, 20_000, math.MaxInt, -1} {
		app := New(Config{Connections: openconn.Config{Total: total}})
		may := total
		if total == 0 {
			may = openconn.DefaultTotal
		}
		if got, least := app.maxConns(), min(max(may, 0), 1<<30)+requestConns; got < least {
			t.Errorf("Total %d: the server may have %d connections, want %d at least", total, got, least)
		}
	}
}

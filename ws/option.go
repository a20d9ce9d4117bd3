package ws

import (
	"fmt"

	"github.com/fastness/fastness/guard/ratelimit"
	"github.com/fastness/fastness/internal/operation"
)

// What follows are options of an app's operations, beside those that all have.

// Rate sets how many messages a peer may send on one connection, instead of
// [Config].Rate: "600/minute". [ratelimit.Per], on the other hand, limits handshakes.
func Rate(limit string) operation.Option {
	return operation.Func(func(s *operation.Spec) {
		if _, err := ratelimit.NewMessages(ratelimit.MessagesConfig{Limit: limit}); err != nil || limit == "" {
			s.Mistakes = append(s.Mistakes, fmt.Errorf("ws.Rate: %q is no limit, want one like \"600/minute\"", limit))
			return
		}
		s.Socket.Rate = limit
	})
}

// MessageLimit sets the most bytes of a message that comes, instead of
// [Config].MessageLimit.
func MessageLimit(bytes int64) operation.Option {
	return operation.Func(func(s *operation.Spec) {
		if bytes <= 0 {
			s.Mistakes = append(s.Mistakes, fmt.Errorf("ws.MessageLimit is %d bytes, want more than 0", bytes))
		}
		s.Socket.MessageLimit = bytes
	})
}

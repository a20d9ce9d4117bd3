package fastness

import (
	"net/http"

	"github.com/fastness/fastness/openapi"
	"github.com/fastness/fastness/schema"
	"github.com/fastness/fastness/ws"
)

// socketExtension is where a document says what goes over a WebSocket: OpenAPI knows
// the handshake only.
const socketExtension = "x-websocket"

// socketFacts are the value of the extension.
type socketFacts struct {
	// Receive and Send are the schemas of the messages that the server takes and
	// gives. Nothing says that there are none, Binary that they are not JSON.
	Receive socketMessages `json:"receive"`
	Send    socketMessages `json:"send"`
	// Subprotocol is beside which one a token may come.
	Subprotocol string `json:"subprotocol,omitempty"`
}

// socketMessages are those of one direction.
type socketMessages struct {
	Content   string          `json:"content"` // "json", "binary" or "none"
	Schema    *openapi.Schema `json:"schema,omitempty"`
	MaxLength int64           `json:"maxLength,omitempty"` // bytes
	Rate      string          `json:"rate,omitempty"`
}

// webSocket describes the messages of op.
func (d *documenter) webSocket(o *openapi.Operation, op *operationPlan) {
	s := op.socket
	if s == nil {
		return
	}
	facts := socketFacts{Receive: socketMessages{Content: "none"}, Send: socketMessages{Content: "none"}}
	if s.in != noMessages() {
		facts.Receive = socketMessages{Content: "binary", MaxLength: s.limit, Rate: s.rate}
	}
	if s.out != noMessages() {
		facts.Send = socketMessages{Content: "binary"}
	}
	if s.receives != nil {
		facts.Receive.Content, facts.Receive.Schema = "json", d.schemas.Describe(s.receives, schema.Input)
	}
	if s.sends != nil {
		facts.Send.Content, facts.Send.Schema = "json", d.schemas.Describe(s.sends, schema.Output)
	}
	if op.gate.schemes != nil {
		facts.Subprotocol = ws.BearerProtocol
	}
	o.Extensions[socketExtension] = facts
}

// refusalsOfHandshakes returns the statuses by which a handshake can be refused.
func refusalsOfHandshakes(op *operationPlan) []int {
	if op.socket == nil {
		return nil
	}
	return []int{http.StatusForbidden, http.StatusUpgradeRequired, http.StatusTooManyRequests, http.StatusServiceUnavailable}
}

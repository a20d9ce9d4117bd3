// Package ws opens WebSockets (RFC 6455) whose messages have types, and on which nobody
// can do what they could not do by requests.
//
// An app declares one with fastness.WebSocket. The package works alone on net/http, too:
//
//	server, err := ws.New(ws.Config{Origins: []string{"https://app.example.com"}})
//	chat, err := ws.Handler(server, func(ctx context.Context, r *http.Request, conn *ws.Conn[Message, Event]) error {
//		for {
//			m, err := conn.Receive(ctx)
//			if err != nil {
//				return err // the connection has ended
//			}
//			if err := conn.Send(Event{Text: m.Text}); err != nil {
//				return err
//			}
//		}
//	})
//	mux.Handle("GET /ws", ws.BearerHandler(schemes.Handler(chat)))
//	…
//	err = server.Shutdown(ctx) // 1001 to all
//
// # Before the upgrade
//
// A browser lets any page open a WebSocket to any server, and sends the cookies of
// whoever looks at it. No preflight comes before, and CORS does not hold for what is
// read. So the Origin is always checked ([Server.CheckOrigin]), before anybody asks who is
// calling, and what can be refused is refused by a problem document: [CheckHandshake]
// lists the rest. A handshake with a body is refused, whose bytes could be taken for
// frames or for the next request.
//
// A token never comes by the URL, which is in every log on the way. Programs send
// Authorization; pages cannot, and put it beside a subprotocol: see [Bearer].
//
// # Messages
//
// They are JSON in texts, decoded and validated by the plan of their type as bodies are:
// unknown members, duplicates and rest behind the value are refused. One that is not as
// declared is answered with its problem document, as a text, and the connection goes on.
// A type that is a slice of bytes means binary messages, as they are, and [None] that
// this side sends none.
//
// # The wire
//
// The library github.com/coder/websocket speaks the protocol. Below it an inspector reads
// along and lets nothing pass that breaks the protocol or a limit, at the first byte that
// shows it: reserved bits and opcodes, frames without a mask, wrong lengths and close
// codes (1002), a text that is not UTF-8 wherever its sequences are split (1007), a frame
// whose length alone is beyond the limit (1009), pings and empty fragments without end
// (1008). Nothing is allocated for a length that is only promised.
//
// Nothing is compressed, whatever the peer offers: the length of what is compressed
// together with a secret tells the secret (BREACH), and a kilobyte can be a gigabyte.
//
// # Peers
//
// A peer that sends too many messages is closed with 1008 ([Config.Rate]), and while a
// handler is at work nothing is read from its peer: others do not wait for it. A peer that
// reads too slowly is dropped when its queue is full, with 1013: that is an invitation to
// come back, which policy would not be, and nobody else has waited. One that answers no
// ping is dropped, and one without a message for an hour is closed with 4408.
//
// # The end
//
// A handler that returns nil closes with 1000, one that returns a problem below 500 with
// 4000 and its status, one that fails or panics with 1011. When the context of the
// connection ends, as that of an app does when its caller logs out (4401) or loses the
// right to it (4403), it is closed at once: what waits is not sent any more.
//
// # Memory
//
// An idle connection has one goroutine (two, if its messages are None) and buffers of 256
// bytes; what a message needs is there while it is read.
package ws

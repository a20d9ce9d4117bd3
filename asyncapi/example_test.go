package asyncapi_test

import (
	"fmt"

	"github.com/fastness/fastness/asyncapi"
	"github.com/fastness/fastness/openapi"
)

func Example() {
	doc := &asyncapi.Document{Info: asyncapi.Info{Title: "Shop", Version: "1.0.0"}}
	bids := &asyncapi.Channel{Address: "/ws/bids"}
	bids.Messages.Set("bid", &asyncapi.Message{Payload: &openapi.Schema{Type: openapi.Types{"integer"}}})
	doc.Channels.Set("bids", bids)
	doc.Operations.Set("sendBids", &asyncapi.Operation{
		Action: asyncapi.Send, Channel: asyncapi.Reference{Ref: "#/channels/bids"},
		Messages: []asyncapi.Reference{{Ref: "#/channels/bids/messages/bid"}},
	})
	if err := doc.Validate(); err != nil {
		fmt.Println(err)
	}
	text, err := doc.JSON()
	fmt.Println(string(text), err)
	// Output:
	// {
	//   "asyncapi": "3.0.0",
	//   "info": {
	//     "title": "Shop",
	//     "version": "1.0.0"
	//   },
	//   "channels": {
	//     "bids": {
	//       "address": "/ws/bids",
	//       "messages": {
	//         "bid": {
	//           "payload": {
	//             "type": "integer"
	//           }
	//         }
	//       }
	//     }
	//   },
	//   "operations": {
	//     "sendBids": {
	//       "action": "send",
	//       "channel": {
	//         "$ref": "#/channels/bids"
	//       },
	//       "messages": [
	//         {
	//           "$ref": "#/channels/bids/messages/bid"
	//         }
	//       ]
	//     }
	//   }
	// } <nil>
}

// Command shop is the shop with the limits that it has, which tells what memory it
// takes. Where FASTNESS_RIG_APP is
// "room" it is an app that has nothing but one WebSocket. The rig sockets
// builds the shop with these files beside its own, and this one in the place of main.go.
package main

import (
	"os"

	"github.com/fastness/fastness"
)

func main() {
	go tellMemory()
	if os.Getenv("FASTNESS_RIG_APP") == "room" {
		fastness.Main(newRoom())
		return
	}
	fastness.Main(newApp(limits{}))
}

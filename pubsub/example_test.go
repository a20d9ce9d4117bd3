package pubsub_test

import (
	"context"
	"fmt"

	"github.com/fastness/fastness/pubsub"
)

// Two visitors look at one item. One of them was away, and comes back with the
// id of the last bid that it has seen.
func Example() {
	type Bid struct {
		Sum int `json:"sum"`
	}
	hub, err := pubsub.New[Bid](pubsub.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = hub.Close() }()
	ctx := context.Background()

	first, _ := hub.Subscribe(ctx, "item-7", pubsub.Now)
	for sum := range 3 {
		if err := hub.Publish(ctx, "item-7", Bid{Sum: 10 * (sum + 1)}); err != nil {
			fmt.Println(err)
		}
	}
	seen, _ := first.Next()
	fmt.Println("first:", string(seen.JSON.Bytes()))
	first.Close()

	again, _ := hub.Subscribe(ctx, "item-7", seen.ID)
	for event, err := range again.Events() {
		if err != nil {
			fmt.Println(err)
			break
		}
		bid, _ := event.Value()
		fmt.Println("again:", bid.Sum)
		if bid.Sum == 30 {
			break
		}
	}
	// Output:
	// first: {"sum":10}
	// again: 20
	// again: 30
}

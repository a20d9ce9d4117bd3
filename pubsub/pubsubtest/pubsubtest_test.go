package pubsubtest_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/fastness/fastness/pubsub"
	"github.com/fastness/fastness/pubsub/pubsubtest"
)

func TestTheBusInMemoryKeepsTheContract(t *testing.T) {
	for _, keeps := range []bool{true, false} {
		t.Run(fmt.Sprint("keeps: ", keeps), func(t *testing.T) {
			pubsubtest.Run(t, func(*testing.T) pubsubtest.Engine {
				bus := &pubsubtest.Memory{History: 15_000}
				return pubsubtest.Engine{
					Buses: [3]pubsub.Bus{bus, bus, bus}, History: 15_000, MaxData: 64 << 10, Keeps: keeps,
					Stop:  func(*testing.T) { bus.Stop() },
					Start: func(*testing.T) { bus.Start(!keeps) },
				}
			})
		})
	}
}

func Example() {
	bus := &pubsubtest.Memory{}
	here, _ := pubsub.New[string](pubsub.Config{Name: "chat", Bus: bus})
	there, _ := pubsub.New[string](pubsub.Config{Name: "chat", Bus: bus})
	ctx := context.Background()
	listener, _ := there.Subscribe(ctx, "hall", pubsub.Now)
	defer listener.Close()
	_ = here.Publish(ctx, "hall", "hello")
	event, _ := listener.Next()
	fmt.Println(event.Value())
	// Output: hello <nil>
}

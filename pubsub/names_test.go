package pubsub_test

import (
	"testing"

	"github.com/fastness/fastness/pubsub"
	"github.com/fastness/fastness/schema"
)

// TestEventsHaveTheNamesOfTheApp: and are read by them again.
func TestEventsHaveTheNamesOfTheApp(t *testing.T) {
	type bid struct {
		UnitPrice int `out:"net"`
		ItemID    int
	}
	hub, err := pubsub.New[bid](pubsub.Config{Names: schema.CamelCase})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = hub.Close() }()
	sub, err := hub.Subscribe(t.Context(), "item-7", pubsub.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	if err := hub.Publish(t.Context(), "item-7", bid{5, 7}); err != nil {
		t.Fatal(err)
	}
	event, err := sub.Next()
	if err != nil || string(event.JSON.Bytes()) != `{"net":5,"itemId":7}` {
		t.Errorf("the event is %s, %v", event.JSON.Bytes(), err)
	}
	if got, err := event.Value(); err != nil || got != (bid{5, 7}) {
		t.Errorf("it is read as %+v, %v", got, err)
	}
}

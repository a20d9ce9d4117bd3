package redis_test

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fastness/fastness/pubsub"
	"github.com/fastness/fastness/pubsub/pubsubtest"
	"github.com/fastness/fastness/redis"
	"github.com/fastness/fastness/secret"
)

// busHistory is enough for ten thousand events that are read while they come.
const busHistory = 12_000

func (s *server) bus(t testing.TB, cfg redis.BusConfig) *redis.Bus {
	t.Helper()
	b, err := s.patient(t).Bus(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// engine starts a server with three processes.
func engine(t *testing.T, program string, durable bool) pubsubtest.Engine {
	var args []string
	if durable {
		args = []string{"--appendonly", "yes", "--appendfsync", "always"}
	}
	s := start(t, program, args...)
	cfg := redis.BusConfig{History: busHistory}
	return pubsubtest.Engine{
		Buses:   [3]pubsub.Bus{s.bus(t, cfg), s.bus(t, cfg), s.bus(t, cfg)},
		History: busHistory, MaxData: 64 << 10, Keeps: durable,
		Stop: func(*testing.T) { s.stop() }, Start: func(t *testing.T) { s.run(t) },
	}
}

func TestBusKeepsTheContract(t *testing.T) {
	for _, program := range programs() {
		t.Run(program, func(t *testing.T) {
			pubsubtest.Run(t, func(t *testing.T) pubsubtest.Engine { return engine(t, program, true) })
		})
	}
}

func TestAServerThatForgetsIsAGap(t *testing.T) {
	pubsubtest.Restart(t, engine(t, "redis-server", false))
}

func TestWhatRollsBackIsNotTold(t *testing.T) {
	pubsubtest.Transactions(t, start(t, "redis-server").bus(t, redis.BusConfig{}), pubsubtest.NoDatabase(t))
}

func TestBusConfigMistakes(t *testing.T) {
	store := open(t, redis.Config{URL: secret.New("redis://localhost")})
	_, err := store.Bus(redis.BusConfig{History: -1, HistoryAge: 1, MaxData: -1})
	for _, want := range []string{"redis bus config: ", "History is -1", "HistoryAge is 1ns", "MaxData is -1"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Bus() = %v, want %q, too", err, want)
		}
	}
}

// FLUSHALL takes all rooms away while everybody is connected.
func TestRoomsThatTheServerDropsAreAGap(t *testing.T) {
	s := start(t, "redis-server")
	hub, err := pubsub.New[int](pubsub.Config{Name: "test", Bus: s.bus(t, redis.BusConfig{})})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = hub.Close() }()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	sub, err := hub.Subscribe(ctx, "room", pubsub.Now)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for n := range 2 {
		if err := hub.Publish(ctx, "room", n); err != nil {
			t.Fatal(err)
		}
		e, err := sub.Next()
		if err == nil && e.Gap {
			got = append(got, "gap")
			e, err = sub.Next()
		}
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(e.JSON.Bytes()))
		s.do(t, "FLUSHALL")
	}
	if want := []string{"0", "gap", "1"}; !slices.Equal(got, want) {
		t.Errorf("the subscriber got %q, want %q", got, want)
	}
}

// What is not an event is not passed on: somebody else writes to the server, too.
func TestWhatIsNoEventIsAGap(t *testing.T) {
	s := start(t, "redis-server")
	bus := s.bus(t, redis.BusConfig{})
	hub, err := pubsub.New[int](pubsub.Config{Name: "test", Bus: bus, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = hub.Close() }()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	sub, err := hub.Subscribe(ctx, "room", pubsub.Now)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"</script>", "1\n2", "", "\"\xff\""} {
		if err := bus.Publish(ctx, "test/room", []byte(text)); err != nil {
			t.Fatal(err)
		}
		if e, err := sub.Next(); err != nil || !e.Gap {
			t.Errorf("%q became %q, %v", text, e.JSON.Bytes(), err)
		}
	}
	if err := hub.Publish(ctx, "room", 7); err != nil {
		t.Fatal(err)
	}
	if e, err := sub.Next(); err != nil || string(e.JSON.Bytes()) != "7" {
		t.Errorf("the next event is %q, %v", e.JSON.Bytes(), err)
	}
}

// A hub and a bus that are closed leave nothing behind, and a bus that was never
// used has nothing to end.
func TestBusesAreGivenBack(t *testing.T) {
	s := start(t, "redis-server")
	store := s.patient(t)
	before := runtime.NumGoroutine()
	for range 5 {
		bus, err := store.Bus(redis.BusConfig{})
		if err != nil {
			t.Fatal(err)
		}
		hub, err := pubsub.New[int](pubsub.Config{Name: "test", Bus: bus})
		if err != nil {
			t.Fatal(err)
		}
		for n := range 20 {
			sub, err := hub.Subscribe(t.Context(), strconv.Itoa(n), pubsub.Now)
			if err != nil {
				t.Fatal(err)
			}
			if n%2 == 0 {
				sub.Close()
			}
		}
		if err := errors.Join(hub.Close(), bus.Close(), bus.Close()); err != nil {
			t.Fatal(err)
		}
	}
	until(t, "all goroutines have ended", func() bool { return runtime.NumGoroutine() <= before+2 })
}

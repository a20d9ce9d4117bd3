package redis_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fastness/fastness/guard/ratelimit"
	"github.com/fastness/fastness/redis"
	"github.com/fastness/fastness/secret"
)

// TestMain is also the program of [TestThreeProcessesHaveOneBudget].
func TestMain(m *testing.M) {
	if url := os.Getenv("REDIS_TEST_CHILD"); url != "" {
		if err := child(url); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// child sends requests for three callers, each in one algorithm and with two
// quotas, and prints how many of each are allowed. It begins when its standard
// input ends.
func child(url string) error {
	store, err := redis.New(redis.Config{URL: secret.New(url), Timeout: time.Second})
	if err != nil {
		return err
	}
	if err := store.Ping(context.Background()); err != nil {
		return err
	}
	seen := store.Replay("test")
	fmt.Println("ready")
	_, _ = fmt.Scanln()
	var mu sync.Mutex
	allowed := map[string]int{}
	var first error
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for i := range 200 {
				for _, a := range []ratelimit.Algorithm{ratelimit.SlidingWindow, ratelimit.GCRA} {
					s := &ratelimit.Spend{
						Key: fmt.Append(nil, "caller", i%2), Cost: 1 + i%2, Algorithm: a, States: make([]ratelimit.State, 2),
						Quotas: []ratelimit.Quota{{Count: 501, Window: 24 * time.Hour}, {Count: 600, Window: 240 * time.Hour}},
					}
					err := store.Take(context.Background(), s)
					mu.Lock()
					if first = or(first, err); s.Allowed {
						allowed[fmt.Sprintf("%s%d", s.Key, a)]++
					}
					mu.Unlock()
				}
				ok, err := seen.First(context.Background(), fmt.Sprint("token", i), time.Now().Add(time.Hour))
				mu.Lock()
				if first = or(first, err); ok {
					allowed["tokens"]++
				}
				mu.Unlock()
			}
		})
	}
	group.Wait()
	fmt.Println(allowed["caller00"], allowed["caller10"], allowed["caller01"], allowed["caller11"], allowed["tokens"])
	return first
}

func or(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// TestThreeProcessesHaveOneBudget: 2,400 requests for each caller by three
// programs at once get exactly what one program would.
func TestThreeProcessesHaveOneBudget(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		var children [3]*exec.Cmd
		var outs [3]strings.Builder
		var starts [3]func()
		for i := range children {
			c := exec.Command(os.Args[0])
			c.Env = append(os.Environ(), "REDIS_TEST_CHILD="+s.url().Reveal())
			stdin, err := c.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			c.Stdout, c.Stderr = &outs[i], os.Stderr
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			children[i], starts[i] = c, func() { _ = stdin.Close() }
		}
		time.Sleep(300 * time.Millisecond) // So that they begin at about the same time; nothing depends on it.
		for _, start := range starts {
			start()
		}
		var sum [5]int
		busy := 0
		for i, c := range children {
			if err := c.Wait(); err != nil {
				t.Fatalf("process %d: %v", i, err)
			}
			var n [5]int
			text := strings.TrimPrefix(outs[i].String(), "ready\n")
			if _, err := fmt.Sscan(text, &n[0], &n[1], &n[2], &n[3], &n[4]); err != nil {
				t.Fatalf("process %d: %q: %v", i, text, err)
			}
			for k := range n {
				sum[k] += n[k]
			}
			if n[0] > 0 {
				busy++
			}
			t.Logf("process %d: %v", i, n)
		}
		// Caller 0 pays 1 and has 501 of them, caller 1 pays 2 and has 250. Of each of
		// 200 tokens one use is the first.
		if sum != [5]int{501, 250, 501, 250, 200} {
			t.Errorf("allowed %v, want 501, 250, 501, 250 and 200 tokens", sum)
		}
		if busy < 2 {
			t.Errorf("%d processes got something: they were not at work at once", busy)
		}
	})
}

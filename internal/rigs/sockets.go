package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	// One address may have 100 WebSockets open, and all together 10,000: these are the
	// limits that every app has.
	followerAddresses  = 100
	followersOfAddress = 100
	followers          = followerAddresses * followersOfAddress
	// openAtOnce is how many handshakes are under way at once.
	openAtOnce = 32
	// openTries is how often a handshake must fail to count: on a machine that others
	// use, one may take longer than the server waits.
	openTries = 3
	// pinged is when each has been asked whether it is still there: they are asked
	// every 30 seconds.
	pinged = 45 * time.Second
	// descriptors is how many files a process may have open.
	descriptors = 20_000
)

// crowd is an app, and the WebSocket that 10,000 open in it. News is what a PATCH says
// to it, for all to be told.
type crowd struct {
	name         string
	env, args    []string
	socket, tell string
	user         bool
	// most is how much more memory the app may have of the system with all of them
	// than before the first, in bytes, after a collection.
	most int
}

const news = `{"stock":4321}`

// crowds are an app with nothing but a WebSocket, behind a proxy that ends TLS, and the
// shop as everybody starts it. Its WebSockets have a subscription and a goroutine more.
func crowds() []crowd {
	return []crowd{
		{
			name: "an app of one WebSocket", env: []string{"FASTNESS_RIG_APP=room"},
			args:   []string{"--insecure-plain-http", "TLS is measured with the shop", "--public-url", "https://localhost"},
			socket: "/room", tell: "/tell", most: 150_000_000,
		},
		{name: "the shop, over TLS", socket: "/ws/items/1", tell: "/items/1", user: true, most: 450_000_000},
	}
}

// memory is what the shop says of its memory, and the system of it.
type memory struct {
	Heap, Stacks, Goroutines int
	Resident                 int
}

func (m memory) minus(o memory) memory {
	return memory{m.Heap - o.Heap, m.Stacks - o.Stacks, m.Goroutines - o.Goroutines, m.Resident - o.Resident}
}

// String is a line of the report.
func (m memory) String() string {
	mb := func(n int) float64 { return float64(n) / (1 << 20) }
	return fmt.Sprintf("%6.1f MiB resident, heap %6.1f MiB, stacks %5.1f MiB, %5d goroutines", mb(m.Resident), mb(m.Heap), mb(m.Stacks), m.Goroutines)
}

// remembers asks the shop for its memory by a signal; see testdata/memory.
func (s *shop) remembers(ctx context.Context, by syscall.Signal) (memory, error) {
	if err := s.cmd.Process.Signal(by); err != nil {
		return memory{}, err
	}
	var m memory
	select {
	case m = <-s.memory:
	case <-s.done:
		return m, errors.New("the shop has ended")
	case <-ctx.Done():
		return m, ctx.Err()
	}
	status, err := os.ReadFile("/proc/" + strconv.Itoa(s.cmd.Process.Pid) + "/status")
	if err != nil {
		return m, err
	}
	m.Resident, err = residentOf(string(status))
	return m, err
}

// residentOf reads how many bytes of a process are in memory.
func residentOf(status string) (int, error) {
	_, rest, _ := strings.Cut(status, "\nVmRSS:")
	text, _, found := strings.Cut(strings.TrimSpace(rest), " kB")
	n, err := strconv.Atoi(text)
	if !found || err != nil {
		return 0, errors.New("the status of the shop has no VmRSS")
	}
	return n << 10, nil
}

func runSockets(ctx context.Context, b *bench) (string, error) {
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: descriptors, Max: descriptors}); err != nil {
		return "", fmt.Errorf("want %d files open at once (ulimit -n): %w", descriptors, err)
	}
	binary, err := b.buildShop(ctx, "memory")
	if err != nil {
		return "", err
	}
	var summaries []string
	for _, c := range crowds() {
		summary, err := b.gather(ctx, binary, c)
		if err != nil {
			return "", fmt.Errorf("%s: %w", c.name, err)
		}
		summaries = append(summaries, c.name+": "+summary)
	}
	return fmt.Sprintf("%d WebSockets each got one event and ended with 1001. %s", followers, strings.Join(summaries, ". ")), nil
}

// gather starts the app of a crowd and lets the crowd come.
func (b *bench) gather(ctx context.Context, binary string, c crowd) (string, error) {
	data, err := os.MkdirTemp(b.temp, "data-")
	if err != nil {
		return "", err
	}
	if c.user {
		if err := addUser(ctx, binary, data, nil); err != nil {
			return "", err
		}
	}
	s, err := b.startShop(ctx, binary, data, c.env, c.args...) // with its own limits
	if err != nil {
		return "", err
	}
	defer s.close()
	b.printf("%s", c.name)
	before, err := s.remembers(ctx, syscall.SIGUSR2)
	if err != nil {
		return "", err
	}
	b.printf("  before:      %v", before)
	t := &tally{want: strings.Trim(news, "{}"), code: 1001}
	var listening sync.WaitGroup
	begin := time.Now()
	if err := s.openFollowers(ctx, c.socket, t, &listening); err != nil {
		return "", err
	}
	b.printf("  %d open after %.1f s", followers, time.Since(begin).Seconds())
	r, err := b.watchCrowd(ctx, s, c, t)
	if err != nil {
		return "", err
	}
	begin = time.Now()
	s.close()
	listening.Wait()
	b.printf("  %d ended with 1001 within %v, %d otherwise", t.ended.Load(), time.Since(begin).Round(time.Millisecond), t.otherwise.Load())
	r.idle, r.settled = r.idle.minus(before), r.settled.minus(before)
	return r.judge(t, c.most)
}

// watchCrowd looks at the memory while they are quiet, and how long it takes until all
// are told something.
func (b *bench) watchCrowd(ctx context.Context, s *shop, c crowd, t *tally) (r gathering, err error) {
	_, err = s.followFrom(ctx, net.IPv4(127, 0, 1, 1), c.socket, t)
	if err == nil || !strings.Contains(err.Error(), "503") { // And the server answers.
		return r, fmt.Errorf("one more: %w, want 503", err)
	}
	for begin := time.Now(); t.pings.Load() < followers; {
		if err := sleep(ctx, time.Second/2); err != nil {
			return r, err
		}
		if time.Since(begin) > pinged {
			return r, fmt.Errorf("%d pings came, want %d at least", t.pings.Load(), followers)
		}
	}
	if r.idle, err = s.remembers(ctx, syscall.SIGUSR1); err != nil {
		return r, err
	}
	b.printf("  idle:        %v", r.idle)
	if r.settled, err = s.remembers(ctx, syscall.SIGUSR2); err != nil {
		return r, err
	}
	b.printf("  collected:   %v", r.settled)
	if r.told, err = s.broadcast(ctx, c, t); err != nil {
		return r, err
	}
	b.printf("  %d got the news within %v", t.texts.Load(), r.told)
	return r, nil
}

// gathering is what a crowd has cost.
type gathering struct {
	idle, settled memory
	told          time.Duration
}

// judge wants that each got the news once and was told that the server stops, and that
// they took no more memory than they may.
func (r gathering) judge(t *tally, most int) (string, error) {
	var wrong []error
	if n := t.texts.Load(); n != followers || t.wrong.Load() > 0 {
		wrong = append(wrong, fmt.Errorf("%d got the news and %d something else, want %d and 0", n, t.wrong.Load(), followers))
	}
	if n := t.ended.Load(); n != followers {
		err := fmt.Errorf("%d ended with %d, want %d", n, t.code, followers)
		if other := t.other.Load(); other != nil {
			err = fmt.Errorf("%w; one: %s", err, *other)
		}
		wrong = append(wrong, err)
	}
	if r.settled.Resident > most {
		wrong = append(wrong, fmt.Errorf("they took %d MB, want %d at most", r.settled.Resident/1e6, most/1e6))
	}
	each := func(m memory) string {
		return fmt.Sprintf("%d MB, %.1f KB each", m.Resident/1e6, float64(m.Resident)/followers/1e3)
	}
	return fmt.Sprintf("%s (%s without a collection), told within %v", each(r.settled), each(r.idle), r.told.Round(time.Millisecond)), errors.Join(wrong...)
}

// openFollowers opens all of them, and returns when they are open.
func (s *shop) openFollowers(ctx context.Context, path string, t *tally, listening *sync.WaitGroup) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	sources := make(chan net.IP)
	var opening sync.WaitGroup
	for range openAtOnce {
		opening.Go(func() {
			for from := range sources {
				var f *follower
				var err error
				for range openTries {
					if f, err = s.followFrom(ctx, from, path, t); err == nil {
						break
					}
				}
				if err != nil {
					cancel(err)
					continue
				}
				listening.Go(f.listen)
			}
		})
	}
	for i := range followers {
		select {
		case sources <- net.IPv4(127, 0, 0, byte(2+i%followerAddresses)):
		case <-ctx.Done():
		}
	}
	close(sources)
	opening.Wait()
	return context.Cause(ctx)
}

// broadcast sends the news, and waits for the last one to be told.
func (s *shop) broadcast(ctx context.Context, c crowd, t *tally) (time.Duration, error) {
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: s.tls}, Timeout: 30 * time.Second}
	defer client.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodPatch, s.url+c.tell, strings.NewReader(news))
	if err != nil {
		return 0, err
	}
	request.Header.Set("Content-Type", "application/json")
	if c.user {
		token, err := s.logIn(ctx, client)
		if err != nil {
			return 0, err
		}
		request.Header.Set("Authorization", "Bearer "+token)
	}
	begin := time.Now()
	if _, err := answerOf(client, request); err != nil {
		return 0, err
	}
	for t.texts.Load()+t.wrong.Load()+t.otherwise.Load() < followers && time.Since(begin) < 20*time.Second {
		if err := sleep(ctx, 5*time.Millisecond); err != nil {
			return 0, err
		}
	}
	told := time.Since(begin)
	return told, sleep(ctx, time.Second) // for one that comes twice
}

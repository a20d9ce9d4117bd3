package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// slowMode is one way of slowhttptest to keep a server waiting.
type slowMode struct {
	name string
	path string
	args []string
	// limit is how long the server may hold a connection that goes on like that, and
	// length how long the attack goes on, which must be longer: otherwise it would be
	// the attacker that ends them.
	limit, length time.Duration
	// brief attacks are answered at once: each connection ends with its answer, and
	// it is the size of the answer that counts.
	brief bool
}

const (
	slowConnections = 400
	slowRate        = 200 // connections a second
	// slack is for the opening of a connection and the counting.
	slack = 4 * time.Second
	// quiet is how long the clients are watched before each attack.
	quiet = 8 * time.Second
	// floor is how much longer an honest request may take, whatever it takes otherwise.
	floor = 20 * time.Millisecond
	// slowTries is how often an attack must succeed to count: on a machine that others
	// use, two of 150 requests may be late for reasons of their own.
	slowTries = 3
	// leastRequests are those that the percentile is taken of.
	leastRequests = 100
	// goodbye is how long crypto/tls tries to say that it closes a connection that
	// takes no more bytes.
	goodbye = 5 * time.Second
)

// slowModes are the limits of package serve: 5 s for a head, 30 s for a request with
// its body, 60 s for an answer, 60 s between two requests.
func slowModes(large string) []slowMode {
	return []slowMode{
		{"slow heads", "/", []string{"-H", "-i", "1", "-x", "24"}, 5 * time.Second, 16 * time.Second, false},
		{"slow bodies", "/create_item/", []string{"-B", "-i", "2", "-x", "10", "-s", "8192", "-t", "POST", "-f", "application/json"}, 30 * time.Second, 42 * time.Second, false},
		{"ranges", "/static/shop.css", []string{"-R", "-a", "5", "-b", "2000", "-t", "GET"}, 5 * time.Second, 16 * time.Second, true},
		{"slow reads", large, []string{"-X", "-k", "3", "-w", "1", "-y", "512", "-n", "3", "-z", "32"}, 60*time.Second + goodbye, 76 * time.Second, false},
	}
}

// largeFile is the largest answer of the shop: the program of its docs page.
func (s *shop) largeFile(ctx context.Context) (string, error) {
	_, _, page, err := s.askOnce(ctx, question{"GET", "/docs", browser, 200})
	if err != nil {
		return "", err
	}
	for part := range strings.SplitSeq(string(page), `"`) {
		if strings.HasSuffix(part, "swagger-ui-bundle.js") {
			return strings.TrimPrefix(part, "."), nil
		}
	}
	return "", errors.New("the docs page names no program, want a large file")
}

func runSlowHTTP(ctx context.Context, b *bench) (string, error) {
	s, err := b.openShop(ctx)
	if err != nil {
		return "", err
	}
	defer s.close()
	large, err := s.largeFile(ctx)
	if err != nil {
		return "", err
	}
	calm, err := b.openShop(ctx)
	if err != nil {
		return "", err
	}
	defer calm.close()
	h, control := newHonest(ctx, s, "/"), newHonest(ctx, calm, "/")
	defer h.close()
	defer control.close()
	var wrong []error
	var worst time.Duration
	for _, mode := range slowModes(large) {
		var r result
		for try := 1; ; try++ {
			if r, err = b.attack(ctx, s, h, control, mode); err != nil {
				return "", err
			}
			b.printf("%-11s %s", mode.name, r)
			if try == slowTries || r.judge(mode) == nil {
				break
			}
			b.printf("%-11s once more", mode.name)
		}
		worst = max(worst, r.during)
		if err := r.judge(mode); err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %w", mode.name, err))
		}
	}
	if failed := h.failures(); len(failed) > 0 {
		wrong = append(wrong, fmt.Errorf("%d honest requests failed, such as: %s", len(failed), failed[0]))
	}
	if err := errors.Join(wrong...); err != nil {
		return "", err
	}
	return fmt.Sprintf("%d connections in each of 4 modes; every honest request was answered with 200, 99%% within %v", slowConnections, worst.Round(10*time.Microsecond)), nil
}

// result is what an attack did.
type result struct {
	census
	requests int // honest ones during the attack
	// The 99th percentiles of honest requests: before the attack, during it, and to the
	// shop that is not attacked. The last one is what the machine had time for: the
	// attacker and whatever else runs on it take their share.
	before, during, control time.Duration
	answers, largest        int // to the attacker: how many, and the bytes of the largest
	whole                   int // bytes of an answer as it should be
}

// String is a line of the report.
func (r result) String() string {
	ms := func(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d)/1e6) }
	return fmt.Sprintf("%3d connections at most, the oldest became %4.1f s, %d left; %d honest requests, 99%% within %s, before %s, elsewhere %s",
		r.most, r.oldest.Seconds(), r.now, r.requests, ms(r.during), ms(r.before), ms(r.control))
}

func (r result) judge(mode slowMode) error {
	var wrong []error
	switch {
	case mode.brief && r.answers < slowConnections*9/10:
		wrong = append(wrong, fmt.Errorf("%d requests of the attack were answered, want %d", r.answers, slowConnections))
	case mode.brief && r.largest > r.whole:
		wrong = append(wrong, fmt.Errorf("an answer had %d bytes, want the %d of the file at most", r.largest, r.whole))
	case !mode.brief && r.most < slowConnections*9/10:
		wrong = append(wrong, fmt.Errorf("the attack had %d connections at once, want %d", r.most, slowConnections))
	}
	if r.oldest > mode.limit+slack {
		wrong = append(wrong, fmt.Errorf("a connection lasted %v, want %v at most", r.oldest, mode.limit+slack))
	}
	if r.now > 0 {
		wrong = append(wrong, fmt.Errorf("%d connections are left", r.now))
	}
	if limit := 2*max(r.before, r.control) + floor; r.during > limit {
		wrong = append(wrong, fmt.Errorf("99%% of honest requests took up to %v, want %v", r.during, limit))
	}
	if r.requests < leastRequests {
		wrong = append(wrong, fmt.Errorf("%d honest requests were made, want at least %d", r.requests, leastRequests))
	}
	return errors.Join(wrong...)
}

// attack lets slowhttptest attack the shop and counts its connections until it ends,
// and for as long as there must be honest requests.
func (b *bench) attack(ctx context.Context, s *shop, h, control *honest, mode slowMode) (result, error) {
	var r result
	if mode.brief {
		_, _, file, err := s.askOnce(ctx, question{"GET", mode.path, "*/*", 200})
		if err != nil {
			return r, err
		}
		r.whole = len(file)
	}
	answers, _ := s.answered(mode.path)
	begin := time.Now()
	if err := sleep(ctx, quiet); err != nil {
		return r, err
	}
	start := time.Now()
	args := append([]string{"-c", strconv.Itoa(slowConnections), "-r", strconv.Itoa(slowRate),
		"-l", strconv.Itoa(int(mode.length.Seconds())), "-p", "5", "-u", s.url + mode.path}, mode.args...)
	ended := make(chan error, 1)
	attack, stop := context.WithTimeout(ctx, mode.length+30*time.Second)
	defer stop()
	go func() {
		_, _, err := output(attack, b.temp, "slowhttptest", args...)
		ended <- err
	}()
	for running := true; running; {
		select {
		case err := <-ended:
			if err != nil {
				return r, err
			}
			running = false
			if rest := time.Until(start.Add(leastRequests * honestInterval * 3 / 4)); rest > 0 {
				_ = sleep(ctx, rest)
			}
		case <-time.After(200 * time.Millisecond):
		}
		connections, err := connectionsOf(s.port)
		if err != nil {
			return r, err
		}
		r.count(time.Now(), connections, h.owns)
	}
	end := time.Now()
	_, r.before = h.between(begin, start)
	r.requests, r.during = h.between(start, end)
	_, r.control = control.between(start, end)
	r.answers, r.largest = s.answered(mode.path)
	r.answers -= answers
	return r, nil
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

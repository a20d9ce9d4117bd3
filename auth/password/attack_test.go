package password_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/argon2"

	"github.com/fastness/fastness/auth/password"
	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/secret"
)

// passes notes the work that a hasher does, and takes a moment for each.
type passes struct {
	takes time.Duration

	mu            sync.Mutex
	done          []string
	running, most int
}

func (p *passes) derive(text, salt []byte, time_, memory uint32, threads uint8, keyLen uint32) []byte {
	p.mu.Lock()
	p.done = append(p.done, fmt.Sprintf("m=%d,t=%d,p=%d,salt %d,key %d", memory, time_, threads, len(salt), keyLen))
	p.running++
	p.most = max(p.most, p.running)
	p.mu.Unlock()
	if p.takes > 0 {
		time.Sleep(p.takes)
	}
	p.mu.Lock()
	p.running--
	p.mu.Unlock()
	return argon2.IDKey(text, salt, time_, 8*uint32(threads), threads, keyLen)
}

func (p *passes) take() (done []string) {
	done, p.done = p.done, nil
	return done
}

// Who has an account must not show in the work that a log-in takes.
func TestEveryRefusalIsTheSameWork(t *testing.T) {
	var p passes
	pepper := password.Pepper{ID: "1", Key: secret.New(strings.Repeat("k", 32))}
	h := small(t, func(c *password.Config) { c.Peppers = []password.Pepper{pepper} }).WithDerive(p.derive)
	hash := mustHash(t, h, "correct horse battery")
	p.take()
	if verifies(t, h, hash, "wrong") {
		t.Fatal("a wrong password verifies")
	}
	want := fmt.Sprint(p.take())
	if want != "[m=64,t=1,p=1,salt 16,key 32]" {
		t.Fatalf("a wrong password is the work %s", want)
	}
	ctx := t.Context()
	tests := []struct {
		name string
		try  func() error
	}{
		{"an unknown user", func() error { return h.Dummy(ctx, secret.New("wrong")) }},
		{"an unknown user, no password", func() error { return h.Dummy(ctx, secret.Text{}) }},
		{"an unknown user, a megabyte", func() error { return h.Dummy(ctx, secret.New(strings.Repeat("x", 1<<20))) }},
		{"no password for a user", func() error { return second(h.Verify(ctx, hash, secret.Text{})) }},
		{"a megabyte for a user", func() error { return second(h.Verify(ctx, hash, secret.New(strings.Repeat("x", 1<<20)))) }},
		{"an account without a password", func() error { return second(h.Verify(ctx, "", secret.New("wrong"))) }},
		{"an account that Django closed", func() error { return second(h.Verify(ctx, "!x", secret.New("wrong"))) }},
		{"a hash that cannot be read", func() error {
			if err := second(h.Verify(ctx, "$md5$", secret.New("wrong"))); !errors.Is(err, password.ErrHash) {
				return fmt.Errorf("%v, want ErrHash", err)
			}
			return nil
		}},
	}
	for _, tt := range tests {
		if err := tt.try(); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		if got := fmt.Sprint(p.take()); got != want {
			t.Errorf("%s: the work %s, want %s", tt.name, got, want)
		}
	}
}

func second(_ bool, err error) error { return err }

func TestTwoHundredAtOnceWaitInABoundedQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := passes{takes: 22 * time.Millisecond}
		h := small(t, func(c *password.Config) { c.Concurrency, c.MaxWaiting = 4, 96 }).WithDerive(p.derive)
		hash := mustHash(t, h, "correct horse battery")

		results := make(chan error, 200)
		start := time.Now()
		for range 200 {
			go func() {
				ok, err := h.Verify(t.Context(), hash, secret.New("correct horse battery"))
				if err == nil && !ok {
					err = errors.New("the right password does not verify")
				}
				results <- err
			}()
		}
		verified, refused := 0, 0
		for range 200 {
			err := <-results
			if err == nil {
				verified++
				continue
			}
			if mustBeBusy(t, err); time.Since(start) > 0 {
				t.Error("who is refused had to wait for it")
			}
			refused++
		}
		if verified != 100 || refused != 100 {
			t.Errorf("%d verified and %d refused, want 4 + 96 and 100", verified, refused)
		}
		if p.most != 4 {
			t.Errorf("%d at once, want 4", p.most)
		}
		if took := time.Since(start); took != 25*22*time.Millisecond {
			t.Errorf("100 took %v, want 25 × 22 ms", took)
		}
		mustBeFree(t, h)
	})
}

func mustBeBusy(t *testing.T, err error) {
	t.Helper()
	p, ok := errors.AsType[*problem.Problem](err)
	if !ok || !errors.Is(err, password.ErrBusy) || p.Status != 503 || p.Code != "busy" || p.Header().Get("Retry-After") == "" {
		t.Errorf("%v, want a problem of status 503 with the code busy and Retry-After", err)
	}
}

func mustBeFree(t *testing.T, h *password.Hasher) {
	t.Helper()
	if free, size := h.Free(); free != size {
		t.Errorf("%d of %d turns are free at the end", free, size)
	}
}

// The deadlines end at the very moments at which turns become free.
func TestWhoGivesUpLosesNobodysTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := passes{takes: 20 * time.Millisecond}
		h := small(t, func(c *password.Config) { c.Concurrency, c.MaxWaiting = 2, 100 }).WithDerive(p.derive)
		var all sync.WaitGroup
		for i := range 100 {
			all.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i%7)*10*time.Millisecond)
				defer cancel()
				if err := h.Dummy(ctx, secret.New("x")); err != nil {
					mustBeBusy(t, err)
					if !errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("%v, want the deadline as its cause", err)
					}
				}
			})
		}
		all.Wait()
		mustBeFree(t, h)
		if err := h.Dummy(t.Context(), secret.New("x")); err != nil {
			t.Errorf("when all are gone: %v", err)
		}
	})
}

// A hash of four times the memory counts as four.
func TestLargeHashesTakeTheTurnsOfTheirMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := passes{takes: 20 * time.Millisecond}
		h := small(t, func(c *password.Config) { c.Concurrency = 4 }).WithDerive(p.derive)
		for name, tt := range map[string]struct {
			memory uint32
			most   int
		}{"as large as ours": {64, 4}, "twice": {128, 2}, "four times": {256, 1}, "larger than all turns": {4096, 1}} {
			hash := mustHash(t, small(t, func(c *password.Config) { c.Memory = tt.memory }), "correct horse battery")
			p.most = 0
			var all sync.WaitGroup
			for range 8 {
				all.Go(func() {
					if _, err := h.Verify(t.Context(), hash, secret.New("x")); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
			if p.most != tt.most {
				t.Errorf("%s: %d at once, want %d", name, p.most, tt.most)
			}
		}
		mustBeFree(t, h)
	})
}

func TestALargeHashIsNotKeptOutBySmallOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := passes{takes: 20 * time.Millisecond}
		h := small(t, func(c *password.Config) { c.Concurrency = 2 }).WithDerive(p.derive)
		large := mustHash(t, small(t, func(c *password.Config) { c.Memory = 128 }), "x")
		var all sync.WaitGroup
		try := func(after time.Duration, f func()) {
			all.Go(func() { time.Sleep(after); f() })
		}
		for i := range 20 { // Every 10 ms one more that takes 20: both turns are always wanted.
			try(time.Duration(i)*10*time.Millisecond, func() { _ = h.Dummy(t.Context(), secret.New("x")) })
		}
		try(45*time.Millisecond, func() {
			start := time.Now()
			_, _ = h.Verify(t.Context(), large, secret.New("x"))
			if took := time.Since(start); took > 50*time.Millisecond {
				t.Errorf("it took %v, want less than 20 ms after the two before it", took)
			}
		})
		all.Wait()
	})
}

func TestWhoHasGoneAwayGetsNoHash(t *testing.T) {
	var p passes
	h := small(t).WithDerive(p.derive)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := h.Dummy(ctx, secret.New("x"))
	mustBeBusy(t, err)
	if !errors.Is(err, context.Canceled) || len(p.done) != 0 {
		t.Errorf("%v after %d passes, want context.Canceled after none", err, len(p.done))
	}
}

// The memory is what the process has of the operating system, garbage included.
func TestTwoHundredLogInsStayWithinEightTimes19MiB(t *testing.T) {
	if testing.Short() || raceDetector {
		t.Skip("200 hashes at full strength take seconds, and under the race detector half a minute")
	}
	h, err := password.New(password.Config{})
	if err != nil {
		t.Fatal(err)
	}
	debug.FreeOSMemory()
	before, peak := resident(), atomic.Int64{}
	var all sync.WaitGroup
	for range 200 {
		all.Go(func() {
			if err := h.Dummy(t.Context(), secret.New("correct horse battery")); err != nil {
				t.Error(err)
			}
			for now, most := resident(), peak.Load(); now > most && !peak.CompareAndSwap(most, now); most = peak.Load() {
			}
		})
	}
	all.Wait()
	if grew := (peak.Load() - before) >> 20; grew > 8*19 || grew < 19 {
		t.Errorf("the heap grew by %d MiB, want 19 to %d", grew, 8*19)
	} else {
		t.Logf("%d MiB over idle", grew)
	}
}

func resident() int64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapSys - m.HeapReleased)
}

// A stored hash is input: one row must not stop the server.
func TestStoredHashesThatAskTooMuchAreRefused(t *testing.T) {
	const salt, key = "c29tZXNhbHQxMjM0", "DIkajG7zWyVh0V7dLBa3nBeTgq2h/8DbNR4fRX0YhwA"
	tests := []struct{ name, hash string }{
		{"argon2 of 4 TiB", "$argon2id$v=19$m=4294967295,t=1,p=1$" + salt + "$" + key},
		{"argon2 of 512 MiB", "$argon2id$v=19$m=524288,t=1,p=1$" + salt + "$" + key},
		{"argon2 of four billion passes", "$argon2id$v=19$m=64,t=4294967295,p=1$" + salt + "$" + key},
		{"argon2 of 256 MiB, five times", "$argon2id$v=19$m=262144,t=5,p=1$" + salt + "$" + key},
		{"argon2 of 255 lanes", "$argon2id$v=19$m=65536,t=1,p=255$" + salt + "$" + key},
		{"argon2 of lanes that wrap to 1", "$argon2id$v=19$m=65536,t=1,p=257$" + salt + "$" + key},
		{"argon2 of no time", "$argon2id$v=19$m=65536,t=0,p=1$" + salt + "$" + key},
		{"argon2 of no lanes", "$argon2id$v=19$m=65536,t=1,p=0$" + salt + "$" + key},
		{"argon2 of less memory than lanes", "$argon2id$v=19$m=31,t=1,p=4$" + salt + "$" + key},
		{"bcrypt of cost 31", "$2b$31$" + strings.Repeat("a", 53)},
		{"bcrypt of cost 16", "$2b$16$" + strings.Repeat("a", 53)},
		{"bcrypt of cost 3", "$2b$03$" + strings.Repeat("a", 53)},
		{"scrypt of N = 2^40", "$scrypt$ln=40,r=8,p=1$" + salt + "$" + key},
		{"scrypt of 2 GiB", "$scrypt$ln=21,r=8,p=1$" + salt + "$" + key},
		{"scrypt of 128 MiB, sixteen times", "$scrypt$ln=17,r=8,p=16$" + salt + "$" + key},
		{"scrypt of no rounds", "$scrypt$ln=0,r=8,p=1$" + salt + "$" + key},
		{"pbkdf2 of four billion iterations", "$pbkdf2-sha256$4294967295$" + salt + "$" + key},
		{"pbkdf2 of none", "$pbkdf2-sha256$0$" + salt + "$" + key},
		{"pbkdf2 of two blocks", "$pbkdf2-sha256$29000$" + salt + "$" + strings.Repeat("A", 86)},
		{"Django's of a billion iterations", "pbkdf2_sha256$1000000000$salt$cUWhbeKoysLvx7qz/pU9eck3+eeQz32e1SmOmvgSt2E="},
		{"a hash of a megabyte", "$argon2id$v=19$m=64,t=1,p=1$" + strings.Repeat("A", 1<<20) + "$" + key},
	}
	h := small(t)
	for _, tt := range tests {
		start := time.Now()
		ok, err := h.Verify(t.Context(), tt.hash, secret.New("x"))
		if ok || !errors.Is(err, password.ErrHash) {
			t.Errorf("%s: %v, %v, want ErrHash", tt.name, ok, err)
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%s: refused only after %v", tt.name, took)
		}
		if err != nil && (strings.Contains(err.Error(), "c29tZXNhb") || len(err.Error()) > 200) {
			t.Errorf("%s: the error repeats the hash: %v", tt.name, err)
		}
	}
}

func TestHashesAreReadInOneSpellingOnly(t *testing.T) {
	const good = "$argon2id$v=19$m=64,t=2,p=2$c29tZXNhbHQxMjM0$DIkajG7zWyVh0V7dLBa3nBeTgq2h/8DbNR4fRX0YhwA"
	replaced := func(old, text string) string { return strings.Replace(good, old, text, 1) }
	tests := []struct{ name, hash string }{
		{"argon2d, which leaks by its time", replaced("argon2id", "argon2d")},
		{"an older version", replaced("v=19", "v=16")},
		{"no version", replaced("v=19$", "")},
		{"a leading zero", replaced("t=2", "t=02")},
		{"a sign", replaced("t=2", "t=+2")},
		{"a space", replaced("t=2", "t= 2")},
		{"another order", replaced("m=64,t=2", "t=2,m=64")},
		{"a parameter twice", replaced("t=2", "t=2,t=2")},
		{"a parameter nobody knows", replaced("p=2", "p=2,x=1")},
		{"padding", good + "="},
		{"a line end", good + "\n"},
		{"a line end inside base64", replaced("DIka", "DI\nka")},
		{"bits behind the last byte", good[:len(good)-1] + "B"},
		{"the URL alphabet", replaced("/", "_")},
		{"a part too many", good + "$"},
		{"a part too few", good[:strings.LastIndex(good, "$")]},
		{"a short key", good[:strings.LastIndex(good, "$")] + "$AAAA"},
		{"no key", good[:strings.LastIndex(good, "$")] + "$"},
		{"a short salt", replaced("c29tZXNhbHQxMjM0", "AAAA")},
		{"an empty keyid", replaced("p=2", "p=2,keyid=")},
		{"a keyid that is none of ours", replaced("p=2", "p=2,keyid=IA")},
		{"capitals", strings.ToUpper(good)},
		{"text before", " " + good},
		{"$2x$, the broken bcrypt of PHP", "$2x$04$" + strings.Repeat("a", 53)},
		{"bcrypt of one digit", "$2b$4$" + strings.Repeat("a", 53)},
		{"bcrypt of a character too many", "$2b$04$" + strings.Repeat("a", 54)},
		{"bcrypt outside its alphabet", "$2b$04$" + strings.Repeat("a", 52) + "+"},
		{"passlib's base64 with a plus", "$pbkdf2-sha256$1000$bM0ZozSGEGJsLUXIWavVGg$Br4+Lo4eB1tyk.GLJM9GdhoLT3n4cvkaeDK1SZH8wc0"},
		{"MD5", "$1$abcdefgh$irWbblnpmw.5z7wgBnprh0"},
		{"a password that nobody hashed", "hunter2"},
	}
	h := small(t)
	if verifies(t, h, good, "x") {
		t.Fatal("the good hash opens")
	}
	for _, tt := range tests {
		if ok, err := h.Verify(t.Context(), tt.hash, secret.New("x")); ok || !errors.Is(err, password.ErrHash) {
			t.Errorf("%s: %v, %v, want ErrHash", tt.name, ok, err)
		}
	}
}

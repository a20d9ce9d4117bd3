package account

import (
	"hash/maphash"
	"net/netip"
	"sync"
	"time"
)

// throttle slows guessing down. It decides before a password is hashed, and
// alike for names that nobody has. There are four limits, and each stops what the
// others let through:
//
//   - A pair of name and place gets 5 guesses, then has to wait 1 s, 2 s, 4 s …
//     at most 15 minutes after each: about 100 guesses in the first day.
//   - A place, over all names, gets 50, and then one every 10 seconds: for who
//     tries one password at many accounts. Log-ins that succeed do not count, so
//     an office behind one address is not stopped by its own people.
//   - A name, over all unknown places together, gets 100 (what NIST SP 800-63B-4
//     section 3.2.2 allows), and then one every 5 minutes: for a botnet. The
//     period is a third of the longest wait of a pair, so one address, whatever
//     it does, does not use it up: it takes four or more at work all day.
//   - The codes of a second factor of one account get 10, and then one every 15
//     minutes: only who has the password gets that far, and six digits are few.
//
// A place is the device whose secret was left there at an earlier log-in, or else
// the address: all of a /64 for IPv6, since one customer gets that many. A place
// where the account has logged in before has only the first limit, counted for
// itself. That is the trade-off: while a botnet guesses, the owner cannot log in
// from an address and a browser that are both new, and can from any other. A
// lock that the owner's own devices do not pass would be a weapon for whoever
// knows a name, and no limit for all places together would let a botnet guess
// without end.
//
// A network that a provider gives to one IPv6 customer, a /48, has 65,536 places
// of its own. So all its places together get 250 guesses, then one each second,
// and 20 at one name, then one every 15 minutes. And of the log-ins that are
// being worked on at once, right or wrong, it gets 16: whoever has accounts, and
// logs in with them over and over, must not fill the queue for everybody.
//
// The memory is bounded. Where it is full, the entry goes that matters least: an
// account under attack stays while names that were tried once make room.
type throttle struct {
	mu     sync.Mutex
	seed   maphash.Seed
	pairs  *bounded[pair]
	names  *bounded[bucket]
	places *bounded[bucket]
	codes  *bounded[bucket]
	sites  *bounded[bucket] // by network, and by name and network
	// working counts log-ins that are being worked on, by network. What is not is
	// not in it.
	working map[uint64]int
}

const (
	freeTries = 5
	maxWait   = 15 * time.Minute
	maxAtOnce = 16
)

func placeRate() rate { return rate{50, 10 * time.Second} }
func nameRate() rate  { return rate{100, 5 * time.Minute} }
func codeRate() rate  { return rate{10, 15 * time.Minute} }

func siteRate() rate     { return rate{250, time.Second} }
func siteNameRate() rate { return rate{20, 15 * time.Minute} }

func newThrottle() *throttle {
	return &throttle{
		seed:  maphash.MakeSeed(),
		pairs: newBounded[pair](), names: newBounded[bucket](), places: newBounded[bucket](), codes: newBounded[bucket](),
		sites: newBounded[bucket](), working: make(map[uint64]int),
	}
}

// key is a name for an entry. It depends on a secret of the process, so nobody
// finds two names that share one.
func (t *throttle) key(parts ...string) uint64 {
	var h maphash.Hash
	h.SetSeed(t.seed)
	for _, p := range parts {
		h.WriteString(p)
		h.WriteByte(0)
	}
	return h.Sum64()
}

// try is a guess that was let happen. It counts as a failure until somebody says
// that it was none.
type try struct {
	t     *throttle
	keys  [3]uint64 // pair, name, place
	sites []uint64  // network, name and network, if the place is of one
	known bool
}

// verdict is what the throttle says. If wait is not 0, the guess must not happen.
type verdict struct {
	wait time.Duration
	// news is true for the first refusal since a guess was let happen: the one
	// that is worth an event. The others would let a stranger fill the log.
	news bool
}

// take counts a guess at name from place.
func (t *throttle) take(now time.Time, name, place string, known bool) (try, verdict) {
	guess := try{t: t, keys: [3]uint64{t.key(name, place), t.key(name), t.key(place)}, known: known}
	if network := site(place); network != place && !known {
		guess.sites = []uint64{t.key(network), t.key(name, network)}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.pairs.at(guess.keys[0], now)
	wait, told := p.wait(now), &p.told
	if !known {
		n, a := t.names.at(guess.keys[1], now), t.places.at(guess.keys[2], now)
		if w := nameRate().wait(n, now); w > wait {
			wait, told = w, &n.told
		}
		if w := placeRate().wait(a, now); w > wait {
			wait, told = w, &a.told
		}
		for i, key := range guess.sites {
			s := t.sites.at(key, now)
			if w := siteRates()[i].wait(s, now); w > wait {
				wait, told = w, &s.told
			}
		}
		if wait == 0 {
			nameRate().spend(n, now)
			placeRate().spend(a, now)
			for i, key := range guess.sites {
				siteRates()[i].spend(t.sites.at(key, now), now)
			}
		}
	}
	if wait == 0 {
		p.spend(now)
	}
	return guess, refusal(wait, told)
}

// begin notes that a log-in from an address is being worked on until end is
// called, or reports that there are too many of its network.
func (t *throttle) begin(address string) (end func(), ok bool) {
	key := t.key(site(place(address)))
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.working[key] >= maxAtOnce {
		return nil, false
	}
	t.working[key]++
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.working[key]--; t.working[key] == 0 {
			delete(t.working, key)
		}
	}, true
}

// takePlace counts something else that costs as much as a guess.
func (t *throttle) takePlace(now time.Time, place string) verdict {
	t.mu.Lock()
	defer t.mu.Unlock()
	return placeRate().take(t.places.at(t.key(place), now), now)
}

// takeCode counts a guess at the second factor of an account.
func (t *throttle) takeCode(now time.Time, id string) verdict {
	t.mu.Lock()
	defer t.mu.Unlock()
	return codeRate().take(t.codes.at(t.key(id), now), now)
}

// asked reports whether it is worth an event that a code of an account was asked
// for: the first times, and then now and then.
func (t *throttle) asked(now time.Time, id string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return codeRate().take(t.codes.at(t.key("asked", id), now), now).wait == 0
}

// rightCode says that the code was right.
func (t *throttle) rightCode(now time.Time, id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	codeRate().refund(t.codes.at(t.key(id), now))
}

// undo says that the guess was no guess: nobody looked at the password, or it was
// right and something else is missing.
func (g try) undo(now time.Time) { g.settle(now, (*pair).undo) }

// right says that somebody has logged in.
func (g try) right(now time.Time) { g.settle(now, (*pair).clear) }

func (g try) settle(now time.Time, pairs func(*pair, time.Time)) {
	g.t.mu.Lock()
	defer g.t.mu.Unlock()
	pairs(g.t.pairs.at(g.keys[0], now), now)
	if !g.known {
		nameRate().refund(g.t.names.at(g.keys[1], now))
		placeRate().refund(g.t.places.at(g.keys[2], now))
		for i, key := range g.sites {
			siteRates()[i].refund(g.t.sites.at(key, now))
		}
	}
}

func refusal(wait time.Duration, told *bool) verdict {
	if wait == 0 {
		*told = false
		return verdict{}
	}
	news := !*told
	*told = true
	return verdict{wait, news}
}

// pair counts the guesses at one name from one place.
type pair struct {
	tries int64
	until int64 // no guess before
	last  int64
	told  bool
}

func (p *pair) wait(now time.Time) time.Duration {
	return time.Duration(max(0, p.until-now.UnixNano()))
}

func (p *pair) spend(now time.Time) {
	p.tries++
	p.last = now.UnixNano()
	if p.tries >= freeTries {
		p.until = p.last + int64(min(maxWait, time.Second<<min(p.tries-freeTries, 20)))
	}
}

func (p *pair) undo(now time.Time) {
	p.tries = max(0, p.tries-1)
	p.until = min(p.until, now.UnixNano())
}

func (p *pair) clear(time.Time) { *p = pair{} }

// over is when the pair is as good as new: an hour for each guess, a day at most.
func (p pair) over() int64 { return p.last + min(24, p.tries)*int64(time.Hour) }

// bucket is a GCRA: full is the time at which it would be full again.
type bucket struct {
	full int64
	told bool
}

func (b bucket) over() int64 { return b.full }

// rate lets a burst happen at once, and one more each period.
type rate struct {
	burst  int64
	period time.Duration
}

func (r rate) wait(b *bucket, now time.Time) time.Duration {
	return time.Duration(max(0, b.full-(r.burst-1)*int64(r.period)-now.UnixNano()))
}

func (r rate) spend(b *bucket, now time.Time) {
	b.full = max(b.full, now.UnixNano()) + int64(r.period)
}

func (r rate) refund(b *bucket) { b.full -= int64(r.period) }

func (r rate) take(b *bucket, now time.Time) verdict {
	wait := r.wait(b, now)
	if wait == 0 {
		r.spend(b, now)
	}
	return refusal(wait, &b.told)
}

// siteRates are those of try.sites.
func siteRates() [2]rate { return [2]rate{siteRate(), siteNameRate()} }

// site returns the network of a place that a provider gives to one customer, or
// the place itself.
func site(place string) string {
	prefix, err := netip.ParsePrefix(place)
	if err != nil {
		return place
	}
	return netip.PrefixFrom(prefix.Addr(), 48).Masked().String()
}

// place returns what counts as one address.
func place(address string) string {
	addr, err := netip.ParseAddr(address)
	if err != nil {
		return address // All who come from nowhere share a place.
	}
	addr = addr.Unmap().WithZone("")
	if addr.Is6() {
		return netip.PrefixFrom(addr, 64).Masked().String()
	}
	return addr.String()
}

package limits_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

const coupons = `"/wallet": {"get": {"responses": {"200": {"description": "what the caller has"}}}},
"/coupons/redeem": {"post": {"requestBody": {"content": {"application/json": {"schema": {"type": "object", "required": ["code"],
	"properties": {"code": {"type": "string", "example": "WELCOME"}}}}}}, "responses": {"200": {"description": "done"}}}}`

// bank has wallets, coupons and gift cards. Each rule says whether something may be done, and
// notes that it was.
type bank struct {
	mu      sync.Mutex
	balance map[string]float64
	cards   map[string]bool // used
	votes   map[string]int
	serial  int
	used    map[string]bool
}

func newBank() *bank {
	return &bank{balance: map[string]float64{}, cards: map[string]bool{}, votes: map[string]int{}, used: map[string]bool{}}
}

func (b *bank) add(user string, n float64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.balance[user] += n
}

// first reports whether a key is used for the first time.
func (b *bank) first(key string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	before := b.used[key]
	b.used[key] = true
	return !before
}

// looked reports whether a key is unused still, and only then notes that it is.
func (b *bank) looked(key string) bool {
	b.mu.Lock()
	before := b.used[key]
	b.mu.Unlock()
	if before {
		return false
	}
	time.Sleep(10 * time.Millisecond)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.used[key] = true
	return true
}

// wallet serves what a caller has.
func (b *bank) wallet(mux *http.ServeMux) {
	mux.HandleFunc("GET /wallet", func(w http.ResponseWriter, r *http.Request) {
		b.mu.Lock()
		defer b.mu.Unlock()
		answer(w, 200, map[string]any{"owner": who(r), "balance": b.balance[who(r)], "rewards": b.votes[who(r)]})
	})
}

// couponBank redeems the coupon WELCOME as a rule says.
func couponBank(allowed func(b *bank, user string) bool, effect func(b *bank, user string)) http.Handler {
	b, mux := newBank(), http.NewServeMux()
	b.wallet(mux)
	mux.HandleFunc("POST /coupons/redeem", func(w http.ResponseWriter, r *http.Request) {
		in, ok := body(w, r, 1<<16)
		if !ok {
			return
		}
		if in["code"] != "WELCOME" {
			answer(w, 404, map[string]any{"error": "no such coupon"})
			return
		}
		if !allowed(b, who(r)) {
			answer(w, 409, map[string]any{"error": "it was used"})
			return
		}
		effect(b, who(r))
		answer(w, 200, map[string]any{"redeemed": true, "at": time.Now().Unix()})
	})
	return locked(mux)
}

func always(*bank, string) bool { return true }

func TestCouponThatCountsAgainIsFound(t *testing.T) {
	found(t, scanned(t, "BF-01", couponBank(always, func(b *bank, user string) { b.add(user, 25) }), coupons), "POST /coupons/redeem (body /code)")
}

func TestCouponsThatCountOnceAreLeftAlone(t *testing.T) {
	for name, h := range map[string]http.Handler{
		"refused the second time": couponBank(func(b *bank, user string) bool { return b.first(user) }, func(b *bank, user string) { b.add(user, 25) }),
		"taken, and nothing happens": couponBank(always, func(b *bank, user string) {
			if b.first(user) {
				b.add(user, 25)
			}
		}),
		"nothing happens":             couponBank(always, func(*bank, string) {}),
		"the balance grows by itself": growing(couponBank(always, func(*bank, string) {})),
		"points are paid for a reward": couponBank(always, func(b *bank, user string) {
			b.add(user, -25)
			b.mu.Lock()
			defer b.mu.Unlock()
			b.votes[user]++
		}),
		"it is paid for": couponBank(always, func(b *bank, user string) { b.add(user, -25) }),
	} {
		t.Run(name, func(t *testing.T) { silent(t, scanned(t, "BF-01", h, coupons), "POST /coupons/redeem") })
	}
}

const cards = `"/wallet": {"get": {"responses": {"200": {"description": "what the caller has"}}}},
"/gift-cards": {"post": {"requestBody": {"content": {"application/json": {"schema": {"type": "object", "required": ["amount"],
	"properties": {"amount": {"type": "number", "minimum": 1, "maximum": 5}}}}}}, "responses": {"201": {"description": "made"}}}},
"/gift-cards/{code}/redeem": {"post": {"parameters": [{"name": "code", "in": "path", "required": true, "schema": {"type": "string"}}],
	"responses": {"200": {"description": "done"}}}}`

// cardBank sells cards and takes them back, by a rule of who is first.
func cardBank(first func(b *bank, key string) bool) http.Handler {
	b, mux := newBank(), http.NewServeMux()
	b.wallet(mux)
	mux.HandleFunc("POST /gift-cards", func(w http.ResponseWriter, r *http.Request) {
		in, ok := body(w, r, 1<<16)
		amount, isNumber := in["amount"].(float64)
		if !ok {
			return
		}
		if !isNumber || amount < 1 || amount > 5 {
			answer(w, 422, map[string]any{"error": "amount is from 1 to 5"})
			return
		}
		b.add(who(r), -amount)
		b.mu.Lock()
		defer b.mu.Unlock()
		b.serial++
		code := fmt.Sprintf("card-%06d", b.serial*7919)
		b.balance[code] = amount
		answer(w, 201, map[string]any{"code": code, "amount": amount})
	})
	mux.HandleFunc("POST /gift-cards/{code}/redeem", func(w http.ResponseWriter, r *http.Request) {
		b.mu.Lock()
		amount, known := b.balance[r.PathValue("code")]
		b.mu.Unlock()
		if !known {
			answer(w, 404, map[string]any{"error": "no such card"})
			return
		}
		if !first(b, r.PathValue("code")) {
			answer(w, 409, map[string]any{"error": "it was used"})
			return
		}
		b.add(who(r), amount)
		answer(w, 200, map[string]any{"ok": true})
	})
	return locked(mux)
}

func TestCardThatCountsTwiceAtOnceIsFound(t *testing.T) {
	found(t, scanned(t, "BF-01", cardBank((*bank).looked), cards), "POST /gift-cards/{code}/redeem (path code)")
}

func TestCardThatCountsOnceAtOnceIsLeftAlone(t *testing.T) {
	silent(t, scanned(t, "BF-01", cardBank((*bank).first), cards), "POST /gift-cards/{code}/redeem")
}

const votes = `"/polls/{id}": {"get": {"parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "integer"}, "example": 1}],
	"responses": {"200": {"description": "a poll"}}}},
"/polls/{id}/vote": {"post": {"parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "integer"}, "example": 1}],
	"responses": {"200": {"description": "done"}}}}`

// poll counts votes as a rule says.
func poll(vote func(b *bank, user string)) http.Handler {
	b, mux := newBank(), http.NewServeMux()
	mux.HandleFunc("GET /polls/1", func(w http.ResponseWriter, _ *http.Request) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.serial++
		answer(w, 200, map[string]any{"id": 1, "title": "Lunch?", "votes": b.votes["1"], "views": b.serial})
	})
	mux.HandleFunc("POST /polls/1/vote", func(w http.ResponseWriter, r *http.Request) {
		b.mu.Lock()
		defer b.mu.Unlock()
		vote(b, who(r))
		answer(w, 200, map[string]any{"message": "thank you"})
	})
	return locked(mux)
}

func TestVoteThatCountsAgainIsFound(t *testing.T) {
	found(t, scanned(t, "BF-01", poll(func(b *bank, _ string) { b.votes["1"]++ }), votes), "POST /polls/{id}/vote")
}

func TestVotesThatCountOnceAreLeftAlone(t *testing.T) {
	for name, vote := range map[string]func(b *bank, user string){
		"once for each user": func(b *bank, user string) {
			if !b.used[user] {
				b.used[user] = true
				b.votes["1"]++
			}
		},
		"a vote takes the vote back": func(b *bank, user string) {
			b.used[user] = !b.used[user]
			if b.used[user] {
				b.votes["1"]++
			} else {
				b.votes["1"]--
			}
		},
	} {
		t.Run(name, func(t *testing.T) { silent(t, scanned(t, "BF-01", poll(vote), votes), "POST /polls/{id}/vote") })
	}
}

// growing adds something to each balance that is shown.
func growing(h http.Handler) http.Handler {
	n := 0
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/wallet" && who(r) != "" {
			n += 5
			answer(w, 200, map[string]any{"owner": who(r), "balance": n})
			return
		}
		h.ServeHTTP(w, r)
	})
}

func TestPartsThatAreTakenOneByOneAreLeftAlone(t *testing.T) {
	document := strings.Replace(cards, `"responses": {"200"`, `"requestBody": {"content": {"application/json": {"schema": {"type": "object", "required": ["amount"],
	"properties": {"amount": {"type": "number", "example": 1}}}}}}, "responses": {"200"`, 2)
	silent(t, scanned(t, "BF-01", cardBank(func(*bank, string) bool { return true }), document), "POST /gift-cards/{code}/redeem")
}

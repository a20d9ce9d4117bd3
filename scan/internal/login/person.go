package login

import (
	cryptorand "crypto/rand"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
)

// person is who is registered.
type person struct {
	username, email, password, phone, name string
	extra                                  map[string]string
}

// person returns somebody new. The same seed gives the same people in the same order,
// unless an earlier scan has registered them: then they are random.
func (k *Keeper) person(purpose string, taken int) *person {
	k.mu.Lock()
	k.people++
	n := uint64(k.people)
	k.mu.Unlock()
	if taken > 1 {
		var b [8]byte
		cryptorand.Read(b[:])
		n = binary.BigEndian.Uint64(b[:])
	}
	random := rand.New(rand.NewPCG(k.config.Seed, n))
	letters := make([]byte, 8)
	for i := range letters {
		letters[i] = byte('a' + random.IntN(26))
	}
	purpose = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, strings.ToLower(purpose))
	p := &person{username: "fz" + purpose[:min(len(purpose), 8)] + string(letters), name: "Fz " + strings.ToUpper(string(letters[:1])) + string(letters[1:])}
	p.email = p.username + "@example.com"
	p.password = fmt.Sprintf("Qz7!%c%s%04d", 'A'+random.IntN(26), letters[:4], random.IntN(10000))
	p.phone = fmt.Sprintf("+1555%07d", random.IntN(10_000_000))
	p.extra = map[string]string{}
	return p
}

// values are what placeholders of a registration stand for.
func (p *person) values() map[string]string {
	return map[string]string{"username": p.username, "email": p.email, "password": p.password, "phone": p.phone, "name": p.name}
}

// known returns what the account knows besides username and password: what the target was
// told.
func (p *person) known() map[string]string {
	known := map[string]string{}
	for name, v := range p.extra {
		known[name] = v
	}
	return known
}

func queryPair(name, value string) string {
	return url.QueryEscape(name) + "=" + url.QueryEscape(value)
}

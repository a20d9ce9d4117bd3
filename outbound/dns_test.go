package outbound_test

import (
	"context"
	"encoding/binary"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
)

// names is a DNS server that answers what a test wants, with a time to live of
// nothing.
type names struct {
	mu      sync.Mutex
	answers map[string][][]string // addresses of a name: those of the first look-up, of the second …; the last ones stay
	asked   map[string]int        // look-ups of IPv4 addresses
}

// dns starts a server on a free port and returns a resolver that asks it.
func dns(t *testing.T, answers map[string][][]string) (*net.Resolver, *names) {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	n := &names{answers: answers, asked: map[string]int{}}
	go func() {
		buf := make([]byte, 1<<12)
		for {
			size, from, err := conn.ReadFrom(buf)
			if err != nil {
				return // The test is over.
			}
			if reply := n.reply(buf[:size]); reply != nil {
				_, _ = conn.WriteTo(reply, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}, n
}

// reply answers one question (RFC 1035 section 4).
func (n *names) reply(query []byte) []byte {
	var labels []string
	i := 12
	for i < len(query) && query[i] != 0 {
		end := i + 1 + int(query[i])
		labels = append(labels, string(query[i+1:end]))
		i = end
	}
	question := query[12 : i+5]
	kind := binary.BigEndian.Uint16(query[i+1:])
	found := n.lookUp(strings.ToLower(strings.Join(labels, ".")), kind)

	reply := append([]byte{}, query[:2]...)
	reply = append(reply, 0x81, 0x80, 0, 1, 0, byte(len(found)), 0, 0, 0, 0)
	reply = append(reply, question...)
	for _, addr := range found {
		reply = append(reply, 0xc0, 12)
		reply = binary.BigEndian.AppendUint16(reply, kind)
		reply = append(reply, 0, 1, 0, 0, 0, 0)
		reply = binary.BigEndian.AppendUint16(reply, uint16(addr.BitLen()/8))
		reply = append(reply, addr.AsSlice()...)
	}
	return reply
}

func (n *names) lookUp(name string, kind uint16) (found []netip.Addr) {
	n.mu.Lock()
	defer n.mu.Unlock()
	turns := n.answers[name]
	if len(turns) == 0 {
		return nil
	}
	turn := min(n.asked[name], len(turns)-1)
	if kind == 1 {
		n.asked[name]++
	}
	for _, text := range turns[turn] {
		addr := netip.MustParseAddr(text)
		if kind == 1 && addr.Is4() || kind == 28 && addr.Is6() {
			found = append(found, addr)
		}
	}
	return found
}

// lookUps returns how often name was looked up.
func (n *names) lookUps(name string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.asked[name]
}

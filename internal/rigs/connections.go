package main

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// connection is one end of a TCP connection, as the kernel lists it.
type connection struct {
	peer string // port
	held bool   // by a program; the kernel alone keeps others for a while
}

// States of /proc/net/tcp.
const (
	tcpTimeWait = "06"
	tcpListen   = "0A"
)

// connectionsOf returns the server's ends of the connections to a port of loopback.
// Those that have ended on both sides are not among them.
func connectionsOf(port string) ([]connection, error) {
	table, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		return nil, err
	}
	return readTCP(string(table), port)
}

func readTCP(table, port string) (found []connection, err error) {
	_, rows, _ := strings.Cut(table, "\n") // without the titles
	for row := range strings.Lines(rows) {
		f := strings.Fields(row)
		if len(f) < 10 {
			return nil, fmt.Errorf("a row of the kernel's table has %d fields", len(f))
		}
		local, err := portOf(f[1])
		if err != nil {
			return nil, err
		}
		peer, err := portOf(f[2])
		if err != nil {
			return nil, err
		}
		if state, inode := f[3], f[9]; local == port && state != tcpListen && state != tcpTimeWait {
			found = append(found, connection{peer, inode != "0"})
		}
	}
	return found, nil
}

// portOf reads the port of an address such as 0100007F:1F90.
func portOf(address string) (string, error) {
	_, text, _ := strings.Cut(address, ":")
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != 2 {
		return "", fmt.Errorf("%q is no address of the kernel's", address)
	}
	return strconv.Itoa(int(binary.BigEndian.Uint16(b))), nil
}

// census follows the connections of strangers to a server: how many there are, and
// how long each lasts.
type census struct {
	seen   map[string]time.Time // by the port of the peer: since when
	now    int
	kernel int           // of those that no program holds, the most at once
	most   int           // at once
	oldest time.Duration // that any has become
}

// count looks once.
func (c *census) count(at time.Time, connections []connection, known func(port string) bool) {
	if c.seen == nil {
		c.seen = make(map[string]time.Time)
	}
	c.now = 0
	orphans := 0
	left := make(map[string]time.Time)
	for _, conn := range connections {
		switch {
		case known(conn.peer):
			continue
		case !conn.held:
			orphans++
			continue
		}
		c.now++
		since, ok := c.seen[conn.peer]
		if !ok {
			since = at
		}
		left[conn.peer] = since
		c.oldest = max(c.oldest, at.Sub(since))
	}
	c.seen = left
	c.most, c.kernel = max(c.most, c.now), max(c.kernel, orphans)
}

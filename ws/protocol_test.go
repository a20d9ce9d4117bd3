package ws_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fastness/fastness/ws"
)

// generous lets the cases send as many messages as they like.
func generous() ws.Config { return ws.Config{Rate: "100000/minute"} }

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// TestFramesThatBreakTheProtocolAreRefused has a case for each rule of RFC 6455 section 5, with
// the sections of the Autobahn suite that ask for the same.
func TestFramesThatBreakTheProtocolAreRefused(t *testing.T) {
	addr := site(t, newServer(t, generous()), repeat[string])
	whole := masked(fin|text, `"ok"`)
	cases := map[string][]byte{ // each is to be closed with 1002
		"2.5 a ping of 126 bytes":                             masked(fin|ping, strings.Repeat("x", 126)),
		"a pong of 126 bytes":                                 masked(fin|pong, strings.Repeat("x", 126)),
		"a close frame of 126 bytes":                          closeFrame(1000, strings.Repeat("x", 124)),
		"5.1 a ping in two fragments":                         join(masked(ping, "a"), masked(fin|rest, "b")),
		"5.2 a pong in two fragments":                         join(masked(pong, "a"), masked(fin|rest, "b")),
		"a close frame in two fragments":                      masked(closing, "\x03\xe8"),
		"5.9 a continuation of nothing":                       masked(rest, "a"),
		"5.10 a last continuation of nothing":                 masked(fin|rest, "a"),
		"5.15 a continuation after a whole message":           join(whole, masked(rest, "a")),
		"5.18 a message within another one":                   join(masked(text, `"a`), masked(fin|text, `b"`)),
		"a binary message within a text":                      join(masked(text, `"a`), masked(fin|binaryMessage, `b"`)),
		"a frame without a mask":                              []byte("\x81\x04\"ok\""),
		"an empty frame without a mask":                       []byte("\x81\x00"),
		"a ping without a mask":                               []byte("\x89\x00"),
		"a close frame without a mask":                        []byte("\x88\x02\x03\xe8"),
		"a length of 2^63":                                    maskedAs(fin|text, []byte{127, 0x80, 0, 0, 0, 0, 0, 0, 0}, ""),
		"a length of 2^64-1":                                  maskedAs(fin|text, []byte{127, 255, 255, 255, 255, 255, 255, 255, 255}, ""),
		"a length of 4 in two bytes":                          maskedAs(fin|text, []byte{126, 0, 4}, `"ok"`),
		"a length of 4 in eight bytes":                        maskedAs(fin|text, []byte{127, 0, 0, 0, 0, 0, 0, 0, 4}, `"ok"`),
		"a length of 65535 in eight bytes":                    maskedAs(fin|text, []byte{127, 0, 0, 0, 0, 0, 0, 255, 255}, ""),
		"a ping whose length is in two bytes":                 maskedAs(fin|ping, []byte{126, 0, 1}, "x"),
		"7.3.2 a close frame with half a code":                masked(fin|closing, "\x03"),
		"a reserved bit in the middle of a message":           join(masked(text, `"a`), masked(fin|0x40|rest, `b"`)),
		"a ping with a reserved bit within a message":         join(masked(text, `"a`), masked(fin|0x20|ping, "")),
		"HTTP instead of frames":                              []byte("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
		"an unknown opcode in the middle of a message":        join(masked(text, `"a`), masked(fin|0x3, "x")),
		"a first bad frame and then a good one with an error": join(masked(fin|0x10|text, `"x"`), whole),
	}
	for _, rsv := range []byte{0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70} {
		cases[fmt.Sprintf("3 reserved bits %#x in a text", rsv)] = masked(fin|rsv|text, `"x"`)
		cases[fmt.Sprintf("3 reserved bits %#x in a ping", rsv)] = masked(fin|rsv|ping, "")
		cases[fmt.Sprintf("3 reserved bits %#x in a close frame", rsv)] = masked(fin|rsv|closing, "\x03\xe8")
	}
	for _, op := range []byte{0x3, 0x4, 0x5, 0x6, 0x7, 0xB, 0xC, 0xD, 0xE, 0xF} {
		cases[fmt.Sprintf("4 opcode %#x", op)] = masked(fin|op, "")
		cases[fmt.Sprintf("4 opcode %#x with a payload, after a message", op)] = join(whole, masked(fin|op, "xyz"))
	}
	for _, code := range []int{0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535} {
		cases[fmt.Sprintf("7.9 close code %d", code)] = closeFrame(code, "")
		cases[fmt.Sprintf("7.9 close code %d with a reason", code)] = closeFrame(code, "because")
	}
	for name, sent := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := connect(t, addr)
			c.send(sent)
			if before, code := c.end(); code != 1002 {
				t.Errorf("closed with %d after %v, want 1002", code, before)
			}
		})
	}
}

// TestInvalidTextIsRefusedAtItsFirstBadByte sends what is not UTF-8 and never what would come
// after it: a server that waits for the rest says nothing.
func TestInvalidTextIsRefusedAtItsFirstBadByte(t *testing.T) {
	addr := site(t, newServer(t, generous()), repeat[string])
	begun := func(first byte, payload string) []byte { // of a frame of 1000 bytes
		return maskedAs(first, lengthOf(1000), payload)
	}
	cases := map[string][]byte{
		"6.3 in one frame":                       masked(fin|text, "\"\xce\xba\xed\xa0\x80edited\""),
		"6.4 in the second half of a frame":      begun(fin|text, "\"\xce\xba\xe1\xbd\xb9\xf4\x90"),
		"at the first byte of a frame":           begun(fin|text, "\xff"),
		"6.4 across two fragments":               join(masked(text, "\"\xf4"), begun(fin|rest, "\x90")),
		"across three fragments":                 join(masked(text, "\"\xf0"), masked(rest, "\x9f"), begun(rest, "\"")),
		"across fragments with a ping between":   join(masked(text, "\"\xe2"), masked(fin|ping, "\x82"), begun(rest, "x")),
		"that ends in the middle of a sequence":  masked(fin|text, "\"\xe2\x82"),
		"whose last fragment ends in the middle": join(masked(text, "\"\xe2"), masked(fin|rest, "\x82")),
		"whose last fragment is empty":           join(masked(text, "\"\xe2\x82"), masked(fin|rest, "")),
		"an overlong slash":                      begun(fin|text, "\xc0\xaf"),
		"an overlong slash in three bytes":       begun(fin|text, "\xe0\x80"),
		"an overlong form in four bytes":         begun(fin|text, "\xf0\x8f"),
		"a surrogate":                            begun(fin|text, "\xed\xa0"),
		"beyond U+10FFFF":                        begun(fin|text, "\xf4\x90"),
		"a byte that begins nothing":             begun(fin|text, "\xf8"),
		"a continuation without a beginning":     begun(fin|text, "\x80"),
		"after 900 good bytes":                   begun(fin|text, strings.Repeat("ä", 450)+"\xc3("),
		"7.5.1 in a reason":                      closeFrame(1000, "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited"),
		"in a reason that ends in the middle":    closeFrame(1000, "\xe2\x82"),
	}
	for name, sent := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := connect(t, addr)
			c.send(sent)
			if before, code := c.end(); code != 1007 {
				t.Errorf("closed with %d after %v, want 1007", code, before)
			}
		})
	}
}

// TestWhatTheProtocolAllowsIsUnderstood has the other side of the same rules.
func TestWhatTheProtocolAllowsIsUnderstood(t *testing.T) {
	addr := site(t, newServer(t, generous()), repeat[string])
	echo := func(s string) frame { return frame{fin | text, []byte(s)} }
	long := `"` + strings.Repeat("ö", 30_000) + `"`
	cases := map[string]struct {
		sent []byte
		want []frame
	}{
		"1.1 a text":                       {masked(fin|text, `"hello"`), []frame{echo(`"hello"`)}},
		"1.1 a text of 60 kB":              {masked(fin|text, long), []frame{echo(long)}},
		"1.1 a text of 126 bytes":          {masked(fin|text, `"`+strings.Repeat("x", 124)+`"`), []frame{echo(`"` + strings.Repeat("x", 124) + `"`)}},
		"2 a ping":                         {masked(fin|ping, "x"), []frame{{fin | pong, []byte("x")}}},
		"2 a ping of 125 bytes":            {masked(fin|ping, strings.Repeat("\xff", 125)), []frame{{fin | pong, []byte(strings.Repeat("\xff", 125))}}},
		"2.7 a pong nobody asked for":      {join(masked(fin|pong, "x"), masked(fin|ping, "")), []frame{{fin | pong, []byte{}}}},
		"5.3 a text in two fragments":      {join(masked(text, `"a`), masked(fin|rest, `b"`)), []frame{echo(`"ab"`)}},
		"5.6 a ping between two fragments": {join(masked(text, `"a`), masked(fin|ping, "x"), masked(fin|rest, `b"`)), []frame{{fin | pong, []byte("x")}, echo(`"ab"`)}},
		"empty fragments":                  {join(masked(text, ""), masked(rest, ""), masked(rest, `"a"`), masked(fin|rest, "")), []frame{echo(`"a"`)}},
		"6.2 a sequence split everywhere": {
			join(masked(text, "\"\xf0"), masked(rest, "\x9f"), masked(rest, "\x98"), masked(fin|ping, "\xff"), masked(fin|rest, "\x80\"")),
			[]frame{{fin | pong, []byte("\xff")}, echo("\"😀\"")},
		},
		"noncharacters":    {masked(fin|text, "\"\uffff\U0010ffff\""), []frame{echo("\"\uffff\U0010ffff\"")}},
		"messages at once": {join(masked(fin|text, `"a"`), masked(fin|text, `"b"`)), []frame{echo(`"a"`), echo(`"b"`)}},
	}
	equal := func(a, b frame) bool { return a.first == b.first && bytes.Equal(a.payload, b.payload) }
	for name, tt := range cases {
		for _, pace := range []string{"at once", "byte by byte", "with the handshake"} {
			if pace == "byte by byte" && len(tt.sent) > 1000 {
				continue
			}
			t.Run(name+", "+pace, func(t *testing.T) {
				t.Parallel()
				var c *raw
				switch pace {
				case "with the handshake":
					c = connect(t, addr, tt.sent...)
				case "at once":
					c = connect(t, addr)
					c.send(tt.sent)
				default:
					c = connect(t, addr)
					for _, b := range tt.sent {
						c.send([]byte{b})
					}
				}
				for i, want := range tt.want {
					if got, err := c.next(); err != nil || !equal(got, want) {
						t.Fatalf("answer %d: %v, %v, want %v", i+1, got, err, want)
					}
				}
				c.send(closeFrame(1000, "bye ☮"))
				if before, code := c.end(); code != 1000 || len(before) > 0 {
					t.Errorf("closed with %d after %v, want 1000", code, before)
				}
			})
		}
	}
}

// TestCloseCodesAreAnswered: the peer closes, and its code comes back (RFC 6455 section 5.5.1).
func TestCloseCodesAreAnswered(t *testing.T) {
	addr := site(t, newServer(t, generous()), repeat[string])
	for _, code := range []int{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999} {
		c := connect(t, addr)
		c.send(closeFrame(code, ""), masked(fin|text, `"after the end"`))
		if before, got := c.end(); got != code || len(before) > 0 {
			t.Errorf("%d is answered with %d after %v", code, got, before)
		}
	}
	c := connect(t, addr)
	c.send(masked(fin|closing, ""))
	if _, got := c.end(); got != 1005 {
		t.Errorf("no code is answered with %d", got)
	}
}

func TestMessagesBeyondTheLimitAreRefusedByTheirLengthAlone(t *testing.T) {
	addr := site(t, newServer(t, generous()), repeat[string])
	const limit = 64 << 10
	exact := `"` + strings.Repeat("x", limit-2) + `"`
	c := connect(t, addr)
	c.send(masked(fin|text, exact))
	if got, err := c.next(); err != nil || string(got.payload) != exact {
		t.Fatalf("a message of just 64 KiB: %v, %v", got, err)
	}
	half := strings.Repeat("x", limit/2)
	for name, sent := range map[string][]byte{
		"one byte too many":           maskedAs(fin|text, lengthOf(limit+1), ""),
		"a gigabyte":                  maskedAs(fin|text, lengthOf(1<<30), ""),
		"the most that there can be":  maskedAs(fin|text, []byte{127, 0x7f, 255, 255, 255, 255, 255, 255, 255}, ""),
		"in fragments":                join(masked(text, `"`+half), masked(rest, half)[:14]),
		"in a fragment that promises": join(masked(text, `"`), maskedAs(rest, []byte{127, 0x7f, 255, 255, 255, 255, 255, 255, 255}, "")),
	} {
		t.Run(name, func(t *testing.T) {
			c := connect(t, addr)
			c.send(sent)
			if before, code := c.end(); code != 1009 {
				t.Errorf("closed with %d after %v, want 1009", code, before)
			}
		})
	}
}

// TestAPromisedLengthTakesNoMemory opens a hundred connections that promise 64 KiB each and send a
// byte.
func TestAPromisedLengthTakesNoMemory(t *testing.T) {
	addr := site(t, newServer(t, generous()), repeat[string])
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	const n = 100
	conns := make([]*raw, n)
	for i := range conns {
		conns[i] = connect(t, addr)
		conns[i].send(maskedAs(fin|text, lengthOf(64<<10), `"`))
	}
	var per int64
	for range 20 { // The server reads meanwhile.
		runtime.GC()
		runtime.ReadMemStats(&after)
		per = max(per, (int64(after.HeapAlloc)-int64(before.HeapAlloc))/n)
	}
	t.Logf("%d bytes of heap a connection, the client's end included", per)
	if per > 24<<10 {
		t.Errorf("%d bytes of heap a connection that has sent one byte of 64 KiB", per)
	}
	runtime.KeepAlive(conns)
}

// A message of the other kind is refused before a byte of it is read.
func TestMessagesOfTheOtherKindAreRefused(t *testing.T) {
	texts := site(t, newServer(t, generous()), repeat[string])
	binaries := site(t, newServer(t, generous()), repeat[[]byte])
	c := connect(t, binaries)
	payload := string([]byte{0, 255, 254})
	c.send(masked(fin|binaryMessage, payload))
	if got, err := c.next(); err != nil || got.first != fin|binaryMessage || string(got.payload) != payload {
		t.Errorf("binary: %v, %v", got, err)
	}
	for name, tt := range map[string]struct {
		addr  string
		first byte
	}{
		"binary where texts are taken": {texts, fin | binaryMessage},
		"text where binary is taken":   {binaries, fin | text},
	} {
		c := connect(t, tt.addr)
		c.send(maskedAs(tt.first, lengthOf(1000), ""))
		if before, code := c.end(); code != 1003 {
			t.Errorf("%s: closed with %d after %v, want 1003", name, code, before)
		}
	}
}

// TestAPeerThatKeepsSendingGetsTheCode: bytes that nobody has read would make the system drop
// the close frame on its way.
func TestAPeerThatKeepsSendingGetsTheCode(t *testing.T) {
	addr := site(t, newServer(t, generous()), repeat[string])
	for range 20 {
		c := connect(t, addr)
		c.send(masked(fin|0x3, ""), bytes.Repeat(masked(fin|text, `"more"`), 5000))
		if _, code := c.end(); code != 1002 {
			t.Fatalf("closed with %d, want 1002", code)
		}
	}
}

// A peer that goes away without a word ends the connection, wherever it was.
func TestAConnectionThatBreaksEnds(t *testing.T) {
	s := newServer(t, generous())
	addr := site(t, s, repeat[string])
	for _, sent := range [][]byte{nil, {fin | text}, masked(fin|text, `"hello"`)[:8], masked(text, `"a`), masked(fin|closing, "\x03\xe8")[:7]} {
		c := connect(t, addr)
		c.send(sent)
		_ = c.Close()
	}
	for deadline := time.Now().Add(5 * time.Second); s.Count() > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d connections are still open", s.Count())
		}
	}
}

// The reader of the answers must not be confused by what it has asked for itself.
func TestRawClientReadsItsOwnFrames(t *testing.T) {
	if got := masked(fin|text, "ab"); !slices.Equal(got, []byte{0x81, 0x82, 0x12, 0xFF, 0, 0xA5, 'a' ^ 0x12, 'b' ^ 0xFF}) {
		t.Errorf("masked() = %x", got)
	}
	if got := lengthOf(1 << 16); binary.BigEndian.Uint64(got[1:]) != 1<<16 || got[0] != 127 {
		t.Errorf("lengthOf() = %x", got)
	}
}

package ws

import (
	"bytes"
	"encoding/binary"
	"testing"
	"unicode/utf8"

	"github.com/fastness/fastness/guard/ratelimit"
)

// FuzzUTF8 compares the piecewise check with that of the standard library, wherever the
// text is split, and wants the first bad byte to be found when it comes.
func FuzzUTF8(f *testing.F) {
	for _, s := range []string{"", "a", "ä", "😀", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xc0\xaf", "\xe2\x82", "a\x80", "\xf0\x9f\x98\x80\xf0"} {
		f.Add([]byte(s), uint8(1))
	}
	f.Fuzz(func(t *testing.T, text []byte, step uint8) {
		var u utf8Check
		good := true
		for rest := text; len(rest) > 0 && good; {
			n := min(len(rest), int(step)+1)
			good = u.feed(rest[:n])
			rest = rest[n:]
		}
		if got, want := good && u.whole(), utf8.Valid(text); got != want {
			t.Fatalf("%q: %v, want %v", text, got, want)
		}
		// Up to the first bad byte a text can be completed, from there on it cannot.
		var one utf8Check
		for i := range text {
			if one.feed(text[i:i+1]) != canBeCompleted(text[:i+1]) {
				t.Fatalf("%q: byte %d is judged wrongly", text, i)
			}
			if !canBeCompleted(text[:i+1]) {
				return
			}
		}
	})
}

// canBeCompleted reports whether some text begins with b.
func canBeCompleted(b []byte) bool {
	if utf8.Valid(b) {
		return true
	}
	for _, tail := range []string{"\x80", "\xbf", "\x90", "\xa0", "\x8f", "\x9f"} {
		for _, end := range []string{"", "\x80", "\x80\x80"} {
			if utf8.Valid(append(append(bytes.Clone(b), tail...), end...)) {
				return true
			}
		}
	}
	return false
}

// FuzzFrames compares the inspector with a parser that has everything at once, however
// the bytes come.
func FuzzFrames(f *testing.F) {
	frame := func(first byte, length []byte, payload string) []byte {
		out := append([]byte{first, length[0] | 0x80}, length[1:]...)
		return append(append(out, 0, 0, 0, 0), payload...)
	}
	for _, seed := range [][]byte{
		frame(0x81, []byte{2}, "ab"), frame(0x01, []byte{1}, "a"), append(frame(0x01, []byte{1}, "\xe2"), frame(0x80, []byte{2}, "\x82\xac")...),
		frame(0x88, []byte{2}, "\x03\xe8"), frame(0x88, []byte{4}, "\x03\xe8\xff\xff"), frame(0x88, []byte{1}, "\x03"), frame(0x89, []byte{126, 0, 126}, ""),
		frame(0x81, []byte{127, 0x80, 0, 0, 0, 0, 0, 0, 0}, ""), frame(0x81, []byte{126, 1, 1}, ""), frame(0x82, []byte{1}, "x"), {0x81, 0x01, 'a'}, {0xF1}, {0x80, 0x80},
	} {
		f.Add(seed, uint8(3), byte(opText))
		f.Add(seed, uint8(0), byte(opBinary))
	}
	limits, err := ratelimit.NewMessages(ratelimit.MessagesConfig{Limit: "1000000/minute"})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte, step uint8, takes byte) {
		p := &protocol{limit: 200, opcode: opText, rate: limits}
		if takes != opText {
			p.opcode = opBinary
		}
		i := newInspector(nil, nil, p)
		passed, code := 0, 0
		for rest := data; len(rest) > 0 && code == 0; {
			n := min(len(rest), int(step)+1)
			good, fault := i.feed(rest[:n])
			if passed += good; fault != nil {
				code = fault.Code
			}
			rest = rest[n:]
		}
		want := verdict(data, p)
		if code != want {
			t.Fatalf("%x: %d, want %d", data, code, want)
		}
		if passed > len(data) || code == 0 && passed != len(data) {
			t.Fatalf("%x: %d bytes passed", data, passed)
		}
	})
}

// verdict is the code by which data is refused, 0 if it is in order so far. It is
// written as the RFC reads, with all bytes at hand.
func verdict(data []byte, p *protocol) int {
	open, size, text := false, uint64(0), []byte(nil)
	for len(data) > 0 {
		first := data[0]
		op, final := first&15, first>>7 == 1
		data1 := op == 1 || op == 2
		if first&0x70 != 0 || op > 2 && op < 8 || op > 10 || op >= 8 && !final || op == 0 && !open || data1 && open {
			return CodeProtocol
		}
		if data1 && op != p.opcode {
			return CodeUnsupported
		}
		if len(data) < 2 {
			return 0
		}
		n, head := uint64(data[1]&127), 6
		if data[1] < 128 || op >= 8 && n > 125 || op == 8 && n == 1 {
			return CodeProtocol
		}
		switch n {
		case 126:
			head = 8
		case 127:
			head = 14
		}
		if len(data) < head {
			return 0
		}
		if n == 126 {
			if n = uint64(binary.BigEndian.Uint16(data[2:])); n < 126 {
				return CodeProtocol
			}
		} else if n == 127 {
			if n = binary.BigEndian.Uint64(data[2:]); n < 1<<16 || n >= 1<<63 {
				return CodeProtocol
			}
		}
		if data1 {
			open, size, text = true, 0, nil
		}
		if op < 8 {
			if n > uint64(p.limit) || size+n > uint64(p.limit) {
				return CodeTooBig
			}
			size += n
		}
		payload := bytes.Clone(data[head:min(uint64(len(data)), uint64(head)+n)])
		for k := range payload {
			payload[k] ^= data[head-4+k&3]
		}
		whole := uint64(len(payload)) == n
		switch {
		case op == 8:
			if len(payload) >= 2 && !mayBeSent(int(binary.BigEndian.Uint16(payload))) {
				return CodeProtocol
			}
			if len(payload) > 2 && (!canBeCompleted(payload[2:]) || whole && !utf8.Valid(payload[2:])) {
				return CodeInvalidText
			}
			if whole {
				return 0 // What follows does not count.
			}
		case op < 8 && p.opcode == opText:
			text = append(text, payload...)
			if !canBeCompleted(text) || whole && final && !utf8.Valid(text) {
				return CodeInvalidText
			}
		}
		if !whole {
			return 0
		}
		if op < 8 && final {
			open = false
		}
		data = data[uint64(head)+n:]
	}
	return 0
}

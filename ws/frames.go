package ws

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"time"

	"github.com/fastness/fastness/guard/ratelimit"
)

// The opcodes of RFC 6455 section 5.2.
const (
	opContinuation = 0x0
	opText         = 0x1
	opBinary       = 0x2
	opClose        = 0x8
	opPing         = 0x9
	opPong         = 0xA
)

// maxControl is the longest payload of a control frame (RFC 6455 section 5.5).
const maxControl = 125

// errFault ends the reading of a connection whose peer broke the protocol.
var errFault = errors.New("ws: the peer broke the protocol")

// inspector is the connection below the WebSocket library. It reads along, frame by
// frame, and lets no byte pass that breaks the protocol or a limit. The library
// closes some of these connections without a code, allows others to go on, and never
// looks at the UTF-8 of texts.
//
// There is at most one Read under way. What is wrong is found at the first byte that
// shows it: bytes before it are delivered, so that whole messages are not lost.
type inspector struct {
	net.Conn
	limit    int64 // of a message
	data     byte  // the opcode of the messages that are taken: opText, opBinary, or opClose for none
	rate     *ratelimit.Messages
	spent    *ratelimit.Connection // from the first frame on that counts
	buffered []byte                // read before the connection was ours

	head         [14]byte // of the current frame
	have, want   int      // bytes of head
	left         uint64   // bytes of the payload to come
	at           int      // bytes of the payload that were seen, for the mask
	key          [4]byte
	opcode       byte
	fin          bool
	open         bool  // a message is not whole yet
	size         int64 // of the open message
	text, reason utf8Check
	ended        bool   // a close frame has come; nothing behind it counts
	code         uint16 // of the close frame

	fault    atomic.Pointer[Closed]
	told     bool // the fault was returned by Read
	lastRead atomic.Int64
}

// newInspector returns c with what was read from it already.
func newInspector(c net.Conn, buffered []byte, p *protocol) *inspector {
	i := &inspector{Conn: c, limit: p.limit, data: p.opcode, rate: p.rate, want: 2}
	if len(buffered) > 0 {
		i.buffered = append([]byte(nil), buffered...)
	}
	i.lastRead.Store(time.Now().UnixNano())
	return i
}

// Read returns bytes that are in order.
func (i *inspector) Read(p []byte) (n int, err error) {
	if i.fault.Load() != nil {
		if i.told {
			return 0, i.discard(p)
		}
		i.told = true
		return 0, errFault
	}
	if len(i.buffered) > 0 {
		n = copy(p, i.buffered)
		if i.buffered = i.buffered[n:]; len(i.buffered) == 0 {
			i.buffered = nil
		}
	} else {
		n, err = i.Conn.Read(p)
	}
	if n > 0 {
		i.lastRead.Store(time.Now().UnixNano())
	}
	good, fault := i.feed(p[:n])
	if fault == nil {
		return n, err
	}
	i.fault.Store(fault)
	if good == 0 {
		i.told = true
		return 0, errFault
	}
	return good, nil
}

// How long and how much is read of a peer that broke the protocol. Were the
// connection closed at once, the system would drop what the peer has not read yet,
// and with it the code that says why.
const (
	lingerTime  = time.Second
	lingerBytes = 1 << 20
)

// discard reads until the peer has closed, too.
func (i *inspector) discard(p []byte) error {
	if half, ok := i.Conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite() // It is closed soon in any case.
	}
	_ = i.SetReadDeadline(time.Now().Add(lingerTime))
	for total := 0; total < lingerBytes; {
		n, err := i.Conn.Read(p)
		if total += n; err != nil {
			break
		}
	}
	return io.EOF
}

// feed looks at the bytes that follow. It returns how many are in order, and what is
// wrong with the next one.
func (i *inspector) feed(p []byte) (good int, fault *Closed) {
	for good < len(p) && !i.ended {
		if i.have < i.want {
			i.head[i.have] = p[good]
			i.have++
			if fault = i.header(); fault != nil {
				return good, fault
			}
			good++
			continue
		}
		n := int(min(uint64(len(p)-good), i.left))
		bad, fault := i.payload(p[good : good+n])
		if fault != nil {
			return good + bad, fault
		}
		good += n
	}
	return len(p), nil
}

// header looks at the head of a frame, as far as it is there.
func (i *inspector) header() *Closed {
	switch i.have {
	case 1:
		return i.firstByte()
	case 2:
		return i.secondByte()
	case i.want:
		return i.wholeHead()
	}
	return nil
}

func protocolError(reason string) *Closed { return newClosed(CodeProtocol, reason) }

func (i *inspector) firstByte() *Closed {
	b := i.head[0]
	i.fin, i.opcode = b&0x80 != 0, b&0x0F
	switch {
	case b&0x70 != 0:
		return protocolError("a reserved bit is set, and no extension was agreed on")
	case i.opcode == opContinuation && !i.open:
		return protocolError("there is nothing to continue")
	case (i.opcode == opText || i.opcode == opBinary) && i.open:
		return protocolError("a message begins within another one")
	case (i.opcode == opText || i.opcode == opBinary) && i.opcode != i.data:
		return i.unsupported()
	case i.opcode > opBinary && i.opcode < opClose || i.opcode > opPong:
		return protocolError("an opcode is unknown")
	case i.opcode >= opClose && !i.fin:
		return protocolError("a control frame is fragmented")
	}
	return nil
}

func (i *inspector) unsupported() *Closed {
	switch i.data {
	case opText:
		return newClosed(CodeUnsupported, "messages must be texts")
	case opBinary:
		return newClosed(CodeUnsupported, "messages must be binary")
	}
	return newClosed(CodeUnsupported, "no messages are taken here")
}

func (i *inspector) secondByte() *Closed {
	length := i.head[1] & 0x7F
	switch {
	case i.head[1]&0x80 == 0:
		return protocolError("a frame is not masked")
	case i.opcode >= opClose && length > maxControl:
		return protocolError("a control frame is too long")
	case i.opcode == opClose && length == 1:
		return protocolError("a close frame has half a code")
	}
	switch i.want = 6; length {
	case 126:
		i.want = 8
	case 127:
		i.want = 14
	}
	return nil
}

// wholeHead reads the length and the mask, and begins the payload.
func (i *inspector) wholeHead() *Closed {
	i.left = uint64(i.head[1] & 0x7F)
	switch i.left {
	case 126:
		if i.left = uint64(binary.BigEndian.Uint16(i.head[2:])); i.left < 126 {
			return protocolError("a length is not written in its shortest form")
		}
	case 127:
		if i.left = binary.BigEndian.Uint64(i.head[2:]); i.left>>63 != 0 || i.left < 1<<16 {
			return protocolError("a length is not written as it must be")
		}
	}
	copy(i.key[:], i.head[i.want-4:])
	i.at = 0
	if i.opcode >= opClose || !i.fin && i.left == 0 {
		if i.spent == nil {
			i.spent = i.rate.Connection()
		}
		if _, ok := i.spent.Take(); !ok { // A message of empty pieces never ends, and each ping is answered.
			return newClosed(CodePolicy, "too many frames")
		}
	}
	if i.opcode < opClose {
		if i.opcode != opContinuation {
			i.open, i.size, i.text = true, 0, utf8Check{}
		}
		if i.left > uint64(i.limit-i.size) { // Before a byte of it has come.
			return newClosed(CodeTooBig, "a message is too large")
		}
		i.size += int64(i.left)
	}
	if i.left == 0 {
		return i.endFrame()
	}
	return nil
}

// payload looks at a part of the payload. If it is at fault, bad is where.
func (i *inspector) payload(p []byte) (bad int, fault *Closed) {
	checked := i.opcode == opClose || i.opcode < opClose && i.data == opText
	var plain [256]byte
	for part := p; len(part) > 0 && checked; {
		n := min(len(part), len(plain))
		for k := range n {
			plain[k] = part[k] ^ i.key[(i.at+k)&3]
		}
		if fault := i.content(plain[:n]); fault != nil {
			return len(p) - len(part), fault
		}
		i.at += n
		part = part[n:]
	}
	if !checked {
		i.at += len(p)
	}
	if i.left -= uint64(len(p)); i.left > 0 {
		return 0, nil
	}
	return max(0, len(p)-1), i.endFrame()
}

// content looks at a part of the payload as it was before the mask.
func (i *inspector) content(plain []byte) *Closed {
	if i.opcode != opClose {
		if !i.text.feed(plain) {
			return newClosed(CodeInvalidText, "a text is not UTF-8")
		}
		return nil
	}
	for k, b := range plain {
		at := i.at + k
		if at < 2 {
			i.code = i.code<<8 | uint16(b)
			if at == 1 && !mayBeSent(int(i.code)) {
				return protocolError("a close code is invalid")
			}
			continue
		}
		if !i.reason.feed(plain[k : k+1]) {
			return newClosed(CodeInvalidText, "the reason is not UTF-8")
		}
	}
	return nil
}

// endFrame is called when the last byte of a frame is there.
func (i *inspector) endFrame() *Closed {
	i.have, i.want = 0, 2
	switch {
	case i.opcode == opClose:
		i.ended = true
		if !i.reason.whole() {
			return newClosed(CodeInvalidText, "the reason is not UTF-8")
		}
	case i.opcode < opClose && i.fin:
		i.open = false
		if i.data == opText && !i.text.whole() {
			return newClosed(CodeInvalidText, "a text is not UTF-8")
		}
	}
	return nil
}

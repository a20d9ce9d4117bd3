package serve_test

import (
	"crypto/tls"
	"encoding/binary"
	"io"
	"testing"
	"time"

	"github.com/fastness/fastness/serve"
)

// Frame types, the setting and the error of RFC 9113 sections 6, 6.5.2 and 7.
const (
	frameData           = 0x0
	frameSettings       = 0x4
	frameGoAway         = 0x7
	settingMaxFrameSize = 0x5
	errorFrameSize      = 0x6
	leastMaxFrameSize   = 16 << 10
	clientPreface       = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	emptySettings       = "\x00\x00\x00\x04\x00\x00\x00\x00\x00"
	frameHeaderSize     = 9
	settingsEntrySize   = 6
	tooLarge            = leastMaxFrameSize + 1
)

// The header of a frame says how much room it wants. 9 bytes must not reserve
// a megabyte, on each of ten thousand connections, for a payload that never comes.
func TestHeaderOfALargeFrameReservesNoRoom(t *testing.T) {
	r := run(t, serve.Config{}, ok, time.Now)
	c, err := tls.Dial("tcp", r.addr, &tls.Config{RootCAs: r.roots(t), ServerName: "localhost", NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(5 * time.Second))
	header := append(binary.BigEndian.AppendUint32(nil, tooLarge<<8|frameData), 0, 0, 0, 0, 1)
	if _, err := io.WriteString(c, clientPreface+emptySettings+string(header)); err != nil {
		t.Fatal(err)
	}
	announced := 16 << 10 // what holds if nothing is said
	for {
		kind, payload := readFrame(t, c)
		switch kind {
		case frameSettings:
			for ; len(payload) >= settingsEntrySize; payload = payload[settingsEntrySize:] {
				if binary.BigEndian.Uint16(payload) == settingMaxFrameSize {
					announced = int(binary.BigEndian.Uint32(payload[2:]))
				}
			}
		case frameGoAway:
			if code := binary.BigEndian.Uint32(payload[4:]); code != errorFrameSize {
				t.Errorf("GOAWAY with error %d, want FRAME_SIZE_ERROR", code)
			}
			if announced != leastMaxFrameSize {
				t.Errorf("the server takes frames of %d bytes, want %d", announced, leastMaxFrameSize)
			}
			return
		}
	}
}

func readFrame(t *testing.T, r io.Reader) (kind byte, payload []byte) {
	t.Helper()
	var header [frameHeaderSize]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		t.Fatalf("reading a frame: %v; want GOAWAY before the payload is there", err)
	}
	payload = make([]byte, binary.BigEndian.Uint32(header[:])>>8)
	if _, err := io.ReadFull(r, payload); err != nil {
		t.Fatal(err)
	}
	return header[3], payload
}

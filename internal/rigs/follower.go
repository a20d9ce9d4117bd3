package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// follower is a WebSocket client that listens and answers pings (RFC 6455). What it
// gets of each kind of frame is counted by all of them together.
type follower struct {
	conn  net.Conn
	tally *tally
}

// tally is what the followers have got.
type tally struct {
	texts, pings     atomic.Int64
	wrong            atomic.Int64 // texts without what they should hold
	ended, otherwise atomic.Int64 // by the code that the server should end them with, and not
	other            atomic.Pointer[string]
	want             string // in each text
	code             uint16 // of the end
}

// followFrom opens a WebSocket from an address of loopback.
func (s *shop) followFrom(ctx context.Context, from net.IP, path string, t *tally) (*follower, error) {
	conn, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: from}}).DialContext(ctx, "tcp", s.addr)
	if err != nil {
		return nil, err
	}
	if s.tls != nil {
		conn = tls.Client(conn, s.tls)
	}
	head := "GET " + path + " HTTP/1.1\r\nHost: localhost:" + s.port + "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	if _, err := io.WriteString(conn, head); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	// The server sends no frame until something happens: none is in this reader.
	response, err := http.ReadResponse(bufio.NewReaderSize(conn, 512), nil)
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	if response.StatusCode != http.StatusSwitchingProtocols {
		body, _ := io.ReadAll(io.LimitReader(response.Body, 512))
		return nil, errors.Join(fmt.Errorf("%s: %s, want 101: %s", path, response.Status, body), conn.Close())
	}
	_ = conn.SetDeadline(time.Time{})
	return &follower{conn, t}, nil
}

// listen reads until the connection ends.
func (f *follower) listen() {
	defer func() { _ = f.conn.Close() }()
	err := f.read()
	if err == nil {
		f.tally.ended.Add(1)
		return
	}
	text := err.Error()
	f.tally.other.Store(&text)
	f.tally.otherwise.Add(1)
}

// read returns nil if the server has closed by the code that is wanted.
func (f *follower) read() error {
	for {
		opcode, payload, err := f.frame()
		if err != nil {
			return err
		}
		switch opcode {
		case 1: // text
			if strings.Contains(string(payload), f.tally.want) {
				f.tally.texts.Add(1)
			} else {
				f.tally.wrong.Add(1)
			}
		case 8: // close
			if len(payload) < 2 || binary.BigEndian.Uint16(payload) != f.tally.code {
				return fmt.Errorf("it ended with % x", payload)
			}
			return f.send(8, payload[:2])
		case 9: // ping
			f.tally.pings.Add(1)
			if err := f.send(10, payload); err != nil {
				return err
			}
		default:
			return fmt.Errorf("a frame of opcode %d came", opcode)
		}
	}
}

// frame reads one frame, which is whole and not masked: servers send such ones.
func (f *follower) frame() (opcode byte, payload []byte, err error) {
	var head [4]byte
	if _, err := io.ReadFull(f.conn, head[:2]); err != nil {
		return 0, nil, err
	}
	length := int(head[1])
	switch {
	case head[0]&0xF0 != 0x80 || length > 126:
		return 0, nil, fmt.Errorf("a frame begins with % x", head[:2])
	case length == 126:
		if _, err := io.ReadFull(f.conn, head[2:]); err != nil {
			return 0, nil, err
		}
		length = int(binary.BigEndian.Uint16(head[2:]))
	}
	payload = make([]byte, length)
	_, err = io.ReadFull(f.conn, payload)
	return head[0] & 0x0F, payload, err
}

// send sends a control frame, masked by zeros.
func (f *follower) send(opcode byte, payload []byte) error {
	_, err := f.conn.Write(append([]byte{0x80 | opcode, 0x80 | byte(len(payload)), 0, 0, 0, 0}, payload...))
	return err
}

package listen

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fastness/fastness/scan/internal/probe"
)

var _ probe.Listener = (*Listener)(nil)

func listening(t *testing.T, config Config) *Listener {
	t.Helper()
	l, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func get(t *testing.T, address string) string {
	t.Helper()
	res, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(res.Body)
	return string(text)
}

func TestACallIsSeenOnlyUnderItsToken(t *testing.T) {
	l := listening(t, Config{Wait: 50 * time.Millisecond})
	if got := get(t, l.URL("fz0123456789")); got != "fz0123456789" {
		t.Errorf("answered %q", got)
	}
	if request, ok := l.Hit(t.Context(), "fz0123456789"); !ok || !strings.HasPrefix(request, "GET /fz0123456789 HTTP/1.1\r\n") {
		t.Errorf("seen %q, %v", request, ok)
	}
	if _, ok := l.Hit(t.Context(), "fz9999999999"); ok {
		t.Error("a call that never was")
	}
}

func TestACallerIsSentOnAndToldAMarker(t *testing.T) {
	l := listening(t, Config{})
	l.Answer("first0000000", Answer{Redirect: l.URL("second000000")})
	l.Answer("second000000", Answer{Body: "the marker"})
	if got := get(t, l.URL("first0000000")); got != "the marker" {
		t.Errorf("answered %q", got)
	}
	for _, token := range []string{"first0000000", "second000000"} {
		if _, ok := l.Hit(t.Context(), token); !ok {
			t.Errorf("%s was not seen", token)
		}
	}
}

func TestACallThatComesLaterIsWaitedFor(t *testing.T) {
	l := listening(t, Config{Wait: 5 * time.Second})
	go func() {
		conn, err := net.Dial("tcp", l.Address())
		if err != nil {
			return
		}
		defer conn.Close()
		fmt.Fprint(conn, "USER fz0123456789\n") // No HTTP.
	}()
	if request, ok := l.Hit(t.Context(), "fz0123456789"); !ok || request != "USER fz0123456789\n" {
		t.Errorf("seen %q, %v", request, ok)
	}
}

func TestCallersWhoSayNothingOrTooMuchAreLeft(t *testing.T) {
	l := listening(t, Config{Wait: time.Millisecond})
	for range maxConns + 10 {
		conn, err := net.Dial("tcp", l.Address())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	conn, err := net.Dial("tcp", l.Address())
	if err == nil {
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
		_, err = io.Copy(conn, strings.NewReader(strings.Repeat("x", 4<<20)))
	}
	if err == nil {
		t.Error("4 MiB were read")
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

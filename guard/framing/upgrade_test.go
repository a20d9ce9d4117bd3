package framing_test

import (
	"bufio"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/fastness/fastness/guard/framing"
)

const upgradeHead = "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n"

// echo switches protocols in the two ways that WebSocket libraries do.
func echo(t *testing.T, headerFirst bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if headerFirst {
			w.Header().Set("Upgrade", "websocket")
			w.Header().Set("Connection", "Upgrade")
			w.WriteHeader(http.StatusSwitchingProtocols)
		}
		c, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Errorf("hijack: %v", err)
			return
		}
		defer func() { _ = c.Close() }()
		if !headerFirst {
			_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		}
		_, _ = io.Copy(c, rw)
	})
}

func TestAnAcceptedUpgradePassesBothWaysUntouched(t *testing.T) {
	for _, tt := range []struct {
		name        string
		headerFirst bool
	}{
		{"the head is written by net/http", true},
		{"the head is written to the hijacked connection", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := dial(t, serve(t, newGuard(t, framing.Config{}), echo(t, tt.headerFirst)))
			if _, err := io.WriteString(c, upgradeHead); err != nil {
				t.Fatal(err)
			}
			r := bufio.NewReader(c)
			response, err := http.ReadResponse(r, nil)
			if err != nil || response.StatusCode != http.StatusSwitchingProtocols {
				t.Fatalf("ReadResponse() = %v, %v, want 101", response, err)
			}
			const frames = "\x00\x81\r\n\nnot HTTP at all, get / HTTP/9.9\r\n"
			if _, err := io.WriteString(c, frames); err != nil {
				t.Fatal(err)
			}
			got := make([]byte, len(frames))
			if _, err := io.ReadFull(r, got); err != nil || string(got) != frames {
				t.Errorf("echo %q, %v, want %q", got, err, frames)
			}
		})
	}
}

func TestAfterADeclinedUpgradeTheConnectionIsGuardedOn(t *testing.T) {
	rec := new(recorder)
	c := dial(t, serve(t, newGuard(t, framing.Config{}), rec))
	r := bufio.NewReader(c)
	for range 2 {
		if _, err := io.WriteString(c, upgradeHead); err != nil {
			t.Fatal(err)
		}
		response, err := http.ReadResponse(r, nil)
		if err != nil || response.StatusCode != http.StatusOK {
			t.Fatalf("ReadResponse() = %v, %v, want 200", response, err)
		}
		_, _ = io.Copy(io.Discard, response.Body)
	}
	if _, err := io.WriteString(c, get("Content-Length: 0\r\nTransfer-Encoding: chunked\r\n")+poison); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	answers := parse(t, rest)
	if len(answers) != 1 {
		t.Fatalf("%d answers, want 1", len(answers))
	}
	wantProblem(t, answers[0], 400, "ambiguous_length")
	if got, want := rec.requests(), []string{"GET /ws", "GET /ws"}; !slices.Equal(got, want) {
		t.Errorf("the handler saw %q, want %q", got, want)
	}
}

// A server that answers 200 to an upgrade, and whose answer holds what looks like
// a 101, must not open the connection.
func TestABodyThatLooksLikeA101DoesNotOpenTheConnection(t *testing.T) {
	seen := 0
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen++
		w.Header().Set("Content-Length", "8192")
		_, _ = io.WriteString(w, "x")
		_ = http.NewResponseController(w).Flush()
		_, _ = io.WriteString(w, switchingLine+repeat("x", 8191-len(switchingLine)))
	})
	c := dial(t, serve(t, newGuard(t, framing.Config{}), handler))
	if _, err := io.WriteString(c, upgradeHead); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(c)
	response, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, response.Body)
	_, _ = io.WriteString(c, "get / HTTP/1.1\r\n\r\n"+poison)
	rest, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(rest), "HTTP/1.1 400 ") || seen != 1 {
		t.Errorf("answer %q to %d requests, want 400 to the second", rest, seen)
	}
}

const switchingLine = "HTTP/1.1 101 Switching Protocols\r\n\r\n"

// The head of an upgrade may be read while an earlier answer is being written. That
// answer must not decide for the upgrade.
func TestAnEarlierAnswerDoesNotDecideOnAnUpgrade(t *testing.T) {
	upgrader := echo(t, true)
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/ws" {
			upgrader.ServeHTTP(w, r)
			return
		}
		_, _ = io.WriteString(w, switchingLine+repeat("x", 10_000))
	})
	c := dial(t, serve(t, newGuard(t, framing.Config{}), handler))
	if _, err := io.WriteString(c, get("")+upgradeHead); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(c)
	first, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, first.Body)
	second, err := http.ReadResponse(r, nil)
	if err != nil || second.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("second answer %v, %v, want 101", second, err)
	}
	if _, err := io.WriteString(c, "\x00ping"); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 5)
	if _, err := io.ReadFull(r, got); err != nil || string(got) != "\x00ping" {
		t.Errorf("echo %q, %v", got, err)
	}
}

func TestSmuggledBytesBehindAnUpgradeAreRefused(t *testing.T) {
	rec := new(recorder)
	answers := send(t, serve(t, newGuard(t, framing.Config{}), rec), upgradeHead+poison)
	if got, want := rec.requests(), []string{"GET /ws"}; !slices.Equal(got, want) {
		t.Errorf("the handler saw %q, want %q", got, want)
	}
	if len(answers) != 2 {
		t.Fatalf("%d answers, want 2", len(answers))
	}
	wantProblem(t, answers[1], 400, "early_upgrade_data")
}

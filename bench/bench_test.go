package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fastness/fastness/bench/work"
)

func tasks(t *testing.T) []Task {
	t.Helper()
	all, err := Tasks()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestEveryPeerGivesTheRightAnswers(t *testing.T) {
	for _, task := range tasks(t) {
		contenders, err := handlersOf(task, Peers())
		if err != nil {
			t.Errorf("work %s: %v", task.Name, err)
		}
		for _, c := range contenders {
			for range 3 { // The reused request and writer serve again.
				if err := c.run(); err != nil {
					t.Error(err)
				}
			}
		}
	}
}

func TestEachBreakAloneIsRefusedByEveryPeerAndItsMemberNamed(t *testing.T) {
	for _, b := range work.Breaks() {
		body, err := work.Body(b)
		if err != nil {
			t.Fatal(err)
		}
		task := Task{
			Name: b.Pointer, Method: http.MethodPost, Target: work.OrderPath, Payload: body, Pointers: []string{b.Pointer},
			Terms: Terms{SigningHS256(), noHindrance},
		}
		contenders, err := handlersOf(task, Peers())
		if err != nil {
			t.Error(err)
		}
		for _, c := range contenders {
			if !strings.HasSuffix(c.Answer, "lists 1 of 1") {
				t.Errorf("%s: answer to a broken %s: %s, want it listed", c.Name, b.Pointer, c.Answer)
			}
		}
	}
}

// A peer that lets in whom the others refuse would be fast for nothing.
func TestAPeerThatLetsAnybodyInIsNotTimed(t *testing.T) {
	open := Peer{"open", "open", NewFloor, PathList}
	for _, task := range tasks(t) {
		if _, err := handlersOf(task, []Peer{open}); task.Refusals != nil && (err == nil || !strings.Contains(err.Error(), "no token gets 200, want 401")) {
			t.Errorf("work %s: error is %v, want that it lets anybody in", task.Name, err)
		}
	}
}

func TestAPeerWithAnotherLimitIsNotTimed(t *testing.T) {
	for _, tt := range []struct {
		name string
		make func(Terms) (http.Handler, error)
		want string
	}{
		{"without a limit", func(t Terms) (http.Handler, error) {
			t.Limit = noHindrance
			return NewByHand(t)
		}, "a request over the limit gets 200, want 429"},
		{"one limit for all clients", func(t Terms) (http.Handler, error) {
			h, err := NewByHand(t)
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				r.RemoteAddr = "192.0.2.1:1"
				h.ServeHTTP(w, r)
			}), err
		}, "another client gets 429, want 200"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, task := range tasks(t) {
				_, err := handlersOf(task, []Peer{{"odd", "odd", tt.make, PathList}})
				if task.Refusals != nil && (err == nil || !strings.Contains(err.Error(), tt.want)) {
					t.Errorf("work %s: error is %v, want %q", task.Name, err, tt.want)
				}
			}
		})
	}
}

func TestNewTokensAreAllDifferent(t *testing.T) {
	all, err := SigningHS256().authorizations(newTokens)()
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(all)
	if n := len(slices.Compact(all)); n != newTokens {
		t.Errorf("%d tokens are different, want %d", n, newTokens)
	}
}

func TestAnItemThatIsNoNumberIsRefusedByEveryPeer(t *testing.T) {
	for _, p := range Peers() {
		if p.Name == floorName {
			continue
		}
		h, err := p.New(Terms{SigningHS256(), noHindrance})
		if err != nil {
			t.Fatal(err)
		}
		e, err := newExchange(http.MethodGet, "/items/brass", nil)
		if err != nil {
			t.Fatal(err)
		}
		if status := e.send(h); status/100 != 4 {
			t.Errorf("%s: status %d, want 4xx", p.Name, status)
		}
	}
}

func TestEveryDecoderTakesTheValidBodyAndRefusesEachBreak(t *testing.T) {
	if _, err := decodersOf(Decoders()); err != nil {
		t.Error(err)
	}
}

func TestAWrongAnswerIsNotTimed(t *testing.T) {
	paths := func([]byte) ([]string, error) { return []string{"/name", "/price"}, nil }
	for _, tt := range []struct {
		name    string
		task    string
		status  int
		media   string
		content string
		want    string
	}{
		{"another value", "a", 200, "application/json", `{"id":1,"q":"brass","name":"Reading lamp"}`, "the answer is"},
		{"one more member", "a", 200, "application/json", `{"id":4211,"q":"brass","name":"Reading lamp","x":1}`, "the answer is"},
		{"another status class", "a", 404, "application/json", `{}`, "want 2xx"},
		{"text instead of JSON", "a", 200, "text/plain", `{"id":4211,"q":"brass","name":"Reading lamp"}`, "want JSON"},
		{"an invalid order is taken", "d", 200, "application/json", `{}`, "want 4xx"},
		{"a valid member is listed", "d", 422, "application/json", `{}`, `"/price", which is valid`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			liar := Peer{"liar", "liar", func(Terms) (http.Handler, error) {
				return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Content-Type", tt.media)
					w.WriteHeader(tt.status)
					_, _ = io.WriteString(w, tt.content)
				}), nil
			}, paths}
			all := tasks(t)
			task := all[slices.IndexFunc(all, func(t Task) bool { return t.Name == tt.task })]
			if _, err := handlersOf(task, []Peer{liar}); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error is %v, want one with %q", err, tt.want)
			}
		})
	}
}

func TestNothingOfOneExchangeIsSeenInTheNext(t *testing.T) {
	e, err := newExchange(http.MethodPost, work.OrderPath, []byte("{}"))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		status, header, content := e.answer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			sent, err := io.ReadAll(r.Body)
			if err != nil || string(sent) != "{}" || r.PathValue("id") != "" || len(w.Header()) != 0 {
				t.Errorf("body %q, error %v, path value %q, header %v", sent, err, r.PathValue("id"), w.Header())
			}
			r.SetPathValue("id", "left over")
			w.Header().Set("X-Left", "over")
			w.WriteHeader(http.StatusTeapot)
			_, _ = w.Write(sent)
		}))
		if status != http.StatusTeapot || header.Get("X-Left") == "" || string(content) != "{}" {
			t.Errorf("answer is %d %v %q", status, header, content)
		}
	}
}

func TestOneCommandMeasuresEveryWork(t *testing.T) {
	var out bytes.Buffer
	args := []string{"-rounds", "1", "-target", "1ms", "-json"}
	if err := run(t.Context(), args, strings.NewReader(""), &out); err != nil {
		t.Fatal(err)
	}
	var report Report
	if err := json.Unmarshal(out.Bytes(), &report); err != nil {
		t.Fatal(err)
	}
	rows := map[string]int{"d": len(Peers()) - 1, decodeWork: len(Decoders())}
	for _, name := range []string{"a", "b", "c-hs256", "c-hs256-new", "c-eddsa", "c-eddsa-new"} {
		rows[name] = len(Peers())
	}
	for _, table := range report.Tables {
		if len(table.Results) != rows[table.Name] {
			t.Errorf("table %s has %d rows, want %d", table.Name, len(table.Results), rows[table.Name])
		}
		for _, r := range table.Results {
			if r.Median <= 0 || r.Least > r.Median || r.Median > r.Most {
				t.Errorf("%s, %s: %v, %v, %v are no measurements", table.Name, r.Name, r.Least, r.Median, r.Most)
			}
		}
		delete(rows, table.Name)
	}
	if len(rows) != 0 {
		t.Errorf("no table for %v", rows)
	}
}

func TestATableShowsRatiosToTheBaseline(t *testing.T) {
	var out strings.Builder
	table := Table{"x", "x", "base", []Result{
		{Name: "base", Title: "base", Median: 2000, Least: 1900, Most: 2100, Allocations: 4.6},
		{Name: "other", Title: "other", Median: 12345.6, Least: 12000, Most: 13000},
	}}
	Report{Tables: []Table{table}}.Markdown(&out)
	for _, want := range []string{"| base | 2,000 | 1,900–2,100 | 1.00 | 5 |", "| other | 12,346 | 12,000–13,000 | 6.17 | 0 |"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("table is %s, want a row %s", out.String(), want)
		}
	}
}

func TestWrongFlagsAreAllNamedAtOnce(t *testing.T) {
	err := run(t.Context(), []string{"-rounds", "-1", "-only", "nobody", "-work", "z", "-loopback", "-cpu", "-1"}, nil, io.Discard)
	for _, want := range []string{"-rounds", `"nobody"`, `"z"`, "-cpu"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error is %v, want it to name %s", err, want)
		}
	}
}

func TestAServedPeerAnswersAndStopsWhenItsInputEnds(t *testing.T) {
	for _, task := range tasks(t) {
		t.Run(task.Name, func(t *testing.T) { served(t, task) })
	}
}

func served(t *testing.T, task Task) {
	stdin, hold := io.Pipe()
	out, stdout := io.Pipe()
	stopped := make(chan error, 1)
	go func() {
		stopped <- run(context.Background(), []string{"-serve", baselineName, "-work", task.Name}, stdin, stdout)
	}()
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	peer := Peers()[slices.IndexFunc(Peers(), func(p Peer) bool { return p.Name == baselineName })]
	if _, err := task.ask(t.Context(), peer, "http://"+strings.TrimSpace(address)+task.Target); err != nil {
		t.Error(err)
	}
	if err := hold.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-stopped; err != nil {
		t.Errorf("serve ended with %v, want nil", err)
	}
}

func TestTheKernelTellsTheCPUTimeOfAProcess(t *testing.T) {
	self := &process{command: &exec.Cmd{Process: &os.Process{Pid: os.Getpid()}}}
	kernel, err := self.cpuTime()
	if err != nil {
		t.Fatal(err)
	}
	own, err := cpuTime()
	if err != nil {
		t.Fatal(err)
	}
	if kernel > own || own-kernel > own/2+50_000_000 {
		t.Errorf("/proc says %v, getrusage a moment later %v", kernel, own)
	}
}

func TestAProgramNameWithParenthesesDoesNotShiftItsCPUTime(t *testing.T) {
	got, err := parseStat("7 (a ) b) 1) S 1 7 7 0 -1 0 0 0 0 0 120 30 0 0 20 0")
	if want := 1500 * time.Millisecond; err != nil || got != want {
		t.Errorf("parseStat() = %v, %v, want %v", got, err, want)
	}
}

func TestTheRequestForWrkCarriesTheBodyByteForByte(t *testing.T) {
	for _, task := range tasks(t) {
		script, err := task.lua()
		if err != nil {
			t.Fatal(err)
		}
		if task.Payload != nil && !bytes.Contains(script, task.Payload) {
			t.Errorf("work %s: script is %s", task.Name, script)
		}
	}
}

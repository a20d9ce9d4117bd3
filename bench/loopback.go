package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Loopback is one peer under one work, as a server.
type Loopback struct {
	Work   string `json:"work"`
	Name   string `json:"name"`
	Title  string `json:"title"`
	Answer string `json:"answer"`
	// Median, Least and Most are requests per second of the server's CPU.
	Median float64 `json:"requests_per_cpu_second"`
	Least  float64 `json:"min"`
	Most   float64 `json:"max"`
	// Busy is the least share of the wall time of a run in which the server had
	// its core. Far below 1 the neighbours, not the server, set the pace, and
	// the row is worth little.
	Busy float64 `json:"busy"`
}

// A drivenRun is what one run of wrk against one server came to.
type drivenRun struct {
	requests  int
	cpu, wall time.Duration
	answer    string
}

// loopback measures loopbackWorks, or those that s names, round by
// round, with a new server for each run.
func loopback(ctx context.Context, s settings) ([]Loopback, error) {
	if len(s.works) == 0 {
		s.works = loopbackWorks()
	}
	for _, tool := range []string{"wrk", "taskset"} {
		if _, err := exec.LookPath(tool); err != nil {
			return nil, fmt.Errorf("-loopback needs %s: install the Debian packages wrk and util-linux", tool)
		}
	}
	tasks, err := Tasks()
	if err != nil {
		return nil, err
	}
	scripts, err := os.MkdirTemp("", "bench")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(scripts)
	var all []Loopback
	for _, t := range tasks {
		if !s.does(t.Name) || strings.HasSuffix(t.Name, newSuffix) {
			continue
		}
		rows, err := loopbackTask(ctx, s, t, filepath.Join(scripts, t.Name+".lua"))
		if err != nil {
			return nil, err
		}
		all = append(all, rows...)
	}
	return all, nil
}

func loopbackTask(ctx context.Context, s settings, t Task, script string) ([]Loopback, error) {
	lua, err := t.lua()
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(script, lua, 0o600); err != nil {
		return nil, err
	}
	peers := slices.DeleteFunc(Peers(), func(p Peer) bool { return !s.wants(p.Name) || !t.fits(p) })
	rows := make([]Loopback, len(peers))
	rates := make([][]float64, len(peers))
	for i, p := range peers {
		rows[i] = Loopback{Work: t.Name, Name: p.Name, Title: p.Title, Busy: 1}
	}
	for range s.rounds {
		for i, p := range peers {
			d, err := drive(ctx, s, t, p, script)
			if err != nil {
				return nil, fmt.Errorf("%s, %s over loopback: %w", p.Name, t.Name, err)
			}
			rows[i].Answer = d.answer
			rows[i].Busy = min(rows[i].Busy, d.cpu.Seconds()/d.wall.Seconds())
			rates[i] = append(rates[i], float64(d.requests)/d.cpu.Seconds())
		}
	}
	for i := range rows {
		slices.Sort(rates[i])
		rows[i].Least, rows[i].Median, rows[i].Most = rates[i][0], median(rates[i]), rates[i][len(rates[i])-1]
	}
	return rows, nil
}

// loopbackWorks are those that loopback measures unless asked for others. There
// is one request for all connections, so no token is new.
func loopbackWorks() []string { return []string{"a", "b", "c-hs256", "c-eddsa"} }

// lua is the request as wrk takes it.
func (t Task) lua() ([]byte, error) {
	e, err := t.exchange()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "wrk.method = %q\nwrk.headers[\"Accept\"] = \"application/json\"\n", t.Method)
	if t.Payload != nil {
		// A long bracket takes every byte as it is; level 3 because JSON may hold ]].
		fmt.Fprintf(&b, "wrk.headers[\"Content-Type\"] = \"application/json\"\nwrk.body = [===[%s]===]\n", t.Payload)
	}
	if authorization := e.template.Header.Get("Authorization"); authorization != "" {
		fmt.Fprintf(&b, "wrk.headers[\"Authorization\"] = %q\n", authorization)
	}
	return b.Bytes(), nil
}

// drive starts p, checks one answer, warms it up, and lets wrk drive it.
func drive(ctx context.Context, s settings, t Task, p Peer, script string) (d drivenRun, err error) {
	server, err := start(ctx, p.Name, t.Name, s.cpu)
	if err != nil {
		return d, err
	}
	defer func() { err = errors.Join(err, server.stop()) }()
	url := "http://" + server.address + t.Target
	if d.answer, err = t.ask(ctx, p, url); err != nil {
		return d, err
	}
	if _, err = s.wrk(ctx, script, url, time.Second, t.Want != nil); err != nil {
		return d, err
	}
	before, err := server.cpuTime()
	if err != nil {
		return d, err
	}
	begin := time.Now()
	if d.requests, err = s.wrk(ctx, script, url, s.duration, t.Want != nil); err != nil {
		return d, err
	}
	d.wall = time.Since(begin)
	after, err := server.cpuTime()
	if err != nil {
		return d, err
	}
	if d.cpu = after - before; d.cpu <= 0 {
		return d, errors.New("the server used no CPU time")
	}
	return d, nil
}

// ask sends the request once with an ordinary client and checks the answer.
func (t Task) ask(ctx context.Context, p Peer, url string) (word string, err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, t.Method, url, bytes.NewReader(t.Payload))
	if err != nil {
		return "", err
	}
	r.Header.Set("Accept", "application/json")
	if t.Payload != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	e, err := t.exchange()
	if err != nil {
		return "", err
	}
	if authorization := e.template.Header["Authorization"]; authorization != nil {
		r.Header["Authorization"] = authorization
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Do(r)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	content, err := io.ReadAll(io.LimitReader(answer.Body, maxBody))
	if err != nil {
		return "", err
	}
	return t.accept(p, answer.StatusCode, answer.Header, content)
}

// wrk drives url for d and returns how many answers came. An answer of another
// class than asked for, or a broken connection, is an error. A slow answer is
// none: on a busy machine wrk itself may wait for its core.
func (s settings) wrk(ctx context.Context, script, url string, d time.Duration, success bool) (requests int, err error) {
	args := []string{"wrk", "-t1", "-c" + strconv.Itoa(s.connections), fmt.Sprintf("-d%ds", int(math.Ceil(d.Seconds()))), "--timeout", "30s", "-s", script, url}
	if cores := others(s.cpu); cores != "" {
		args = append([]string{"taskset", "-c", cores}, args...)
	}
	ctx, cancel := context.WithTimeout(ctx, d+30*time.Second)
	defer cancel()
	output, err := exec.CommandContext(ctx, args[0], args[1:]...).CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("wrk: %w: %s", err, output)
	}
	found := regexp.MustCompile(`(\d+) requests in`).FindSubmatch(output)
	if found == nil || bytes.Contains(output, []byte("Socket errors")) || success == bytes.Contains(output, []byte("Non-2xx")) {
		return 0, fmt.Errorf("wrk: want clean answers of one class: %s", output)
	}
	return strconv.Atoi(string(found[1]))
}

func loopbackMarkdown(w io.Writer, rows []Loopback) {
	for i, r := range rows {
		if i == 0 || rows[i-1].Work != r.Work {
			fmt.Fprintf(w, "\n### %s over loopback, keep-alive\n\n", r.Work)
			fmt.Fprint(w, "| | requests per CPU second | min–max | × floor | core busy | answer |\n|---|---:|---:|---:|---:|---|\n")
		}
		floor := math.NaN()
		if j := slices.IndexFunc(rows, func(f Loopback) bool { return f.Work == r.Work && f.Name == floorName }); j >= 0 {
			floor = rows[j].Median
		}
		fmt.Fprintf(w, "| %s | %s | %s–%s | %s | %.0f %% | %s |\n", r.Title, thousands(r.Median), thousands(r.Least), thousands(r.Most),
			ratio(r.Median/floor), r.Busy*100, r.Answer)
	}
}

// others lists every core but one, for taskset, or nothing if there is only one.
func others(cpu int) string {
	var cores []string
	for core := range runtime.NumCPU() {
		if core != cpu {
			cores = append(cores, strconv.Itoa(core))
		}
	}
	return strings.Join(cores, ",")
}

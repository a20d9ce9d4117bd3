package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// sqlmapOptions are those of every run.
//
// Level 2 and risk 3 are some 150 requests for each value: beside conditions with AND,
// errors, waits, second statements and UNION they are those with OR and heavy queries,
// which change more than they should where a statement writes. Higher levels say the
// same behind more brackets and quotes, three times as often. The engine is named, so
// that all requests are in its own dialect. No refusal is a reason to stop.
var sqlmapOptions = [...]string{
	"--batch", "--ignore-stdin", "--flush-session", "--disable-coloring", "--skip-waf", "--level", "2", "--risk", "3",
	"--ignore-code", "400,401,403,404,409,412,415,422,429", "--time-sec", "2", "--timeout", "20", "--retries", "1",
	"--answers", "skip further tests=N,keep testing=Y,want to exploit=N,URL encode cookie=N",
}

// sqlmapTries is how often a value must be found to count.
const sqlmapTries = 3

// sqlmapParts is how many run at once on each engine.
const sqlmapParts = 2

// engine is a kind of database.
type engine struct {
	name string // as sqlmap has it
	url  string // "" for files in the data folder
}

func runSQLMap(ctx context.Context, b *bench) (string, error) {
	binary, err := b.buildShop(ctx, "unlimited")
	if err != nil {
		return "", err
	}
	if err := b.covers(ctx, binary, shopTargets()); err != nil {
		return "", err
	}
	server, err := openPostgres(ctx)
	if err != nil {
		return "", err
	}
	defer server.close()
	engines := []engine{{"SQLite", ""}, {"PostgreSQL", server.url()}}
	verdicts, errs := make([]verdicts, len(engines)), make([]error, len(engines))
	var running sync.WaitGroup
	for i, e := range engines {
		running.Go(func() { verdicts[i], errs[i] = b.inject(ctx, binary, e) })
	}
	running.Wait()
	var summaries []string
	for i, e := range engines {
		summaries = append(summaries, fmt.Sprintf("%s: %v", e.name, verdicts[i]))
	}
	return strings.Join(summaries, "; "), errors.Join(errs...)
}

// verdicts are how many values were tried, and in how many requests.
type verdicts struct{ values, requests, found int }

func (v verdicts) String() string {
	return fmt.Sprintf("%d values not injectable after %d requests, %d of %d injectable ones found", v.values, v.requests, v.found, len(injectableTargets()))
}

// inject attacks the shop on one engine, and its opposite.
func (b *bench) inject(ctx context.Context, binary string, e engine) (v verdicts, err error) {
	var found int
	var opposite error
	var running sync.WaitGroup
	running.Go(func() { found, opposite = b.injectOpposite(ctx, binary, e) })
	defer func() {
		running.Wait()
		if v.found = found; opposite != nil {
			err = errors.Join(err, fmt.Errorf("%s: %w", e.name, opposite))
		}
	}()
	data, err := os.MkdirTemp(b.temp, "data-")
	if err != nil {
		return v, err
	}
	env := []string{"FASTNESS_DB=" + e.url}
	if err := addUser(ctx, binary, data, env, "--role", "seller", "--role", "customer", "--tenant", "castle"); err != nil {
		return v, err
	}
	s, err := b.startShop(ctx, binary, data, env, "--insecure-plain-http", "it is SQL that is attacked, and sqlmap waits 40 ms in each request over TLS",
		"--public-url", "https://localhost")
	if err != nil {
		return v, err
	}
	defer s.close()
	targets, err := s.prepare(ctx, shopTargets())
	if err != nil {
		return v, fmt.Errorf("%s: %w", e.name, err)
	}
	judged, err := b.sqlmap(ctx, e, s.port, targets)
	for try := 2; try <= sqlmapTries && err == nil; try++ {
		err = b.again(ctx, e, s.port, targets, judged)
	}
	v.requests = s.requests()
	if err != nil {
		return v, fmt.Errorf("%s: %w", e.name, err)
	}
	v.values, err = judged.harmless(targets)
	if n := s.failures(); n > 0 {
		err = errors.Join(err, fmt.Errorf("%d requests were answered with 500", n))
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", e.name, err)
	}
	return v, err
}

// again attacks once more what was found. An answer that changes for another reason,
// or is late because the machine is, looks like one that a condition has changed.
func (b *bench) again(ctx context.Context, e engine, port string, targets []target, all judged) error {
	for i, t := range targets {
		if all[i].injectable == 0 {
			continue
		}
		b.printf("%s: %s once more: %q", e.name, t.op, all[i].words)
		once, err := b.sqlmap(ctx, e, port, []target{t})
		if err != nil {
			return err
		}
		all[i] = once[0]
	}
	return nil
}

// injectOpposite runs the same command on what can be injected, and wants that all of
// it is found.
func (b *bench) injectOpposite(ctx context.Context, binary string, e engine) (found int, err error) {
	url := e.url
	if url == "" {
		url = "sqlite://" + filepath.Join(b.temp, "injectable.db")
	}
	s, err := b.startShop(ctx, binary, b.temp, []string{"FASTNESS_RIG_INJECTABLE=" + url}, "--insecure-plain-http", "it is to be attacked")
	if err != nil {
		return 0, err
	}
	defer s.close()
	targets := injectableTargets()
	judged, err := b.sqlmap(ctx, e, s.port, targets)
	if err != nil {
		return 0, err
	}
	for i, t := range targets {
		if judged[i].injectable == 0 {
			err = errors.Join(err, fmt.Errorf("%s: what can be injected was not found", t.op))
			continue
		}
		found++
	}
	return found, err
}

// judged is how many values of each target can and cannot be injected.
type judged []verdict

type verdict struct {
	injectable, harmless int
	words                []string // about those that can
}

// harmless returns how many values there are, if none can be injected and none was
// left out.
func (j judged) harmless(targets []target) (values int, err error) {
	for i, t := range targets {
		marks := t.marks()
		values += j[i].harmless
		switch {
		case j[i].injectable > 0:
			err = errors.Join(err, fmt.Errorf("%s can be injected: %q", t.op, j[i].words))
		case j[i].harmless < marks:
			err = errors.Join(err, fmt.Errorf("%s: %d values were tried, want %d", t.op, j[i].harmless, marks))
		}
	}
	return values, err
}

// sqlmap lets the tool attack targets on a port, in several parts at once.
func (b *bench) sqlmap(ctx context.Context, e engine, port string, targets []target) (judged, error) {
	all := make(judged, len(targets))
	parts, errs := min(sqlmapParts, len(targets)), make([]error, sqlmapParts)
	var running sync.WaitGroup
	for part := range parts {
		running.Go(func() {
			var mine []target
			for i := part; i < len(targets); i += parts {
				mine = append(mine, targets[i])
			}
			got, err := b.sqlmapPart(ctx, e, port, mine)
			for i := range got {
				all[part+i*parts] = got[i]
			}
			errs[part] = err
		})
	}
	running.Wait()
	return all, errors.Join(errs...)
}

func (b *bench) sqlmapPart(ctx context.Context, e engine, port string, targets []target) (judged, error) {
	folder, err := os.MkdirTemp(b.temp, "sqlmap-")
	if err != nil {
		return nil, err
	}
	list := filepath.Join(folder, "targets")
	var text strings.Builder
	for _, t := range targets {
		text.WriteString(t.request(port))
	}
	if err := os.WriteFile(list, []byte(text.String()), 0o600); err != nil {
		return nil, err
	}
	args := append(sqlmapOptions[:], "-l", list, "--dbms", e.name, "--output-dir", folder, "--tmp-dir", folder)
	begin := time.Now()
	said, status, err := output(ctx, folder, "sqlmap", args...)
	if err != nil {
		return nil, err
	}
	b.printf("%s: %d requests to attack took %.0f s", e.name, len(targets), time.Since(begin).Seconds())
	got, err := readSQLMap(string(said), len(targets))
	if err != nil {
		err = fmt.Errorf("sqlmap ended with status %d: %w\n%s", status, err, tail(said, 20))
	}
	return got, err
}

var (
	sqlmapTarget   = regexp.MustCompile(`^\[(\d+)/(\d+)\] URL:`)
	sqlmapHarmless = regexp.MustCompile(`parameter '.*' does not seem to be injectable$`)
	sqlmapFound    = regexp.MustCompile(`parameter '.*' is vulnerable\b|^sqlmap (identified|resumed) the following injection point`)
)

// readSQLMap reads what sqlmap says of targets, which it names in their order.
func readSQLMap(said string, targets int) (judged, error) {
	all := make(judged, targets)
	at := -1
	for line := range strings.Lines(said) {
		line = strings.TrimRight(line, "\r\n")
		if m := sqlmapTarget.FindStringSubmatch(line); m != nil {
			if n, _ := strconv.Atoi(m[2]); n != targets {
				return nil, fmt.Errorf("it has %s targets, want %d", m[2], targets)
			}
			n, _ := strconv.Atoi(m[1])
			at = n - 1
		}
		if at < 0 || at >= targets {
			continue
		}
		switch {
		case sqlmapHarmless.MatchString(line):
			all[at].harmless++
		case sqlmapFound.MatchString(line):
			all[at].injectable++
			all[at].words = append(all[at].words, line)
		}
	}
	if at != targets-1 {
		return nil, fmt.Errorf("it ended after %d targets, want %d", at+1, targets)
	}
	return all, nil
}

// covers wants a target for each operation of the document that takes any input, with
// all of its values marked.
func (b *bench) covers(ctx context.Context, binary string, targets []target) error {
	text, status, err := output(ctx, b.temp, binary, "openapi")
	if err != nil || status != 0 {
		return errors.Join(err, fmt.Errorf("openapi ended with status %d\n%s", status, tail(text, 5)))
	}
	var doc apiDocument
	if err := json.Unmarshal(text, &doc); err != nil {
		return err
	}
	marks, shut := make(map[string]int), make(map[string]bool)
	for _, t := range targets {
		marks[t.op] += t.marks()
		shut[t.op] = shut[t.op] || t.shut != ""
	}
	var wrong []error
	for op, inputs := range doc.inputs() {
		if inputs > 0 && marks[op] < inputs && !shut[op] {
			wrong = append(wrong, fmt.Errorf("%s: %d values are attacked, want %d", op, marks[op], inputs))
		}
	}
	return errors.Join(wrong...)
}

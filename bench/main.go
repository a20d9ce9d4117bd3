// Command bench measures the same work, done by several peers, side by side.
//
// In process it sends one request again and again to each peer's handler and
// prints CPU time, allocations and ratios. With -loopback it starts each peer
// as a server of its own and drives it with wrk. Only answers that were
// checked are timed. README.md says what is measured and what is not.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdin, os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// settings are the flags.
type settings struct {
	only, works    []string
	rounds, procs  int
	target         time.Duration
	json, loopback bool
	duration       time.Duration
	connections    int
	serve          string
	cpu            int
}

func run(ctx context.Context, args []string, stdin io.Reader, stdout io.Writer) error {
	s, err := parse(args)
	if err != nil {
		return err
	}
	if s.serve != "" {
		t, err := s.task()
		if err != nil {
			return err
		}
		return serve(s.serve, t, stdin, stdout)
	}
	runtime.GOMAXPROCS(s.procs)
	report := Report{Environment: environment(s.rounds)}
	if s.loopback {
		report.Loopback, err = loopback(ctx, s)
	} else {
		report.Tables, err = inProcess(s)
	}
	if err != nil {
		return err
	}
	if s.json {
		encoder := json.NewEncoder(stdout)
		encoder.SetIndent("", "  ")
		return encoder.Encode(report)
	}
	report.Markdown(stdout)
	return nil
}

func parse(args []string) (settings, error) {
	var s settings
	var only, works string
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.StringVar(&only, "only", "", "`peers` to run, separated by commas (default all)")
	flags.StringVar(&works, "work", "", "`works` to run: a, b, c, c-hs256, …, d, decode (default all; with -loopback those that wrk can drive)")
	flags.IntVar(&s.rounds, "rounds", 0, "rounds (default 7; with -loopback 3)")
	flags.IntVar(&s.procs, "procs", 1, "GOMAXPROCS in process; with 1 no idle core collects garbage on the side")
	flags.DurationVar(&s.target, "target", 200*time.Millisecond, "CPU time of one peer in one round")
	flags.BoolVar(&s.json, "json", false, "print JSON, not Markdown")
	flags.BoolVar(&s.loopback, "loopback", false, "measure servers over loopback with wrk")
	flags.DurationVar(&s.duration, "duration", 3*time.Second, "wall time of one wrk run")
	flags.IntVar(&s.connections, "connections", 32, "connections of wrk")
	flags.IntVar(&s.cpu, "cpu", runtime.NumCPU()-1, "the core that a server is pinned to; wrk runs on the others")
	flags.StringVar(&s.serve, "serve", "", "serve one `peer`, ready for the first of -work, until standard input ends; -loopback starts it so")
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	s.only, s.works = list(only), list(works)
	if s.rounds == 0 {
		s.rounds = 7
		if s.loopback {
			s.rounds = 3
		}
	}
	return s, s.validate(flags.Args())
}

func (s settings) validate(rest []string) error {
	var errs []error
	wrong := func(format string, values ...any) { errs = append(errs, fmt.Errorf(format, values...)) }
	if len(rest) > 0 {
		wrong("%d arguments after the flags, want none", len(rest))
	}
	if s.rounds < 1 {
		wrong("-rounds is %d, want at least 1", s.rounds)
	}
	if s.procs < 1 {
		wrong("-procs is %d, want at least 1", s.procs)
	}
	if s.target < time.Millisecond {
		wrong("-target is %v, want at least 1ms", s.target)
	}
	if s.duration < time.Second {
		wrong("-duration is %v, want at least 1s, which is wrk's least", s.duration)
	}
	if s.connections < 1 {
		wrong("-connections is %d, want at least 1", s.connections)
	}
	if s.cpu < 0 || s.cpu >= runtime.NumCPU() {
		wrong("-cpu is %d, want 0 to %d", s.cpu, runtime.NumCPU()-1)
	}
	for _, name := range s.only {
		if !known(name) {
			wrong("-only: nobody is called %q", name)
		}
	}
	for _, name := range s.works {
		if works := allWorks(); !slices.Contains(works, name) {
			wrong("-work: %q is none of %v", name, works)
		}
		if s.loopback && (name == decodeWork || strings.HasSuffix(name, newSuffix)) {
			wrong("-work: wrk cannot drive %q over loopback", name)
		}
	}
	return errors.Join(errs...)
}

// allWorks are the names of works that -work takes.
func allWorks() []string {
	return []string{"a", "b", "c", "c-hs256", "c-hs256" + newSuffix, "c-eddsa", "c-eddsa" + newSuffix, "d", decodeWork}
}

// known tells whether a peer or a decoder is called name.
func known(name string) bool {
	return slices.ContainsFunc(Peers(), func(p Peer) bool { return p.Name == name }) ||
		slices.ContainsFunc(Decoders(), func(d Decoder) bool { return d.Name == name })
}

func list(flag string) []string {
	return strings.FieldsFunc(flag, func(c rune) bool { return c == ',' || c == ' ' })
}

// inProcess measures the works of s, one table each.
func inProcess(s settings) ([]Table, error) {
	tasks, err := Tasks()
	if err != nil {
		return nil, err
	}
	var tables []Table
	add := func(name, title, baseline string, contenders []contender, err error) error {
		if err != nil || len(contenders) == 0 {
			return err
		}
		results, err := measure(contenders, Plan{Rounds: s.rounds, Target: s.target})
		tables = append(tables, Table{name, title, baseline, results})
		return err
	}
	peers := slices.DeleteFunc(Peers(), func(p Peer) bool { return !s.wants(p.Name) })
	for _, t := range tasks {
		if !s.does(t.Name) {
			continue
		}
		contenders, err := handlersOf(t, peers)
		if err := add(t.Name, t.Title, baselineName, contenders, err); err != nil {
			return nil, err
		}
	}
	if !s.does(decodeWork) {
		return tables, nil
	}
	decoders := slices.DeleteFunc(Decoders(), func(d Decoder) bool { return !s.wants(d.Name) })
	contenders, err := decodersOf(decoders)
	return tables, add(decodeWork, "decode and validate the 1 KB body, nothing else", decodeBaseline, contenders, err)
}

// wants tells whether the peer or decoder called name takes part.
func (s settings) wants(name string) bool { return len(s.only) == 0 || slices.Contains(s.only, name) }

// does tells whether the work called name is measured.
func (s settings) does(name string) bool {
	return len(s.works) == 0 || slices.ContainsFunc(s.works, func(w string) bool { return w == name || strings.HasPrefix(name, w+"-") })
}

// task is the first work that s does.
func (s settings) task() (Task, error) {
	all, err := Tasks()
	if err != nil {
		return Task{}, err
	}
	i := slices.IndexFunc(all, func(t Task) bool { return s.does(t.Name) })
	if i < 0 {
		return Task{}, errors.New("-serve: no handler does that work")
	}
	return all[i], nil
}

// Package scan attacks an HTTP API, in any language, and says what it can prove. It reads
// the OpenAPI document, or finds out what there is without one; logs in as two users or
// more; makes objects of each; and then asks as everybody for what is everybody else's, and
// for much more.
//
//	r, err := scan.Run(ctx, scan.Config{
//		Target: "http://127.0.0.1:8080", Document: "openapi.json",
//		Users: []scan.User{{Username: "alice", Password: "…"}, {Username: "bob", Password: "…"}},
//	})
//	…
//	err = report.Write(os.Stdout, report.Terminal, r.Publish(), report.Options{})
//
// A finding has an oracle, which proves the flaw, and a control, which rules out the
// innocent reading. What changes things comes last, works on what the scan has made, and
// puts back what it can. Requests are bounded in number, rate, time and size, and stay with
// one host.
//
// Package scantest runs a scan inside a Go test; the command is fastness scan.
package scan

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/explore"
	"github.com/fastness/fastness/scan/internal/listen"
	"github.com/fastness/fastness/scan/internal/login"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/internal/spec"
	"github.com/fastness/fastness/scan/report"
	"github.com/fastness/fastness/scan/wire"
)

// scan is one that is under way.
type scan struct {
	config   Config
	profile  profile
	started  time.Time
	client   *wire.Client
	keeper   *login.Keeper
	listener *listen.Listener
	target   *probe.Target
	runner   atomic.Pointer[runner]
	coverage coverage
	results  collector
	notes    []string
	stopped  string
	crawled  bool // there is no document
	down     atomic.Bool
	early    []*wire.Exchange // those of before the checks
}

// Run scans a target. An error says why there was no scan at all; what went wrong later is
// in the report. When ctx ends, the report holds what was found until then.
func Run(ctx context.Context, config Config) (*report.Report, error) {
	s, err := begin(config)
	if err != nil {
		return nil, err
	}
	defer s.end()
	limited, cancel := context.WithTimeout(ctx, s.config.MaxTime)
	defer cancel()
	api, err := s.survey(limited)
	if err != nil {
		return nil, err
	}
	s.prove(limited, api)
	switch {
	case ctx.Err() != nil:
		s.stopped = "it was interrupted"
	case limited.Err() != nil:
		s.stopped = fmt.Sprintf("its time, %s, was over", s.config.MaxTime)
	}
	return s.report(api), nil
}

// begin makes what a scan needs.
func begin(config Config) (*scan, error) {
	s := &scan{config: config, started: time.Now()}
	var err error
	if s.profile, err = s.config.prepare(); err != nil {
		return nil, err
	}
	wires := wire.Config{
		Target: s.config.Target, MaxRequests: s.config.MaxRequests, Rate: s.config.Rate, Timeout: s.config.Timeout,
		Header: s.config.Header, CAFile: s.config.CAFile, InsecureCertificates: s.config.InsecureCertificates, Observer: s.observe, Wait: s.config.Wait,
	}
	if s.config.Handler != nil {
		wires.Transport = inProcess{s.config.Handler}
	}
	if s.client, err = wire.New(wires); err != nil {
		return nil, fmt.Errorf("scan config: %w", err)
	}
	if s.profile.last > check.Passive {
		s.listener, err = listen.New(listen.Config{Address: s.config.Listen, Public: s.config.Public})
		if err != nil {
			s.client.Close()
			return nil, fmt.Errorf("scan config: Listen: %w", err)
		}
	}
	return s, nil
}

// end frees what begin made.
func (s *scan) end() {
	s.client.Close()
	if s.listener != nil {
		_ = s.listener.Close() // Nothing is lost by it.
	}
}

// maxEarly is how many exchanges of log-ins passive checks see.
const maxEarly = 500

// observe sees each exchange.
func (s *scan) observe(ex *wire.Exchange) {
	if errors.Is(ex.Err, wire.ErrTargetDown) {
		s.down.Store(true)
		return
	}
	s.coverage.see(ex)
	if r := s.runner.Load(); r != nil {
		r.look(ex)
	} else if len(s.early) < maxEarly { // The client calls one at a time.
		s.early = append(s.early, ex)
	}
}

// survey finds out what there is, and logs in.
func (s *scan) survey(ctx context.Context) (*spec.API, error) {
	s.progress("document", "", 0, 0)
	if err := s.knock(ctx); err != nil {
		return nil, err
	}
	api, err := s.load(ctx)
	if err == nil && api == nil {
		api, err = s.discoverDocument(ctx)
	}
	if err != nil {
		return nil, err
	}
	s.rebase(ctx, api)
	api.Operations = slices.DeleteFunc(api.Operations, func(op *spec.Operation) bool { return !s.config.wants(op) })
	s.progress("log-in", "", 0, 0)
	s.keeper, err = login.New(login.Config{
		Client: s.client, API: api, Accounts: s.config.Users, LogIn: s.config.LogIn, LoggedOut: s.config.LoggedOut,
		NoRegister: s.config.NoRegister || s.config.ReadOnly || s.profile.last == check.Passive, Seed: s.config.Seed, Logger: s.config.Logger,
	})
	if err != nil {
		return nil, err
	}
	users, err := s.keeper.Start(ctx)
	if err != nil {
		s.note("not everybody could be logged in: %v", err)
	}
	world := probe.NewWorld(api, users)
	targets := probe.TargetConfig{
		World: world, Client: s.client, Keeper: s.keeper, Limits: s.profile.limits, Seed: s.config.Seed, Logger: s.config.Logger,
	}
	if s.listener != nil {
		targets.Listener = s.listener
	}
	s.target = probe.NewTarget(targets)
	return api, nil
}

// prove explores, and runs the checks.
func (s *scan) prove(ctx context.Context, api *spec.API) {
	checks := s.checks()
	r := &runner{checks: checks, target: s.target, results: &s.results, logger: s.config.Logger, parallel: parallelChecks, progress: s.progressOf}
	s.runner.Store(r)
	for _, ex := range s.early {
		r.look(ex)
	}
	s.early = nil
	s.progress("discover", "", 0, len(checks))
	s.discover(ctx, api)
	s.progress("explore", "", 0, len(checks))
	if _, err := explore.Run(ctx, s.target, explore.Config{}); err != nil && ctx.Err() == nil {
		s.note("exploring ended early: %v", err)
	}
	r.run(ctx)
	if s.down.Load() {
		s.stopped = wire.ErrTargetDown.Error()
	}
}

// parallelChecks is how many checks that only read run at once.
const parallelChecks = 4

// checks returns those that run.
func (s *scan) checks() []check.Check {
	list := allowed(s.config.catalogue(), s.profile)
	return slices.DeleteFunc(list, func(c check.Check) bool {
		return len(s.config.Checks) > 0 && !slices.Contains(s.config.Checks, c.Kind.ID) || slices.Contains(s.config.Without, c.Kind.ID)
	})
}

func (s *scan) note(format string, args ...any) {
	s.notes = append(s.notes, fmt.Sprintf(format, args...))
}

package scan

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/explore"
	"github.com/fastness/fastness/scan/internal/spec"
	"github.com/fastness/fastness/scan/report"
)

// Planned is what a scan would do.
type Planned struct {
	Title, Version string
	// Servers are the addresses that the document names. They are information only.
	Servers    []string
	Operations []PlannedOperation
	// Checks are in the order in which they run.
	Checks     []finding.Kind
	Complaints []report.Complaint
	// MaxRequests and MaxTime end the scan, Write says that it may change something.
	MaxRequests int
	MaxTime     time.Duration
	Write       bool
}

// PlannedOperation is an operation that is asked, or why not.
type PlannedOperation struct {
	Method, Path string
	// Takes are its parameters and its body, as "path id" and "body application/json".
	Takes []string
	// LogIn reports whether the document says that a log-in is needed.
	LogIn bool
	// Held is why it is not asked, or empty.
	Held string
}

// Plan returns what a scan would do. It sends nothing to the target, apart from a request
// for the document if that is an address.
func Plan(ctx context.Context, config Config) (*Planned, error) {
	s := &scan{config: config}
	if s.config.Target == "" && s.config.Handler == nil {
		s.config.Target = "http://localhost" // A plan needs none.
	}
	var err error
	if s.profile, err = s.config.prepare(); err != nil {
		return nil, err
	}
	var api *spec.API
	if strings.Contains(s.config.Document, "://") {
		if s, err = begin(s.config); err != nil {
			return nil, err
		}
		defer s.end()
	}
	if api, err = s.load(ctx); err != nil {
		return nil, err
	}
	if api == nil {
		return nil, errors.New("scan: a plan needs a document; without one, a scan finds out what there is by asking")
	}
	p := &Planned{
		Title: api.Title, Version: api.Version, Servers: api.Servers,
		MaxRequests: s.config.MaxRequests, MaxTime: s.config.MaxTime, Write: s.profile.limits.Write,
	}
	for _, op := range api.Operations {
		p.Operations = append(p.Operations, s.planned(op))
	}
	checks := s.checks()
	for phase := check.Passive; phase <= check.Session; phase++ {
		for _, c := range checks {
			if c.Phase == phase && !slices.ContainsFunc(p.Checks, func(k finding.Kind) bool { return k.ID == c.Kind.ID }) {
				p.Checks = append(p.Checks, c.Kind)
			}
		}
	}
	for _, c := range api.Complaints {
		p.Complaints = append(p.Complaints, report.Complaint{Where: c.Where, What: c.What})
	}
	return p, nil
}

func (s *scan) planned(op *spec.Operation) PlannedOperation {
	out := PlannedOperation{Method: op.Method, Path: op.Path, LogIn: op.NeedsLogIn()}
	for _, param := range op.Params {
		out.Takes = append(out.Takes, param.In+" "+param.Name)
	}
	if op.Body != nil && len(op.Body.Media) > 0 {
		out.Takes = append(out.Takes, "body "+op.Body.Media[0].Type)
	}
	switch why := explore.Dangerous(op); {
	case !s.config.wants(op):
		out.Held = "left out by the configuration"
	case why != "" && !s.config.Destructive:
		out.Held = why
	case !op.Safe() && !s.profile.limits.Write:
		out.Held = fmt.Sprintf("%s may change something, and the scan only reads", op.Method)
	}
	return out
}

package scan

import (
	"fmt"
	"slices"
	"time"

	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/explore"
	"github.com/fastness/fastness/scan/internal/login"
	"github.com/fastness/fastness/scan/internal/spec"
	"github.com/fastness/fastness/scan/report"
	"github.com/fastness/fastness/scan/wire"
)

// report makes the report of what is known now.
func (s *scan) report(api *spec.API) *report.Report {
	r := &report.Report{
		Target: s.config.Target, Document: api.Source, Title: api.Title, APIVersion: api.Version, Profile: string(s.config.Profile), Seed: s.config.Seed,
		Start: s.started, Duration: time.Since(s.started), Requests: s.client.Stats().Requests, Stopped: s.stopped,
		Findings: s.results.findings(), Notes: s.notes, Secrets: &wire.Redactor{},
	}
	if r.Profile == "" {
		r.Profile = string(Deep)
	}
	s.people(r)
	var ids []string
	for _, c := range s.config.catalogue() {
		ids = append(ids, c.Kind.ID)
		r.Checks = append(r.Checks, s.outcome(c))
	}
	r.Operations = s.coverage.operations(api, ids)
	for i, op := range api.Operations {
		if r.Operations[i].Answers == nil {
			r.Operations[i].Held = explore.Dangerous(op)
		}
	}
	for _, c := range api.Complaints {
		r.Complaints = append(r.Complaints, report.Complaint{Where: c.Where, What: c.What})
	}
	return r
}

// people adds who the scan was. Users that were made for single checks are only counted.
func (s *scan) people(r *report.Report) {
	made := 0
	for _, i := range s.keeper.Identities() {
		if i.User == nil {
			continue
		}
		hide(r.Secrets, i.Name, i.User)
		if !slices.Contains(s.target.Users, i.User) {
			made++
			continue
		}
		r.Users = append(r.Users, report.User{Name: i.Name, Admin: i.User.Admin, Registered: i.User.Registered, LogIn: i.How})
		if !i.Proven {
			r.Notes = append(r.Notes, "nothing proves that "+i.Name+" is logged in: no operation was found that answers "+i.Name+" otherwise than strangers")
		}
	}
	if made > 0 {
		r.Notes = append(r.Notes, fmt.Sprintf("%d more users were registered, each for a single check", made))
	}
}

// outcome says what became of a check.
func (s *scan) outcome(c check.Check) report.Check {
	line := report.Check{Kind: c.Kind}
	r := s.runner.Load()
	ran, begun := r.ran[c.Kind.ID]
	switch {
	case c.Run == nil && c.Look == nil:
		line.Skipped = "the program has not declared anything to hold it against"
	case !slices.ContainsFunc(r.checks, func(each check.Check) bool { return each.Kind.ID == c.Kind.ID }):
		line.Skipped = "not in this profile"
	case c.Run != nil && !begun:
		line.Skipped = "the scan ended before"
	case ran != nil:
		line.Failed = ran.Error()
	}
	return line
}

// progress tells how far the scan is.
func (s *scan) progress(stage, id string, done, of int) {
	if s.config.Progress == nil {
		return
	}
	stats := s.client.Stats()
	p := Progress{
		Stage: stage, Check: id, Done: done, Of: of, Requests: stats.Requests, PerSecond: stats.Rate(),
		Elapsed: time.Since(s.started), Findings: s.results.count(),
	}
	if s.target != nil {
		p.Operations = len(s.target.API.Operations)
	}
	if done > 0 && of > done {
		p.Left = time.Duration(float64(p.Elapsed) * float64(of-done) / float64(done))
	}
	s.config.Progress(p)
}

func (s *scan) progressOf(_ check.Phase, id string, done, of int) { s.progress("check", id, done, of) }

// hide has the secrets of a user replaced by names that tell what each is: the command
// that repeats a request needs them.
func hide(r *wire.Redactor, name string, u *login.User) {
	r.Add(u.Known["password"], "PASSWORD_"+name)
	for i, c := range u.Credentials() {
		if i == 0 {
			r.Add(c.Value, "TOKEN_"+name)
		} else {
			r.Add(c.Value, fmt.Sprintf("TOKEN_%s_%d", name, i+1))
		}
	}
	for i, secret := range u.Secrets() { // Those that were in use before, too.
		r.Add(secret, fmt.Sprintf("SECRET_%s_%d", name, i+1))
	}
}

package scan

import (
	"fmt"
	"time"

	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/probe"
)

// Profile says how much a scan does.
type Profile string

// The profiles.
const (
	// Deep is the default: every check.
	Deep Profile = "deep"
	// CI leaves out checks that take long: those that measure time again and again, send
	// large bodies or exhaust limits.
	CI Profile = "ci"
	// Quick makes objects to work with, and then runs the checks that only read.
	Quick Profile = "quick"
	// Passive sends reading requests that the document describes, as every user, and looks
	// at the answers. It changes nothing and attacks nothing.
	Passive Profile = "passive"
)

type profile struct {
	last     check.Phase
	limits   probe.Limits
	requests int
	time     time.Duration
}

func (p Profile) settings() (profile, error) {
	switch p {
	case Deep, "":
		return profile{last: check.Session, limits: probe.Limits{Write: true, Deep: true}, requests: 60_000, time: 30 * time.Minute}, nil
	case CI:
		return profile{last: check.Session, limits: probe.Limits{Write: true}, requests: 30_000, time: 10 * time.Minute}, nil
	case Quick:
		return profile{last: check.Read, limits: probe.Limits{Write: true}, requests: 10_000, time: 5 * time.Minute}, nil
	case Passive:
		return profile{last: check.Passive, requests: 2_000, time: 5 * time.Minute}, nil
	}
	return profile{}, fmt.Errorf("profile %q: want deep, ci, quick or passive", string(p))
}

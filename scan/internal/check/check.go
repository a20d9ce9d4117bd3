// Package check is the form of the checks of a scan: each is one unit that holds what it
// looks for and how.
//
//	func bolaRead() check.Check {
//		return check.Check{
//			Kind: finding.Kind{ID: "AZ-01", Title: "Another user's object can be read", …},
//			Phase: check.Read,
//			Run: func(ctx context.Context, t *probe.Target, report check.Report) error { … },
//		}
//	}
//
// What a check reports has an oracle, which proves the flaw, and a control, which rules out
// the innocent reading. What has none is a hint ([Claim.Hint]), and weighs little.
package check

import (
	"context"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/wire"
)

// Phase is when a check runs. The later ones may spoil what earlier ones need.
type Phase int

// The phases, in order.
const (
	// Passive checks look at answers that others asked for.
	Passive Phase = iota
	// Read checks send requests that should change nothing.
	Read
	// Write checks change things, and put them back where they can.
	Write
	// Destroy checks remove what the scan made.
	Destroy
	// Session checks end log-ins, change passwords of users that the scan made, or bring
	// the target to limit or lock somebody.
	Session
)

// Check looks for one kind of flaw.
type Check struct {
	Kind  finding.Kind
	Phase Phase
	// Deep checks take long, or many requests: they are left out of quick scans.
	Deep bool
	// Alone checks measure time: no other request is under way meanwhile.
	Alone bool
	// Look is called for each answer of the scan, of all phases, once it is over. Only of
	// passive checks.
	Look func(t *probe.Target, ex *wire.Exchange, report Report)
	// Run looks for the flaw in all operations. An error says why it could not; what it
	// has reported until then counts.
	Run func(ctx context.Context, t *probe.Target, report Report) error
	// Also are parts of the check that run in other phases. Those that a profile does not
	// allow are left out.
	Also []Part
}

// Part is a part of a check with a phase of its own.
type Part struct {
	Phase Phase
	Run   func(ctx context.Context, t *probe.Target, report Report) error
}

// Report takes a claim.
type Report func(Claim)

// Claim is a flaw as a check sees it.
type Claim struct {
	Place finding.Place
	// Cause is the same for claims that are one flaw in several places, which are reported
	// as one. Empty: each place is a flaw of its own.
	Cause string
	// Says is what is wrong, in one sentence; Control why the innocent reading is out.
	Says, Control string
	// Severity other than that of the kind, or nil.
	Severity *finding.Severity
	// Hint is set if there is no proof.
	Hint     bool
	Evidence []finding.Evidence
}

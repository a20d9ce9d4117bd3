package scan

import (
	"cmp"
	"slices"
	"sync"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
)

// collector makes findings of claims: one for each cause, with all places where it shows.
type collector struct {
	mu    sync.Mutex
	found map[string]*finding.Finding
}

// maxPlaces of a finding that are listed, and of its evidence.
const (
	maxPlaces   = 200
	maxEvidence = 8
)

// of returns what takes the claims of a check.
func (c *collector) of(k finding.Kind) check.Report {
	return func(claim check.Claim) { c.add(k, claim) }
}

func (c *collector) add(k finding.Kind, claim check.Claim) {
	c.mu.Lock()
	defer c.mu.Unlock()
	cause := k.ID + "\n" + claim.Cause
	if claim.Cause == "" {
		cause += claim.Place.Method + "\n" + claim.Place.Path + "\n" + claim.Place.Parameter
	}
	if claim.Hint { // A hint and a proof are not one finding.
		cause += "\nhint"
	}
	f := c.found[cause]
	if f == nil {
		f = &finding.Finding{
			Kind: k, Severity: k.Severity, Proven: !claim.Hint,
			Claim: claim.Says, Control: claim.Control, Evidence: claim.Evidence[:min(len(claim.Evidence), maxEvidence)],
		}
		if claim.Severity != nil {
			f.Severity = *claim.Severity
		}
		if claim.Hint {
			f.Severity = min(f.Severity, finding.Low)
		}
		if c.found == nil {
			c.found = map[string]*finding.Finding{}
		}
		c.found[cause] = f
	}
	if claim.Severity != nil && !claim.Hint {
		f.Severity = max(f.Severity, *claim.Severity)
	}
	if !slices.Contains(f.Places, claim.Place) && len(f.Places) < maxPlaces {
		f.Places = append(f.Places, claim.Place)
	}
}

// findings returns all, the worst first, then by check and place.
func (c *collector) findings() []*finding.Finding {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := make([]*finding.Finding, 0, len(c.found))
	for _, f := range c.found {
		list = append(list, f)
	}
	slices.SortFunc(list, func(a, b *finding.Finding) int {
		return cmp.Or(cmp.Compare(b.Severity, a.Severity), cmp.Compare(a.Kind.ID, b.Kind.ID),
			cmp.Compare(a.Places[0].String(), b.Places[0].String()), cmp.Compare(a.Claim, b.Claim))
	})
	return list
}

func (c *collector) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.found)
}

package scan

import (
	"cmp"
	"maps"
	"slices"
	"sync"

	"github.com/fastness/fastness/scan/internal/spec"
	"github.com/fastness/fastness/scan/report"
	"github.com/fastness/fastness/scan/wire"
)

// coverage notes how far a scan came with each operation.
type coverage struct {
	mu  sync.Mutex
	ops map[string]*covered
}

type covered struct {
	best   map[string]int  // status, by user
	checks map[string]bool // by what requests were sent
}

// see notes an exchange.
func (c *coverage) see(ex *wire.Exchange) {
	id := ex.Request.Operation
	if id == "" {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ops == nil {
		c.ops = map[string]*covered{}
	}
	op := c.ops[id]
	if op == nil {
		op = &covered{best: map[string]int{}, checks: map[string]bool{}}
		c.ops[id] = op
	}
	user := cmp.Or(ex.Request.User, "anonymous")
	if was, asked := op.best[user]; !asked || rank(ex.Status) < rank(was) {
		op.best[user] = ex.Status
	}
	op.checks[ex.Request.Why] = true
}

// rank puts the status first that says most of what can be reached.
func rank(status int) int {
	switch {
	case status >= 200 && status < 300:
		return 0
	case status >= 300 && status < 400:
		return 1
	case status == 422 || status == 400:
		return 2
	case status == 0:
		return 9
	case status >= 500:
		return 3
	case status == 404 || status == 409:
		return 4
	}
	return 5
}

// operations returns the coverage for the report.
func (c *coverage) operations(api *spec.API, checks []string) (list []report.Operation) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, op := range api.Operations {
		line := report.Operation{ID: op.ID, Method: op.Method, Path: op.Path, Found: op.Found}
		if seen := c.ops[op.ID]; seen != nil {
			for _, user := range slices.Sorted(maps.Keys(seen.best)) {
				line.Answers = append(line.Answers, report.Answer{User: user, Status: seen.best[user]})
			}
			for _, why := range slices.Sorted(maps.Keys(seen.checks)) {
				if slices.Contains(checks, why) {
					line.Checks = append(line.Checks, why)
				}
			}
		}
		list = append(list, line)
	}
	return list
}

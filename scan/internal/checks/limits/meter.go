package limits

import (
	"cmp"
	"context"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/fastness/fastness/scan/internal/login"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/internal/spec"
	"github.com/fastness/fastness/scan/internal/value"
	"github.com/fastness/fastness/scan/wire"
)

// meter reads the numbers that an action may change: a balance, a count of votes, a total.
type meter struct {
	t       *probe.Target
	user    *login.User
	readers []*probe.Case
	why     string
}

// reading is what a meter shows, by the id of the operation and the pointer.
type reading struct {
	numbers map[string]float64
	by      map[string]*wire.Exchange // the answers, by operation
}

// maxReaders is how many requests a reading takes at most.
const maxReaders = 6

// meterFor returns a meter of what a user can read that a case may change: what is about the
// user, and the objects that the case names.
func meterFor(t *probe.Target, user *login.User, c *probe.Case, why string) *meter {
	m := &meter{t: t, user: user, why: why}
	type candidate struct {
		c      *probe.Case
		weight int
	}
	var found []candidate
	for _, op := range t.API.Operations {
		if op.Method != "GET" {
			continue
		}
		s := t.Sample(op, user)
		if s == nil {
			continue
		}
		asked, ok := about(op, s.Case, c)
		if !ok {
			continue
		}
		weight := 0
		for _, leaf := range probe.Leaves(s.Exchange) {
			if _, isNumber := float(leaf.Value); isNumber && !strings.Contains(leaf.Pointer, "*") {
				weight = max(weight, 1+gainRank(leaf.Name()))
			}
		}
		if weight > 0 {
			found = append(found, candidate{asked, weight})
		}
	}
	slices.SortStableFunc(found, func(a, b candidate) int { return cmp.Compare(b.weight, a.weight) })
	for _, f := range found[:min(len(found), maxReaders)] {
		m.readers = append(m.readers, f.c)
	}
	return m
}

// about returns a request that reads what a case is about, made of one that succeeded: its
// path names nothing, or what the case names.
func about(op *spec.Operation, reader, c *probe.Case) (*probe.Case, bool) {
	if !strings.Contains(op.Path, "{") {
		return reader, true
	}
	out := reader
	for _, p := range reader.Points() {
		if p.In != "path" {
			continue
		}
		at := slices.IndexFunc(c.Points(), func(own probe.Point) bool {
			return own.Value != nil && (own.Last() == p.Last() || probe.Text(own.Value) == probe.Text(p.Value) && len(probe.Text(p.Value)) > 3)
		})
		if at < 0 {
			return nil, false
		}
		out = out.With("path", p.Name, c.Points()[at].Value)
	}
	return out, true
}

// read asks for all numbers.
func (m *meter) read(ctx context.Context) reading {
	r := reading{map[string]float64{}, map[string]*wire.Exchange{}}
	for _, c := range m.readers {
		ex := m.t.Send(ctx, m.user, c, m.why)
		if probe.Granted(ex) {
			r.by[c.Op.ID] = ex
			maps.Copy(r.numbers, numbers(ex, c.Op.ID))
		}
	}
	return r
}

// numbers returns the numbers of an answer that stand in no list, by pointer.
func numbers(ex *wire.Exchange, prefix string) map[string]float64 {
	out := map[string]float64{}
	for _, leaf := range probe.Leaves(ex) {
		if f, ok := float(leaf.Value); ok && !strings.Contains(leaf.Pointer, "*") {
			out[prefix+"\n"+leaf.Pointer] = f
		}
	}
	return out
}

// isTally reports whether the words of a name say that it counts heads; isGain that it is good
// to have more of it; isCost, less.
func isTally(words []string) bool {
	return has(words, "like", "vote", "upvote", "downvote", "score", "karma", "star", "heart", "reputation", "clap", "reaction", "kudo", "count", "number")
}

func isGain(words []string) bool {
	return has(words, "balance", "credit", "wallet", "point", "coin", "bonus", "reward", "discount", "saving", "cashback", "fund", "money", "mile", "gem", "deposit")
}

func isCost(words []string) bool {
	return has(words, "total", "subtotal", "price", "due", "payable", "amount")
}

// gainRank tells how sure it is that a number is worth something: 0 if it is not.
func gainRank(name string) int {
	words := value.Words(name)
	switch {
	case len(words) == 0 || has(words, "id", "at", "date", "time", "attempt", "try", "tries", "version", "used", "use", "limit", "max", "min", "rate", "code"):
		return 0
	case isGain(words):
		return 3
	case isTally(words):
		return 2
	case isCost(words):
		return 1
	}
	return 0
}

// gain returns how much better off somebody is by a change of a number.
func gain(key string, before, after float64) float64 {
	name := key[strings.LastIndexByte(key, '/')+1:]
	words := value.Words(name)
	switch {
	case gainRank(name) == 0:
		return 0
	case isGain(words):
		return after - before
	case isTally(words):
		return math.Abs(after - before)
	}
	return before - after
}

package probe

import (
	"slices"
	"strings"

	"github.com/fastness/fastness/scan/internal/login"
	"github.com/fastness/fastness/scan/internal/spec"
)

// Coverage is how far the scan came with an operation, as a user.
type Coverage struct {
	Op *spec.Operation
	// User is the name, "anonymous" for nobody.
	User string
	// Outcome is OK, UNAUTHORIZED, FORBIDDEN, NOT FOUND, RATE LIMITED, SERVER ERROR,
	// REDIRECTED, VALIDATION, NO ANSWER, SKIPPED or HELD BACK.
	Outcome string
	// Status of the last answer, or 0.
	Status int
	// Tries is how many requests it took.
	Tries int
	// Note says why it did not succeed, in a few words.
	Note string
}

// Cover notes how far the scan came. The best outcome of an operation and user stays.
func (w *World) Cover(c Coverage) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.covered == nil {
		w.covered = map[string]Coverage{}
	}
	key := c.Op.ID + "\n" + c.User
	if old, ok := w.covered[key]; ok {
		c.Tries += old.Tries
		if old.Outcome == "OK" {
			old.Tries = c.Tries
			c = old
		}
	}
	w.covered[key] = c
}

// Covered returns how far the scan came with all operations, in the order of the document,
// then of names.
func (w *World) Covered() []Coverage {
	w.mu.Lock()
	defer w.mu.Unlock()
	place := map[string]int{}
	for i, op := range w.API.Operations {
		place[op.ID] = i
	}
	out := make([]Coverage, 0, len(w.covered))
	for _, c := range w.covered {
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b Coverage) int {
		if n := place[a.Op.ID] - place[b.Op.ID]; n != 0 {
			return n
		}
		return strings.Compare(a.User, b.User)
	})
	return out
}

// Hold says why an operation must not be called: it might wipe the target, or lock the
// scan out.
func (w *World) Hold(op *spec.Operation, why string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.held == nil {
		w.held = map[string]string{}
	}
	w.held[op.ID] = why
}

// Held returns why an operation must not be called, or "". Checks that are about such
// operations call them in the name of users that they registered for it.
func (w *World) Held(op *spec.Operation) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.held[op.ID]
}

// Observed is a value that an answer held.
type Observed struct {
	// Resource is what had it, as "order"; Field its name in one form, as "customerid".
	Resource, Field string
	Value           any
	// User is who saw it, Op the operation that showed it.
	User, Op string
}

// maxObserved is how many values of a field are kept.
const maxObserved = 40

// Observe keeps a value that an answer held.
func (w *World) Observe(o Observed) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.observed == nil {
		w.observed = map[string][]Observed{}
	}
	key := o.Resource + "\n" + o.Field
	have := w.observed[key]
	if len(have) >= maxObserved || slices.ContainsFunc(have, func(h Observed) bool { return h.User == o.User && Text(h.Value) == Text(o.Value) }) {
		return
	}
	w.observed[key] = append(have, o)
}

// Values returns what answers held in a field, those that a user saw first. Without a
// resource, those of all resources.
func (w *World) Values(resource, field string, user *login.User) []Observed {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []Observed
	if resource != "" {
		out = slices.Clone(w.observed[resource+"\n"+field])
	} else {
		for _, key := range sortedKeys(w.observed) {
			if strings.HasSuffix(key, "\n"+field) {
				out = append(out, w.observed[key]...)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Observed) int {
		return rank(a.User == user.Called()) - rank(b.User == user.Called())
	})
	return out
}

// Fields returns the names of the fields of a resource that answers held.
func (w *World) Fields(resource string) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []string
	for _, key := range sortedKeys(w.observed) {
		if field, ok := strings.CutPrefix(key, resource+"\n"); ok {
			out = append(out, field)
		}
	}
	return out
}

func rank(first bool) int {
	if first {
		return 0
	}
	return 1
}

// Forget drops an object that is no more.
func (w *World) Forget(o *Object) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.objects = slices.DeleteFunc(w.objects, func(have *Object) bool { return have == o })
}

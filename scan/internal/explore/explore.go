// Package explore finds out how to use an API before anything is attacked: it makes one
// request that succeeds for each operation and user, in an order in which what one
// operation makes is there for those that need it, and notes whose the objects are that
// came of it.
//
//	result, err := explore.Run(ctx, t, explore.Config{})
//	for _, c := range t.Covered() { … } // how far it came
//	for _, o := range t.Objects(alice) { … } // what alice has, with a marker in it
//
// What fails is repaired by what the answer says about it, a few times. What looks as if
// it could wipe the target or lock the scan out is held back.
package explore

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/fastness/fastness/scan/internal/login"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/internal/spec"
)

// Config bounds an exploration.
type Config struct {
	// Tries is how many requests an operation gets from each user until one succeeds; 0
	// means 6.
	Tries int
	// Objects is how many objects of a kind each user makes; 0 means 2. The second is for
	// what destroys one.
	Objects int
}

// Result is what came of an exploration, beside what the target knows now.
type Result struct {
	// Reached is how many operations gave a success to anybody, of All that were tried.
	Reached, All int
	// Made is how many objects were made, Found how many users had already.
	Made, Found int
}

// Explorer makes requests that ought to succeed, from what is known of a target.
type Explorer struct {
	t         *probe.Target
	config    Config
	resources map[string]bool
	paths     map[string][]Reference
	// own is what was learned of users, beside what the configuration knows.
	own map[string]map[string]any
	// canary are requests that show whether a user is logged in still.
	canary map[string]*probe.Case
	serial int
	depth  int // see parents
	// moved are the operations that were looked for below another base.
	moved map[string]bool
}

// For returns an explorer of what is known of a target. Making one sends nothing.
func For(t *probe.Target) *Explorer {
	x := &Explorer{
		t: t, config: Config{Tries: 6, Objects: 2}, resources: map[string]bool{}, paths: map[string][]Reference{},
		own: map[string]map[string]any{}, canary: map[string]*probe.Case{}, moved: map[string]bool{},
	}
	for _, op := range t.API.Operations {
		if resource := ResourceOf(op); resource != "" {
			x.resources[resource] = true
		}
	}
	for _, op := range t.API.Operations {
		x.paths[op.ID] = x.inCollections(pathReferences(op), op)
	}
	for _, references := range sortedMap(x.paths) {
		for _, r := range references {
			if r.Resource != "" {
				x.resources[r.Resource] = true
			}
		}
	}
	for _, o := range t.Objects(nil) {
		x.resources[o.Resource] = true
	}
	return x
}

// Run explores a target. It returns an error if nothing at all could be learned; what
// cannot be done otherwise is in the coverage of the target.
func Run(ctx context.Context, t *probe.Target, config Config) (*Result, error) {
	x := For(t)
	x.config.Tries, x.config.Objects = cmp.Or(config.Tries, 6), cmp.Or(config.Objects, 2)
	if len(t.API.Operations) == 0 {
		return nil, errors.New("explore: there is no operation")
	}
	x.hold()
	users := append(t.Ordinary(), t.Admins()...)
	x.lookAround(ctx, users)
	for _, u := range users {
		x.asUser(ctx, u)
		x.thereNow(ctx, u)
	}
	x.asNobody(ctx)
	x.weigh(ctx, users)
	for _, u := range users {
		x.deleters(ctx, u)
	}
	return x.result(), ctx.Err()
}

// oldMarker is the marker of a scan.
var oldMarker = regexp.MustCompile(`fz[0-9a-f]{20}`)

// lookAround reads what can be read without naming anything, before anything is made. What
// an earlier scan left must not be taken for what this one makes: then the markers are
// others.
func (x *Explorer) lookAround(ctx context.Context, users []*login.User) {
	left := map[string]bool{}
	for _, u := range append(slices.Clone(users), nil) {
		for _, op := range x.ordered() {
			if step(op) != 0 || op.Method == "OPTIONS" || ctx.Err() != nil {
				continue
			}
			x.reach(ctx, op, u)
			if s := x.t.Sample(op, u); s != nil {
				for _, m := range oldMarker.FindAllString(s.Exchange.Text(), 200) {
					left[m] = true
				}
			}
		}
	}
	if len(left) > 0 {
		x.t.Salt(strings.Join(slices.Sorted(maps.Keys(left)), " "))
	}
}

func (x *Explorer) result() *Result {
	r := &Result{}
	reached, all := map[string]bool{}, map[string]bool{}
	for _, c := range x.t.Covered() {
		all[c.Op.ID] = true
		if c.Outcome == OK {
			reached[c.Op.ID] = true
		}
	}
	r.Reached, r.All = len(reached), len(all)
	for _, o := range x.t.Objects(nil) {
		if o.Made != nil {
			r.Made++
		} else {
			r.Found++
		}
	}
	return r
}

// hold marks what must not be called.
func (x *Explorer) hold() {
	for _, op := range x.t.API.Operations {
		why := Dangerous(op)
		if why == "" && !op.Safe() && !x.t.Limits.Write {
			why = "the scan may not change anything"
			if logsIn(op) {
				why = ""
			}
		}
		if why != "" && x.t.Held(op) == "" {
			x.t.Hold(op, why)
		}
	}
}

// step is when an operation is tried: readers of lists, makers of objects, readers of
// objects, what changes objects, and what is done with them.
func step(op *spec.Operation) int {
	parameters := strings.Contains(op.Path, "{") || hasBareID(op)
	switch {
	case acts(op):
		return 4
	case op.Safe() && !parameters:
		return 0
	case op.Method == "POST" && !isAction(op) && !bareAction(op):
		return 1
	case op.Safe():
		return 2
	case op.Method == "DELETE":
		return 5
	case op.Method == "PUT" || op.Method == "PATCH":
		return 3
	}
	return 4
}

// isAction reports whether a path ends in a verb below an object: /orders/{id}/cancel.
func isAction(op *spec.Operation) bool {
	segments := op.Segments()
	if len(segments) < 2 || isParameter(segments[len(segments)-1]) {
		return false
	}
	return nounOf(segments[len(segments)-1]) == "" && isParameter(segments[len(segments)-2])
}

// ordered returns the operations in the order in which they are tried.
func (x *Explorer) ordered() []*spec.Operation {
	operations := slices.Clone(x.t.API.Operations)
	slices.SortStableFunc(operations, func(a, b *spec.Operation) int {
		return cmp.Or(cmp.Compare(step(a), step(b)), cmp.Compare(strings.Count(a.Path, "{"), strings.Count(b.Path, "{")),
			cmp.Compare(rankOfSign(a), rankOfSign(b)))
	})
	return operations
}

// rankOfSign puts what makes accounts and logs in behind what a user makes.
func rankOfSign(op *spec.Operation) int {
	if logsIn(op) || signsUp(op) {
		return 1
	}
	return 0
}

// asUser tries all operations but the deleting ones in the name of a user.
func (x *Explorer) asUser(ctx context.Context, user *login.User) {
	pending := slices.DeleteFunc(x.ordered(), func(op *spec.Operation) bool { return op.Method == "DELETE" || op.Method == "OPTIONS" })
	for force := false; len(pending) > 0 && ctx.Err() == nil; {
		var later []*spec.Operation
		for _, op := range pending {
			if !force && !x.ready(op, user) {
				later = append(later, op)
				continue
			}
			x.reach(ctx, op, user)
		}
		force = len(later) == len(pending)
		pending = later
	}
}

// ready reports whether there is a value for all that the path names.
func (x *Explorer) ready(op *spec.Operation, user *login.User) bool {
	for _, r := range x.paths[op.ID] {
		if len(x.candidates(r, op, user)) == 0 {
			return false
		}
	}
	return true
}

// reach tries an operation as a user, as often as it may make objects.
func (x *Explorer) reach(ctx context.Context, op *spec.Operation, user *login.User) {
	if why := x.t.Held(op); why != "" {
		x.t.Cover(probe.Coverage{Op: op, User: user.Called(), Outcome: HeldBack, Note: why})
		return
	}
	if why := x.skip(op, user); why != "" {
		x.t.Cover(probe.Coverage{Op: op, User: user.Called(), Outcome: Skipped, Note: why})
		return
	}
	if signsUp(op) && user != nil { // What users make is theirs, and an account is nobody's.
		x.reach(ctx, op, nil)
		if x.t.Sample(op, nil) != nil {
			x.t.Cover(probe.Coverage{Op: op, User: user.Called(), Outcome: Skipped, Note: "one account is enough"})
			return
		}
	}
	sample := x.attempt(ctx, op, user)
	if sample == nil || op.Safe() {
		return
	}
	if !signsUp(op) && isParameter(last(op)) || isAction(op) {
		x.changed(op, sample)
	}
	made := x.made(ctx, op, sample)
	x.stillIn(ctx, op, user)
	if made == nil || signsUp(op) || paysOrMails(op) || user == nil {
		return
	}
	for range x.config.Objects - 1 {
		if _, err := x.Fresh(ctx, user, made); err != nil {
			x.t.Logger().Debug("no second object", slog.String("operation", op.String()), slog.String("why", err.Error()))
			return
		}
	}
}

// last returns the last segment of a path.
func last(op *spec.Operation) string {
	segments := op.Segments()
	if len(segments) == 0 {
		return ""
	}
	return segments[len(segments)-1]
}

// skip returns why an operation is not tried again as somebody else, or "".
func (x *Explorer) skip(op *spec.Operation, user *login.User) string {
	if signsUp(op) {
		for _, u := range append(slices.Clone(x.t.Users), nil) {
			if u != user && x.t.Sample(op, u) != nil {
				return "one account is enough"
			}
		}
	}
	return ""
}

// asNobody tries what users reached without saying who is asking: what is safe, and what
// the document says is for all.
func (x *Explorer) asNobody(ctx context.Context) {
	for _, op := range x.ordered() {
		if ctx.Err() != nil {
			return
		}
		open := op.Secured && !op.NeedsLogIn() && !op.Safe() && op.Method != "DELETE"
		if op.Safe() && op.Method != "OPTIONS" || open || len(x.t.Users) == 0 && op.Method != "DELETE" {
			x.reach(ctx, op, nil)
		}
	}
}

// stillIn looks whether a user is logged in still after a change. What ended the log-in is
// held back from now on.
func (x *Explorer) stillIn(ctx context.Context, op *spec.Operation, user *login.User) {
	canary := x.canary[user.Called()]
	if user == nil || canary == nil {
		return
	}
	before := user.Credentials()
	ex := x.t.Send(ctx, user, canary, "explore")
	if logsIn(op) { // One log-in at a time is a rule that some have.
		return
	}
	if !slices.Equal(before, user.Credentials()) || ex.Status == 401 {
		x.t.Hold(op, "it ended the log-in of its caller")
		x.t.Logger().Warn("an operation ends the log-in of its caller, and is left alone from now on", slog.String("operation", op.String()))
	}
}

package probe

import (
	"cmp"
	"maps"
	"slices"
	"sync"

	"github.com/fastness/fastness/scan/internal/login"
	"github.com/fastness/fastness/scan/internal/spec"
	"github.com/fastness/fastness/scan/wire"
)

// World is what the scan knows of the target so far. It is safe for concurrent use.
type World struct {
	API *spec.API
	// Users are those who are logged in, in the order of the configuration. The last one
	// may be an admin. Nobody is not among them.
	Users []*login.User

	// Proofs show that operations that no document names are there, by their ids.
	Proofs map[string]Proof
	// GraphQL are the paths that answer GraphQL.
	GraphQL []string

	mu      sync.Mutex
	samples map[string]map[string]*Sample // by operation, by user
	objects []*Object
	seen    map[string][]*wire.Exchange // by operation: every answer, the last ones
	files   []*wire.Exchange            // see Files
	// See coverage.go.
	covered  map[string]Coverage
	held     map[string]string
	observed map[string][]Observed
	// senders are who sent a marker first, by marker.
	senders map[string]string
}

// Proof is an answer that shows that something is there, and that to a path like it that
// cannot be there.
type Proof struct{ Answer, Absent *wire.Exchange }

// Sample is a request that succeeded.
type Sample struct {
	Case     *Case
	User     *login.User // nil for nobody
	Exchange *wire.Exchange
	// Markers are the unguessable texts of the body, by JSON pointer.
	Markers map[string]string
}

// Object is something that a user made, or has, in the target.
type Object struct {
	// Resource is what it is, in the singular, as "order".
	Resource string
	// Owner made it, or is the one whom the target shows it to as their own.
	Owner *login.User
	// ID is the value by which operations name it.
	ID any
	// Marker is an unguessable text that a field of it holds, or empty; Field is the JSON
	// pointer of that field in the request.
	Marker, Field string
	// Made is the request that made it, or nil if it was there before.
	Made *Sample
	// Parents are the path parameters of the request that made it, as the order of an
	// item of it.
	Parents map[string]any
	// Shared reports whether other users see it in lists of their own, or it is public: then
	// seeing it is no flaw.
	Shared bool
	// Keys are the values by which operations may name it, by normal names: id, uuid, slug,
	// username. ID is one of them.
	Keys map[string]any
	// Markers are all that the request that made it held, by JSON pointer of the body.
	// Marker is the one that the fewest others see.
	Markers map[string]string
	// Readers are requests of the owner whose answers show the object: those that name it,
	// then lists. The answers hold Marker, if it has one.
	Readers []*Sample
	// Evidence tells whose it is.
	Evidence Evidence
}

// Evidence is what an exploration saw of who may see an object.
type Evidence struct {
	// OwnLists are the operations that do not name it and show it to its owner, OtherLists
	// those that show it to other ordinary users, PublicLists to nobody in particular.
	OwnLists, OtherLists, PublicLists []string
	// Hidden are the operations that show it to its owner, and answered another ordinary user
	// with success and without it: the caller decides who sees it. It is the strongest sign
	// of an object that is owned.
	Hidden []string
	// Public reports whether nobody in particular may read it by its name.
	Public bool
	// OwnerField is the pointer of a member of its representation that names the owner, or
	// empty.
	OwnerField string
	// Mine reports whether it was shown by an operation about the caller: /me, /cart, a path
	// with the id of the caller.
	Mine bool
}

// Private reports whether somebody ought to see the object only if he is its owner, as far
// as the exploration can tell: it is not shared, and something says whose it is.
func (o *Object) Private() bool {
	e := o.Evidence
	return !o.Shared && (len(e.Hidden) > 0 || e.Mine || e.OwnerField != "" && len(e.OtherLists) == 0)
}

// NewWorld returns a world of which only the document is known.
func NewWorld(api *spec.API, users []*login.User) *World {
	return &World{API: api, Users: users, samples: map[string]map[string]*Sample{}, seen: map[string][]*wire.Exchange{}}
}

// Sample returns a request of a user to an operation that succeeded, or nil. A nil user is
// nobody.
func (w *World) Sample(op *spec.Operation, user *login.User) *Sample {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.samples[op.ID][user.Called()]
}

// AnySample returns a request of anybody that succeeded, of ordinary users first, then of
// admins, then of nobody; or nil.
func (w *World) AnySample(op *spec.Operation) *Sample {
	for _, admin := range []bool{false, true} {
		for _, u := range w.Users {
			if u.Admin == admin {
				if s := w.Sample(op, u); s != nil {
					return s
				}
			}
		}
	}
	return w.Sample(op, nil)
}

// Learn keeps a request that succeeded. A later one of the same user takes its place.
func (w *World) Learn(s *Sample) {
	w.mu.Lock()
	defer w.mu.Unlock()
	of := w.samples[s.Case.Op.ID]
	if of == nil {
		of = map[string]*Sample{}
		w.samples[s.Case.Op.ID] = of
	}
	of[s.User.Called()] = s
}

// AddObject keeps an object.
func (w *World) AddObject(o *Object) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.objects = append(w.objects, o)
}

// Objects returns the objects of a user, or of all for nil.
func (w *World) Objects(owner *login.User) []*Object {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(w.objects), func(o *Object) bool { return owner != nil && o.Owner != owner })
}

// Others returns the ordinary users but one.
func (w *World) Others(but *login.User) []*login.User {
	return slices.DeleteFunc(slices.Clone(w.Users), func(u *login.User) bool { return u == but || u.Admin })
}

// Admins returns the users that are meant to have more rights.
func (w *World) Admins() []*login.User {
	return slices.DeleteFunc(slices.Clone(w.Users), func(u *login.User) bool { return !u.Admin })
}

// Ordinary returns the users that are no admins.
func (w *World) Ordinary() []*login.User { return w.Others(nil) }

// maxSeen is how many answers of an operation are kept, and maxKeptBody how many bytes the
// body of the request may have.
const (
	maxSeen     = 64
	maxKeptBody = 256 << 10
)

// see keeps an answer.
func (w *World) see(ex *wire.Exchange) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(ex.Request.Body) > maxKeptBody { // It was made to be large, and of nothing.
		return
	}
	w.noteMarkers(ex)
	w.noteFile(ex)
	list := w.seen[ex.Request.Operation]
	if len(list) >= maxSeen { // The first ones are those of the exploration.
		return
	}
	w.seen[ex.Request.Operation] = append(list, ex)
}

// Seen returns answers of an operation, the first ones of the scan.
func (w *World) Seen(op *spec.Operation) []*wire.Exchange {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.seen[op.ID])
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

// Package operation holds what can be said about an operation besides its
// function: the common ground of the app, which reads it, and of the packages
// whose options write it.
package operation

import (
	"context"
	"net/http"
	"reflect"
	"time"

	"github.com/fastness/fastness/auth"
)

// Option says something about one operation, or about all of a group.
type Option interface {
	// Apply writes the option into s. What is wrong with it goes to s.Mistakes.
	Apply(s *Spec)
}

// Func is an option that is a function.
type Func func(*Spec)

// Apply calls f.
func (f Func) Apply(s *Spec) { f(s) }

// Access decides who may call an operation.
type Access interface {
	// String names the rule as the routes table and the document show it.
	String() string
	// Needs says what the rule is about, so that the app can see before it starts
	// that somebody can know it.
	Needs() Needs
	// Check returns nil if u may go on. It runs before a byte of the body is read.
	// u is nil if nobody knows who is calling, which only happens if the rule does
	// not need a caller.
	Check(ctx context.Context, u *auth.User) error
}

// Needs is what an access rule is about.
type Needs struct {
	// Caller says that callers must prove who they are.
	Caller bool
	// Schemes are the names of the schemes by which, or none for any.
	Schemes []string
	// Roles and Scopes are those that the rule names.
	Roles, Scopes []string
	// OneRole and EachScope are what no caller passes without: whoever has none of the
	// roles, or lacks one of the scopes, is refused whatever else the rule says.
	OneRole, EachScope []string
}

// ObjectRule decides whether a caller may have an object that a provider loaded
// for them.
type ObjectRule struct {
	Name string
	// Type is the type of the object.
	Type reflect.Type
	// Check gets a value of Type.
	Check func(ctx context.Context, u *auth.User, object reflect.Value) error
}

// Limit is a rate limit. The app knows its type, that of package ratelimit.
type Limit interface {
	// String returns the limit as lists of operations show it.
	String() string
}

// Spec is what is known about an operation besides its function. Options of a
// group are applied before those of an operation, so the nearer one wins.
type Spec struct {
	// Access is nil until an option says who may call. An operation for which
	// nobody said it does not start.
	Access Access
	// Objects are rules about objects. They add to each other.
	Objects []ObjectRule
	// Limits are rate limits, those of the outer group first. All of them hold.
	Limits []Limit

	ID          string
	Summary     string
	Description string
	Tags        []string
	Deprecated  bool
	Retirement  *Retirement
	Callbacks   []Callback
	Hidden      bool

	// Status is the status of a normal answer, 0 for the type's own.
	Status int
	// StatusText describes the normal answer.
	StatusText string
	Responses  []Response
	Examples   []Example
	Extensions map[string]any

	// CrossSite is what package csrf does for it beyond the default.
	CrossSite CrossSite
	// Socket is what package ws does for it beyond the default.
	Socket Socket

	// Idempotency is what package idempotency does for it.
	Idempotency Idempotency
	// Conditional is what package conditional does for it beyond the default.
	Conditional Conditional

	// BodyLimit is the most bytes of a request body, 0 for the app's default.
	BodyLimit int64
	// Gzip says that the body may be gzipped. BodyLimit is of what comes out.
	Gzip bool
	// Timeout is how long the operation may take, 0 for the app's default.
	Timeout time.Duration
	// Stream is how long an answer may take that is sent while it is made, 0 for the
	// defaults.
	Stream Stream
	// SourceMaps serves those of a folder of files.
	SourceMaps bool
	// Requires are the types of providers that run though no field asks for
	// their value.
	Requires []reflect.Type
	// Middleware wraps the operation, the first one outermost.
	Middleware []func(http.Handler) http.Handler

	// OptOuts are the defences that this operation goes without.
	OptOuts  []OptOut
	Mistakes []error
}

// CrossSite is what the guard against cross-site requests does for an operation
// beyond the default.
type CrossSite struct {
	// Token asks for a token whoever calls, Once for one that is good for one
	// request.
	Token, Once bool
	// Effects says that the operation has an effect though its method is safe.
	Effects bool
	// The reasons for doing without a check.
	InsecureNoToken, InsecureAnyOrigin string
}

// Stream is how long an answer may take that is sent while it is made.
type Stream struct{ Write, Read, Heartbeat, Longest time.Duration }

// Idempotency says that an operation takes keys, and that it needs one.
type Idempotency struct{ Keyed, Required bool }

// Conditional is what conditional requests mean to an operation beyond the default.
type Conditional struct {
	// On is the type of the object whose version counts, nil for the only one.
	On reflect.Type
	// Content says that answers have a tag by their bytes.
	Content bool
	// InsecureLastWriteWins is why nobody need say which version they have seen.
	InsecureLastWriteWins string
}

// Socket is what holds for the messages of a WebSocket. Empty ones are the app's.
type Socket struct {
	MessageLimit int64
	Rate         string
}

// Response is one more answer that an operation can give.
type Response struct {
	Status      int
	Description string
	// Type is the Go type of the body, nil for a problem document or nothing.
	Type reflect.Type
}

// Retirement says from when on callers should leave an operation.
type Retirement struct {
	// Since is when it was deprecated, or will be. It is required.
	Since time.Time
	// Sunset, if not zero, is when it may stop to work.
	Sunset time.Time
	// Link, if not empty, is a page that says what to use instead: an https:// URL.
	Link string
	// Gone answers 410 from Sunset on.
	Gone bool
}

// Callback is a request that an operation leads to.
type Callback struct {
	Name, Expression string
	Payload          reflect.Type
}

// Example is a named example of a request body.
type Example struct {
	Name  string
	Value any
}

// OptOut is a defence that was switched off, and why.
type OptOut struct {
	// Where is the operation or the setting.
	Where string `json:"where"`
	// Name is the name of the option or field, such as InsecureAnyHost.
	Name string `json:"name"`
	// Reason is what its author wrote.
	Reason string `json:"reason"`
}

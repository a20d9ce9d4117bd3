package auth

import (
	"database/sql/driver"
	"encoding/json"
	"errors"
	"iter"
	"log/slog"
	"slices"
	"strings"
	"time"
)

// User is a verified caller. It is a value: what an application does to its
// copy, no other request sees.
type User struct {
	// ID names the user for good: no other user ever gets it. Store it as the
	// owner of things.
	ID string
	// Name is for people. It can change and may be empty.
	Name string
	// Roles are what the user is, as of now.
	Roles Set
	// Scopes are what the credential is for (RFC 6749 section 3.3), and AllScopes
	// says that it is for everything the user may do: they logged in themselves.
	Scopes    Set
	AllScopes bool
	// Tenant is the customer whose data the user works with; see [Tenant].
	Tenant Tenant
	// Client is the OAuth client or API key that calls on behalf of the user.
	Client string
	// Session is the id of the log-in that the credential comes from, or "".
	Session string
	// Issuer is who vouched for the user: the iss of a token, or "".
	Issuer string
	// Scheme is the name of the scheme that verified the credential.
	Scheme string
	// Methods are how the user proved who they are (RFC 8176): "pwd", "otp".
	Methods Set
	// At is when they did, and Until when the credential ends. Either may be
	// zero if it is not known.
	At, Until time.Time
}

// HasRole reports whether the user has the role. Nobody has none.
func (u *User) HasRole(name string) bool { return u != nil && u.Roles.Has(name) }

// HasScope reports whether the credential is for the scope.
func (u *User) HasScope(name string) bool { return u != nil && (u.AllScopes || u.Scopes.Has(name)) }

// LogValue lets a log show who it was: the id, and nothing that is personal.
func (u User) LogValue() slog.Value { return slog.StringValue(u.ID) }

// Set is a set of names, such as roles. It cannot be changed, so it can be
// shared.
type Set struct{ names []string }

// SetOf returns the set of names, without empty ones.
func SetOf(names ...string) Set {
	names = slices.DeleteFunc(slices.Clone(names), func(s string) bool { return s == "" })
	slices.Sort(names)
	return Set{slices.Compact(names)}
}

// ParseSet reads names that are separated by spaces, as scopes are.
func ParseSet(text string) Set { return SetOf(strings.Fields(text)...) }

// Has reports whether the set has the name.
func (s Set) Has(name string) bool {
	for _, n := range s.names { // Sets are small: faster than a search by halves.
		if n == name {
			return true
		}
	}
	return false
}

// HasAll reports whether every name of t is in s.
func (s Set) HasAll(t Set) bool {
	return !slices.ContainsFunc(t.names, func(n string) bool { return !s.Has(n) })
}

// HasAny reports whether a name of t is in s.
func (s Set) HasAny(t Set) bool { return slices.ContainsFunc(t.names, s.Has) }

// Equal reports whether s and t have the same names.
func (s Set) Equal(t Set) bool { return slices.Equal(s.names, t.names) }

// Len returns how many names there are.
func (s Set) Len() int { return len(s.names) }

// All yields the names in order.
func (s Set) All() iter.Seq[string] { return slices.Values(s.names) }

// Slice returns the names in order, in a slice that is the caller's.
func (s Set) Slice() []string { return slices.Clone(s.names) }

// String returns the names, separated by spaces.
func (s Set) String() string { return strings.Join(s.names, " ") }

// MarshalJSON encodes the set as an array.
func (s Set) MarshalJSON() ([]byte, error) {
	if s.names == nil {
		return []byte("[]"), nil
	}
	return json.Marshal(s.names)
}

// Tenant is the customer that a verified caller belongs to. There is no way to
// read one from a request: an operation that asks for a Tenant gets the caller's,
// and a query with a Tenant as argument cannot reach another customer's rows.
//
//	type listOrders struct {
//		Tenant auth.Tenant
//		Tx     *sqldb.ReadTx
//	}
//
//	in.Tx.Query(ctx, "SELECT … FROM orders WHERE tenant = ?", in.Tenant)
type Tenant struct{ id string }

// NewTenant returns the tenant of an id that the program itself knows: from a
// verified token, from its own database, from its command line. An id out of a
// request makes the whole type worthless.
func NewTenant(id string) Tenant { return Tenant{id} }

// String returns the tenant's id, or "" if there is none.
func (t Tenant) String() string { return t.id }

// IsZero reports whether there is no tenant.
func (t Tenant) IsZero() bool { return t.id == "" }

// UnmarshalText refuses: whoever calls does not say whose data they work with.
func (t *Tenant) UnmarshalText([]byte) error {
	return errors.New("a tenant is not read from a request")
}

// MarshalText encodes the tenant's id.
func (t Tenant) MarshalText() ([]byte, error) { return []byte(t.id), nil }

// Value makes a Tenant an argument of SQL. No tenant is an error: it must not
// become the rows that belong to nobody.
func (t Tenant) Value() (driver.Value, error) {
	if t.id == "" {
		return nil, errors.New("auth: the caller has no tenant")
	}
	return t.id, nil
}

// Package spec is what the scanner knows of an API before it has asked it anything: its
// operations, what they take, what they answer, and who may call them.
//
// It is read from OpenAPI 3.1, 3.0 and Swagger 2.0 documents as they are found, not as
// they should be. What cannot be understood is noted as a [Complaint] and left out; the
// rest is used. What a scan finds out by itself is added as operations that say so
// ([Operation.Found]).
package spec

import (
	"net/url"
	"slices"
	"strings"
)

// API is one application, seen from outside.
type API struct {
	Title, Version string
	// Source is the address or file of the document, or empty.
	Source string
	// Base is the path that stands before the paths of all operations, without a slash
	// at its end; they contain it already.
	Base string
	// Bases are what Base can be, the likeliest first: of the servers, of the address of
	// the document, none. Which one answers must be tried; see [API.Rebase].
	Bases []string
	// Servers are the addresses that the document names. They are information only: a
	// scan stays with the host that it was given.
	Servers    []string
	Operations []*Operation
	// Schemes are the security schemes, by their names in the document.
	Schemes map[string]*Scheme
	// Schemas are the components, by their names in the document.
	Schemas map[string]*Schema
	// Complaints are what is wrong with the document.
	Complaints []Complaint
}

// Complaint is a place of the document that is wrong, or could not be used.
type Complaint struct {
	Where string // a JSON pointer
	What  string
}

// Operation is a method of a path.
type Operation struct {
	// ID is the operationId, or made of method and path. It is unique.
	ID     string
	Method string
	// Path is the template with its base, as in "/api/users/{id}".
	Path string
	// Template is the path as the document has it, without a base; empty if it is not of
	// a document.
	Template           string
	Summary, Describes string
	Tags               []string
	Deprecated         bool
	Params             []*Param
	Body               *Body // or nil
	// Answers are the declared ones by status: "200", "4XX" or "default".
	Answers map[string]*Answer
	// Security are the alternatives, one of which suffices. One that is empty means that
	// nobody needs to log in.
	Security []Requirement
	// Secured reports whether the document says anything about it, here or for all.
	Secured bool
	// Socket reports whether the document says that the GET is the handshake of a WebSocket:
	// by x-websocket or an answer of 101.
	Socket bool
	// Found tells how an operation that is not in the document was found, or is empty.
	Found string
}

// String returns the method and the path.
func (o *Operation) String() string { return o.Method + " " + o.Path }

// NeedsLogIn reports whether the document says that a caller must be known.
func (o *Operation) NeedsLogIn() bool {
	return len(o.Security) > 0 && !slices.ContainsFunc(o.Security, func(r Requirement) bool { return len(r) == 0 })
}

// Safe reports whether the method is one that must not change anything (RFC 9110,
// section 9.2.1).
func (o *Operation) Safe() bool {
	return o.Method == "GET" || o.Method == "HEAD" || o.Method == "OPTIONS"
}

// Param returns the parameter, or nil.
func (o *Operation) Param(in, name string) *Param {
	for _, p := range o.Params {
		if p.In == in && p.Name == name {
			return p
		}
	}
	return nil
}

// Segments returns the parts of the path between slashes.
func (o *Operation) Segments() []string {
	return strings.FieldsFunc(o.Path, func(r rune) bool { return r == '/' })
}

// Requirement is a set of schemes that are needed together, with their scopes.
type Requirement map[string][]string

// Scheme is a way to say who is calling.
type Scheme struct {
	Type   string // apiKey, http, oauth2, openIdConnect, mutualTLS
	In     string // of apiKey: header, query, cookie
	Name   string // of apiKey
	Scheme string // of http: bearer, basic …
	// TokenURL is where the password grant of oauth2 takes a log-in, or empty.
	TokenURL string
}

// Param is a parameter outside of the body.
type Param struct {
	Name     string
	In       string // path, query, header, cookie
	Required bool
	Describe string
	Schema   *Schema // never nil
	Examples []any
	// Explode and Style are as in OpenAPI 3; the defaults of the place are filled in.
	Style   string
	Explode bool
}

// Body is what an operation reads.
type Body struct {
	Required bool
	// Media are the types it takes; the first is the one that a scan prefers: JSON, then
	// forms, then others.
	Media []*Media
}

// Media is a representation.
type Media struct {
	Type     string  // without parameters, in lower case
	Schema   *Schema // never nil
	Examples []any
	// Encoding are the types of parts of a form, as the document writes them, by name.
	Encoding map[string]string
	// Any says that the document has a star in place of the type, for which Type is a guess.
	Any bool
}

// Answer is a declared answer.
type Answer struct {
	Status   string
	Describe string
	Media    []*Media
	Headers  []string
	Links    []Link
}

// Link says which value of an answer another operation takes (OpenAPI 3.1, section
// 4.8.20).
type Link struct {
	Operation  string // the operationId
	Parameters map[string]string
}

// Schema is what is known of a value. References are resolved, so schemas can be
// circular; allOf is merged in.
type Schema struct {
	// Name is that of the component, or empty.
	Name  string
	Types []string // of JSON Schema; empty if anything goes
	// Format, Pattern, Title and Describe are as declared.
	Format, Pattern, Title, Describe string
	Enum                             []any
	Default                          any
	Examples                         []any
	// Names are the properties in the order of the document.
	Names      []string
	Properties map[string]*Schema
	Required   []string
	// Additional is the schema of other properties; Closed if there must be none.
	Additional *Schema
	Closed     bool
	// Never says that no value is right: the schema false.
	Never bool
	Items *Schema
	// AnyOf are alternatives, of anyOf and oneOf.
	AnyOf                 []*Schema
	Minimum, Maximum      *float64
	ExclusiveMin          bool
	ExclusiveMax          bool
	MultipleOf            *float64
	MinLength, MaxLength  *int
	MinItems, MaxItems    *int
	Unique                bool
	Nullable              bool
	ReadOnly, WriteOnly   bool
	Discriminator         string
	DiscriminatorMappings map[string]*Schema
}

// Is reports whether the schema is of a type of JSON Schema.
func (s *Schema) Is(kind string) bool { return s != nil && slices.Contains(s.Types, kind) }

// Requires reports whether a property must be there.
func (s *Schema) Requires(name string) bool { return s != nil && slices.Contains(s.Required, name) }

// Find returns the operation of a method and path template, or nil.
func (a *API) Find(method, path string) *Operation {
	for _, o := range a.Operations {
		if o.Method == method && o.Path == path {
			return o
		}
	}
	return nil
}

// Rebase puts another path before the operations of the document. Those with servers of
// their own, and those that were found, stay.
func (a *API) Rebase(base string) {
	base = strings.TrimRight(base, "/")
	for _, o := range a.Operations {
		if o.Template != "" && o.Path == a.Base+o.Template {
			o.Path = base + o.Template
		}
	}
	a.Base = base
}

// BaseOf returns the path of an address, without a slash at its end.
func BaseOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return strings.TrimRight(u.EscapedPath(), "/")
}

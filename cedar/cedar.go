// Package cedar lets policies in the Cedar language say who may do what.
//
// Policies are read and reviewed apart from the program, by people who need not
// know it. They decide; the program names the action, and the object if there is
// one:
//
//	//go:embed policies
//	var files embed.FS // policies/shop.cedar, policies/shop.cedarschema
//
//	policies, err := cedar.New(cedar.Config{Files: files, Roles: roles})
//
//	fastness.Post(app, "/items", createItem, policies.Action("createItem"))
//	fastness.Get(app, "/orders/{id}", readOrder, access.Authenticated,
//		cedar.Object(policies, "readOrder", func(o Order) types.Entity { … }))
//
// # What policies see
//
// The principal is User::"id" with its roles as parents, Role::"seller", and
// these attributes:
//
//	entity User in [Role] {
//		roles: Set<String>, tenant?: String, scopes: Set<String>, allScopes: Bool,
//		client: String, scheme: String, methods: Set<String>
//	};
//	entity API;
//
// The resource of an action without an object is API::"self". Everything else,
// the actions and the types of objects, is declared by the application's schema:
//
//	entity Order { owner: User, tenant?: String };
//	action createItem appliesTo { principal: User, resource: API };
//	action readOrder appliesTo { principal: User, resource: Order };
//
// # What is refused
//
// Whatever no policy permits is denied, and what one policy forbids no other can
// permit. Cedar itself leaves out a policy that cannot be evaluated; if that one
// forbids, leaving it out would let somebody in. Here the answer is a denial then,
// and a line in the log.
//
// For the same reason a policy must be about something that exists. One that
// forbids "deletItem", or the role "amdin", would never apply, and nobody would
// see it: all policies are checked against the schema before the app starts.
package cedar

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"

	engine "github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/types"
	"github.com/cedar-policy/cedar-go/x/exp/schema/resolved"
	"github.com/cedar-policy/cedar-go/x/exp/schema/validate"

	"github.com/fastness/fastness/auth"
)

// Config says where policies come from. There must be at least one policy.
type Config struct {
	// Files holds policies in files that end in .cedar, and the schema in files
	// that end in .cedarschema, at any depth. Any other file is a mistake: a policy
	// that forbids must not be lost by its name.
	Files fs.FS
	// Policies and Schema are more of both, as text.
	Policies, Schema string
	// Roles are all that users can have, as in fastness.Config. A policy about
	// another one is a mistake.
	Roles []string
	// Logger gets an error for each decision that could not be made, and at the
	// level of debugging each denial. The default is slog.Default().
	Logger *slog.Logger
}

// Policies decide who may do what. They never change and are safe for concurrent
// use.
type Policies struct {
	set     *engine.PolicySet
	actions map[types.EntityUID]resolved.Action
	schema  *validate.Validator
	log     *slog.Logger
}

// New returns the policies, or an error that names every mistake in them.
func New(cfg Config) (*Policies, error) {
	p := &Policies{set: engine.NewPolicySet(), log: cfg.Logger}
	if p.log == nil {
		p.log = slog.Default()
	}
	policies, schemas, errs := cfg.sources()
	schema, mistakes := compileSchema(cfg.Roles, schemas)
	errs = append(errs, mistakes...)
	if schema != nil {
		p.schema, p.actions = validate.New(schema), schema.Actions
	}
	known := namesOf(schema, cfg.Roles)
	for _, s := range policies {
		errs = append(errs, p.add(s, known)...)
	}
	if len(errs) == 0 && len(policies) == 0 {
		errs = append(errs, errors.New("there is no policy, so nobody could do anything"))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("cedar: %w", err)
	}
	return p, nil
}

// self is the resource of actions without an object.
func self() types.Entity { return types.Entity{UID: types.NewEntityUID("API", "self")} }

// User returns the name of a user in policies, for attributes of objects such as
// their owner.
func User(id string) types.EntityUID { return types.NewEntityUID("User", types.String(id)) }

func principal(u *auth.User) types.Entity {
	attributes := types.RecordMap{
		"roles": setOf(u.Roles), "scopes": setOf(u.Scopes), "methods": setOf(u.Methods),
		"allScopes": types.Boolean(u.AllScopes), "client": types.String(u.Client), "scheme": types.String(u.Scheme),
	}
	// No tenant is no attribute. As "" it would equal that of an object which has
	// none either.
	if !u.Tenant.IsZero() {
		attributes["tenant"] = types.String(u.Tenant.String())
	}
	var roles []types.EntityUID
	for name := range u.Roles.All() {
		roles = append(roles, types.NewEntityUID("Role", types.String(name)))
	}
	return types.Entity{UID: User(u.ID), Parents: types.NewEntityUIDSet(roles...), Attributes: types.NewRecord(attributes)}
}

func setOf(names auth.Set) types.Set {
	var values []types.Value
	for name := range names.All() {
		values = append(values, types.String(name))
	}
	return types.NewSet(values...)
}

// world is all that a decision is about.
type world struct {
	principal, resource types.Entity
	actions             map[types.EntityUID]resolved.Action
}

// Get returns an entity. The principal comes first: no object can change who the
// caller is.
func (w *world) Get(uid types.EntityUID) (types.Entity, bool) {
	switch uid {
	case w.principal.UID:
		return w.principal, true
	case w.resource.UID:
		return w.resource, true
	}
	action, ok := w.actions[uid]
	return action.Entity, ok
}

// permits reports whether u may do the action to the resource.
func (p *Policies) permits(ctx context.Context, u *auth.User, action types.EntityUID, resource types.Entity) bool {
	w := &world{principal(u), resource, p.actions}
	r := types.Request{Principal: w.principal.UID, Action: action, Resource: resource.UID}
	log := p.log.With("action", action.ID, "user", u.ID)
	if err := errors.Join(p.schema.Request(r), p.schema.Entity(resource)); err != nil {
		log.ErrorContext(ctx, "the policies cannot be asked: the request is not what the schema says", "error", err)
		return false
	}
	decision, why := engine.Authorize(p.set, w, r)
	for _, e := range why.Errors {
		log.ErrorContext(ctx, "a policy cannot be evaluated, so the request is denied", "policy", e.PolicyID, "error", e.Message)
	}
	if decision != types.Allow {
		log.DebugContext(ctx, "denied by policies", "reasons", why.Reasons)
	}
	return decision == types.Allow && len(why.Errors) == 0
}

package fastness

import (
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/internal/operation"
	"github.com/fastness/fastness/openapi"
)

// Authenticate says by which schemes callers prove who they are. All operations
// take all of them, unless access.By names some. An operation asks for its
// caller by a field:
//
//	auth.User    the verified caller; the operation must not be public
//	*auth.User   the verified caller, or nil if nobody says who is calling
//	auth.Tenant  the caller's tenant; callers without one are refused
//
// A caller that middleware has put into the request's context by auth.With
// counts as verified.
func (a *App) Authenticate(schemes ...auth.Scheme) {
	a.mustBeOpen("a scheme")
	a.schemes = append(a.schemes, schemes...)
}

// gate is who may pass: to an operation or a mounted handler.
type gate struct {
	rule operation.Access
	// schemes verify the caller, nil if nobody asks who that is.
	schemes *auth.Schemes
	// optional says that callers need not say who they are.
	optional bool
}

// compileSchemes makes one of the schemes, or names what is wrong with them.
func (a *App) compileSchemes() (errs []error) {
	var err error
	if a.callers, err = auth.New(a.schemes...); err != nil {
		errs = append(errs, err)
	}
	a.scopes = scopesOf(a.callers.Descriptions())
	for _, role := range a.cfg.Roles {
		if role == "" {
			errs = append(errs, errors.New("config: Roles: a role has no name"))
		}
	}
	return errs
}

// scopesOf returns the scopes that tokens can have, or nil if a scheme does not
// say: only that of type oauth2 lists them.
func scopesOf(schemes []auth.Description) map[string]bool {
	var known map[string]bool
	for _, scheme := range schemes {
		switch described := scheme.Security; {
		case described == nil || described.Type == "http" && described.Scheme == "bearer":
			return nil
		case described.Type == "oauth2" && described.Flows != nil:
			for _, flow := range []*openapi.OAuthFlow{
				described.Flows.Implicit, described.Flows.Password, described.Flows.ClientCredentials, described.Flows.AuthorizationCode,
			} {
				if flow == nil {
					continue
				}
				if known == nil {
					known = make(map[string]bool)
				}
				for name := range flow.Scopes.All() {
					known[name] = true
				}
			}
		}
	}
	return known
}

// compileGate makes the gate of a rule, or names what nobody could know.
func (a *App) compileGate(rule operation.Access) (g gate, errs []error) {
	g.rule = rule
	if rule == nil {
		return g, []error{errors.New("no access rule: say who may call, such as access.Public")}
	}
	needs := rule.Needs()
	for _, role := range needs.Roles {
		if role != "" && !slices.Contains(a.cfg.Roles, role) {
			errs = append(errs, fmt.Errorf("access rule %q: role %q is not declared: the roles of the app are Config.Roles", rule, role))
		}
	}
	if a.scopes != nil {
		for _, scope := range needs.Scopes {
			if !a.scopes[scope] {
				errs = append(errs, fmt.Errorf("access rule %q: scope %q is not one that a token can have: declare it where the tokens come from (identity: Config.Scopes)", rule, scope))
			}
		}
	}
	if !needs.Caller {
		return g, errs
	}
	g.schemes = a.callers
	if len(a.schemes) == 0 {
		errs = append(errs, fmt.Errorf("access rule %q: nothing verifies who is calling: declare schemes by App.Authenticate", rule))
	} else if len(needs.Schemes) > 0 {
		var err error
		if g.schemes, err = a.callers.Only(needs.Schemes...); err != nil {
			errs = append(errs, fmt.Errorf("access rule %q: %w", rule, err))
		}
	}
	return g, errs
}

// compileGate makes the operation's gate, once its input is known.
func (op *operationPlan) compileGate(a *App) (errs []error) {
	op.gate, errs = a.compileGate(op.spec.Access)
	if op.spec.Access == nil || op.spec.Access.Needs().Caller {
		return errs
	}
	for _, plan := range op.input.withProviders() {
		for _, f := range plan.callers {
			if f.kind != maybeUser {
				errs = append(errs, fmt.Errorf("field %s of type %s: the operation is public, so nobody may be calling: want *auth.User or another access rule", f.name, f.kind))
			} else if g := &op.gate; g.schemes == nil && len(a.schemes) > 0 {
				g.schemes, g.optional = a.callers, true
			}
		}
	}
	if len(op.spec.Objects) > 0 {
		errs = append(errs, fmt.Errorf("access rule %q: it judges a caller, and the operation is public", op.spec.Objects[0].Name))
	}
	return errs
}

// String names the type as application authors know it.
func (k callerKind) String() string { return []string{"auth.User", "*auth.User", "auth.Tenant"}[k] }

// access returns what to show of who may call.
func (op *operationPlan) access() string {
	text := op.spec.Access.String()
	for _, o := range op.spec.Objects {
		text += ", " + o.Name
	}
	return text
}

// gate returns that of what the request is for, or nil for what every app has.
func (x *exchange) gate() *gate {
	switch e := x.match.Value; {
	case e.mount != nil:
		return &e.mount.gate
	case e.operation != nil:
		return &e.operation.gate
	}
	return nil
}

// authenticate finds out who is calling, where that matters.
func (x *exchange) authenticate() error {
	g := x.gate()
	if g == nil || g.schemes == nil {
		return nil
	}
	x.out.Header()["Cache-Control"] = x.app.noStore // The answer is one caller's, unless the operation says otherwise.
	if x.ctx.user = auth.From(x.ctx.parent); x.ctx.user != nil || g.optional && !g.schemes.Present(x.r) {
		return nil
	}
	u, err := g.schemes.Authenticate(&x.ctx, x.r)
	x.ctx.user = u
	return err
}

func (x *exchange) checkAccess() error {
	g := x.gate()
	if g == nil {
		return nil // Each decides for itself what it shows.
	}
	return g.rule.Check(&x.ctx, x.ctx.user)
}

// callerKind is a type of field that the caller fills.
type callerKind int

const (
	theUser callerKind = iota
	maybeUser
	theTenant
)

// callerField is a field that the caller fills.
type callerField struct {
	index []int
	name  string
	kind  callerKind
}

// callerKindOf returns what a field of type t gets of the caller.
func callerKindOf(t reflect.Type) (k callerKind, ok bool) {
	switch t {
	case reflect.TypeFor[auth.User]():
		return theUser, true
	case reflect.TypeFor[*auth.User]():
		return maybeUser, true
	case reflect.TypeFor[auth.Tenant]():
		return theTenant, true
	}
	return 0, false
}

// bindCaller fills the fields that the caller fills. An operation gets a copy:
// the user is shared with other requests.
func (p *inputPlan) bindCaller(x *exchange, v reflect.Value) error {
	for _, f := range p.callers {
		u := x.ctx.user
		switch {
		case f.kind == maybeUser && u == nil:
		case u == nil:
			return access.Denied()
		case f.kind == theTenant && u.Tenant.IsZero():
			return access.Denied()
		case f.kind == theTenant:
			v.FieldByIndex(f.index).Set(reflect.ValueOf(u.Tenant))
		case f.kind == theUser:
			*v.FieldByIndex(f.index).Addr().Interface().(*auth.User) = *u
		default:
			mine := *u
			v.FieldByIndex(f.index).Set(reflect.ValueOf(&mine))
		}
	}
	return nil
}

// checkObject asks the rules about an object that a provider has just made.
func (op *operationPlan) checkObject(x *exchange, t reflect.Type, object reflect.Value) error {
	for i := range op.spec.Objects {
		if o := &op.spec.Objects[i]; o.Type == t {
			if err := o.Check(&x.ctx, x.ctx.user, object); err != nil {
				return err
			}
		}
	}
	return nil
}

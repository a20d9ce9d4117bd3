package fastness

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// scope says how long a provided value lives.
type scope int

const (
	requestScope scope = iota
	appScope
)

// provider makes the values of one type.
type provider struct {
	group *Group
	typ   reflect.Type
	in    reflect.Type
	scope scope
	// make calls the function with in, a pointer to its input.
	make func(ctx context.Context, in reflect.Value) (reflect.Value, func(error) error, error)

	// Of an app-scoped provider, once it ran.
	value   reflect.Value
	made    bool
	cleanup func(error) error
}

// Provide lets make fill every field of type T in the inputs of r's operations
// and providers. It runs at most once for each request, after the request was
// validated.
//
// The fields of In are filled like those of an operation, by parameters and by
// other providers, but not by the body. What they read shows up in the document
// of every operation that uses T. For a provider that needs nothing let In be
// struct{}.
//
// An error of make is the answer to the request. So a provider can load the
// object that the path names, judge whether the caller may have it, and answer
// 404 or 403: an operation that asks for the object never sees another's.
func Provide[T, In any](r Router, make func(context.Context, In) (T, error)) {
	ProvideCleanup(r, func(ctx context.Context, in In) (T, func(error) error, error) {
		value, err := make(ctx, in)
		return value, nil, err
	})
}

// ProvideCleanup is [Provide] for values that must be given back. Clean-ups run
// in reverse order after the operation and before a byte of the answer is sent.
// They get the error that the caller will see, or nil: a transaction commits or
// rolls back by it. If a clean-up fails, the request has failed.
func ProvideCleanup[T, In any](r Router, make func(context.Context, In) (T, func(error) error, error)) {
	add(r, requestScope, false, make)
}

// ProvideApp lets make fill every field of type T with one value, which is made
// when the app starts and cleaned up when it stops. In may only need other
// app-scoped values. A value with a method Ping(context.Context) error, such as a
// *sqldb.DB, is asked by GET /health/ready; see [App.Ready].
func ProvideApp[T, In any](r Router, make func(context.Context, In) (T, func(error) error, error)) {
	add(r, appScope, false, make)
}

// ProvideValue fills every field of type T with value.
func ProvideValue[T any](r Router, value T) {
	add(r, appScope, false, valueProvider(value))
}

// Override replaces the provider of T by one value, for tests. It does not
// matter where in the app the provider was declared, or that none was.
func Override[T any](app *App, value T) {
	add(app, appScope, true, valueProvider(value))
}

func valueProvider[T any](value T) func(context.Context, struct{}) (T, func(error) error, error) {
	return func(context.Context, struct{}) (T, func(error) error, error) { return value, nil, nil }
}

func add[T, In any](r Router, s scope, override bool, f func(context.Context, In) (T, func(error) error, error)) {
	g := r.router()
	p := &provider{
		group: g, typ: reflect.TypeFor[T](), in: reflect.TypeFor[In](), scope: s,
		make: func(ctx context.Context, in reflect.Value) (reflect.Value, func(error) error, error) {
			value, cleanup, err := f(ctx, *in.Interface().(*In))
			return reflect.ValueOf(&value).Elem(), cleanup, err
		},
	}
	g.app.mustBeOpen("the provider of " + p.typ.String())
	if override {
		g.app.overrides = append(g.app.overrides, p)
		return
	}
	if first, taken := g.providers[p.typ]; taken && first != nil {
		g.app.mistakes = append(g.app.mistakes, fmt.Errorf("%s has two providers in one group", p.typ))
	}
	g.providers[p.typ] = p
}

// writer is implemented by what a provider makes if it says whether it changes
// something, such as a transaction. It is asked of a zero value.
type writer interface{ Writes() bool }

func (p *provider) asWriter() (w writer, ok bool) {
	w, ok = reflect.Zero(p.typ).Interface().(writer)
	return w, ok
}

// writes reports whether what p makes changes something.
func (p *provider) writes() bool {
	w, ok := p.asWriter()
	return ok && w.Writes()
}

// provider returns the provider of t that is nearest to g, or nil.
func (g *Group) provider(t reflect.Type) *provider {
	for _, p := range slices.Backward(g.app.overrides) {
		if p.typ == t {
			return p
		}
	}
	for ; g != nil; g = g.parent {
		if p, ok := g.providers[t]; ok {
			return p
		}
	}
	return nil
}

// providedElsewhere returns the prefix of a group that has a provider of t, or "".
func (a *App) providedElsewhere(t reflect.Type) string {
	for _, g := range a.groups {
		if g.providers[t] != nil {
			return g.prefix
		}
	}
	return ""
}

// makeSingletons makes the app-scoped values, each after what it needs.
func (a *App) makeSingletons(ctx context.Context) error {
	var errs []error
	for _, p := range a.appProviders() {
		if err := a.makeSingleton(ctx, p); err != nil && !slices.ContainsFunc(errs, func(told error) bool { return told.Error() == err.Error() }) {
			errs = append(errs, err) // What several need fails for each of them, and is told once.
		}
	}
	if err := errors.Join(errs...); err != nil {
		return errors.Join(fmt.Errorf("the app cannot start:\n%w", err), a.Stop(ctx))
	}
	return nil
}

// appProviders returns the app-scoped providers that something uses, or that
// were declared on the app itself: a database that cannot be reached should
// keep an app from starting even if no operation needs it yet.
func (a *App) appProviders() []*provider {
	var all []*provider
	collect := func(p *provider) {
		if p.scope == appScope && !slices.Contains(all, p) {
			all = append(all, p)
		}
	}
	for _, p := range a.overrides {
		collect(p)
	}
	for _, p := range sortedProviders(a.root.providers) {
		if o := a.root.provider(p.typ); o == p {
			collect(p)
		}
	}
	for _, op := range a.operations {
		for _, u := range op.input.uses {
			collect(u.provider)
		}
	}
	return all
}

func sortedProviders(m map[reflect.Type]*provider) []*provider {
	all := make([]*provider, 0, len(m))
	for _, p := range m {
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b *provider) int {
		if a.typ.String() < b.typ.String() {
			return -1
		}
		return 1
	})
	return all
}

// checkSingletons names what keeps app-scoped values from being made, before any
// of them is: a declaration that is wrong must not open a database first.
func (a *App) checkSingletons() (errs []error) {
	checked := make(map[*provider]bool)
	for _, p := range a.appProviders() {
		errs = append(errs, p.check(checked, nil)...)
	}
	return errs
}

func (p *provider) check(checked map[*provider]bool, needing []*provider) (errs []error) {
	if slices.Contains(needing, p) {
		return []error{errCircular(needing, p)}
	}
	if checked[p] {
		return nil
	}
	checked[p] = true
	if p.in.Kind() != reflect.Struct {
		return []error{fmt.Errorf("provider of %s: the input is of type %s, want a struct", p.typ, p.in)}
	}
	for i := range p.in.NumField() {
		sf := p.in.Field(i)
		dep := p.group.provider(sf.Type)
		switch {
		case !sf.IsExported():
			errs = append(errs, fmt.Errorf("provider of %s: field %s cannot be filled: it is not exported", p.typ, sf.Name))
		case dep == nil || dep.scope != appScope:
			errs = append(errs, fmt.Errorf("provider of %s: field %s of type %s needs an app-scoped provider", p.typ, sf.Name, sf.Type))
		default:
			errs = append(errs, dep.check(checked, append(needing, p))...)
		}
	}
	return errs
}

// errCircular says that p, which the last of making needs, is among them.
func errCircular(making []*provider, p *provider) error {
	names := make([]string, 0, len(making)+1)
	for _, m := range append(slices.Clone(making[slices.Index(making, p):]), p) {
		names = append(names, m.typ.String())
	}
	return fmt.Errorf("providers need each other: %s", strings.Join(names, " → "))
}

// makeSingleton makes the value of p after what it needs.
func (a *App) makeSingleton(ctx context.Context, p *provider) error {
	if p.made {
		return nil
	}
	in, err := a.appInput(ctx, p.group, p.in)
	if err != nil {
		return err
	}
	if err := a.makeInTime(ctx, p, in); err != nil {
		return fmt.Errorf("provider of %s: %w", p.typ, err)
	}
	p.made = true
	a.singletons = append(a.singletons, p)
	a.watch(p)
	return nil
}

// appInput returns a pointer to a struct of type t, filled with app-scoped values.
func (a *App) appInput(ctx context.Context, g *Group, t reflect.Type) (reflect.Value, error) {
	in := reflect.New(t)
	for i := range t.NumField() {
		dep := g.provider(t.Field(i).Type)
		if err := a.makeSingleton(ctx, dep); err != nil {
			return in, err
		}
		in.Elem().Field(i).Set(dep.value)
	}
	return in, nil
}

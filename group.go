package fastness

import (
	"context"
	"errors"
	"fmt"
	"go/token"
	"net/http"
	"reflect"
	"runtime"
	"strconv"
	"strings"

	"github.com/fastness/fastness/internal/operation"
)

// Router is where operations are declared: an *App or a *Group.
type Router interface {
	router() *Group
}

// Group is a set of operations that share a path prefix and options: tags, an
// access rule, middleware, responses, providers.
type Group struct {
	app       *App
	parent    *Group
	prefix    string
	options   []Option
	providers map[reflect.Type]*provider
}

func (g *Group) router() *Group { return g }

// Group returns a group within g. Its operations get the options of g first,
// then these.
func (g *Group) Group(prefix string, options ...Option) *Group {
	inner := &Group{
		app: g.app, parent: g, prefix: g.prefix + prefix,
		options:   append(append([]Option(nil), g.options...), options...),
		providers: make(map[reflect.Type]*provider),
	}
	g.app.groups = append(g.app.groups, inner)
	if err := oneRule(options); err != nil {
		g.app.mistakes = append(g.app.mistakes, fmt.Errorf("group %q: %w", inner.prefix, err))
	}
	return inner
}

// Mount hands every request below prefix to handler, without the prefix. It
// needs an access rule like an operation. What the handler reads is not
// validated and what it serves is not in the document: the audit says so.
//
// An *App is another matter. It keeps its operations with their rules, its providers,
// schemes, middleware, errors and a document of its own, below prefix as well. It starts
// and stops with the app above, whose guards of the connection hold for both, once: its
// Config has none of Hosts, Proxies, CORS, RateLimit, MaxInFlight and Headers, and
// nothing in options or in the group may pretend to protect it.
func Mount(r Router, prefix string, handler http.Handler, options ...Option) {
	g := r.router()
	if sub, ok := handler.(*App); ok && sub != nil {
		g.mountApp(prefix, sub, options)
		return
	}
	m := mount{prefix: g.prefix + prefix, handler: handler}
	g.app.mustBeOpen("mount " + m.prefix)
	apply(&m.spec, g.options, options)
	if err := oneRule(options); err != nil {
		m.spec.Mistakes = append(m.spec.Mistakes, err)
	}
	if handler == nil {
		m.spec.Mistakes = append(m.spec.Mistakes, errors.New("no handler"))
	}
	for _, err := range m.spec.Mistakes {
		g.app.mistakes = append(g.app.mistakes, fmt.Errorf("mount %s: %w", m.prefix, err))
	}
	for i := len(m.spec.Middleware) - 1; i >= 0 && len(m.spec.Mistakes) == 0; i-- {
		m.handler = m.spec.Middleware[i](m.handler)
	}
	g.app.mounts = append(g.app.mounts, m)
}

// Get declares an operation for the GET and HEAD requests of a path.
func Get[In, Out any](r Router, path string, handle func(context.Context, In) (Out, error), options ...Option) {
	Handle(r, http.MethodGet, path, handle, options...)
}

// Post declares an operation for the POST requests of a path.
func Post[In, Out any](r Router, path string, handle func(context.Context, In) (Out, error), options ...Option) {
	Handle(r, http.MethodPost, path, handle, options...)
}

// Put declares an operation for the PUT requests of a path.
func Put[In, Out any](r Router, path string, handle func(context.Context, In) (Out, error), options ...Option) {
	Handle(r, http.MethodPut, path, handle, options...)
}

// Patch declares an operation for the PATCH requests of a path.
func Patch[In, Out any](r Router, path string, handle func(context.Context, In) (Out, error), options ...Option) {
	Handle(r, http.MethodPatch, path, handle, options...)
}

// Delete declares an operation for the DELETE requests of a path.
func Delete[In, Out any](r Router, path string, handle func(context.Context, In) (Out, error), options ...Option) {
	Handle(r, http.MethodDelete, path, handle, options...)
}

// Head declares an operation for the HEAD requests of a path, where those of
// GET will not do.
func Head[In, Out any](r Router, path string, handle func(context.Context, In) (Out, error), options ...Option) {
	Handle(r, http.MethodHead, path, handle, options...)
}

// Options declares an operation for the OPTIONS requests of a path, where the
// derived answer, 204 with Allow, will not do.
func Options[In, Out any](r Router, path string, handle func(context.Context, In) (Out, error), options ...Option) {
	Handle(r, http.MethodOptions, path, handle, options...)
}

// Handle declares an operation for any method.
func Handle[In, Out any](r Router, method, path string, handle func(context.Context, In) (Out, error), options ...Option) {
	op := &operationPlan{method: method, in: reflect.TypeFor[In](), out: reflect.TypeFor[Out](), function: functionName(handle)}
	r.router().declare(op, path, handle != nil, options)
	if r, ok := any(new(Out)).(result); ok {
		op.outline, op.isResult = r.outline(), true
	}
	slots := new(slots[In, Out])
	op.call = func(x *exchange) error {
		s, again := x.held.(*typedSlot[In, Out])
		if !again {
			s = slots.get(op.pooled)
			x.held = s
		}
		if err := op.input.fill(x, reflect.ValueOf(&s.in).Elem(), again); err != nil {
			return err
		}
		x.enterPart(inHandler)
		var err error
		if s.out, err = handle(&x.ctx, s.in); err != nil {
			return err
		}
		return op.answer(&x.answer, &s.out)
	}
}

// declare adds op to the app, with the options of g and its own.
func (g *Group) declare(op *operationPlan, path string, hasFunction bool, options []Option) {
	op.group, op.path = g, g.prefix+path
	g.app.mustBeOpen(op.where())
	apply(&op.spec, g.options, options)
	if err := oneRule(options); err != nil {
		op.spec.Mistakes = append(op.spec.Mistakes, err)
	}
	if !hasFunction {
		op.spec.Mistakes = append(op.spec.Mistakes, errors.New("no function"))
	}
	g.app.operations = append(g.app.operations, op)
}

// apply writes the options into s: those of the group first, so that the nearer
// one wins.
func apply(s *operation.Spec, lists ...[]Option) {
	for _, list := range lists {
		for i, o := range list {
			if o == nil {
				s.Mistakes = append(s.Mistakes, fmt.Errorf("option %d is nil", i+1))
				continue
			}
			o.Apply(s)
		}
	}
}

// oneRule complains about options of one place that say twice who may call: the
// last would hold alone, whatever the others ask for.
func oneRule(options []Option) error {
	var rules []string
	for _, o := range options {
		var s operation.Spec
		if o == nil {
			continue
		}
		if o.Apply(&s); s.Access != nil {
			rules = append(rules, strconv.Quote(s.Access.String()))
		}
	}
	if len(rules) < 2 {
		return nil
	}
	return fmt.Errorf("access rules %s: one would hold alone: join them by access.All or access.Any", strings.Join(rules, " and "))
}

// functionName returns the name of a declared function, or "" of a literal.
func functionName(f any) string {
	name := runtime.FuncForPC(reflect.ValueOf(f).Pointer()).Name()
	name, _, _ = strings.Cut(name, "[") // Type arguments hold dots of their own.
	name = strings.TrimSuffix(name, "-fm")
	name = name[strings.LastIndexByte(name, '.')+1:]
	if number := strings.TrimPrefix(name, "func"); strings.Trim(number, "0123456789") == "" || !token.IsIdentifier(name) {
		return ""
	}
	return name
}

// Option says something about an operation or about all of a group: an access
// rule, [Tags], [Summary] … Options of a group come before those of an
// operation, so the nearer one wins.
type Option = operation.Option

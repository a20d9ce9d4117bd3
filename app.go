package fastness

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/guard/ratelimit"
	"github.com/fastness/fastness/internal/operation"
	"github.com/fastness/fastness/internal/route"
	"github.com/fastness/fastness/locale"
	"github.com/fastness/fastness/observe"
	"github.com/fastness/fastness/openapi"
	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/schema"
)

// App is an HTTP API: operations, what they depend on, and the defences around
// them. It is an http.Handler. Declare everything before it serves.
type App struct {
	root  *Group
	cfg   Config
	types *schema.Types
	defences
	callers *auth.Schemes
	locales *locale.Locales // or nil
	scopes  map[string]bool // that tokens can have, or nil if nobody says

	groups     []*Group
	operations []*operationPlan
	mounts     []mount
	webhooks   []*sends
	subApps    []*subApp
	outer      *App   // that this one is below, or nil
	base       string // what stands before its paths in those that callers use
	guards     int    // how many of steps are
	middleware []func(http.Handler) http.Handler
	lifespan
	overrides   []*provider
	schemes     []auth.Scheme
	commands    []extension
	ownSettings []ownSettings
	mistakes    []error
	ownLogger   bool // the author gave one
	readiness   readiness

	compiled    atomic.Bool
	compiling   sync.Once
	compileErr  error
	routes      route.Tree[endpoint]
	builtins    []*builtin
	steps       []step
	document    *openapi.Document
	rendered    rendered
	async       *asyncDocument // nil without WebSockets
	logInPage   string         // or ""
	development atomic.Bool
	draining    atomic.Bool
	// stopping is done when streams are to end, stop makes it so.
	stopping context.Context
	stop     context.CancelFunc
	// warnedOfProxy is set once the log has a line about a proxy that is not trusted.
	warnedOfProxy atomic.Bool

	ids         observe.IDs
	exchanges   exchanges
	jsonType    []string // shared header values, never written to
	problemType []string
	noStore     []string
	// What a flood asks for most is refused by what is made once.
	notFound, notAllowed, malformedPath *problem.Problem

	start      sync.Once
	startErr   error
	singletons []*provider // app-scoped, in the order in which they were made
}

// endpoint is what a route leads to: an operation or a mounted handler.
type endpoint struct {
	operation *operationPlan
	mount     *mount
	builtin   *builtin
	below     *subApp
}

type mount struct {
	prefix  string
	handler http.Handler
	spec    operation.Spec
	gate    gate
	folder  *folder // whose files it serves, or nil
	limited
}

// limited is what rate limits say of an operation or a mounted handler.
type limited struct {
	limiters  []*ratelimit.Limiter
	unlimited bool // by the general limit
}

// New returns an app without operations. What is wrong with cfg is reported
// when the app starts, with all that is wrong elsewhere.
func New(cfg Config) *App {
	ownLogger, namesMistake := cfg.Logger != nil, cfg.checkNames()
	cfg.withDefaults()
	app := &App{
		cfg: cfg, ownLogger: ownLogger,
		jsonType: []string{"application/json"}, problemType: []string{problem.MediaType}, noStore: []string{"no-store"},
		notFound: problem.New(http.StatusNotFound, ""), notAllowed: problem.New(http.StatusMethodNotAllowed, ""),
		malformedPath: problem.New(http.StatusBadRequest, "the path can be read in more than one way").Named("malformed_path"),
	}
	app.stopping, app.stop = context.WithCancel(context.Background())
	app.types = schema.NewTypes(schema.Config{
		InsecureIgnoreUnknown: cfg.InsecureFastAPICompat,
		InsecureLaxNumbers:    cfg.InsecureFastAPICompat,
		Names:                 cfg.Names,
	})
	app.root = &Group{app: app, options: cfg.Options, providers: make(map[reflect.Type]*provider)}
	Provide(app, newBackground)
	Provide(app, newScope)
	app.Mistake(namesMistake)
	if err := oneRule(cfg.Options); err != nil {
		app.mistakes = append(app.mistakes, fmt.Errorf("config: Options: %w", err))
	}
	return app
}

func (a *App) router() *Group { return a.root }

// Group returns a group of operations whose paths begin with prefix.
func (a *App) Group(prefix string, options ...Option) *Group {
	return a.root.Group(prefix, options...)
}

// Use wraps everything behind the guards, for all operations and mounts.
// Middleware sees requests that passed the in-flight cap and the host
// allowlist, and answers that carry the security headers.
func (a *App) Use(middleware ...func(http.Handler) http.Handler) {
	a.mistakes = append(a.mistakes, missingMiddleware(middleware)...)
	a.middleware = append(a.middleware, middleware...)
}

// Logger returns the app's logger: that of its Config, or the one that the
// settings describe.
func (a *App) Logger() *slog.Logger { return a.cfg.Logger }

// Mistake adds to the mistakes with which the app will not start: for packages
// that declare operations, and for what only the application can know is wrong.
func (a *App) Mistake(err error) {
	a.mustBeOpen("a mistake")
	if err != nil {
		a.mistakes = append(a.mistakes, err)
	}
}

// mustBeOpen panics once the declarations are compiled: what is declared later
// would never be served, and nobody would be told.
func (a *App) mustBeOpen(what string) {
	if a.compiled.Load() {
		panic("fastness: " + what + " is declared after the app started")
	}
}

// compile turns the declarations into plans, once, or names every mistake.
func (a *App) compile() error {
	a.compiling.Do(func() {
		a.compiled.Store(true)
		a.compileErr = errors.New("the declarations could not be read") // Unless it returns.
		a.compileErr = a.doCompile()
	})
	return a.compileErr
}

func (a *App) doCompile() error {
	errs := slices.Clone(a.mistakes)
	if a.outer == nil {
		a.base = a.cfg.RootPath
		errs = append(errs, checkRootPath(a.base)...)
	}
	var err error
	if a.defences, err = a.cfg.build(); err != nil {
		errs = append(errs, err)
	}
	errs = append(errs, a.checkFormats()...)
	errs = append(errs, a.compileLocales()...)
	errs = append(errs, a.compileSchemes()...)
	errs = append(errs, a.compileCrossSite()...)
	errs = append(errs, a.compileLimits()...)
	if err = a.compileSockets(); err != nil {
		errs = append(errs, err)
	}
	for _, op := range a.operations {
		errs = append(errs, op.compile(a)...)
	}
	errs = append(errs, a.compileCursors()...)
	errs = append(errs, a.checkSingletons()...)
	errs = append(errs, a.compileWork()...)
	errs = append(errs, a.nameOperations()...)
	errs = append(errs, a.compileOperationLimits()...)
	for _, op := range a.operations {
		if op.unroutable {
			continue // compile has said so.
		}
		if err := a.routes.Add(op.method, op.path, endpoint{operation: op}); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", op.where(), err))
		}
	}
	errs = append(errs, a.compileWebhooks()...)
	errs = append(errs, a.addMounts()...)
	errs = append(errs, a.addSubApps()...)
	errs = append(errs, a.addWellKnown()...)
	if len(errs) == 0 {
		errs = append(errs, a.makeDocument(), a.makeAsyncDocument())
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("the app cannot start:\n%w", err)
	}
	a.compileChain()
	return nil
}

func (a *App) addMounts() (errs []error) {
	for i := range a.mounts {
		m := &a.mounts[i]
		var wrong []error
		m.gate, wrong = a.compileGate(m.spec.Access)
		var more []error
		m.limiters, m.unlimited, more = a.limitersOf(&m.spec, "mount", "mount-"+strings.Trim(m.prefix, "/"))
		wrong = slices.Concat(wrong, more, m.gate.mistakes(&m.spec))
		if m.folder != nil {
			if err := m.folder.load(a, m); err != nil {
				wrong = append(wrong, err)
			}
		}
		if len(m.spec.Objects) > 0 {
			wrong = append(wrong, errors.New("rules about objects do not reach a mounted handler"))
		}
		for _, err := range wrong {
			errs = append(errs, fmt.Errorf("mount %s: %w", m.prefix, err))
		}
		if len(m.spec.Requires) > 0 {
			errs = append(errs, fmt.Errorf("mount %s: Requires does not reach a mounted handler: check in middleware, or mount it outside of the group", m.prefix))
		}
		m.spec.BodyLimit = cmp.Or(m.spec.BodyLimit, a.cfg.BodyLimit)
		m.spec.Timeout = cmp.Or(m.spec.Timeout, a.cfg.Timeout)
		if err := a.routes.AddMount(m.prefix, endpoint{mount: m}); err != nil {
			errs = append(errs, fmt.Errorf("mount %s: %w", m.prefix, err))
		}
	}
	return errs
}

// OptOut is a defence that was switched off, and the reason given.
type OptOut = operation.OptOut

// Audit lists every defence that the app goes without, and why.
func (a *App) Audit() []OptOut {
	out := a.cfg.optOuts()
	for _, op := range a.operations {
		for _, o := range op.spec.OptOuts {
			o.Where = op.where()
			out = append(out, o)
		}
	}
	for _, scheme := range a.schemes {
		if scheme == nil {
			continue // compileSchemes says so.
		}
		s := scheme.Describe()
		for _, name := range slices.Sorted(maps.Keys(s.OptOuts)) {
			out = append(out, operation.OptOut{Where: "scheme " + s.Name, Name: name, Reason: s.OptOuts[name]})
		}
	}
	for _, m := range a.mounts {
		if m.folder == nil {
			out = append(out, operation.OptOut{
				Where: "mount " + m.prefix, Name: "Mount",
				Reason: "a mounted handler is not validated and not in the document",
			})
		}
		for _, o := range m.spec.OptOuts {
			o.Where = "mount " + m.prefix
			out = append(out, o)
		}
	}
	return append(out, a.auditSubApps(a.cfg.optOuts())...)
}

package identity

import (
	"context"
	"net/http"
	"sync/atomic"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auditlog"
	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/account"
	"github.com/fastness/fastness/auth/apikey"
	"github.com/fastness/fastness/auth/session"
	"github.com/fastness/fastness/guard/csrf"
	"github.com/fastness/fastness/keyring"
	"github.com/fastness/fastness/openapi"
	"github.com/fastness/fastness/page"
)

// Identity is what an app knows its users by. Make one with [New], and let it
// declare itself on one app.
type Identity struct {
	cfg    Config
	app    *fastness.App
	ways   []Way
	resets []func(ctx context.Context, c *Core, userID string) error
	core   atomic.Pointer[Core] // once the app has started
	// codes is nil unless another package gives codes.
	codes *Codes
}

// New returns the identity of an app. What is wrong with cfg is reported when the
// app starts, with all that is wrong elsewhere.
func New(cfg Config) *Identity {
	cfg.withDefaults()
	return &Identity{cfg: cfg}
}

// Declare declares the schemes, operations, values and commands on app.
func (id *Identity) Declare(app *fastness.App) {
	if err := id.cfg.validate(); err != nil {
		app.Mistake(err)
	}
	id.app = app
	app.UseCSRFKeys(csrf.FromRing(lateRing{id}, purposeForm))
	app.UseCursorKeys(page.FromRing(lateRing{id}, purposeCursor))
	app.Authenticate(append(id.schemes(), id.otherSchemes()...)...)
	fastness.ProvideApp(app, id.open)
	provideParts(app)
	app.OnStart(id.bootstrap)
	fastness.Provide(app, originOf)
	id.declareTokens(app)
	id.declareLogin(app)
	id.declareMe(app)
	id.declareUsers(app)
	id.declareWellKnown(app)
	fastness.Command[usersCommand](app, "users", "Manage the users.")
	fastness.Command[keysCommand](app, "keys", "Manage the keys that sign and encrypt.")
	fastness.Command[eventsCommand](app, "events", "Read and verify the log of security events.")
}

// provideParts lets operations ask for the parts of the core by type.
func provideParts(app *fastness.App) {
	part(app, func(c *Core) *account.Accounts { return c.Accounts })
	part(app, func(c *Core) *session.Sessions { return c.Sessions })
	part(app, func(c *Core) *apikey.Keys { return c.APIKeys })
	part(app, func(c *Core) *keyring.Ring { return c.Ring })
	part(app, func(c *Core) *auditlog.Log { return c.Events })
}

func part[T any](app *fastness.App, of func(*Core) T) {
	fastness.ProvideApp(app, func(_ context.Context, in struct{ Core *Core }) (T, func(error) error, error) {
		return of(in.Core), nil, nil
	})
}

// The names of the schemes, in the document and for access.By.
const (
	schemeOAuth2  = "oauth2"
	schemeSession = "session"
	schemeAPIKey  = "apiKey"
)

// schemes returns the schemes, which verify nothing until the app has started.
func (id *Identity) schemes() []auth.Scheme {
	return []auth.Scheme{
		&late{id, id.describeOAuth2, func(c *Core) auth.Scheme { return c.bearer }},
		&late{id, always(auth.Description{
			Name: schemeSession, Challenge: "Cookie", Ambient: true,
			Security: &openapi.SecurityScheme{Type: "apiKey", In: "cookie", Name: "__Host-session", Description: "The cookie of a session, set at log-in."},
		}), func(c *Core) auth.Scheme { return c.Cookies }},
		&late{id, always(auth.Description{
			Name: schemeAPIKey, Challenge: "APIKey",
			Security: &openapi.SecurityScheme{Type: "apiKey", In: "header", Name: "X-API-Key", Description: "A key for machines. The user whose it is makes it at /me/api-keys."},
		}), func(c *Core) auth.Scheme { return c.keys }},
	}
}

func (id *Identity) describeOAuth2() auth.Description {
	weak := make(map[string]string)
	if why := id.cfg.InsecureWeakHashing; why != "" {
		weak["InsecureWeakHashing"] = why
	}
	return auth.Description{
		Name: schemeOAuth2, Challenge: "Bearer", OptOuts: weak,
		Security: &openapi.SecurityScheme{Type: "oauth2", Flows: id.flows(), Description: "An access token in the Authorization header (RFC 6750, RFC 9068), verified as RFC 8725 has it."},
	}
}

// lateRing is the ring, once the app has started.
type lateRing struct{ id *Identity }

func (l lateRing) Seal(ctx context.Context, purpose string, plaintext []byte, context ...string) ([]byte, error) {
	core := l.id.core.Load()
	if core == nil {
		return nil, errNotStarted
	}
	return core.Ring.Seal(ctx, purpose, plaintext, context...)
}

func (l lateRing) Open(ctx context.Context, purpose string, sealed []byte, context ...string) (plaintext []byte, stale bool, err error) {
	core := l.id.core.Load()
	if core == nil {
		return nil, false, errNotStarted
	}
	return core.Ring.Open(ctx, purpose, sealed, context...)
}

// late is a scheme that is described before the app starts, and made when it
// does.
type late struct {
	id   *Identity
	is   func() auth.Description
	made func(*Core) auth.Scheme
}

func (l *late) Describe() auth.Description { return l.is() }

func always(is auth.Description) func() auth.Description {
	return func() auth.Description { return is }
}

func (l *late) Present(r *http.Request) bool {
	core := l.id.core.Load()
	return core != nil && l.made(core).Present(r)
}

func (l *late) Authenticate(ctx context.Context, r *http.Request) (*auth.User, error) {
	core := l.id.core.Load()
	if core == nil {
		return nil, errNotStarted
	}
	return l.made(core).Authenticate(ctx, r)
}

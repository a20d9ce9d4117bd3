package passkey

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auditlog"
	"github.com/fastness/fastness/identity"
	"github.com/fastness/fastness/internal/sqlstore"
	"github.com/fastness/fastness/passkey/internal/signed"
)

// Config configures [New].
type Config struct {
	// Identity is whose users log in. It is required, and declared before.
	Identity *identity.Identity
	// RPName is what the user's device calls the site. The default is the name of
	// the application.
	RPName string
}

// Keys are the passkeys of an app's users.
type Keys struct{ cfg Config }

// New returns the passkeys of an app. What is wrong with cfg is reported when the
// app starts, with all that is wrong elsewhere.
func New(cfg Config) *Keys { return &Keys{cfg} }

// Declare declares the operations on app.
func (k *Keys) Declare(app *fastness.App) {
	if k.cfg.Identity == nil {
		app.Mistake(errors.New("passkey: Identity is nil, want that of the app"))
		return
	}
	k.cfg.Identity.OfferLogin("Log in with a passkey", "/passkeys/login")
	k.cfg.Identity.OnReset(func(ctx context.Context, c *identity.Core, userID string) error {
		s, err := sqlstore.Open(ctx, c.DB(), tables())
		if err != nil {
			return err
		}
		return (&party{core: c, store: s}).forget(ctx, userID)
	})
	fastness.ProvideApp(app, k.open)
	fastness.Provide(app, ownerOf)
	declareOwn(app)
	declareLogin(app, k.cfg.Identity)
	declarePage(app)
}

// party is the relying party, as WebAuthn calls a site: what verifies and keeps.
type party struct {
	core   *identity.Core
	store  *sqlstore.Store
	site   *signed.Site
	name   string
	strays auditlog.Allowance
}

func (k *Keys) open(ctx context.Context, in struct{ Core *identity.Core }) (*party, func(error) error, error) {
	p := &party{core: in.Core, name: k.cfg.RPName}
	if p.name == "" {
		p.name = in.Core.Name()
	}
	host, origin, err := siteOf(in.Core.Issuer)
	if err != nil {
		return nil, nil, fmt.Errorf("passkey: %w", err)
	}
	if p.site, err = signed.NewSite(host, origin, p.name); err != nil {
		return nil, nil, fmt.Errorf("passkey: %w", err)
	}
	if p.store, err = sqlstore.Open(ctx, in.Core.DB(), tables()); err != nil {
		return nil, nil, err
	}
	return p, nil, nil
}

// siteOf returns the host that passkeys belong to and the origin of the pages.
func siteOf(issuer string) (host, origin string, err error) {
	u, err := url.Parse(issuer)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" {
		return "", "", errors.New("the issuer is not an https URL")
	}
	host = strings.ToLower(u.Hostname())
	if net.ParseIP(host) != nil {
		return "", "", errors.New("the issuer has an address for a host: passkeys need a name")
	}
	origin = "https://" + host
	if port := u.Port(); port != "" && port != "443" { // As browsers write it (RFC 6454 section 6.2).
		origin += ":" + port
	}
	return host, origin, nil
}

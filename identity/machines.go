package identity

import (
	"context"
	"crypto/x509"
	"errors"
	"net/http"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/account"
	"github.com/fastness/fastness/secret"
)

// The names of the schemes that an app may have besides.
const (
	schemeBasic       = "basic"
	schemeCertificate = "mutualTLS"
)

// otherSchemes returns the schemes that the configuration asks for.
func (id *Identity) otherSchemes() (schemes []auth.Scheme) {
	if id.cfg.BasicRealm != "" {
		basic, err := auth.NewBasic(auth.BasicConfig{Name: schemeBasic, Realm: id.cfg.BasicRealm, Verify: id.verifyBasic})
		if err != nil {
			id.app.Mistake(err)
		}
		schemes = append(schemes, basic)
	}
	if id.cfg.CertificateUser != nil {
		certificates, err := auth.NewClientCertificate(auth.CertificateConfig{Name: schemeCertificate, Identify: id.identify})
		if err != nil {
			id.app.Mistake(err)
		}
		schemes = append(schemes, certificates)
	}
	return schemes
}

// verifyBasic logs in for one request. What makes guessing slow at /token does so
// here; a user with a second factor cannot, because there is no place for a code.
func (id *Identity) verifyBasic(ctx context.Context, _ *http.Request, name, password string) (*auth.User, error) {
	core := id.core.Load()
	if core == nil {
		return nil, errNotStarted
	}
	login, err := core.Accounts.LogIn(ctx, account.Attempt{
		Name: name, Password: secret.New(password), Request: fastness.RequestID(ctx), Address: clientAddress(ctx),
	})
	switch {
	case errors.Is(err, account.ErrCredentials), errors.Is(err, account.ErrSecondFactor):
		return nil, nil
	case err != nil:
		return nil, err
	}
	u := login.User()
	u.Scheme, u.AllScopes = schemeBasic, true
	return u, nil
}

// identify returns the user whom a verified certificate belongs to.
func (id *Identity) identify(ctx context.Context, cert *x509.Certificate) (*auth.User, error) {
	core := id.core.Load()
	if core == nil {
		return nil, errNotStarted
	}
	name := id.cfg.CertificateUser(cert)
	if name == "" {
		return nil, nil
	}
	found, err := core.Accounts.ByName(ctx, name)
	if errors.Is(err, account.ErrUnknown) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	standing, err := core.Accounts.Standing(ctx, found.ID)
	if err != nil || standing == nil || !standing.Active {
		return nil, err
	}
	return &auth.User{
		ID: found.ID, Name: standing.Name, Roles: standing.Roles, Tenant: standing.Tenant, AllScopes: true,
		Scheme: schemeCertificate, Methods: auth.SetOf("swk"), Until: cert.NotAfter,
	}, nil
}

// errNotStarted is the answer of schemes before there is anybody to ask.
var errNotStarted = errors.New("identity: the app has not started")

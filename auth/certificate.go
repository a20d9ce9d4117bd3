package auth

import (
	"context"
	"crypto/x509"
	"errors"
	"net/http"

	"github.com/fastness/fastness/openapi"
)

// CertificateConfig configures a [ClientCertificate].
type CertificateConfig struct {
	// Name is the scheme's name. The default is "mutualTLS".
	Name string
	// Identify returns the user whom a verified certificate belongs to, or nil.
	// That it was signed by a trusted authority is not enough: choose by its
	// names, which authorities give, and never by its position in a chain.
	Identify func(ctx context.Context, cert *x509.Certificate) (*User, error)
}

// ClientCertificate takes the client certificate of the TLS connection (OpenAPI
// "mutualTLS"). The server must ask for one and know whom to trust: see the
// client certificate settings of package serve. A certificate in a header that a
// proxy might have set is never read.
type ClientCertificate struct{ cfg CertificateConfig }

// NewClientCertificate returns the scheme.
func NewClientCertificate(cfg CertificateConfig) (*ClientCertificate, error) {
	if cfg.Name == "" {
		cfg.Name = "mutualTLS"
	}
	if cfg.Identify == nil {
		return &ClientCertificate{cfg}, errors.New("client certificate: nothing says whose it is: Identify is nil")
	}
	return &ClientCertificate{cfg}, nil
}

// Describe describes the scheme. It is ambient: browsers send a certificate with
// every request to the site, whoever caused it.
func (c *ClientCertificate) Describe() Description {
	return Description{
		Name: c.cfg.Name, Ambient: true, Programs: true, Challenge: "ClientCertificate",
		Security: &openapi.SecurityScheme{Type: "mutualTLS", Description: "A client certificate of the TLS connection."},
	}
}

// Present reports whether the connection has a verified client certificate.
func (c *ClientCertificate) Present(r *http.Request) bool {
	return r.TLS != nil && len(r.TLS.VerifiedChains) > 0 && len(r.TLS.PeerCertificates) > 0
}

// Authenticate asks whose the certificate is.
func (c *ClientCertificate) Authenticate(ctx context.Context, r *http.Request) (*User, error) {
	if !c.Present(r) {
		return nil, &Refusal{Reason: errors.New("no verified client certificate")}
	}
	u, err := c.cfg.Identify(ctx, r.TLS.PeerCertificates[0])
	if err != nil {
		return nil, err
	}
	if u == nil {
		return nil, &Refusal{Reason: errors.New("the client certificate is nobody's")}
	}
	return u, nil
}

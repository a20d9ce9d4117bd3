// Package headers puts the security headers of an API on every answer, the
// errors too: a 404 that a browser may frame, sniff or run is as good to an
// attacker as a 200.
//
//	defaults, err := headers.New(headers.Config{})
//	server.Handler = defaults.Handler(mux)
//
// The defaults say that an answer is data. A browser that shows one loads
// nothing, runs nothing, frames nothing and tells nobody where it was:
//
//	Content-Security-Policy       default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'
//	X-Content-Type-Options        nosniff
//	Referrer-Policy               no-referrer
//	Cross-Origin-Opener-Policy    same-origin
//	Cross-Origin-Resource-Policy  same-origin
//	Permissions-Policy            camera=(), geolocation=(), microphone=(), payment=(), usb=()
//	Strict-Transport-Security     max-age=63072000; includeSubDomains   (over TLS only, RFC 6797 section 7.2)
//
// X-Frame-Options is not sent: every browser that still gets updates obeys
// frame-ancestors and then ignores it, and [New] does not accept a policy without
// frame-ancestors unless a reason is given. Cache-Control is not set here: only
// who writes the body knows whether it may be kept.
//
// The headers are set before the handler runs, so a handler that serves a page
// replaces the one it needs with http.Header.Set. [Page] makes the policy of a page
// that the server renders.
//
// With [Config.ReportTo] browsers tell what a policy has blocked; package report
// takes it.
package headers

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/fastness/fastness/guard/clientip"
)

// Config configures a [Set] of headers. The zero value is the secure choice.
type Config struct {
	// ContentSecurityPolicy is one policy. It must have base-uri,
	// frame-ancestors, and default-src or else script-src and object-src. A
	// nonce is refused: it must be new in each answer.
	ContentSecurityPolicy string
	// ReferrerPolicy is one value of the Referrer-Policy header.
	ReferrerPolicy string
	// CrossOriginOpenerPolicy is one value of that header.
	CrossOriginOpenerPolicy string
	// CrossOriginResourcePolicy is one value of that header. Answers to CORS
	// requests do not need "cross-origin": CORS decides about them.
	CrossOriginResourcePolicy string
	// PermissionsPolicy is a list such as "camera=(), geolocation=(self)".
	PermissionsPolicy string
	// StrictTransportSecurity is the value sent over TLS.
	StrictTransportSecurity string
	// CrossOriginEmbedderPolicy is "require-corp" or "credentialless", for pages
	// that need to be isolated from all others. The default is not to send it: an
	// answer that is data embeds nothing.
	CrossOriginEmbedderPolicy string
	// ReportTo is where browsers report what the policy has blocked: a path of
	// this site, such as "/csp-reports", or an https URL. The policy then ends in
	// report-uri and report-to, and Reporting-Endpoints names the place. The
	// default is that nobody is told.
	ReportTo string
	// InsecurePolicy, if not empty, says why the fields above may be weak. New
	// refuses a weak value without it and names it: scripts from anywhere,
	// 'unsafe-inline', framing by everyone, "unsafe-url", "unsafe-none",
	// "cross-origin", less than a year of HSTS and the like.
	InsecurePolicy string
}

// Set is a set of headers. It is safe for concurrent use.
type Set struct {
	always []header
	hsts   []string
}

// header is a name in canonical form and its value. The slice is shared by all
// answers; its capacity is its length, so that http.Header.Add copies it.
type header struct {
	name  string
	value []string
}

// New returns the set, or an error that names every mistake in cfg.
func New(cfg Config) (*Set, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("headers config: %w", err)
	}
	s := &Set{
		always: []header{
			{"Content-Security-Policy", one(cfg.ContentSecurityPolicy + reporting(cfg.ReportTo))},
			{"X-Content-Type-Options", one("nosniff")},
			{"Referrer-Policy", one(cfg.ReferrerPolicy)},
			{"Cross-Origin-Opener-Policy", one(cfg.CrossOriginOpenerPolicy)},
			{"Cross-Origin-Resource-Policy", one(cfg.CrossOriginResourcePolicy)},
			{"Permissions-Policy", one(cfg.PermissionsPolicy)},
		},
		hsts: one(cfg.StrictTransportSecurity),
	}
	if cfg.CrossOriginEmbedderPolicy != "" {
		s.always = append(s.always, header{"Cross-Origin-Embedder-Policy", one(cfg.CrossOriginEmbedderPolicy)})
	}
	if cfg.ReportTo != "" {
		s.always = append(s.always, header{"Reporting-Endpoints", one(endpoint + `="` + cfg.ReportTo + `"`)})
	}
	return s, nil
}

func one(value string) []string { return []string{value} }

func (c Config) withDefaults() Config {
	for _, field := range []struct {
		value *string
		or    string
	}{
		{&c.ContentSecurityPolicy, "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"},
		{&c.ReferrerPolicy, "no-referrer"},
		{&c.CrossOriginOpenerPolicy, "same-origin"},
		{&c.CrossOriginResourcePolicy, "same-origin"},
		{&c.PermissionsPolicy, "camera=(), geolocation=(), microphone=(), payment=(), usb=()"},
		{&c.StrictTransportSecurity, "max-age=63072000; includeSubDomains"},
	} {
		if *field.value == "" {
			*field.value = field.or
		}
	}
	return c
}

func (c Config) validate() error {
	var all findings
	for _, check := range []struct {
		field, value string
		check        func(*findings, string)
	}{
		{"ContentSecurityPolicy", c.ContentSecurityPolicy, checkCSP},
		{"ReferrerPolicy", c.ReferrerPolicy, oneOf(
			[]string{"no-referrer", "same-origin", "strict-origin", "strict-origin-when-cross-origin"},
			[]string{"origin", "origin-when-cross-origin", "no-referrer-when-downgrade", "unsafe-url"})},
		{"CrossOriginOpenerPolicy", c.CrossOriginOpenerPolicy, oneOf(
			[]string{"same-origin", "same-origin-allow-popups", "noopener-allow-popups"}, []string{"unsafe-none"})},
		{"CrossOriginResourcePolicy", c.CrossOriginResourcePolicy, oneOf([]string{"same-origin", "same-site"}, []string{"cross-origin"})},
		{"PermissionsPolicy", c.PermissionsPolicy, checkPermissions},
		{"StrictTransportSecurity", c.StrictTransportSecurity, checkHSTS},
		{"CrossOriginEmbedderPolicy", c.CrossOriginEmbedderPolicy, oneOf([]string{"", "require-corp", "credentialless"}, nil)},
		{"ReportTo", c.ReportTo, checkReportTo},
	} {
		all.field = check.field
		if !isFieldValue(check.value) {
			all.wrong("holds a control character or a character beyond ASCII")
			continue
		}
		check.check(&all, check.value)
	}
	if policy := strings.ToLower(c.ContentSecurityPolicy); c.ReportTo != "" && (strings.Contains(policy, "report-uri") || strings.Contains(policy, "report-to")) {
		all.wrong("contradicts the report-uri or report-to of ContentSecurityPolicy")
	}
	if c.InsecurePolicy == "" {
		return errors.Join(append(all.mistakes, all.weak...)...)
	}
	return errors.Join(all.mistakes...)
}

// Set sets the headers of an answer that does not go over TLS. It writes six
// entries and allocates nothing: the values are shared, so whoever wants another
// one must replace it (http.Header.Set, Add and Del do) and never write to the
// elements of a []string it finds.
//
// A header map holds eight entries before it grows. With Content-Type and a
// request id an answer has eight. ReportTo and CrossOriginEmbedderPolicy add one
// each, so the map of such an answer grows.
func (s *Set) Set(h http.Header) {
	for i := range s.always {
		h[s.always[i].name] = s.always[i].value
	}
}

// SetTLS is Set for an answer that goes over TLS; it adds
// Strict-Transport-Security. Behind a proxy that ends TLS it is the caller who
// knows.
func (s *Set) SetTLS(h http.Header) {
	s.Set(h)
	h["Strict-Transport-Security"] = s.hsts
}

// Handler sets the headers before next runs: those for TLS if the connection has it,
// or the client's to a proxy does, as package clientip has found around this.
func (s *Set) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS != nil || clientip.From(r.Context()).TLS {
			s.SetTLS(w.Header())
		} else {
			s.Set(w.Header())
		}
		next.ServeHTTP(w, r)
	})
}

package fastness

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/fastness/fastness/guard/clientip"
	"github.com/fastness/fastness/guard/compress"
	"github.com/fastness/fastness/guard/cors"
	"github.com/fastness/fastness/guard/csrf"
	"github.com/fastness/fastness/guard/headers"
	"github.com/fastness/fastness/guard/host"
	"github.com/fastness/fastness/guard/inflight"
	"github.com/fastness/fastness/guard/openconn"
	"github.com/fastness/fastness/guard/ratelimit"
	"github.com/fastness/fastness/guard/report"
	"github.com/fastness/fastness/internal/operation"
	"github.com/fastness/fastness/jobs"
	"github.com/fastness/fastness/locale"
	"github.com/fastness/fastness/openapi"
	"github.com/fastness/fastness/page"
	"github.com/fastness/fastness/redirect"
	"github.com/fastness/fastness/schema"
	"github.com/fastness/fastness/secret"
	"github.com/fastness/fastness/securitytxt"
	"github.com/fastness/fastness/ws"
)

// Config describes an app. The zero value is the secure choice.
type Config struct {
	// Title and Version name the API in its document. They are required.
	Title, Version string
	// Description is the document's, in Markdown.
	Description string
	// Contact, License and Terms (a URL) go into the document.
	Contact *openapi.Contact
	License *openapi.License
	Terms   string
	// Servers are the addresses under which the API is reached.
	Servers []openapi.Server
	// Tags describes the tags that operations use, in order.
	Tags []openapi.Tag
	// EditDocument, if not nil, has the last word about the OpenAPI document.
	EditDocument func(*openapi.Document)
	// Source holds the Go files whose doc comments describe the operations,
	// usually an embed.FS of "*.go". Without it operations are described by
	// their options alone.
	Source fs.FS
	// Names says how members of bodies are called whose tag json has no name, and
	// parameters whose tag is empty (`query:""`). A name that is written down stays, and
	// two that become the same are a mistake. The default, schema.GoNames, calls members
	// like their fields, and a parameter needs a name.
	Names schema.Style
	// Roles are all that callers can have. A rule that names another is a mistake:
	// a slip of the pen would let nobody in.
	Roles []string
	// Options hold for all operations, unless a group or an operation has its own:
	// an access rule, for instance.
	Options []Option

	// Docs says when the document and the docs page are served. The default is
	// [DocsInDevelopment].
	Docs DocsPolicy

	// Logger takes the access log and the causes of errors. The default is
	// slog.Default().
	Logger *slog.Logger
	// Errors renders problems. The default is [ProblemDocuments];
	// [FastAPIErrors] is for clients that come from there.
	Errors ErrorEncoder
	// Formats are those of bodies besides JSON, such as that of package cbor. A request
	// names the one of its body in Content-Type, and what it wants in Accept.
	Formats []Format
	// Locales are the languages besides English in which callers are told what is wrong,
	// by Accept-Language: see package locale.
	Locales locale.Config

	// Hosts are the names under which the app answers: "api.example.com",
	// "*.example.com". The default is the loopback names only.
	Hosts []string
	// InsecureAnyHost, if not empty, says why any Host header is taken.
	InsecureAnyHost string
	// Proxies are those that may say whom they speak for. The default is none. The
	// settings --trusted-proxy and --proxy-field replace it.
	Proxies clientip.Config
	// CORS says which pages of other origins may read answers. The default is none.
	CORS cors.Config
	// CSRF is the guard against cross-site requests. It trusts the origins that CORS
	// allows to send credentials, and where nobody is known the others of CORS, too.
	// Where a cookie says who is calling, or an operation asks for a
	// token, Keys are needed: package identity brings its own.
	CSRF csrf.Config
	// Cursors are those of lists that are answered in pages, by package page. Where an
	// operation has such a list Keys are needed: package identity brings its own.
	Cursors page.Config
	// RateLimit is the limit of whatever one client asks for. Its zero value is 1000
	// requests a minute for each address; the setting --rate-limit replaces Rule.Limit.
	// Limits of single operations are options of theirs, which share its Store.
	RateLimit ratelimit.Config
	// Redirects are the origins of others that a [Redirect] may lead to. The default is
	// none: redirects stay on this site.
	Redirects redirect.Config
	// BodyLimit is the most bytes of a request body. The default is 1 MiB.
	BodyLimit int64
	// Timeout is how long an operation may take before its context ends. The
	// default is 30 seconds.
	Timeout time.Duration
	// StartTimeout is how long each part of the start may take: an app-scoped provider,
	// a function of OnStart. The default is a minute.
	StartTimeout time.Duration
	// Background is the pool of what runs after answers; see [Background]. Its Logger is
	// that of the app.
	Background jobs.PoolConfig
	// RootPath is what a proxy in front takes away from the paths of requests: "/api".
	// The document, redirects and [App.URL] put it back. The setting --root-path replaces
	// it.
	RootPath string
	// MaxInFlight is how many requests are served at once before more are
	// answered 503. The default is 1024.
	MaxInFlight int
	// Connections is how many WebSockets and streams may be open at once. They are no
	// requests in flight.
	Connections openconn.Config
	// WebSockets are the limits of their messages. Pages of this origin may connect,
	// and those that CSRF and CORS trust.
	WebSockets ws.Config
	// Headers are the security headers of every answer.
	Headers headers.Config
	// Pages is the policy of pages that the server renders; see [View]. It is told to
	// report where Headers is.
	Pages headers.PageConfig
	// Compression is how answers are compressed that hold nobody's secret.
	Compression compress.Config
	// NoCompression leaves it to a proxy.
	NoCompression bool
	// SecurityTxt tells finders of a vulnerability whom to tell, at
	// /.well-known/security.txt (RFC 9116). Without a Contact there is no such file.
	SecurityTxt securitytxt.Config
	// Secrets makes sources of the references in settings; see [AddSettings]. The zero
	// value knows variables and files. Modules that read secrets from elsewhere have
	// schemes for it.
	Secrets secret.Resolver
	// UploadDir is where uploads too large for memory are kept while their
	// request lasts. The default is os.TempDir().
	UploadDir string

	// InsecureFastAPICompat, if not empty, says why the softer rules of FastAPI
	// hold instead: unknown members are dropped, strings that spell numbers are
	// numbers, the last of several equal parameters wins, and a body of another
	// media type is a 422.
	InsecureFastAPICompat string
}

// DocsPolicy says when an app serves its OpenAPI document and docs page.
type DocsPolicy int

const (
	// DocsInDevelopment serves them while the app runs with a development
	// certificate. A document tells an attacker where to begin.
	DocsInDevelopment DocsPolicy = iota
	// DocsOff never serves them.
	DocsOff
	// DocsPublic always serves them: for APIs that strangers are meant to use.
	DocsPublic
)

// defences are the parts of the chain that a Config makes.
type defences struct {
	clients  *clientip.Clients
	cors     *cors.Policy
	csrf     crossSiteGuard
	cursors  *page.Cursors // nil if no operation has a list
	limits   limits
	targets  *redirect.Targets
	hosts    *host.Hosts
	inflight *inflight.Limit
	// connections that last longer than a request
	connections *openconn.Limit
	sockets     *ws.Server
	headers     *headers.Set
	pages       *headers.Page
	gzip        *compress.Compressor
	contact     *securitytxt.File // or nil
	reports     *report.Sink      // or nil
}

func (c *Config) withDefaults() {
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Errors == nil {
		c.Errors = ProblemDocuments
	}
	if c.BodyLimit == 0 {
		c.BodyLimit = 1 << 20
	}
	if c.Timeout == 0 {
		c.Timeout = 30 * time.Second
	}
	if c.StartTimeout == 0 {
		c.StartTimeout = time.Minute
	}
}

// build makes the defences, or names every mistake.
func (c *Config) build() (d defences, err error) {
	var errs []error
	if c.Title == "" || c.Version == "" {
		errs = append(errs, errors.New("config: Title and Version must not be empty"))
	}
	if c.BodyLimit < 0 {
		errs = append(errs, fmt.Errorf("config: BodyLimit is %d, want more than 0", c.BodyLimit))
	}
	if c.Timeout < 0 {
		errs = append(errs, fmt.Errorf("config: Timeout is %v, want more than 0", c.Timeout))
	}
	if c.StartTimeout < 0 {
		errs = append(errs, fmt.Errorf("config: StartTimeout is %v, want more than 0", c.StartTimeout))
	}
	add := func(field string, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("config: %s: %w", field, err))
		}
	}
	d.clients, err = clientip.New(c.Proxies)
	add("Proxies", err)
	d.cors, err = cors.New(c.CORS)
	add("CORS", err)
	d.targets, err = redirect.New(c.Redirects)
	add("Redirects", err)
	d.hosts, err = host.New(host.Config{Allow: c.Hosts, InsecureAnyHost: c.InsecureAnyHost})
	add("Hosts", err)
	d.inflight, err = inflight.New(inflight.Config{Max: c.MaxInFlight})
	add("MaxInFlight", err)
	d.connections, err = openconn.New(c.Connections)
	add("Connections", err)
	d.headers, err = headers.New(c.Headers)
	add("Headers", err)
	d.buildAnswers(c, add)
	return d, errors.Join(errs...)
}

// buildAnswers makes what answers have, and what is told about them. Mistakes are
// added by the field.
func (d *defences) buildAnswers(c *Config, add func(field string, err error)) {
	pages := c.Pages
	pages.ReportTo = cmp.Or(pages.ReportTo, c.Headers.ReportTo)
	var err error
	d.pages, err = headers.NewPage(pages)
	add("Pages", err)
	d.gzip, err = compress.New(c.Compression)
	add("Compression", err)
	if len(c.SecurityTxt.Contact) > 0 {
		cfg := c.SecurityTxt
		cfg.Logger = cmp.Or(cfg.Logger, c.Logger)
		d.contact, err = securitytxt.New(cfg)
		add("SecurityTxt", err)
	}
	if strings.HasPrefix(c.Headers.ReportTo, "/") {
		d.reports, err = report.New(report.Config{
			Logger: c.Logger, Client: func(r *http.Request) netip.Addr { return ClientAddr(r.Context()) },
		})
		add("Headers", err)
	}
}

// optOuts lists the settings that weaken a defence.
func (c *Config) optOuts() []operation.OptOut {
	var out []operation.OptOut
	for _, o := range []operation.OptOut{
		{Where: "config", Name: "InsecureAnyHost", Reason: c.InsecureAnyHost},
		{Where: "config: RateLimit", Name: "InsecureUnlimited", Reason: c.RateLimit.InsecureUnlimited},
		{Where: "config: CSRF", Name: "InsecureMethods", Reason: c.CSRF.InsecureMethods},
		{Where: "config: CSRF", Name: "InsecureTrustedHTTP", Reason: c.CSRF.InsecureTrustedHTTP},
		{Where: "config: CSRF", Name: "InsecureCookieScope", Reason: c.CSRF.InsecureCookieScope},
		{Where: "config: CSRF", Name: "InsecureSameSiteNone", Reason: c.CSRF.InsecureSameSiteNone},
		{Where: "config: CSRF", Name: "InsecureReadableCookie", Reason: c.CSRF.InsecureReadableCookie},
		{Where: "config: CSRF", Name: "InsecureHTTP", Reason: c.CSRF.InsecureHTTP},
		{Where: "config: Headers", Name: "InsecurePolicy", Reason: c.Headers.InsecurePolicy},
		{Where: "config: Compression", Name: "InsecureSecrets", Reason: c.Compression.InsecureSecrets},
		{Where: "config: CORS", Name: "InsecureAnyOrigin", Reason: c.CORS.InsecureAnyOrigin},
		{Where: "config: CORS", Name: "InsecureSubdomains", Reason: c.CORS.InsecureSubdomains},
		{Where: "config: CORS", Name: "InsecureHTTPOrigins", Reason: c.CORS.InsecureHTTPOrigins},
		{Where: "config: Proxies", Name: "InsecureTrustAny", Reason: c.Proxies.InsecureTrustAny},
		{Where: "config: WebSockets", Name: "InsecureHTTPOrigins", Reason: c.WebSockets.InsecureHTTPOrigins},
		{Where: "config: Connections", Name: "InsecurePerClientUnlimited", Reason: c.Connections.InsecurePerClientUnlimited},
		{Where: "config: Secrets", Name: "InsecureReadableFiles", Reason: c.Secrets.InsecureReadableFiles},
		{Where: "config", Name: "InsecureFastAPICompat", Reason: c.InsecureFastAPICompat},
	} {
		if o.Reason != "" {
			out = append(out, o)
		}
	}
	if c.Docs == DocsPublic {
		out = append(out, operation.OptOut{Where: "config", Name: "DocsPublic", Reason: "the document is meant for strangers"})
	}
	return out
}

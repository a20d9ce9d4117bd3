package fastness

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"text/tabwriter"

	"github.com/fastness/fastness/guard/clientip"
	"github.com/fastness/fastness/guard/framing"
	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/serve"
)

// serveCommand serves the app.
type serveCommand struct {
	settingsFlags `embed:""`
}

// Run serves until ctx is done, and stops gracefully.
func (c *serveCommand) Run(ctx context.Context, p *program) error {
	app := p.app
	if !app.ownLogger {
		app.cfg.Logger = c.logger(p.stderr)
		p.useLogger(app.cfg.Logger)
	}
	if c.Development() && len(app.cfg.Hosts) > 0 {
		// The development certificate is for this machine's names, whatever the
		// app is called elsewhere. No stranger's name can stand for them.
		app.cfg.Hosts = append(app.cfg.Hosts[:len(app.cfg.Hosts):len(app.cfg.Hosts)], "localhost", "127.0.0.1", "[::1]")
	}
	if public := c.publicURL(); public != nil && len(app.cfg.Hosts) == 0 && app.cfg.InsecureAnyHost == "" {
		// Whoever runs the program has said what the world calls it.
		app.cfg.Hosts = []string{public.Hostname(), "localhost", "127.0.0.1", "[::1]"}
	}
	if len(c.TrustedProxies) > 0 {
		app.cfg.Proxies = c.proxies()
	}
	if c.RootPath != "" {
		app.cfg.RootPath = c.RootPath
	}
	if c.RateLimit != "" {
		app.cfg.RateLimit.Rule.Limit = c.RateLimit
	}
	server, err := c.server(p)
	if mistakes := errors.Join(p.compile(c.Settings), c.explain(err), c.redirectMistake(app)); mistakes != nil {
		return mistakes
	}
	app.development.Store(server.DevelopmentCA() != "")
	if err := app.Start(ctx); err != nil {
		return err
	}
	running, failure := app.untilFailure(ctx)
	if err = server.Run(running); server.Addr() == nil {
		err = c.explain(err)
	}
	err = errors.Join(failure(), err)
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.Grace)
	defer cancel()
	if err = errors.Join(err, app.Stop(stopping)); err == nil {
		app.cfg.Logger.Info("stopped")
	}
	return err
}

// server returns the server of the app as the settings want it.
func (c *serveCommand) server(p *program) (server *serve.Server, err error) {
	app, addr := p.app, c.Addr
	mistake := c.addrMistake()
	if mistake != nil { // It is complained about once; the other mistakes are wanted, too.
		addr = "127.0.0.1:0"
	}
	redirect, err := serve.NewRedirect(serve.RedirectConfig{
		Origin: func(r *http.Request) (string, error) { return c.redirectOrigin(app, r, server.Addr()) },
		Answer: app.answerPlain,
	})
	if err != nil {
		return nil, err
	}
	server, err = serve.New(serve.Config{
		Addr: addr, DataDir: c.DataDir, RedirectAddr: c.HTTPAddr, Redirect: redirect,
		TLSCert: c.TLSCert, TLSKey: c.TLSKey, ClientCAs: c.clientCAs(),
		InsecurePlainHTTP:              c.InsecurePlainHTTP,
		InsecureDevelopmentCertificate: c.InsecureDevelopmentCertificate,
		GracePeriod:                    c.Grace, DrainDelay: c.DrainDelay,
		MaxConns: app.maxConns(),
		Framing:  framing.Config{Render: app.refuse},
		Logger:   app.cfg.Logger,
		Ready:    func(addr net.Addr) { c.welcome(p, addr, server.RedirectAddr(), server.DevelopmentCA()) },
		OnDrain: func() {
			app.draining.Store(true)
			app.stop()
			app.drainSockets()
			app.cfg.Logger.Info("stopping", "grace", c.Grace.String())
		},
	}, app)
	return server, errors.Join(mistake, err)
}

// proxies returns what the settings say of the proxies in front.
func (s *Settings) proxies() clientip.Config {
	cfg := clientip.Config{Trust: s.TrustedProxies}
	if s.ProxyField == "forwarded" {
		cfg.Field = clientip.Forwarded
	}
	return cfg
}

// clientCAs returns the files with the authorities of client certificates.
func (s *Settings) clientCAs() []string {
	if s.TLSClientCA == "" {
		return nil
	}
	return []string{s.TLSClientCA}
}

// addrMistake says what is wrong with an address that lacks its host, its port
// or both.
func (s *Settings) addrMistake() error {
	host, port, err := net.SplitHostPort(s.Addr)
	if err != nil {
		host, port = "", s.Addr
	}
	try := "127.0.0.1:8443"
	if _, err := strconv.ParseUint(port, 10, 16); err == nil {
		try = "127.0.0.1:" + port
	}
	switch {
	case err != nil:
		return fmt.Errorf("--addr is not an address, want a host and a port: try %s", try)
	case host == "" && s.Development() && s.InsecureDevelopmentCertificate == "":
		return fmt.Errorf("--addr without a host is open to the network, want a host: try %s; "+
			"or else --tls-cert and --tls-key, or a reason in --insecure-development-certificate", try)
	}
	return nil
}

// refuse answers a request that the framing guard refused, with the app's kind
// of error and all that every answer has.
func (a *App) refuse(w http.ResponseWriter, r *http.Request, p *problem.Problem) {
	x := a.exchanges.get(a, w, r)
	defer x.end()
	if _, replaced := framing.Refused(r); replaced {
		// The guard's own request stands for the one that nobody can read.
		x.r = &http.Request{RemoteAddr: r.RemoteAddr, TLS: r.TLS}
	}
	w.Header()["X-Request-Id"] = x.ctx.id[:]
	x.dress()
	x.answerProblem(p)
}

// welcome says where the app is. For people it is a text, for machines one
// record of the log.
func (c *serveCommand) welcome(p *program, addr, plain net.Addr, authority string) {
	app, url := p.app, c.url(addr)
	optOuts := len(app.Audit()) + len(c.optOuts())
	docs, hidden := app.docsAt(url)
	if c.LogFormat != "text" {
		http := ""
		if plain != nil {
			http = plain.String()
		}
		app.cfg.Logger.Info("serving", "title", app.cfg.Title, "version", app.cfg.Version, "addr", addr.String(), "http_addr", http, "url", url,
			"docs", docs, "docs_hidden", hidden, "operations", len(app.operations), "opt_outs", optOuts, "development_authority", authority)
		return
	}
	var text strings.Builder
	fmt.Fprintf(&text, "\n%s %s\n\n", app.cfg.Title, app.cfg.Version)
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	line := func(name, format string, args ...any) { fmt.Fprintf(w, "  "+name+"\t"+format+"\n", args...) }
	line("API", "%s", url)
	if plain != nil {
		line("HTTP", "http://%s leads browsers to https, and refuses all else", plain)
	}
	switch {
	case docs != "":
		line("Docs", "%s", docs)
	case hidden != "":
		line("Docs", "hidden here, %s", hidden)
	}
	line("Operations", "%d, listed by: %s routes", len(app.operations), p.name)
	if optOuts == 0 {
		line("Opt-outs", "none, every defence is on")
	} else {
		line("Opt-outs", "%d, explained by: %s audit", optOuts, p.name)
	}
	if authority != "" {
		line("Certificate", "for development; its authority is %s", authority)
		line("To trust it", "%s", trust(runtime.GOOS, authority, url))
		line("HSTS", "a browser that trusts it remembers to use HTTPS for localhost, on every port")
	}
	_ = w.Flush() // A strings.Builder takes everything.
	fmt.Fprintf(p.stderr, "%s\n  Ctrl-C stops it.\n\n", text.String())
}

// docsAt returns the address of the docs page, or else what would show it, if
// the app has one.
func (a *App) docsAt(url string) (docs, hidden string) {
	switch {
	case !a.hasBuiltin("/docs") || a.cfg.Docs == DocsOff:
		return "", ""
	case a.DocsShown():
		return url + "/docs", ""
	}
	return "", "shown with the development certificate or Docs: fastness.DocsPublic"
}

// url returns the address to open.
func (s *Settings) url(addr net.Addr) string {
	host, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return addr.String()
	}
	if ip := net.ParseIP(host); ip != nil && (ip.IsUnspecified() || ip.IsLoopback() && ip.To4() != nil) {
		host = "localhost"
	}
	scheme := "https"
	if s.InsecurePlainHTTP != "" {
		scheme = "http"
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}

// trust says in one line how a machine comes to trust the authority.
func trust(system, authority, url string) string {
	switch system {
	case "darwin":
		return fmt.Sprintf("security add-trusted-cert -r trustRoot -k ~/Library/Keychains/login.keychain-db %q", authority)
	case "windows":
		return fmt.Sprintf("certutil -user -addstore Root %q", authority)
	default:
		return fmt.Sprintf("import that file in the browser as an authority, or: curl --cacert %q %s%s", authority, url, livePath)
	}
}

// startError is an error of package serve in the words of the command line.
type startError struct {
	cause       error
	development bool // the certificate was to be made
}

// explain makes err say what to do next.
func (s *Settings) explain(err error) error {
	if err == nil {
		return nil
	}
	return startError{err, s.Development()}
}

func (e startError) Unwrap() error { return e.cause }

// Error returns the cause, in which the settings are called like their flags,
// and a second line of advice if there is one.
func (e startError) Error() string {
	text := strings.NewReplacer(
		"serve config: ", "", "serve: ", "",
		"InsecurePlainHTTP", "--insecure-plain-http",
		"InsecureDevelopmentCertificate", "--insecure-development-certificate",
		"TLSCert", "--tls-cert", "TLSKey", "--tls-key", "ClientCAs", "--tls-client-ca", "DataDir", "--data",
		"GracePeriod", "--grace", "DrainDelay", "--drain-delay", "RedirectAddr", "--http-addr", "Addr", "--addr",
	).Replace(e.cause.Error())
	if next := e.advice(); next != "" {
		text += "\n" + next
	}
	return "the server cannot start: " + text
}

// advice says what to do about an error of the system.
func (e startError) advice() string {
	err := e.cause
	_, file := errors.AsType[*fs.PathError](err)
	_, link := errors.AsType[*os.LinkError](err)
	_, network := errors.AsType[*net.OpError](err)
	flag := "--addr"
	if strings.HasPrefix(err.Error(), "serve: RedirectAddr: ") {
		flag = "--http-addr"
	}
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return "Another program listens there: stop it, or choose another port with " + flag + "."
	case network && errors.Is(err, syscall.EACCES):
		return "Ports below 1024 need a privilege: choose a higher one with " + flag + ", or grant CAP_NET_BIND_SERVICE."
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return "This machine does not have that address: choose one that it has with " + flag + "."
	case network:
		return "Choose an address of this machine with " + flag + ", such as 127.0.0.1:8443."
	case e.development && (file || link):
		return "Choose with --data a folder in which this program may write, or give --tls-cert and --tls-key."
	case errors.Is(err, fs.ErrNotExist):
		return "Check the names given with --tls-cert and --tls-key; without both, a development certificate is made."
	case errors.Is(err, fs.ErrPermission):
		return "Let the user that runs this program read and write it, or choose another with --tls-cert and --tls-key."
	}
	return ""
}

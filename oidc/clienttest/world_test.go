package clienttest_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"html"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/auth/account"
	"github.com/fastness/fastness/guard/ratelimit"
	"github.com/fastness/fastness/identity"
	"github.com/fastness/fastness/oidc"
	"github.com/fastness/fastness/secret"
	"github.com/fastness/fastness/sqldb"
)

// manyRequests is the rate limit of tests that are about something else.
const manyRequests = "1000000/second"

const (
	goodPassword = "correct horse battery staple"
	statsSecret  = "a secret of 32 random bytes, or so it says"
	// Nobody listens there: the tests follow no redirect to a client.
	webCallback   = "https://web.example/callback"
	statsCallback = "https://stats.example/cb?from=shop"
	phoneCallback = "com.example.phone:/callback"
	toolCallback  = "http://127.0.0.1/callback"
)

// clock is the time of a world.
type clock struct {
	mu sync.Mutex
	d  time.Duration
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.d)
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.d += d
}

// world is an app with an identity and an authorization server, behind TLS.
type world struct {
	issuer string
	core   *identity.Core
	clock  *clock
	roots  *x509.CertPool
	caFile string
	dbFile string
	users  map[string]string // ids by name
}

// options is what a test may change.
type options struct {
	users  identity.Config
	server oidc.Config
	login  oidc.LoginConfig // for none, without a name
}

func newWorld(t *testing.T, adjust func(*options)) *world {
	t.Helper()
	return newWorldAt(t, listen(t), adjust)
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return listener
}

// issuerAt returns the issuer of a world at a listener.
func issuerAt(l net.Listener) string {
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return "https://localhost:" + port
}

func newWorldAt(t *testing.T, listener net.Listener, adjust func(*options)) *world {
	t.Helper()
	w := &world{clock: new(clock), users: map[string]string{}, issuer: issuerAt(listener)}
	folder := t.TempDir()
	w.dbFile = filepath.Join(folder, "users.db")
	app := w.declare(t, folder, listener.Addr().String(), adjust)
	if err := app.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(app)
	server.Listener.Close()
	server.Listener = listener
	server.TLS = w.certificate(t, folder)
	server.StartTLS()
	t.Cleanup(func() {
		server.Close()
		if err := app.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	w.newBrowser(t).get(t, w.issuer+"/core").want(t, http.StatusNoContent)
	for _, name := range []string{"ada", "bob"} {
		made, err := w.core.Accounts.Create(t.Context(), account.By{}, account.New{
			Name: name, Password: secret.New(goodPassword), Roles: auth.SetOf("customer"),
		})
		if err != nil {
			t.Fatal(err)
		}
		w.users[name] = made.ID
	}
	return w
}

func (w *world) declare(t *testing.T, folder, addr string, adjust func(*options)) *fastness.App {
	t.Helper()
	roles := []string{"admin", "customer"}
	hash := sha256.Sum256([]byte(statsSecret))
	o := options{users: identity.Config{
		Open:  func(context.Context, fastness.Settings) (*sqldb.DB, error) { return openSQLite(w.dbFile) },
		Roles: roles, Now: w.clock.Now, InsecureWeakHashing: "a test hashes often", Introspection: true, Limits: identity.Limits{LogIn: manyRequests, SignUp: manyRequests, Tokens: manyRequests},
		Scopes: []identity.Scope{{Name: "items", Description: "Sell items."}, {Name: "orders", Description: "Order items."}},
		Clients: []identity.Client{
			{ID: "web", Name: "The web shop", FirstParty: true, RedirectURIs: []string{webCallback}},
			{ID: "phone", Name: "The phone app", FirstParty: true, RedirectURIs: []string{phoneCallback}},
			{ID: "tool", Name: "A tool", RedirectURIs: []string{toolCallback}},
			{ID: "stats", Name: "Statistics <b>Inc.</b>", SecretHash: hex.EncodeToString(hash[:]), RedirectURIs: []string{statsCallback}},
			{ID: "mute", FirstParty: true},
		},
	}}
	if adjust != nil {
		adjust(&o)
	}
	app := fastness.New(fastness.Config{Title: "Shop", Version: "1.0.0", Roles: roles, Docs: fastness.DocsPublic, RateLimit: ratelimit.Config{Rule: ratelimit.Rule{Limit: manyRequests}}, Logger: slog.New(slog.NewTextHandler(t.Output(), nil))})
	fastness.ProvideValue(app, fastness.Settings{Addr: addr, DataDir: folder})
	users := identity.New(o.users)
	users.Declare(app)
	o.server.Identity = users
	oidc.New(o.server).Declare(app)
	if o.login.Name != "" {
		o.login.Identity = users
		oidc.NewLogin(o.login).Declare(app)
	}
	fastness.Get(app, "/core", func(_ context.Context, in struct{ Core *identity.Core }) (fastness.NoContent, error) {
		w.core = in.Core
		return fastness.NoContent{}, nil
	}, access.Public)
	type whoami struct {
		ID     string `json:"id" maxLength:"64"`
		Scopes string `json:"scopes" maxLength:"999"`
		Client string `json:"client" maxLength:"99"`
	}
	fastness.Get(app, "/whoami", func(_ context.Context, in struct{ User auth.User }) (whoami, error) {
		return whoami{in.User.ID, in.User.Scopes.String(), in.User.Client}, nil
	}, access.Authenticated)
	fastness.Get(app, "/items", func(context.Context, struct{}) (fastness.NoContent, error) { return fastness.NoContent{}, nil },
		access.Scope("items"))
	return app
}

func openSQLite(path string) (*sqldb.DB, error) {
	pool := func(n int, params string) (*sql.DB, error) {
		db, err := sql.Open("sqlite", "file:"+filepath.ToSlash(path)+"?_busy_timeout=5000&_foreign_keys=1"+params)
		if err == nil {
			db.SetMaxOpenConns(n)
		}
		return db, err
	}
	write, err := pool(1, "&_txlock=immediate&_journal_mode=WAL&_synchronous=NORMAL")
	if err != nil {
		return nil, err
	}
	read, err := pool(4, "")
	return &sqldb.DB{Write: write, Read: read}, err
}

// certificate makes one for localhost, and the file by which other programs trust it.
func (w *world) certificate(t *testing.T, folder string) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	w.roots = x509.NewCertPool()
	w.roots.AddCert(leaf)
	w.caFile = filepath.Join(folder, "ca.pem")
	writeFile(t, w.caFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}}}
}

// transport reaches the world wherever a name leads.
func (w *world) transport(t *testing.T) *http.Transport {
	t.Helper()
	u, err := url.Parse(w.issuer)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: w.roots}, ForceAttemptHTTP2: true,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, "127.0.0.1:"+u.Port())
		},
	}
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

// browser keeps cookies and follows redirects within the site.
type browser struct {
	client *http.Client
	issuer string
}

func (w *world) newBrowser(t *testing.T) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	b := &browser{issuer: w.issuer}
	b.client = &http.Client{
		Transport: w.transport(t), Jar: jar, Timeout: 30 * time.Second,
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if "https://"+r.URL.Host != w.issuer || len(via) > 10 {
				return http.ErrUseLastResponse
			}
			return nil
		},
	}
	return b
}

// page is what a browser ends up with.
type page struct {
	status int
	header http.Header
	body   string
	at     *url.URL
}

func (p *page) want(t *testing.T, status int) *page {
	t.Helper()
	if p.status != status {
		t.Fatalf("%s: status %d, want %d\n%v\n%s", p.at, p.status, status, p.header, p.body)
	}
	return p
}

// wantToLogIn wants that nobody is logged in: people are led to the page to do it.
func (p *page) wantToLogIn(t *testing.T) {
	t.Helper()
	if p.want(t, http.StatusOK).at.Path != "/login" {
		t.Fatalf("%s: want to be led to the log-in\n%s", p.at, p.body)
	}
}

// answer returns the parameters of a redirect to a client.
func (p *page) answer(t *testing.T, uri string) url.Values {
	t.Helper()
	p.want(t, http.StatusSeeOther)
	location, err := url.Parse(p.header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	want, _ := url.Parse(uri)
	if location.Scheme != want.Scheme || location.Host != want.Host || location.Path != want.Path {
		t.Fatalf("the answer goes to %s, want %s", location, uri)
	}
	if location.Fragment != "" {
		q, err := url.ParseQuery(location.EscapedFragment())
		if err != nil || location.RawQuery != "" {
			t.Fatalf("the answer is %s: %v", location, err)
		}
		return q
	}
	return location.Query()
}

func (b *browser) send(t *testing.T, r *http.Request) *page {
	t.Helper()
	r.Header.Set("Accept", "text/html,*/*;q=0.8")
	res, err := b.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	p := &page{res.StatusCode, res.Header, string(body), res.Request.URL}
	if next := refreshed.FindStringSubmatch(p.body); next != nil && p.status == http.StatusOK {
		return b.get(t, b.issuer+strings.ReplaceAll(next[1], "&amp;", "&"))
	}
	return p
}

// refreshed finds where a page leads by itself.
var refreshed = regexp.MustCompile(`http-equiv="refresh" content="0; url=([^"]+)"`)

func (b *browser) get(t *testing.T, address string) *page {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	return b.send(t, r)
}

// post sends a form of a page of the site, with a token in the header if the form
// has none. Headers are in pairs; "" takes one away. Who says that the form comes from
// elsewhere gets no token.
func (b *browser) post(t *testing.T, address string, form url.Values, headers ...string) *page {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	for i := 0; i < len(headers); i += 2 {
		if r.Header.Set(headers[i], headers[i+1]); headers[i+1] == "" {
			r.Header.Del(headers[i])
		}
	}
	if r.Header.Get("Sec-Fetch-Site") == "same-origin" && !form.Has("csrf-token") && r.Header.Get("X-CSRF-Token") == "" {
		r.Header.Set("X-CSRF-Token", b.token(t))
	}
	return b.send(t, r)
}

// token gets a CSRF token as a script of a page does.
func (b *browser) token(t *testing.T) string {
	t.Helper()
	var got fastness.CSRFToken
	if err := json.Unmarshal([]byte(b.get(t, b.issuer+"/csrftoken/").want(t, http.StatusOK).body), &got); err != nil {
		t.Fatal(err)
	}
	return got.Token
}

// filled returns what the form of a page sends.
func filled(p *page, more ...string) url.Values {
	form := url.Values{}
	for _, f := range field.FindAllStringSubmatch(p.body, -1) {
		form.Set(f[1], html.UnescapeString(f[2]))
	}
	set(form, more)
	return form
}

var field = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)"`)

// submit sends the form of a page as who reads it would.
func (b *browser) submit(t *testing.T, p *page, action string, more ...string) *page {
	t.Helper()
	return b.post(t, b.issuer+action, filled(p, more...))
}

// logIn fills in the page to log in.
func (b *browser) logIn(t *testing.T, p *page, name string) *page {
	t.Helper()
	if p.at.Path != "/login" {
		t.Fatalf("the browser is at %s (%d), want the page to log in\n%s", p.at, p.status, p.body)
	}
	return b.submit(t, p, "/login", "username", name, "password", goodPassword)
}

// program is a client that is not a library: it sends what a test wants.
type program struct {
	w        *world
	id       string
	secret   string
	redirect string
	verifier string
}

func (w *world) program(id, redirect string) *program {
	return &program{w: w, id: id, redirect: redirect, verifier: strings.Repeat("v", 43)}
}

func (p *program) authorizeURL(with ...string) string {
	sum := sha256.Sum256([]byte(p.verifier))
	q := url.Values{
		"response_type": {"code"}, "client_id": {p.id}, "redirect_uri": {p.redirect}, "state": {"a state & more"},
		"scope": {"openid items"}, "code_challenge": {base64URL(sum[:])}, "code_challenge_method": {"S256"},
	}
	set(q, with)
	return p.w.issuer + "/oauth/authorize?" + q.Encode()
}

// set changes values; "" removes one.
func set(q url.Values, with []string) {
	for i := 0; i < len(with); i += 2 {
		if q.Set(with[i], with[i+1]); with[i+1] == "" {
			q.Del(with[i])
		}
	}
}

// code gets a code for a browser in which somebody is logged in.
func (p *program) code(t *testing.T, b *browser, with ...string) string {
	t.Helper()
	answer := b.get(t, p.authorizeURL(with...)).answer(t, p.redirect)
	if answer.Get("code") == "" {
		t.Fatalf("no code: %v", answer)
	}
	return answer.Get("code")
}

// tokens is an answer of the token endpoint.
type tokens struct {
	status  int
	header  http.Header
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
	ID      string `json:"id_token"`
	Scope   string `json:"scope"`
	Error   string `json:"error"`
	Detail  string `json:"error_description"`
}

func (p *program) exchange(t *testing.T, code string, with ...string) tokens {
	t.Helper()
	q := url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {p.redirect},
		"code_verifier": {p.verifier}, "client_id": {p.id},
	}
	set(q, with)
	return p.ask(t, q)
}

func (p *program) refresh(t *testing.T, token string, with ...string) tokens {
	t.Helper()
	q := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}, "client_id": {p.id}}
	set(q, with)
	return p.ask(t, q)
}

func (p *program) ask(t *testing.T, q url.Values) (out tokens) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.w.issuer+"/oauth/token", strings.NewReader(q.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if p.secret != "" {
		r.SetBasicAuth(url.QueryEscape(p.id), url.QueryEscape(p.secret))
	}
	return p.send(t, r)
}

func (p *program) send(t *testing.T, r *http.Request) (out tokens) {
	t.Helper()
	res, err := (&http.Client{Transport: p.w.transport(t)}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(body, &out); err != nil {
		t.Fatalf("%d %s: %v", res.StatusCode, body, err)
	}
	out.status, out.header = res.StatusCode, res.Header
	return out
}

// call calls the API with an access token and returns the status.
func (w *world) call(t *testing.T, path, token string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.issuer+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	res, err := (&http.Client{Transport: w.transport(t)}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	return res.StatusCode
}

package oidc

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"github.com/fastness/fastness/identity"
	"github.com/fastness/fastness/keyring"
	"github.com/fastness/fastness/problem"
)

// engine is a server whose app has started. Of op.Server it has what is offered;
// the rest answers that it is not.
type engine struct {
	op.UnimplementedServer

	cfg     Config
	core    *identity.Core
	store   *store
	keys    *keyring.TokenKeys
	handler http.Handler
	origins map[string]bool // of clients in browsers
	docs    *identity.Client
}

func (s *Server) open(ctx context.Context, in struct{ Core *identity.Core }) (*engine, func(error) error, error) {
	if err := s.check(in.Core); err != nil {
		return nil, nil, err
	}
	e := &engine{cfg: s.cfg, core: in.Core, origins: origins(in.Core.Clients())}
	if s.cfg.DocsClient != "" && s.app.DocsShown() { // Elsewhere there is no page that it could be.
		e.docs = &identity.Client{
			ID: s.cfg.DocsClient, Name: "The API documentation", FirstParty: true,
			RedirectURIs: []string{in.Core.Issuer + docsRedirect},
		}
	}
	var err error
	if e.keys, err = in.Core.TokenKeys(); err != nil {
		return nil, nil, err
	}
	if e.store, err = openStore(ctx, in.Core.DB(), in.Core.Now); err != nil {
		return nil, nil, err
	}
	// CORS is off: the library's own lets any site read answers, with credentials.
	e.handler = op.RegisterServer(e, op.Endpoints{Authorization: op.NewEndpoint(authorizePath), Token: op.NewEndpoint(tokenPath)},
		op.WithServerCORSOptions(nil), op.WithEncoder(&encoder{oidc.NewEncoder(), in.Core.Issuer}))
	return e, nil, nil
}

// encoder writes the answers that a redirect takes to the client. Each names its
// issuer, refusals too, so that a client of several knows whose answer it has (RFC
// 9207 section 2).
type encoder struct {
	plain interface {
		Encode(src any, dst map[string][]string) error
	}
	issuer string
}

func (e *encoder) Encode(src any, dst map[string][]string) error {
	dst["iss"] = []string{e.issuer}
	return e.plain.Encode(src, dst)
}

// visitKey is where the context has the browser's own request.
type visitKey struct{}

// ask lets the library answer a request that has these parameters and nothing
// else.
func (e *engine) ask(r *http.Request, path string, params url.Values) *recorded {
	ctx := context.WithValue(op.ContextWithIssuer(r.Context(), e.core.Issuer), visitKey{}, r)
	asked := (&http.Request{
		Method: r.Method, URL: &url.URL{Path: path}, Header: http.Header{}, Host: r.Host,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Form: params, PostForm: params,
	}).WithContext(ctx)
	asked.Body = http.NoBody
	if auth := r.Header["Authorization"]; len(auth) == 1 {
		asked.Header["Authorization"] = auth
	}
	answer := &recorded{header: http.Header{}, status: http.StatusOK}
	e.handler.ServeHTTP(answer, asked)
	return answer
}

// recorded is an answer of the library.
type recorded struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *recorded) Header() http.Header         { return a.header }
func (a *recorded) WriteHeader(status int)      { a.status = status }
func (a *recorded) Write(b []byte) (int, error) { return a.body.Write(b) }

// refusal is what the library says in an error.
type refusal struct {
	Error       string `json:"error"`
	Description string `json:"error_description"`
}

// refused returns the error of an answer, or nil if it is none. A fault of ours
// says nothing of what it is.
func (a *recorded) refused() *refusal {
	if a.status < http.StatusBadRequest {
		return nil
	}
	out := new(refusal)
	if err := json.Unmarshal(a.body.Bytes(), out); err != nil || out.Error == "" || a.status >= http.StatusInternalServerError {
		return &refusal{Error: "server_error"}
	}
	return out
}

// problem returns the refusal for people.
func (r *refusal) problem(status int) error {
	if r.Error == "server_error" {
		status = http.StatusInternalServerError
	}
	return problem.New(status, r.Description).Named(r.Error).Extend("error", r.Error)
}

// fault hides an error of ours from the client, whom the library would tell.
func fault(err error) error {
	return oidc.ErrServerError().WithParent(err).WithDescription("the server could not do it")
}

// origins returns the web origins of clients that run in a browser: those of their
// redirect URIs.
func origins(clients []identity.Client) map[string]bool {
	list := make(map[string]bool)
	for _, c := range clients {
		if c.SecretHash != "" {
			continue // It has a server that asks for it.
		}
		for _, uri := range c.RedirectURIs {
			if u, err := url.Parse(uri); err == nil && u.Scheme == "https" {
				list["https://"+strings.ToLower(u.Host)] = true
			}
		}
	}
	return list
}

// allowOrigin lets a page read the answer whose client is in Config. Nothing that a
// browser adds by itself is looked at here, so there is nothing to steal with it.
func (e *engine) allowOrigin(h http.Header, r *http.Request) {
	h.Add("Vary", "Origin")
	if list := r.Header["Origin"]; len(list) == 1 && e.origins[list[0]] {
		h.Set("Access-Control-Allow-Origin", list[0])
	}
}

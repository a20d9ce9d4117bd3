// Package outbound fetches URLs that somebody else chose, and nothing inside.
//
// A program that fetches what a caller names (a webhook, an avatar, a feed, the
// metadata of a client) can be made to fetch from its own network: the metadata
// service of the cloud with its credentials, a database's console, itself. This is
// server-side request forgery (OWASP API7:2023). Looking at the URL does not help:
// a public name may have a private address, and may get it after the look.
//
//	client, err := outbound.New(outbound.Config{})
//	…
//	res, err := client.Do(req)
//	if err != nil {
//		return outbound.Problem(err)
//	}
//	defer res.Body.Close()
//
// A [Client] checks the address itself, between the answer of the DNS and the
// connection, so whatever the spelling, the name and the redirect, there is no
// packet to an address that is not public. It fetches over HTTPS from port 443,
// follows no redirect, keeps no cookies, sends no Referer, asks no proxy of the
// environment and gives up after a time and a size.
//
// The URL is checked as well: user information, addresses in decimal, octal or
// hexadecimal, a trailing full stop, and everything that two parsers could read
// differently are refused. Names beyond ASCII are turned into it first.
//
// Connections are reused. The one that is reused is to the host and the port of
// the URL, and its address was checked when it was made.
package outbound

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"

	"github.com/fastness/fastness/problem"
)

// The errors that end a fetch before or after it reached the server. Test for
// them with [errors.Is]. Texts of errors name hosts and addresses and are for the
// log: show a caller what [Problem] returns.
var (
	// ErrForbiddenURL says that the URL itself is refused: its scheme, host, port
	// or form. Nothing was sent and no name was looked up.
	ErrForbiddenURL = errors.New("this URL is not fetched")
	// ErrForbiddenAddress says that the host has an address that is not public.
	// Nothing was sent.
	ErrForbiddenAddress = errors.New("the address is not public")
	// ErrForbiddenRedirect says that the server sent the request to where it must
	// not go: too often, or to another host with a body that was not meant for it.
	ErrForbiddenRedirect = errors.New("this redirect is not followed")
	// ErrBodyTooLarge says that the answer has more than Config.MaxBody bytes. It
	// comes from Do if the server announces that, and from reading the body
	// otherwise.
	ErrBodyTooLarge = errors.New("the body of the answer is too large")
)

// Client fetches. It is safe for concurrent use.
type Client struct {
	http   http.Client
	policy *policy
}

// New returns a client, or an error that names every mistake in cfg.
func New(cfg Config) (*Client, error) {
	p, err := cfg.policy()
	if err != nil {
		return nil, err
	}
	t := &transport{policy: p, base: p.newTransport(cfg), maxBody: p.maxBody}
	return &Client{
		policy: p,
		http:   http.Client{Transport: t, CheckRedirect: p.checkRedirect, Timeout: p.timeout},
	}, nil
}

// HTTP returns the client for packages that take an [*http.Client]. It is a copy:
// a Jar or a Timeout that is set in it is of that copy. Its Transport has the
// checks and must stay.
func (c *Client) HTTP() *http.Client {
	h := c.http
	return &h
}

// Do sends a request. As with [http.Client.Do], the body of the answer must be
// closed, and an answer with an error status is no error. With the default of
// Config.MaxRedirects, a redirect is an answer like any other.
func (c *Client) Do(req *http.Request) (*http.Response, error) { return c.http.Do(req) }

// Check returns an [ErrForbiddenURL] or [ErrForbiddenAddress] if the URL cannot
// be fetched whatever the DNS says. It is for URLs that are stored now and fetched
// later. That it returns nil promises nothing: addresses are checked when they are
// known.
func (c *Client) Check(u *url.URL) error {
	_, err := c.policy.canonical(u)
	return err
}

// CloseIdleConnections closes the connections that are kept for reuse.
func (c *Client) CloseIdleConnections() { c.http.CloseIdleConnections() }

// Problem returns what to tell the caller who named the URL: a
// [*problem.Problem] with status 422 that is the same for an address that is
// refused, a name that does not exist, a port that is closed and a certificate
// that is wrong. Who could tell these apart could map the network from outside.
// The cause is kept for the log. An error that has nothing to do with the fetch,
// such as that the caller has gone, is returned as it is, and so is nil.
func Problem(err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	for _, own := range []error{ErrForbiddenURL, ErrForbiddenAddress, ErrForbiddenRedirect, ErrBodyTooLarge} {
		if errors.Is(err, own) {
			return unfetchable(err)
		}
	}
	if _, ok := errors.AsType[net.Error](err); ok { // Every error of Do is one, and a time that is up while the body is read.
		return unfetchable(err)
	}
	return err
}

func unfetchable(err error) error {
	return problem.New(http.StatusUnprocessableEntity, "the URL cannot be fetched").Named("unfetchable_url").Wrap(err)
}

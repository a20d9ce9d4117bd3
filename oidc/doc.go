// Package oidc lets programs log users in with a browser: the authorization code
// flow of OAuth 2.0 with PKCE, and OpenID Connect on top of it, with the users,
// sessions and keys of package identity.
//
//	users := identity.New(identity.Config{
//		Clients: []identity.Client{
//			{ID: "web", Name: "The shop", FirstParty: true, RedirectURIs: []string{"https://shop.example/callback"}},
//			{ID: "stats", Name: "Stats", RedirectURIs: []string{"https://stats.example/cb"}},
//		},
//		…
//	})
//	users.Declare(app)
//	oidc.New(oidc.Config{Identity: users}).Declare(app)
//
// A program that is not the application's own never sees a password: it gets a
// code, and tokens for that. This is what RFC 9700 section 2.4 wants instead of
// the password grant.
//
// # What is declared
//
//	GET  /oauth/authorize    where programs send the browser (POST, too)
//	POST /oauth/token        tokens for a code, and for a refresh token
//	GET  /oauth/userinfo     who the user is (POST, too)
//	     /oauth/continue, /oauth/resume, /oauth/consent: the way of the browser
//	GET  /.well-known/openid-configuration
//
// Users log in on identity's own page. A browser with a session goes on at once.
// Before a client that is not the application's own gets anything, the user is
// asked; so is who logs in to a program on their device, which nobody can tell
// from another one that uses its name (RFC 8252 section 8.6). The scopes "account"
// and "users", with which a program could become the user, are for the
// application's own clients only.
//
// Between a form and the client there is a page that leads on by itself: a browser
// holds a form to the policy of its page through all redirects, and would stop at
// the client's door.
//
// # What a code is good for
//
// One exchange, within a minute, by the client that it was given to, for the
// address that it was sent to, by whoever knows the verifier of the challenge
// (PKCE, S256 only, for every client), and while the user stays logged in. A code
// that comes a second time ends what the first one began. Neither codes nor
// requests that wait for a log-in can be had from a copy of the database.
//
// # What is not offered
//
// No implicit and no hybrid flow, no response_mode but query and fragment, no
// request objects, no dynamic registration. An authorization response names its
// issuer (RFC 9207). A redirect URI is compared character by character; only the
// port of an address on the user's own device may differ (RFC 8252 section 7.3).
// What is wrong with the client or the redirect URI is said to the user and sent
// nowhere.
//
// # The other way round
//
// [Login] logs users in who have an account with another issuer.
//
// # What it is made of
//
// Requests are parsed and judged by github.com/zitadel/oidc, a certified
// implementation, behind operations that refuse what it lets pass: parameters
// that come twice, credentials in an address, other methods, other sites. Access
// tokens are those of package identity, so that one verifier takes both kinds.
package oidc

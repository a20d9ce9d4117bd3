// Package identity gives an app its users, in one declaration: log-in and
// log-out, tokens, sessions, keys, roles, and the commands to look after them.
//
//	users := identity.New(identity.Config{
//		Open:    openUsers, // a database of its own
//		Roles:   []string{"admin", "seller", "customer"},
//		Clients: []identity.Client{{ID: "shop", FirstParty: true}},
//	})
//	users.Declare(app)
//
// From then on an operation may ask for its caller, and rules may judge them:
//
//	fastness.Post(app, "/items", createItem, access.Role("seller"))
//
// # What is declared
//
//	POST /token            a log-in by name and password, as FastAPI's OAuth2PasswordRequestForm
//	POST /token/refresh    new tokens for a refresh token, which works once
//	POST /revoke           the end of a token's session (RFC 7009)
//	POST /introspect       what a token is good for (RFC 7662), if Config.Introspection
//	POST /logout           the end of this session, or of all
//	GET  /login            a page to log in; POST makes a session with a cookie
//	POST /session          the same for a script of such a page: {"username": …, "password": …, "otp": …}
//	GET  /csrftoken/       the token that a script sends as X-CSRF-Token where the cookie says who it is
//	GET  /me               the caller; also their password, sessions, API keys and second factor
//	     /users            the accounts, for the administrator
//	POST /sign-up          an account of one's own, if Config.SignUp
//	GET  /.well-known/jwks.json, /.well-known/oauth-authorization-server
//
// and the commands users, keys and events. The schemes are called oauth2,
// session and apiKey.
//
// # What it is made of
//
// The rooms below work without this one: account, session, token, apikey,
// keyring, auditlog. An app has them as values: an operation that has a field
// of type *account.Accounts gets it.
package identity

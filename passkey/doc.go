// Package passkey lets users log in with a passkey instead of a password: a key
// that never leaves their device or password manager, and works for this site
// only. There is nothing to guess, to reuse or to type into a page that looks
// like this one.
//
//	users := identity.New(identity.Config{…})
//	users.Declare(app)
//	passkey.New(passkey.Config{Identity: users}).Declare(app)
//
// It is a module of its own, because WebAuthn brings parsers that an app without
// passkeys does not need.
//
// # What is declared
//
//	POST   /passkeys/options      begin a log-in, without a name
//	POST   /passkeys/session      finish it; the session is in a cookie
//	GET    /passkeys/login        a page that does both, linked from /login
//	GET    /passkeys              a page to add and remove one's passkeys
//	GET    /passkeys/passkey.js   what the pages call, for pages of your own
//	GET    /me/passkeys           the caller's passkeys
//	POST   /me/passkeys/options   begin to add one
//	POST   /me/passkeys           finish it
//	DELETE /me/passkeys/{id}      remove one
//
// A page of the app with the policy script-src 'self' can do without both:
//
//	import { addPasskey, logInWithPasskey } from "/passkeys/passkey.js";
//	button.onclick = () => addPasskey("Laptop");
//
// # What a passkey proves
//
// Two factors in one step: possession of the key, and the PIN, finger or face
// that the device asks for each time. So a log-in by passkey needs no code, and
// its session has the method "mfa" (RFC 8176), with "hwk" for a key that is bound
// to its device and "swk" for one that is copied to others, by a cloud for
// example.
//
// # Who may change passkeys
//
// A passkey is a way back in that survives a change of the password. So it takes
// more than a session to add or remove one: a log-in within the last 10 minutes,
// in a session or by a token of the application's own with the scope account.
// Whose log-in is older is told to log in again (RFC 9470). There is no field for
// the password: the log-in knows about second factors and guesses, and users
// without a password have a passkey.
//
// A change of the password by its owner does not remove passkeys: look at the
// list. One by an administrator does, because somebody else may have added them.
//
// # What a stranger learns
//
// Nothing: the options are the same whoever has an account, and a log-in that
// fails says only that. The database holds public keys, and of the challenges the
// hashes.
//
// # The name of the site
//
// Passkeys belong to the host of the issuer (identity.Config.Issuer), and pages
// must be of exactly that origin. A site that moves to another host leaves them
// behind. In development the host is localhost; a page at 127.0.0.1 cannot use
// passkeys.
package passkey

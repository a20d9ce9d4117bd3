// Package caller holds the key under which a request's context has its verified
// caller: the common ground of package auth, which reads it, and of the app,
// whose context answers it without another allocation.
package caller

// Key is the key. Its value is an *auth.User.
type Key struct{}

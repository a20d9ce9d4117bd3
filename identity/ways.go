package identity

import (
	"context"
	"errors"
)

// Way is a way to log in that is not a password.
type Way struct {
	Text string `json:"text" maxLength:"256"`
	Path string `json:"path" maxLength:"2048"`
}

// OnReset makes f take away what else lets a user in, passkeys for instance, when
// an administrator sets their password or removes their second factor, because
// somebody else may have added it, and when an account is deleted. It must be
// called before the app starts. It gets the core because a command may call it
// that starts nothing else.
func (id *Identity) OnReset(f func(ctx context.Context, c *Core, userID string) error) {
	id.resets = append(id.resets, f)
}

// Reset takes away what else lets a user in than their password; see
// [Identity.OnReset]. Call it where an operation of your own sets a password for
// somebody who has lost theirs.
func (c *Core) Reset(ctx context.Context, userID string) error {
	var errs []error
	for _, f := range c.resets {
		errs = append(errs, f(ctx, c, userID))
	}
	return errors.Join(errs...)
}

// OfferLogin adds another way to log in to the page at /login: a link with this
// text to a path of the app, which gets the parameter next as /login does. It must
// be called before the app starts.
func (id *Identity) OfferLogin(text, path string) { id.ways = append(id.ways, Way{text, path}) }

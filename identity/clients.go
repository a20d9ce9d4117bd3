package identity

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/session"
	"github.com/fastness/fastness/auth/token"
	"github.com/fastness/fastness/secret"
)

// client is how an OAuth client says who it is: in the header Authorization or in
// the form.
type client struct {
	Request      *http.Request
	ClientID     string       `form:"client_id" default:"" maxLength:"255"`
	ClientSecret *secret.Text `form:"client_secret" maxLength:"512"`
}

// authenticateClient returns the client that asks, or nil if it does not say. A
// client that has a secret must send it, by Basic or in the form, and not by both
// (RFC 6749 section 2.3). A header of another scheme is somebody else's credential:
// it proves nothing here, and spares no client the proof.
func (c *Core) authenticateClient(from client) (*Client, error) {
	id, text := from.ClientID, revealed(from.ClientSecret)
	if name, password, ok := from.Request.BasicAuth(); ok {
		if !text.IsZero() {
			return nil, oauthError(http.StatusBadRequest, "invalid_request", "the client proves who it is in two ways")
		}
		// RFC 6749 section 2.3.1: both are encoded as in forms.
		name, err1 := url.QueryUnescape(name)
		password, err2 := url.QueryUnescape(password)
		if err1 != nil || err2 != nil || id != "" && id != name {
			return nil, badClient()
		}
		id, text = name, secret.New(password)
	}
	if id == "" {
		return nil, nil
	}
	found := c.cfg.client(id)
	if found == nil || !found.HasSecret(text) {
		return nil, badClient()
	}
	return found, nil
}

// grantee returns the client that tokens are for: the one that asks or, since
// clients that come from FastAPI do not say who they are, the one that is meant
// then.
func (c *Core) grantee(from client) (*Client, error) {
	who, err := c.authenticateClient(from)
	if err == nil && who == nil {
		who = c.cfg.unnamed()
	}
	if err == nil && who == nil {
		err = badClient()
	}
	return who, err
}

// revealed returns a secret that may be absent.
func revealed(text *secret.Text) secret.Text {
	if text == nil {
		return secret.Text{}
	}
	return *text
}

// HasSecret reports whether text is the client's secret, or whether it has none and
// sends none.
func (c *Client) HasSecret(text secret.Text) bool {
	if c.SecretHash == "" {
		return text.IsZero()
	}
	hash := sha256.Sum256([]byte(text.Reveal()))
	want, err := hex.DecodeString(c.SecretHash)
	return err == nil && subtle.ConstantTimeCompare(hash[:], want) == 1
}

func badClient() error {
	return oauthError(http.StatusUnauthorized, "invalid_client", "the client is unknown, or its secret is wrong").
		With("WWW-Authenticate", `Basic realm="token"`)
}

type revokeInput struct {
	Core          *Core
	Token         secret.Text `form:"token" minLength:"1" maxLength:"8192"`
	TokenTypeHint string      `form:"token_type_hint" default:"" maxLength:"64" doc:"\"access_token\" or \"refresh_token\"; it is not needed."`
	client
}

// revoke ends the session of a token (RFC 7009). Whoever has the token may: it
// proves more than a client_id. That of another client is left alone.
func revoke(ctx context.Context, in revokeInput) (fastness.Result[fastness.NoContent], error) {
	done := fastness.Result[fastness.NoContent]{Header: noStore()}
	who, err := in.Core.authenticateClient(in.client)
	if err != nil {
		return done, err
	}
	found, err := in.Core.holderOf(ctx, in.Token)
	if err != nil || found == nil || found.session == "" {
		return done, err
	}
	owner := in.Core.cfg.client(found.client)
	if who != nil && who.ID != found.client || who == nil && owner != nil && owner.SecretHash != "" {
		return done, nil
	}
	return done, in.Core.Sessions.End(ctx, found.session, session.LoggedOut)
}

// holder is what a token stands for.
type holder struct {
	session, client string
	access          *token.Token     // of an access token
	refresh         *session.Session // of a refresh token
	good            bool
}

// holderOf returns what a token stands for, or nil.
func (c *Core) holderOf(ctx context.Context, text secret.Text) (*holder, error) {
	t, err := c.verifier.Verify(ctx, text.Reveal())
	switch {
	case err == nil:
		return &holder{session: t.Session, client: t.Client, access: t, good: true}, nil
	case !errors.Is(err, token.ErrInvalid):
		return nil, err
	}
	s, good, err := c.Sessions.ByRefreshToken(ctx, text.Reveal())
	if err != nil || s == nil {
		return nil, err
	}
	return &holder{session: s.ID, client: s.Client, refresh: s, good: good}, nil
}

package identity

import (
	"context"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/secret"
)

// Introspection says what a token is good for (RFC 7662 section 2.2). Of a token
// that is good for nothing it says only that.
type Introspection struct {
	Active    bool    `json:"active"`
	Scope     *string `json:"scope,omitempty" maxLength:"4096"`
	ClientID  *string `json:"client_id,omitempty" maxLength:"255"`
	TokenType *string `json:"token_type,omitempty" maxLength:"32"`
	Subject   *string `json:"sub,omitempty" maxLength:"255"`
	Username  *string `json:"username,omitempty" maxLength:"255"`
	Issuer    *string `json:"iss,omitempty" maxLength:"2048"`
	Audience  *string `json:"aud,omitempty" maxLength:"2048"`
	Until     *int64  `json:"exp,omitempty" doc:"Seconds since 1970." minimum:"0" maximum:"253402300799"`
}

type introspectInput struct {
	Core          *Core
	Token         secret.Text `form:"token" minLength:"1" maxLength:"8192"`
	TokenTypeHint string      `form:"token_type_hint" default:"" maxLength:"64"`
	client
}

func introspect(ctx context.Context, in introspectInput) (fastness.Result[Introspection], error) {
	out := fastness.Result[Introspection]{Header: noStore()}
	who, err := in.Core.authenticateClient(in.client)
	if err != nil {
		return out, err
	}
	if who == nil || who.SecretHash == "" { // Whoever can ask without a secret can try out stolen tokens.
		return out, badClient()
	}
	found, err := in.Core.holderOf(ctx, in.Token)
	if err != nil || found == nil || !found.good {
		return out, err
	}
	out.Body, err = in.Core.introspection(ctx, found)
	return out, err
}

func (c *Core) introspection(ctx context.Context, of *holder) (out Introspection, err error) {
	userID := ""
	out = Introspection{Active: true, ClientID: &of.client, Issuer: &c.Issuer}
	if s := of.refresh; s != nil {
		kind, scope, until := grantRefresh, s.Scopes.String(), s.Until.Unix()
		userID, out.TokenType, out.Scope, out.Until = s.User, &kind, &scope, &until
	} else {
		kind, scope, until, audience := "Bearer", of.access.Scopes.String(), of.access.Until.Unix(), c.Audience()
		userID, out.TokenType, out.Scope, out.Until, out.Audience = of.access.UserID, &kind, &scope, &until, &audience
	}
	standing, err := c.Accounts.Standing(ctx, userID)
	if err != nil {
		return Introspection{}, err
	}
	live := of.session == ""
	if !live {
		if live, err = c.Sessions.Live(ctx, of.session); err != nil {
			return Introspection{}, err
		}
	}
	if !live || standing == nil || !standing.Active || of.access != nil && of.access.Epoch < standing.Epoch {
		return Introspection{}, nil
	}
	out.Subject, out.Username = &userID, &standing.Name
	return out, nil
}

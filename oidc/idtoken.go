package oidc

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/problem"
)

// person is what a client learns about a user (OpenID Connect Core section 5.1).
type person struct {
	Subject   string `json:"sub"`
	Name      string `json:"name,omitempty"`
	Preferred string `json:"preferred_username,omitempty"`
}

// idClaims are those of an ID token (OpenID Connect Core section 2).
type idClaims struct {
	Issuer          string   `json:"iss"`
	Audience        string   `json:"aud"`
	Expires         int64    `json:"exp"`
	Issued          int64    `json:"iat"`
	AuthenticatedAt int64    `json:"auth_time"`
	Nonce           string   `json:"nonce,omitempty"`
	Methods         []string `json:"amr,omitempty"`
	AccessTokenHash string   `json:"at_hash"`
	person
}

// person returns what the scopes let a client know.
func (e *engine) person(ctx context.Context, id string, scopes auth.Set) (person, error) {
	p := person{Subject: id}
	if !scopes.Has("profile") {
		return p, nil
	}
	standing, err := e.core.Accounts.Standing(ctx, id)
	if err != nil {
		return person{}, err
	}
	if standing != nil {
		p.Name, p.Preferred = standing.Name, standing.Name
	}
	return p, nil
}

// idToken tells the client who has logged in. It is signed by the key of access
// tokens, and can be taken for none: its type is another, and its audience is the
// client. Nor can an access token be taken for it, whose audience is the API.
func (e *engine) idToken(ctx context.Context, g *grant, accessToken string) (string, error) {
	who, err := e.person(ctx, g.user, g.scopes())
	if err != nil {
		return "", err
	}
	key, err := e.keys.SigningKey(ctx)
	if err != nil {
		return "", fmt.Errorf("oidc: sign an ID token: %w", err)
	}
	algorithm := string(key.Algorithm())
	now := e.core.Now()
	payload, err := json.Marshal(idClaims{
		Issuer: e.core.Issuer, Audience: g.Client, Issued: now.Unix(), Expires: now.Add(idTokenTTL).Unix(),
		AuthenticatedAt: g.at.Unix(), Nonce: g.Nonce, Methods: g.methods.Slice(),
		AccessTokenHash: hashClaim(algorithm, accessToken), person: who,
	})
	if err != nil {
		return "", err
	}
	header := append([]byte(`{"alg":"`), algorithm...)
	header = append(problem.AppendString(append(header, `","kid":`...), key.ID()), `,"typ":"JWT"}`...)
	encoding := base64.RawURLEncoding
	text := encoding.AppendEncode(append(encoding.AppendEncode(nil, header), '.'), payload)
	signature, err := key.Sign(text)
	if err != nil {
		return "", fmt.Errorf("oidc: sign an ID token: %w", err)
	}
	return string(encoding.AppendEncode(append(text, '.'), signature)), nil
}

// hashClaim returns the at_hash of a token: half of its hash, by the hash function
// of the algorithm (OpenID Connect Core section 3.1.3.6). That of Ed25519 is
// SHA-512.
func hashClaim(algorithm, token string) string {
	if algorithm == "EdDSA" {
		sum := sha512.Sum512([]byte(token))
		return base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2])
	}
	sum := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2])
}

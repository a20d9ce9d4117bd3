package passkey

import (
	"time"

	"github.com/fastness/fastness/passkey/internal/signed"
)

// CreationOptions tell a browser which passkey to make: they are what
// PublicKeyCredential.parseCreationOptionsFromJSON takes (WebAuthn section 5.1.8).
type CreationOptions struct {
	RP          RelyingParty  `json:"rp"`
	User        UserEntity    `json:"user"`
	Challenge   string        `json:"challenge" maxLength:"64"`
	Parameters  []Parameter   `json:"pubKeyCredParams" maxItems:"10"`
	Timeout     int64         `json:"timeout" minimum:"0" doc:"In milliseconds."`
	Exclude     []Descriptor  `json:"excludeCredentials" maxItems:"25" doc:"Those that the user has: an authenticator gets no second one."`
	Selection   Authenticator `json:"authenticatorSelection"`
	Attestation string        `json:"attestation" enum:"none"`
}

// RelyingParty is the site.
type RelyingParty struct {
	ID   string `json:"id" maxLength:"253" doc:"The host that the passkey is for."`
	Name string `json:"name" maxLength:"256"`
}

// UserEntity is the user whose passkey it will be.
type UserEntity struct {
	ID          string `json:"id" maxLength:"128" doc:"The id of the user, in base64url."`
	Name        string `json:"name" maxLength:"256"`
	DisplayName string `json:"displayName" maxLength:"256"`
}

// Parameter is an algorithm that is taken.
type Parameter struct {
	Type      string `json:"type" enum:"public-key"`
	Algorithm int    `json:"alg" doc:"Of COSE (RFC 9053)."`
}

// Descriptor names a passkey.
type Descriptor struct {
	Type       string   `json:"type" enum:"public-key"`
	ID         string   `json:"id" maxLength:"1364"`
	Transports []string `json:"transports" maxItems:"10" maxLength:"32"`
}

// Authenticator says what is asked of the authenticator.
type Authenticator struct {
	ResidentKey        string `json:"residentKey" enum:"required"`
	RequireResidentKey bool   `json:"requireResidentKey"`
	UserVerification   string `json:"userVerification" enum:"required"`
}

// RequestOptions tell a browser what to sign at a log-in: they are what
// PublicKeyCredential.parseRequestOptionsFromJSON takes (WebAuthn section 5.1.9).
// They name no passkey: the user chooses among those that the device has for this
// site.
type RequestOptions struct {
	Challenge        string `json:"challenge" maxLength:"64"`
	RPID             string `json:"rpId" maxLength:"253"`
	Timeout          int64  `json:"timeout" minimum:"0" doc:"In milliseconds."`
	UserVerification string `json:"userVerification" enum:"required"`
}

const publicKey = "public-key"

func (p *party) creationOptions(challenge, user, name string, has []*credential) CreationOptions {
	o := CreationOptions{
		RP:        RelyingParty{ID: p.site.Host(), Name: p.name},
		User:      UserEntity{ID: encode([]byte(user)), Name: name, DisplayName: name},
		Challenge: challenge, Timeout: challengeTTL.Milliseconds(), Exclude: []Descriptor{},
		Selection:   Authenticator{ResidentKey: "required", RequireResidentKey: true, UserVerification: "required"},
		Attestation: "none",
	}
	for _, alg := range signed.Algorithms() {
		o.Parameters = append(o.Parameters, Parameter{publicKey, alg})
	}
	for _, c := range has {
		o.Exclude = append(o.Exclude, Descriptor{publicKey, encode(c.ID), append([]string{}, c.Transports...)})
	}
	return o
}

func (p *party) requestOptions(challenge string) RequestOptions {
	return RequestOptions{Challenge: challenge, RPID: p.site.Host(), Timeout: challengeTTL.Milliseconds(), UserVerification: "required"}
}

// View is a passkey, as its owner sees it.
type View struct {
	ID       string     `json:"id" maxLength:"1364"`
	Name     string     `json:"name" maxLength:"100"`
	Synced   bool       `json:"synced" doc:"It can be copied to other devices, by a cloud for example."`
	Created  time.Time  `json:"created"`
	LastUsed *time.Time `json:"last_used"`
}

func viewOf(c *credential) View {
	v := View{ID: encode(c.ID), Name: c.name, Synced: c.BackupEligible, Created: c.created}
	if !c.lastUsed.IsZero() {
		v.LastUsed = &c.lastUsed
	}
	return v
}

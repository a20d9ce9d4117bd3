// Package signed reads and verifies what authenticators sign. It is all that knows
// the library for WebAuthn; it keeps nothing, and whether a challenge is ours is
// for its caller to say, before anything is verified.
package signed

import (
	"bytes"
	"errors"
	"fmt"
	"math/big"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/protocol/webauthncose"
	"github.com/go-webauthn/webauthn/webauthn"
)

// Key is a passkey, as far as it is about signatures.
type Key struct {
	// ID is what the authenticator has chosen, up to 1023 bytes.
	ID []byte
	// User is the id of the user, which is also the user handle.
	User string
	// PublicKey is a COSE_Key (RFC 9052 section 7).
	PublicKey []byte
	// Count is how often it has signed, or 0 if the authenticator does not count.
	Count uint32
	// Transports are how a browser reaches the authenticator.
	Transports []string
	// AAGUID names the model of the authenticator, zero if it does not tell.
	AAGUID []byte
	// BackupEligible says that the key can be copied to other devices, and BackedUp
	// that it is.
	BackupEligible, BackedUp bool
}

// maxID is how many bytes an id has at most (WebAuthn section 4, "Credential ID").
const maxID = 1023

// Site is what passkeys are for.
type Site struct {
	host, origin string
	web          *webauthn.WebAuthn
}

// NewSite returns the site of a host, whose pages have exactly this origin.
func NewSite(host, origin, name string) (*Site, error) {
	web, err := webauthn.New(&webauthn.Config{
		RPID: host, RPDisplayName: name, RPOrigins: []string{origin},
		// Password managers report what nobody asked for. It is not looked at.
		ExtensionsUnsolicitedOutputPolicy: protocol.UnsolicitedOutputPolicyIgnore,
	})
	return &Site{host, origin, web}, err
}

// Host is the host that passkeys are for.
func (s *Site) Host() string { return s.host }

// Algorithms are those that passkeys may sign with, the best first (RFC 9053):
// EdDSA, ES256 and, for Windows, RS256.
func Algorithms() []int { return []int{-8, -7, -257} }

// Registration is a new passkey that was parsed, and not yet verified.
type Registration struct {
	parsed *protocol.ParsedCredentialCreationData
}

// ParseRegistration reads the JSON of a RegistrationResponse (WebAuthn section
// 5.1).
func ParseRegistration(text []byte) (*Registration, error) {
	parsed, err := protocol.ParseCredentialCreationResponseBytes(text)
	if err != nil {
		return nil, reasonOf(err)
	}
	return &Registration{parsed}, nil
}

// Challenge returns what it claims to answer.
func (r *Registration) Challenge() string { return r.parsed.Response.CollectedClientData.Challenge }

// Register returns the passkey of a registration whose challenge was this site's
// and this user's (WebAuthn section 7.1).
func (s *Site) Register(r *Registration, user string) (*Key, error) {
	if r.parsed.Response.CollectedClientData.Origin != s.origin {
		return nil, errOrigin
	}
	params := make([]protocol.CredentialParameter, 0, 3)
	for _, alg := range Algorithms() {
		params = append(params, protocol.CredentialParameter{Type: protocol.PublicKeyCredentialType, Algorithm: webauthncose.COSEAlgorithmIdentifier(alg)})
	}
	made, err := s.web.CreateCredential(holder{id: user}, webauthn.SessionData{
		Challenge: r.Challenge(), RelyingPartyID: s.host, UserID: []byte(user),
		UserVerification: protocol.VerificationRequired, CredParams: params,
	}, r.parsed)
	if err != nil {
		return nil, reasonOf(err)
	}
	if len(made.ID) > maxID || !sound(made.PublicKey) {
		return nil, errKey
	}
	k := &Key{
		ID: made.ID, User: user, PublicKey: made.PublicKey, Count: made.Authenticator.SignCount,
		AAGUID: append([]byte{}, made.Authenticator.AAGUID...), BackupEligible: made.Flags.BackupEligible, BackedUp: made.Flags.BackupState,
	}
	for _, t := range made.Transport { // They come from the browser, unsigned.
		if knownTransport(t) {
			k.Transports = append(k.Transports, string(t))
		}
	}
	return k, nil
}

// sound reports whether a key can verify anything. Without an attestation nothing
// was signed with it yet, and the library looks at it only then.
func sound(key []byte) bool {
	parsed, err := webauthncose.ParsePublicKey(key)
	if err != nil {
		return false
	}
	switch k := parsed.(type) {
	case webauthncose.EC2PublicKeyData:
		public, err := k.ToECDSA()
		if err != nil {
			return false
		}
		_, err = public.ECDH() // It wants a point on the curve.
		return err == nil
	case webauthncose.RSAPublicKeyData:
		return new(big.Int).SetBytes(k.Modulus).BitLen() >= 2048
	}
	return true // The library looks at the length of the others.
}

func knownTransport(t protocol.AuthenticatorTransport) bool {
	switch t {
	case protocol.USB, protocol.NFC, protocol.BLE, protocol.SmartCard, protocol.Hybrid, protocol.Internal:
		return true
	}
	return false
}

// Login is a log-in that was parsed, and not yet verified.
type Login struct {
	parsed *protocol.ParsedCredentialAssertionData
}

// ParseLogin reads the JSON of an AuthenticationResponse (WebAuthn section 5.1).
func ParseLogin(text []byte) (*Login, error) {
	parsed, err := protocol.ParseCredentialRequestResponseBytes(text)
	if err != nil {
		return nil, reasonOf(err)
	}
	return &Login{parsed}, nil
}

// Challenge returns what it claims to answer.
func (l *Login) Challenge() string { return l.parsed.Response.CollectedClientData.Challenge }

// ID names the passkey that it claims to be by.
func (l *Login) ID() []byte { return l.parsed.RawID }

// LogIn returns k as it is after a log-in whose challenge was this site's (WebAuthn
// section 7.2). Whether the count has risen is for the caller to decide, who knows
// the latest.
func (s *Site) LogIn(l *Login, k Key) (*Key, error) {
	response := &l.parsed.Response
	if response.CollectedClientData.Origin != s.origin {
		return nil, errOrigin
	}
	if !bytes.Equal(response.UserHandle, []byte(k.User)) {
		return nil, errOwner
	}
	_, _, err := s.web.ValidatePasskeyLogin(func(_, _ []byte) (webauthn.User, error) {
		return holder{k.User, []webauthn.Credential{{
			ID: k.ID, PublicKey: k.PublicKey, Flags: webauthn.CredentialFlags{BackupEligible: k.BackupEligible, BackupState: k.BackedUp},
			Authenticator: webauthn.Authenticator{AAGUID: k.AAGUID, SignCount: k.Count},
		}}}, nil
	}, webauthn.SessionData{
		Challenge: l.Challenge(), RelyingPartyID: s.host, UserVerification: protocol.VerificationRequired,
	}, l.parsed)
	if err != nil {
		return nil, reasonOf(err)
	}
	k.Count = response.AuthenticatorData.Counter
	k.BackedUp = response.AuthenticatorData.Flags.HasBackupState()
	return &k, nil
}

// holder is a user as the library wants it.
type holder struct {
	id   string
	keys []webauthn.Credential
}

func (h holder) WebAuthnID() []byte                         { return []byte(h.id) }
func (h holder) WebAuthnName() string                       { return h.id }
func (h holder) WebAuthnDisplayName() string                { return h.id }
func (h holder) WebAuthnCredentials() []webauthn.Credential { return h.keys }

// Why something is refused.
var (
	errOrigin = errors.New("origin") // made on a page of another site
	errOwner  = errors.New("owner")  // another user's
	errKey    = errors.New("key")    // it could never log in
)

// reasonOf keeps what the library says, without the values it quotes.
func reasonOf(err error) error {
	if e, ok := errors.AsType[*protocol.Error](err); ok {
		return fmt.Errorf("%s: %s", e.Type, e.Details)
	}
	return errors.New("malformed")
}

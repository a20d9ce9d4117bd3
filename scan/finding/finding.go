// Package finding is what a scan says about a target: the flaws, each with its evidence,
// and the catalogue entry of what kind of flaw it is.
package finding

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/fastness/fastness/scan/wire"
)

// Severity says how much harm a flaw does.
type Severity int

// The severities, in order.
const (
	Info Severity = iota
	Low
	Medium
	High
	Critical
)

// String returns the name in lower case.
func (s Severity) String() string {
	return [...]string{"info", "low", "medium", "high", "critical"}[min(max(s, Info), Critical)]
}

// MarshalText implements [encoding.TextMarshaler].
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (s *Severity) UnmarshalText(text []byte) error {
	for _, each := range []Severity{Info, Low, Medium, High, Critical} {
		if each.String() == strings.ToLower(string(text)) {
			*s = each
			return nil
		}
	}
	return fmt.Errorf("%q is no severity: info, low, medium, high or critical", text)
}

// Kind is an entry of the catalogue.
type Kind struct {
	ID    string // as "AZ-01"; stable
	Title string // as "Broken object level authorization: read"
	// Describe says what the flaw is and what it lets an attacker do.
	Describe string
	Severity Severity
	// OWASP is the item of the OWASP API Security Top 10 2023, as "API1:2023".
	OWASP string
	CWE   int
	// ASVS are requirements of version 5.0.
	ASVS []string
	// CVSS is the vector of CVSS 4.0 of the usual case, which gives the score.
	CVSS   string
	Remedy Remedy
}

// Remedy says how the flaw is mended, in words and code of frameworks.
type Remedy struct {
	Text                               string
	Fastness, FastAPI, Express, Spring string
}

// Finding is a flaw of the target.
type Finding struct {
	Kind     Kind
	Severity Severity
	// Proven findings have a control that rules out the innocent reading. The others are
	// hints, and of severity Info or Low.
	Proven bool
	// Places are where the flaw shows, the first with the evidence.
	Places []Place
	// Claim says what is wrong, in one sentence about this target.
	Claim string
	// Control says why the innocent reading is ruled out.
	Control  string
	Evidence []Evidence
	// Suppressed is why it does not count, or empty.
	Suppressed string
}

// Place is where a flaw shows.
type Place struct {
	Method string `json:"method"`
	Path   string `json:"path"` // the template
	// Parameter is as "query limit" or "body /role", or empty.
	Parameter string `json:"parameter,omitempty"`
	// Users are who did what, as "bob as alice", or empty.
	Users string `json:"users,omitempty"`
}

// String returns method, path and parameter.
func (p Place) String() string {
	s := p.Method + " " + p.Path
	if p.Parameter != "" {
		s += " (" + p.Parameter + ")"
	}
	return s
}

// Evidence is an exchange that shows something.
type Evidence struct {
	// Says is what the exchange shows, as "bob reads alice's order".
	Says     string
	Exchange *wire.Exchange
}

// Fingerprint returns what stays the same when the flaw is found again by another scan:
// it is made of the check, and of method, path template, parameter and pair of users of
// the first place in order.
func (f *Finding) Fingerprint() string {
	p := slices.MinFunc(f.Places, func(a, b Place) int { return strings.Compare(a.key(), b.key()) })
	sum := sha256.Sum256([]byte(f.Kind.ID + "\n" + p.key()))
	return hex.EncodeToString(sum[:16])
}

func (p Place) key() string {
	return strings.Join([]string{p.Method, p.Path, p.Parameter, p.Users}, "\n")
}

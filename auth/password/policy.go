package password

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/secret"
)

// The codes of what [Policy.Check] finds. They are stable.
const (
	CodeTooShort = "password_too_short"
	CodeTooLong  = "password_too_long"
	CodeCommon   = "password_common"
	CodeIsName   = "password_is_name"
	CodeBreached = "password_breached"
)

// PolicyConfig configures a [Policy]. The zero value is the secure choice.
type PolicyConfig struct {
	// MinLength is the least length in code points. The default is 12; less
	// than 8 is refused (OWASP ASVS 5.0, 6.2.1).
	MinLength int
	// MaxBytes is the greatest length in bytes of UTF-8. The default is 1024.
	// It is 256, the bytes of 64 code points, to 4096 (ASVS 6.2.9).
	MaxBytes int
	// Words are no passwords here: the name of the service, of the company.
	Words []string
	// Breached, if set, reports whether a password is known from a breach, and
	// is asked last. [BreachList.Contains] asks a list on the network.
	Breached func(ctx context.Context, password secret.Text) (bool, error)
	// InsecureAcceptUnchecked, if not empty, says why a password may be taken
	// while Breached fails. By default it is refused with a 503.
	InsecureAcceptUnchecked string
}

// Policy says which passwords are too weak to be taken. It asks for length and
// for what nobody guesses first. It does not ask for digits or capitals: such
// rules make passwords no stronger and people angrier (NIST SP 800-63B, 3.1.1.2).
// Whatever characters there are stay as they are: nothing is trimmed, cut or
// normalised. It is safe for concurrent use.
type Policy struct {
	cfg    PolicyConfig
	common sortedLines
}

// NewPolicy returns a policy, or an error that names every mistake in cfg.
func NewPolicy(cfg PolicyConfig) (*Policy, error) {
	if cfg.MinLength == 0 {
		cfg.MinLength = 12
	}
	if cfg.MaxBytes == 0 {
		cfg.MaxBytes = 1024
	}
	var errs []error
	if cfg.MinLength < 8 || cfg.MinLength > 64 {
		errs = append(errs, fmt.Errorf("MinLength is %d, want 8 to 64", cfg.MinLength))
	}
	if cfg.MaxBytes < 4*64 || cfg.MaxBytes > maxBytes {
		errs = append(errs, fmt.Errorf("MaxBytes is %d, want %d to %d", cfg.MaxBytes, 4*64, maxBytes))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("password policy: %w", err)
	}
	cfg.Words = append([]string(nil), cfg.Words...)
	return &Policy{cfg: cfg, common: sortedLines(commonPasswords)}, nil
}

// Check returns what is wrong with a password, or nothing. Names are the user's
// own: the user name, the e-mail address, the full name. The caller adds to each
// violation where the password stood; none of them repeats it.
//
// The error is a [problem.Problem] of status 503 if [PolicyConfig.Breached] could
// not tell.
func (p *Policy) Check(ctx context.Context, password secret.Text, names ...string) ([]problem.Violation, error) {
	text := password.Reveal()
	found := p.length(text)
	if len(found) == 0 {
		folded := strings.ToLower(text)
		if p.isName(folded, names) {
			found = append(found, violation(CodeIsName, "Password should not be a name of yours or of this service"))
		}
		if isPattern(folded) || p.isCommon(folded) {
			found = append(found, violation(CodeCommon, "Password should not be one of those that are guessed first"))
		}
	}
	if len(found) > 0 || p.cfg.Breached == nil {
		return found, nil
	}
	breached, err := p.cfg.Breached(ctx, password)
	switch {
	case err != nil && p.cfg.InsecureAcceptUnchecked != "":
		return nil, nil
	case err != nil: // Fail closed: a list that can be cut off protects nobody.
		return nil, problem.New(http.StatusServiceUnavailable, "the password cannot be checked now").
			Named("password_unchecked").With("Retry-After", "30").Wrap(err)
	case breached:
		found = append(found, violation(CodeBreached, "Password should not be one that is known from a breach"))
	}
	return found, nil
}

func (p *Policy) length(text string) []problem.Violation {
	switch {
	case len(text) > p.cfg.MaxBytes:
		return []problem.Violation{violation(CodeTooLong,
			fmt.Sprintf("Password should have at most %d bytes", p.cfg.MaxBytes),
			problem.Limit{Name: "max_bytes", Value: p.cfg.MaxBytes})}
	case utf8.RuneCountInString(text) < p.cfg.MinLength:
		return []problem.Violation{violation(CodeTooShort,
			fmt.Sprintf("Password should have at least %d characters", p.cfg.MinLength),
			problem.Limit{Name: "min_length", Value: p.cfg.MinLength})}
	}
	return nil
}

func violation(code, detail string, limits ...problem.Limit) problem.Violation {
	return problem.Violation{In: "body", Code: code, Detail: detail, Limits: limits}
}

// isName reports whether the password is one of the names, or one of them again
// and again; of an e-mail address, also the part before the @.
func (p *Policy) isName(folded string, names []string) bool {
	for _, list := range [][]string{p.cfg.Words, names} {
		for _, name := range list {
			name = strings.ToLower(strings.TrimSpace(name))
			local, _, _ := strings.Cut(name, "@")
			if repeats(folded, name) || repeats(folded, local) {
				return true
			}
		}
	}
	return false
}

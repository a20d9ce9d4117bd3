package scan

import (
	"slices"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/checks/access"
	"github.com/fastness/fastness/scan/internal/checks/account"
	"github.com/fastness/fastness/scan/internal/checks/declared"
	"github.com/fastness/fastness/scan/internal/checks/exposure"
	"github.com/fastness/fastness/scan/internal/checks/inject"
	"github.com/fastness/fastness/scan/internal/checks/inventory"
	"github.com/fastness/fastness/scan/internal/checks/limits"
	"github.com/fastness/fastness/scan/internal/checks/session"
	"github.com/fastness/fastness/scan/internal/checks/token"
)

// catalogue returns all checks, those of the configuration included.
func (c *Config) catalogue() []check.Check {
	return slices.Concat(access.Checks(), inject.Checks(), limits.Checks(), token.Checks(), session.Checks(), account.Checks(), declared.Checks(c.Access), exposure.Checks(), inventory.Checks(), c.Own)
}

// Kinds returns the entries of the catalogue: what a scan looks for.
func Kinds() (kinds []finding.Kind) {
	for _, c := range (&Config{}).catalogue() {
		if !slices.ContainsFunc(kinds, func(k finding.Kind) bool { return k.ID == c.Kind.ID }) {
			kinds = append(kinds, c.Kind)
		}
	}
	return kinds
}

package scan

import (
	"slices"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/checks/access"
)

// catalogue returns all checks, those of the configuration included.
func (c *Config) catalogue() []check.Check {
	return slices.Concat(access.Checks(), c.Own)
}

// Kinds returns the entries of the catalogue: what a scan looks for.
func Kinds() (kinds []finding.Kind) {
	for _, c := range (&Config{}).catalogue() {
		kinds = append(kinds, c.Kind)
	}
	return kinds
}

package archtest

import (
	"go/ast"
	"slices"
	"strings"
)

// noWeakRandomness forbids numbers that can be guessed. Which values an attacker
// gains from guessing is not always seen where they are made. A scan is repeated by its
// seed, and its target gains nothing from a guess.
func noWeakRandomness(t *tree) (complaints []string) {
	for _, f := range t.written() {
		if strings.HasPrefix(f.path, "scan/internal/") {
			continue
		}
		for _, spec := range f.ast.Imports {
			if strings.HasPrefix(spec.Path.Value, `"math/rand`) {
				complaints = append(complaints, t.at(spec, "math/rand can be guessed: use crypto/rand"))
			}
		}
	}
	return complaints
}

// unverified are the files that may turn the verification of certificates off, and why.
func unverified() map[string]string {
	return map[string]string{
		"scan/wire/config.go": "a scan of a host with a bad certificate, for which its user gives a reason; the certificate is verified all the same, and reported",
	}
}

// certificatesAreVerified forbids the switch that turns TLS into a costume.
func certificatesAreVerified(t *tree) (complaints []string) {
	const name = "InsecureSkipVerify"
	isFalse := func(x ast.Expr) bool {
		ident, ok := x.(*ast.Ident)
		return ok && ident.Name == "false"
	}
	for _, f := range t.written() {
		if unverified()[f.path] != "" {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.KeyValueExpr:
				if key, ok := n.Key.(*ast.Ident); ok && key.Name == name && !isFalse(n.Value) {
					complaints = append(complaints, t.at(n, "%s outside a test", name))
				}
			case *ast.AssignStmt:
				if slices.ContainsFunc(n.Lhs, func(x ast.Expr) bool {
					selector, ok := x.(*ast.SelectorExpr)
					return ok && selector.Sel.Name == name
				}) {
					complaints = append(complaints, t.at(n, "%s outside a test", name))
				}
			}
			return true
		})
	}
	return complaints
}

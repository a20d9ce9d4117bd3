package archtest

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
)

// noMutableVariable forbids package variables that can change: two apps in one
// process would share them, and so would tests that run at once. What remains is
// what the language has no constant for: assertions, embedded files, errors, and
// values and tables that nothing writes to.
func noMutableVariable(t *tree) (complaints []string) {
	for _, r := range t.sorted() {
		written := writtenNames(r)
		for _, f := range r.written() {
			for _, decl := range f.ast.Decls {
				group, ok := decl.(*ast.GenDecl)
				if !ok || group.Tok != token.VAR {
					continue
				}
				for _, s := range group.Specs {
					spec := s.(*ast.ValueSpec)
					for i, name := range spec.Names {
						if why := whyMutable(group, spec, i, written); why != "" {
							complaints = append(complaints, t.at(name, "package variable %s %s", name.Name, why))
						}
					}
				}
			}
		}
	}
	return complaints
}

// whyMutable says what is wrong with the i-th variable of spec, or "".
func whyMutable(group *ast.GenDecl, spec *ast.ValueSpec, i int, written map[string]bool) string {
	name := spec.Names[i].Name
	switch {
	case name == "_":
		return ""
	case written[name]:
		return "is written to"
	case isEmbedded(group, spec):
		return ""
	case i >= len(spec.Values):
		return "has no value of its own"
	}
	call := calledName(spec.Values[i])
	switch {
	case call == "errors.New":
		return ""
	case ast.IsExported(name):
		return "is exported: everybody could change it"
	case slices.Contains([]string{"regexp.MustCompile", "reflect.TypeFor", "template.Must", "sync.OnceValues"}, call), isTable(spec.Values[i]):
		return ""
	}
	return "can change"
}

func isEmbedded(group *ast.GenDecl, spec *ast.ValueSpec) bool {
	for _, doc := range []*ast.CommentGroup{group.Doc, spec.Doc} {
		if doc != nil && slices.ContainsFunc(doc.List, func(c *ast.Comment) bool { return strings.HasPrefix(c.Text, "//go:embed ") }) {
			return true
		}
	}
	return false
}

// calledName returns "package.Function" if x is a call of one.
func calledName(x ast.Expr) string {
	call, ok := x.(*ast.CallExpr)
	if !ok {
		return ""
	}
	f := call.Fun
	if index, ok := f.(*ast.IndexExpr); ok {
		f = index.X
	}
	if selector, ok := f.(*ast.SelectorExpr); ok {
		if from, ok := selector.X.(*ast.Ident); ok {
			return from.Name + "." + selector.Sel.Name
		}
	}
	return ""
}

// isTable reports whether x is an array, or a function literal that is called
// and returns one. A slice or a map could be handed on and changed elsewhere; an
// array is copied.
func isTable(x ast.Expr) bool {
	switch x := x.(type) {
	case *ast.CompositeLit:
		array, ok := x.Type.(*ast.ArrayType)
		return ok && array.Len != nil
	case *ast.CallExpr:
		f, ok := x.Fun.(*ast.FuncLit)
		if !ok || f.Type.Results == nil || len(f.Type.Results.List) != 1 {
			return false
		}
		array, ok := f.Type.Results.List[0].Type.(*ast.ArrayType)
		return ok && array.Len != nil
	}
	return false
}

// writtenNames returns the names that the room's files assign to or take the
// address of. It knows no scopes: a local variable that shadows a package
// variable is one too many to read, too.
func writtenNames(r *room) map[string]bool {
	names := make(map[string]bool)
	write := func(x ast.Expr) {
		for {
			switch inner := x.(type) {
			case *ast.IndexExpr:
				x = inner.X
			case *ast.SelectorExpr:
				x = inner.X
			case *ast.ParenExpr:
				x = inner.X
			case *ast.Ident:
				names[inner.Name] = true
				return
			default:
				return
			}
		}
	}
	for _, f := range r.files {
		ast.Inspect(f.ast, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.AssignStmt:
				if n.Tok != token.DEFINE {
					for _, x := range n.Lhs {
						write(x)
					}
				}
			case *ast.IncDecStmt:
				write(n.X)
			case *ast.UnaryExpr:
				if n.Op == token.AND {
					write(n.X)
				}
			}
			return true
		})
	}
	return names
}

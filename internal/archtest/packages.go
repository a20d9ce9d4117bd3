package archtest

import (
	"fmt"
	"go/ast"
	"path"
	"slices"
	"strings"
)

// onePackageComment wants one file of each package to say what it is for.
// Generated packages say who generated them.
func onePackageComment(t *tree) (complaints []string) {
	for _, r := range t.sorted() {
		var found []*source
		tests := 0
		for _, f := range r.files {
			switch {
			case f.test:
				tests++
			case f.ast.Doc != nil:
				found = append(found, f)
			}
		}
		if tests == len(r.files) {
			continue
		}
		if len(found) != 1 {
			complaints = append(complaints, fmt.Sprintf("%s has %d package comments, want one", r.folder, len(found)))
			continue
		}
		want := "Package " + found[0].ast.Name.Name + " "
		if r.isProgram() {
			want = "Command " + path.Base(r.folder) + " "
		}
		if !strings.HasPrefix(found[0].ast.Doc.Text(), want) {
			complaints = append(complaints, t.at(found[0].ast.Doc, "the comment should begin with %q", want))
		}
	}
	return complaints
}

// noInit forbids what runs because something was imported.
func noInit(t *tree) (complaints []string) {
	for _, f := range t.written() {
		for _, decl := range f.ast.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				complaints = append(complaints, t.at(fn, "func init: let the caller construct it"))
			}
		}
	}
	return complaints
}

// noNamelessPackage forbids the names under which everything ends up.
func noNamelessPackage(t *tree) (complaints []string) {
	for _, r := range t.sorted() {
		for _, f := range r.files[:1] {
			name := strings.TrimSuffix(f.ast.Name.Name, "_test")
			for _, n := range []string{name, path.Base(r.folder)} {
				if slices.Contains([]string{"util", "utils", "common", "helper", "helpers", "base", "misc", "shared"}, n) {
					complaints = append(complaints, fmt.Sprintf("%s: a package called %s has no idea of its own", r.folder, n))
					break
				}
			}
		}
	}
	return complaints
}

// maxMethods is how many methods an interface may have.
const maxMethods = 3

// smallInterfaces counts methods. An interface that is embedded from another
// package counts as one.
func smallInterfaces(t *tree) (complaints []string) {
	for _, f := range t.written() {
		ast.Inspect(f.ast, func(n ast.Node) bool {
			if i, ok := n.(*ast.InterfaceType); ok {
				methods := 0
				for _, m := range i.Methods.List {
					methods += max(1, len(m.Names))
				}
				if methods > maxMethods {
					complaints = append(complaints, t.at(i, "an interface with %d methods, want at most %d", methods, maxMethods))
				}
			}
			return true
		})
	}
	return complaints
}

// exampleEach wants a runnable example of each package that others import.
func exampleEach(t *tree) (complaints []string) {
	for _, r := range t.sorted() {
		if t.moduleOf(r.folder) != "." || isInternal(r.folder) || r.isProgram() {
			continue
		}
		if !slices.ContainsFunc(r.files, hasExample) {
			complaints = append(complaints, fmt.Sprintf("%s has no function Example… in a test file", r.folder))
		}
	}
	return complaints
}

func hasExample(f *source) bool {
	return f.test && slices.ContainsFunc(f.ast.Decls, func(decl ast.Decl) bool {
		fn, ok := decl.(*ast.FuncDecl)
		return ok && fn.Recv == nil && strings.HasPrefix(fn.Name.Name, "Example")
	})
}

// isInternal reports whether only the module itself can import a folder.
func isInternal(folder string) bool { return strings.Contains("/"+folder+"/", "/internal/") }

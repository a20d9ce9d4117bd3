package archtest

import (
	"fmt"
	"go/ast"
	"go/token"
	"slices"
	"strings"
)

// How long a file may be. A test may be longer: its cases stand one below the
// other and are read one at a time.
const (
	maxLines     = 400
	maxTestLines = 600
)

// longFiles are the files that may be longer, and why.
func longFiles() map[string]string { return map[string]string{} }

// filesFit wants files that one can read at a sitting.
func filesFit(t *tree) (complaints []string) {
	allowed := longFiles()
	for _, r := range t.sorted() {
		for _, f := range r.files {
			limit := maxLines
			if f.test {
				limit = maxTestLines
			}
			long := f.lines > limit && !f.generated
			switch why := allowed[f.path]; {
			case long && why == "":
				complaints = append(complaints, fmt.Sprintf("%s has %d lines, want at most %d", f.path, f.lines, limit))
			case !long && why != "":
				complaints = append(complaints, fmt.Sprintf("%s may be long, and is not", f.path))
			}
		}
	}
	return complaints
}

// How many names a package may export. Methods do not count: who looks for one
// has the type already.
const (
	maxNames     = 40
	maxRootNames = 120
)

// richPackages are the packages that may export more, and why.
func richPackages() map[string]string {
	return map[string]string{}
}

// packagesFit wants packages that one can keep in mind.
func packagesFit(t *tree) (complaints []string) {
	for _, r := range t.sorted() {
		limit := maxNames
		if r.folder == "." {
			limit = maxRootNames
		}
		if n := len(exported(r)); n > limit && richPackages()[r.folder] == "" {
			complaints = append(complaints, fmt.Sprintf("%s exports %d names, want at most %d", r.folder, n, limit))
		}
	}
	return complaints
}

// exported returns the names that a package exports.
func exported(r *room) (names []string) {
	add := func(idents ...*ast.Ident) {
		for _, name := range idents {
			if name.IsExported() {
				names = append(names, name.Name)
			}
		}
	}
	for _, f := range r.written() {
		for _, decl := range f.ast.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil {
					add(d.Name)
				}
			case *ast.GenDecl:
				if d.Tok == token.IMPORT {
					continue
				}
				for _, spec := range d.Specs {
					switch s := spec.(type) {
					case *ast.TypeSpec:
						add(s.Name)
					case *ast.ValueSpec:
						add(s.Names...)
					}
				}
			}
		}
	}
	return names
}

// dependencies are the modules of others that everybody downloads who uses the
// root module. A new one is a decision: see docs/decisions.md.
func dependencies() []string {
	return []string{
		"github.com/alecthomas/kong",
		"github.com/coder/websocket", // requires nothing else
		"github.com/shopspring/decimal",
		"github.com/swaggest/swgui",
		"go.yaml.in/yaml/v3",
		"golang.org/x/crypto",
		"golang.org/x/net",  // html, for sanitize
		"golang.org/x/text", // unicode/norm, for sanitize
	}
}

// ofDependencies are the modules that those bring along.
func ofDependencies() []string {
	return []string{
		"golang.org/x/sys", // of x/crypto
	}
}

// fewDependencies holds the root go.mod against the list.
func fewDependencies(t *tree) (complaints []string) {
	text, err := readText(t, "go.mod")
	if err != nil {
		return []string{err.Error()}
	}
	found, indirect := requires(text)
	for _, name := range found {
		if !slices.Contains(dependencies(), name) {
			complaints = append(complaints, fmt.Sprintf("go.mod requires %s, which is not in the list", name))
		}
	}
	for _, name := range dependencies() {
		if !slices.Contains(found, name) {
			complaints = append(complaints, fmt.Sprintf("go.mod does not require %s directly", name))
		}
	}
	for _, name := range indirect {
		if !slices.Contains(dependencies(), name) && !slices.Contains(ofDependencies(), name) {
			complaints = append(complaints, fmt.Sprintf("go.mod requires %s indirectly, which is not in the list", name))
		}
	}
	return complaints
}

// requires returns the paths that a go.mod requires. The go command writes the
// file, so its form is known.
func requires(text string) (direct, indirect []string) {
	block := false
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case line == "require (":
			block = true
			continue
		case line == ")":
			block = false
		}
		one, single := strings.CutPrefix(line, "require ")
		if fields := strings.Fields(one); (block || single) && len(fields) >= 2 {
			if strings.HasSuffix(line, "// indirect") {
				indirect = append(indirect, fields[0])
			} else {
				direct = append(direct, fields[0])
			}
		}
	}
	return direct, indirect
}

// Package archtest holds the house in order: the drawing in ARCHITECTURE.md, and
// the rules that a reviewer would otherwise have to remember.
//
// A rule is a function from a tree of files to complaints. The tests run every
// rule over this repository, and over a small bad tree of which it has to
// complain: a rule that cannot fail holds nothing.
package archtest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// module is the path of the root module.
const module = "github.com/fastness/fastness"

// rule is one thing that must hold.
type rule struct {
	name  string
	check func(*tree) []string
}

// rules are all of them.
func rules() []rule {
	return []rule{
		{"the drawing is true", drawingIsTrue},
		{"one package comment each", onePackageComment},
		{"no func init", noInit},
		{"no mutable package variable", noMutableVariable},
		{"no package without an idea", noNamelessPackage},
		{"small interfaces", smallInterfaces},
		{"files fit the budget", filesFit},
		{"packages fit the budget", packagesFit},
		{"few dependencies", fewDependencies},
		{"no weak randomness", noWeakRandomness},
		{"certificates are verified", certificatesAreVerified},
		{"an example per public package", exampleEach},
		{"no words from the workshop", noForbiddenWords},
	}
}

// tree is a repository.
type tree struct {
	files   fs.FS
	set     *token.FileSet
	rooms   map[string]*room // by folder; "." is the root
	modules []string         // folders with a go.mod
	texts   []string         // files that may hold text, Go files included
}

// room is a folder with Go files.
type room struct {
	folder string
	files  []*source
}

// source is one Go file.
type source struct {
	path      string
	lines     int
	test      bool
	generated bool
	ast       *ast.File
}

// load parses all Go files below the root of files.
func load(files fs.FS) (*tree, error) {
	t := &tree{files: files, set: token.NewFileSet(), rooms: make(map[string]*room)}
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && isSkipped(name):
			return fs.SkipDir
		case d.IsDir():
			return nil
		case path.Ext(name) == ".test" || path.Ext(name) == ".out":
			return nil // What go test -c and the profilers leave.
		case name == ".git":
			return nil // In a working tree of git's, it says where the rest is.
		case path.Base(name) == "go.mod":
			t.modules = append(t.modules, path.Dir(name))
		}
		t.texts = append(t.texts, name)
		if path.Ext(name) != ".go" || strings.Contains(name, "testdata/") {
			return nil
		}
		return t.parse(name)
	})
	return t, err
}

// isSkipped reports whether a folder holds nothing that belongs to the
// repository: what .gitignore names, and version control itself.
func isSkipped(folder string) bool {
	base := path.Base(folder)
	return base == ".git" || base == ".cache" || base == "bin" || base == "node_modules" || strings.HasSuffix(base, "-data")
}

func (t *tree) parse(name string) error {
	data, err := fs.ReadFile(t.files, name)
	if err != nil {
		return err
	}
	file, err := parser.ParseFile(t.set, name, data, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	folder := path.Dir(name)
	if t.rooms[folder] == nil {
		t.rooms[folder] = &room{folder: folder}
	}
	r := t.rooms[folder]
	r.files = append(r.files, &source{
		path: name, ast: file, lines: strings.Count(string(data), "\n"),
		test: strings.HasSuffix(name, "_test.go"), generated: ast.IsGenerated(file),
	})
	return nil
}

// sorted returns the rooms in the order of their folders.
func (t *tree) sorted() []*room {
	all := make([]*room, 0, len(t.rooms))
	for _, r := range t.rooms {
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b *room) int { return strings.Compare(a.folder, b.folder) })
	return all
}

// written returns the files that people wrote and that are no tests.
func (t *tree) written() (all []*source) {
	for _, r := range t.sorted() {
		all = append(all, r.written()...)
	}
	return all
}

func (r *room) written() []*source {
	return slices.DeleteFunc(slices.Clone(r.files), func(f *source) bool { return f.test || f.generated })
}

// isProgram reports whether the room is a command.
func (r *room) isProgram() bool {
	return slices.ContainsFunc(r.files, func(f *source) bool { return f.ast.Name.Name == "main" })
}

// moduleOf returns the folder of the module that a folder belongs to.
func (t *tree) moduleOf(folder string) string {
	for folder != "." && !slices.Contains(t.modules, folder) {
		folder = path.Dir(folder)
	}
	return folder
}

// at says where a node is, and what is wrong there.
func (t *tree) at(n ast.Node, format string, args ...any) string {
	p := t.set.Position(n.Pos())
	return fmt.Sprintf("%s:%d: %s", p.Filename, p.Line, fmt.Sprintf(format, args...))
}

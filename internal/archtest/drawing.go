package archtest

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// drawn is one line of the drawing.
type drawn struct {
	folder  string
	module  bool     // the room is a module of its own
	imports []string // rooms
	foreign []string // modules of others; "*" for any
}

// fence begins the drawing in ARCHITECTURE.md.
const fence = "```rooms\n"

// readDrawing reads the drawing: one room a line, as "room: rooms | modules of
// others", with "(module)" behind a room that is a module of its own.
func readDrawing(files fs.FS) ([]drawn, error) {
	text, err := fs.ReadFile(files, "ARCHITECTURE.md")
	if err != nil {
		return nil, err
	}
	_, rest, found := strings.Cut(string(text), fence)
	block, _, closed := strings.Cut(rest, "```")
	if !found || !closed {
		return nil, fmt.Errorf("ARCHITECTURE.md has no block that begins with %q", strings.TrimSpace(fence))
	}
	var all []drawn
	for line := range strings.Lines(block) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, rest, found := strings.Cut(line, ":")
		if !found {
			return nil, fmt.Errorf("ARCHITECTURE.md: a room without a colon: %q", line)
		}
		d := drawn{}
		name, d.module = strings.CutSuffix(strings.TrimSpace(name), "(module)")
		d.folder = strings.TrimSpace(name)
		own, foreign, _ := strings.Cut(rest, "|")
		d.imports, d.foreign = strings.Fields(own), strings.Fields(foreign)
		all = append(all, d)
	}
	return all, nil
}

// drawingIsTrue holds the drawing against the files, both ways: what is not
// drawn must not be there, and what is drawn must be. Tests may import what they
// like: they are no part of a program.
func drawingIsTrue(t *tree) (complaints []string) {
	drawing, err := readDrawing(t.files)
	if err != nil {
		return []string{err.Error()}
	}
	complain := func(format string, args ...any) { complaints = append(complaints, fmt.Sprintf(format, args...)) }
	places := make(map[string]int)
	for i, d := range drawing {
		if _, twice := places[d.folder]; twice {
			complain("%s is drawn twice", d.folder)
		}
		places[d.folder] = i
	}
	for _, r := range t.sorted() {
		if _, ok := places[r.folder]; !ok {
			complain("%s is not in the drawing", r.folder)
		}
	}
	for i, d := range drawing {
		if t.rooms[d.folder] == nil {
			complain("%s is drawn but has no Go files", d.folder)
			continue
		}
		if own := slices.Contains(t.modules, d.folder); own != d.module && d.folder != "." {
			complain("%s: a module of its own: the drawing says %v, its go.mod says %v", d.folder, d.module, own)
		}
		for _, name := range d.imports {
			if below, ok := places[name]; !ok || below <= i {
				complain("%s may import %s, which is not below it", d.folder, name)
			}
		}
		complaints = append(complaints, t.compare(d)...)
	}
	return complaints
}

// compare holds one room against its files.
func (t *tree) compare(d drawn) (complaints []string) {
	used := make(map[string]bool)
	for _, f := range t.rooms[d.folder].files {
		if f.test {
			continue
		}
		for _, spec := range f.ast.Imports {
			name, _ := strconv.Unquote(spec.Path.Value)
			kind, target := classify(name)
			used[target] = true
			switch {
			case kind == ownRoom && !slices.Contains(d.imports, target):
				complaints = append(complaints, t.at(spec, "%s must not import %s", d.folder, target))
			case kind == foreignModule && !slices.ContainsFunc(d.foreign, covers(name)):
				complaints = append(complaints, t.at(spec, "%s must not import %s", d.folder, name))
			}
		}
	}
	for _, name := range d.imports {
		if !used[name] {
			complaints = append(complaints, fmt.Sprintf("%s may import %s, and no file does", d.folder, name))
		}
	}
	for _, name := range d.foreign {
		if name != "*" && !anyBelow(used, name) {
			complaints = append(complaints, fmt.Sprintf("%s may import %s, and no file does", d.folder, name))
		}
	}
	return complaints
}

type importKind int

const (
	standard importKind = iota
	ownRoom
	foreignModule
)

// classify says what an import path leads to: a folder of ours, or somebody
// else's package.
func classify(name string) (importKind, string) {
	first, _, _ := strings.Cut(name, "/")
	switch {
	case name == module:
		return ownRoom, "."
	case strings.HasPrefix(name, module+"/"):
		return ownRoom, path.Clean(strings.TrimPrefix(name, module+"/"))
	case strings.Contains(first, "."):
		return foreignModule, name
	default:
		return standard, name
	}
}

// covers returns whether a module of the drawing holds the package called name.
func covers(name string) func(string) bool {
	return func(listed string) bool {
		return listed == "*" || name == listed || strings.HasPrefix(name, listed+"/")
	}
}

func anyBelow(names map[string]bool, prefix string) bool {
	for name := range names {
		if covers(name)(prefix) {
			return true
		}
	}
	return false
}

package archtest

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func TestTheHouseIsInOrder(t *testing.T) {
	house, err := load(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rules() {
		t.Run(r.name, func(t *testing.T) {
			for _, complaint := range r.check(house) {
				t.Error(complaint)
			}
		})
	}
	for _, r := range house.sorted() {
		if house.moduleOf(r.folder) == "." && !isInternal(r.folder) {
			t.Logf("%-15s exports %3d names", r.folder, len(exported(r)))
		}
	}
}

// house is a small tree of which no rule complains.
func house() map[string]string {
	return map[string]string{
		"ARCHITECTURE.md": lines("# House", "```rooms", "# a comment",
			"tools (module): . | *", ".: door | github.com/alecthomas/kong", "door:", "```"),
		"go.mod": lines("module "+module, "require (", "\tgithub.com/alecthomas/kong v1.0.0", "\tgithub.com/coder/websocket v1.0.0", "\tgithub.com/shopspring/decimal v1.0.0",
			"\tgithub.com/swaggest/swgui v1.0.0", "\tgo.yaml.in/yaml/v3 v3.0.0", "\tgolang.org/x/crypto v0.1.0",
			"\tgolang.org/x/net v0.1.0", "\tgolang.org/x/text v0.1.0", ")"),
		"house.go": lines("// Package house is a house.", "package house",
			`import ( "errors"; _ "github.com/alecthomas/kong"; "`+module+`/door" )`,
			`var ErrShut = errors.New("shut")`, "var _ = door.Open", "var steps = [...]int{1, 2}"),
		"house_test.go": lines("package house_test", "func Example() {}", "var counter int", "func init() { counter++ }"),
		"door/door.go":  lines("// Package door opens.", "package door", "func Open() (open bool) { open = true; return open }"),
		"door/door_test.go": lines("package door_test", `import _ "math/rand"`,
			`func ExampleOpen() { _ = config{InsecureSkipVerify: true} }`, `const vectors = "../shared/vectors"`),
		"tools/go.mod":   "module " + module + "/tools\n",
		"tools/tools.go": lines("// Command tools has them.", "package main", `import _ "example.com/any"`, `import _ "`+module+`"`),
		"bin/notes.txt":  "/work/main is not looked at here\n",
	}
}

func lines(all ...string) string { return strings.Join(all, "\n") + "\n" }

func plant(t *testing.T, files map[string]string) *tree {
	t.Helper()
	all := make(fstest.MapFS)
	for name, text := range files {
		all[name] = &fstest.MapFile{Data: []byte(text)}
	}
	planted, err := load(all)
	if err != nil {
		t.Fatal(err)
	}
	return planted
}

func TestNoRuleComplainsOfAGoodHouse(t *testing.T) {
	good := plant(t, house())
	for _, r := range rules() {
		for _, complaint := range r.check(good) {
			t.Errorf("%s: %s", r.name, complaint)
		}
	}
}

func TestEachRuleCanFail(t *testing.T) {
	addTo := func(name, text string) func(map[string]string) {
		return func(files map[string]string) { files[name] += text + "\n" }
	}
	replace := func(name, old, text string) func(map[string]string) {
		return func(files map[string]string) { files[name] = strings.Replace(files[name], old, text, 1) }
	}
	interfaceOf := func(methods int) string { return "type I interface {" + strings.Repeat(" M();", methods) + " }" }
	tests := []struct {
		rule, name string
		change     func(map[string]string)
		want       string
	}{
		{"the drawing is true", "a folder that nobody drew", addTo("attic/attic.go", "// Package attic is.\npackage attic"), "attic is not in the drawing"},
		{"the drawing is true", "a room that does not exist", replace("ARCHITECTURE.md", "door:", "door:\ncellar:"), "cellar is drawn but has no Go files"},
		{"the drawing is true", "a room drawn twice", replace("ARCHITECTURE.md", "door:", "door:\ndoor:"), "door is drawn twice"},
		{"the drawing is true", "an arrow that points up", replace("ARCHITECTURE.md", "door:", "door: ."), "door may import ., which is not below it"},
		{"the drawing is true", "an import without an arrow", addTo("door/up.go", "package door\nimport _ \""+module+"\""), "door must not import ."},
		{"the drawing is true", "an arrow without an import", replace("house.go", module+"/door", "net"), ". may import door, and no file does"},
		{"the drawing is true", "a module of others without an arrow", addTo("door/far.go", "package door\nimport _ \"example.com/far/away\""), "door must not import example.com/far/away"},
		{"the drawing is true", "an arrow to an unused module", replace("ARCHITECTURE.md", "door:", "door: | example.com/far"), "door may import example.com/far, and no file does"},
		{"the drawing is true", "a module drawn as a room", replace("ARCHITECTURE.md", "tools (module)", "tools"), "tools: a module of its own: the drawing says false"},
		{"the drawing is true", "no drawing", replace("ARCHITECTURE.md", "```rooms", "```"), "has no block"},
		{"the drawing is true", "a line that is none", replace("ARCHITECTURE.md", "door:", "door"), "a room without a colon"},
		{"one package comment each", "none", replace("door/door.go", "// Package door opens.\n", ""), "door has 0 package comments"},
		{"one package comment each", "two", addTo("door/b.go", "// Package door closes.\npackage door"), "door has 2 package comments"},
		{"one package comment each", "one about something else", replace("door/door.go", "Package door", "This"), `should begin with "Package door "`},
		{"one package comment each", "a command called a package", replace("tools/tools.go", "Command", "Package"), `should begin with "Command tools "`},
		{"no func init", "one", addTo("door/door.go", "func init() {}"), "func init"},
		{"no mutable package variable", "a map", addTo("door/door.go", "var m = map[string]int{}"), "variable m can change"},
		{"no mutable package variable", "a slice", addTo("door/door.go", "var s = []int{1}"), "variable s can change"},
		{"no mutable package variable", "a counter", addTo("door/door.go", "var n int"), "variable n has no value"},
		{"no mutable package variable", "a table that is written to", addTo("house.go", "func f() { steps[0]++ }"), "variable steps is written to"},
		{"no mutable package variable", "a table whose address is taken", addTo("house.go", "func f() *[2]int { return &steps }"), "variable steps is written to"},
		{"no mutable package variable", "an exported table", replace("house.go", "steps", "Steps"), "variable Steps is exported"},
		{"no mutable package variable", "an error that is replaced", addTo("house.go", "func f() { ErrShut = nil }"), "variable ErrShut is written to"},
		{"no package without an idea", "by name", replace("door/door.go", "package door", "package helpers"), "called helpers"},
		{"no package without an idea", "by folder", addTo("util/a.go", "// Package door is.\npackage door"), "called util"},
		{"small interfaces", "four methods", addTo("door/door.go", interfaceOf(4)), "an interface with 4 methods"},
		{"files fit the budget", "a long file", addTo("door/door.go", strings.Repeat("\n", 400)), "door/door.go has 404 lines"},
		{"files fit the budget", "a long test", addTo("door/door_test.go", strings.Repeat("\n", 600)), "lines, want at most 600"},
		{"packages fit the budget", "41 functions", addTo("door/door.go", "const A = 1\n"+functions(39)), "door exports 41 names"},
		{"few dependencies", "a new one", replace("go.mod", ")", "\texample.com/new v1.0.0\n)"), "requires example.com/new"},
		{"few dependencies", "a new one on a line of its own", addTo("go.mod", "require example.com/new v1.0.0"), "requires example.com/new"},
		{"few dependencies", "one that is gone", replace("go.mod", "\tgo.yaml.in/yaml/v3 v3.0.0\n", ""), "does not require go.yaml.in/yaml/v3"},
		{"few dependencies", "one that hides behind another", addTo("go.mod", "require example.com/new v1.0.0 // indirect"), "requires example.com/new indirectly"},
		{"no weak randomness", "math/rand", addTo("door/r.go", "package door\nimport _ \"math/rand\""), "math/rand"},
		{"no weak randomness", "math/rand/v2", addTo("door/r.go", "package door\nimport _ \"math/rand/v2\""), "math/rand"},
		{"certificates are verified", "a literal", addTo("door/door.go", "var _ = tls.Config{InsecureSkipVerify: true}"), "InsecureSkipVerify"},
		{"certificates are verified", "a variable", addTo("door/door.go", "var _ = tls.Config{InsecureSkipVerify: lax}"), "InsecureSkipVerify"},
		{"certificates are verified", "an assignment", addTo("door/door.go", "func f() { cfg.InsecureSkipVerify = true }"), "InsecureSkipVerify"},
		{"an example per public package", "none", replace("door/door_test.go", "ExampleOpen", "TestOpen"), "door has no function Example"},
		{"an example per public package", "one that is no test", replace("house_test.go", "func Example", "func (t T) Example"), ". has no function Example"},
		{"no words from the workshop", "a path", addTo("docs/a.md", "see /work/main/x"), "docs/a.md:1: a path of one machine"},
		{"no words from the workshop", "a folder beside", addTo("README.md", "../shared/vectors"), "README.md:1: a folder beside"},
		{"no words from the workshop", "another folder beside", addTo("door/door_test.go", "// ../shared/notes"), "a folder beside"},
		{"no words from the workshop", "a registry", addTo("Makefile", "GOPROXY=https://proxy.golang.org"), "the host of a registry"},
		{"no words from the workshop", "an issue", addTo("README.md", "see issue #12"), "the number of an issue"},
	}
	failed := make(map[string]bool)
	for _, tt := range tests {
		t.Run(tt.rule+": "+tt.name, func(t *testing.T) {
			files := maps.Clone(house())
			tt.change(files)
			for _, r := range rules() {
				if r.name != tt.rule {
					continue
				}
				failed[r.name] = true
				if got := r.check(plant(t, files)); !slices.ContainsFunc(got, func(s string) bool { return strings.Contains(s, tt.want) }) {
					t.Errorf("complaints are %q, want one with %q", got, tt.want)
				}
			}
		})
	}
	for _, r := range rules() {
		if !failed[r.name] {
			t.Errorf("no bad tree for the rule %q", r.name)
		}
	}
}

func functions(n int) string {
	var out strings.Builder
	for i := range n {
		out.WriteString("func F" + strings.Repeat("x", i) + "() {}\n")
	}
	return out.String()
}

package archtest

import (
	"os"
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
		if house.moduleOf(r.folder) == "." && !strings.HasPrefix(r.folder, "internal/") {
			t.Logf("%-14s exports %3d names", r.folder, len(exported(r)))
		}
	}
}

// goodHouse returns a small tree of which no rule complains.
func goodHouse() fstest.MapFS {
	return tree_(map[string]string{
		"ARCHITECTURE.md": "# House\n\n```rooms\n# a comment\n.: door | github.com/alecthomas/kong\ntools (module): . | *\ndoor:\n```\n",
		"go.mod": "module " + module + "\n\nrequire (\n\tgithub.com/alecthomas/kong v1.0.0\n\tgithub.com/shopspring/decimal v1.0.0\n" +
			"\tgithub.com/swaggest/swgui v1.0.0\n\tgo.yaml.in/yaml/v3 v3.0.0\n)\n",
		"house.go": "// Package house is a house.\npackage house\n\nimport (\n\t\"errors\"\n\n\t_ \"github.com/alecthomas/kong\"\n" +
			"\t\"" + module + "/door\"\n)\n\nvar ErrShut = errors.New(\"shut\")\n\nvar _ = door.Open\n\nvar steps = [...]int{1, 2}\n",
		"house_test.go":  "package house_test\n\nfunc Example() {}\n\nvar counter int\n\nfunc init() { counter++ }\n",
		"door/door.go":   "// Package door opens.\npackage door\n\nfunc Open() bool { open := true; return open }\n",
		"door/x_test.go": "package door_test\n\nimport _ \"math/rand\"\n\nfunc ExampleOpen() {}\n",
		"tools/go.mod":   "module " + module + "/tools\n",
		"tools/main.go":  "// Command tools has them.\npackage main\n\nimport _ \"example.com/any\"\n\nimport _ \"" + module + "\"\n",
	})
}

func tree_(files map[string]string) fstest.MapFS {
	all := make(fstest.MapFS)
	for name, text := range files {
		all[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return all
}

func TestNoRuleComplainsOfAGoodHouse(t *testing.T) {
	house := goodHouse()
	house["ARCHITECTURE.md"].Data = []byte(strings.Replace(string(house["ARCHITECTURE.md"].Data), ".: door", "tools (module): . | *\n.: door", 1))
	house["ARCHITECTURE.md"].Data = []byte(strings.Replace(string(house["ARCHITECTURE.md"].Data), "kong\ntools (module): . | *\n", "kong\n", 1))
	good, err := load(house)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rules() {
		for _, complaint := range r.check(good) {
			t.Errorf("%s: %s", r.name, complaint)
		}
	}
}

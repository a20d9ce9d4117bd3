package scan_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/fastness/fastness/scan"
	"github.com/fastness/fastness/schema"
)

// What a remedy tells people to write has to exist. Snippets are parsed, and held against
// the source of this module.

func TestSnippetsOfFastnessNameWhatExists(t *testing.T) {
	m := readModule(t)
	for _, k := range scan.Kinds() {
		for _, wrong := range m.judge(k.Remedy.Fastness) {
			t.Errorf("%s: %s\n%s", k.ID, wrong, k.Remedy.Fastness)
		}
	}
}

func TestSnippetsThatNameWhatDoesNotExistAreFound(t *testing.T) {
	m := readModule(t)
	for snippet, want := range map[string]string{
		`admin := app.Group("/admin", access.Roles("admin"))`:                   "access.Roles does not exist",
		`admin := app.Groups("/admin", access.Role("admin"))`:                   "app.Groups does not exist",
		`fastness.Get(app, "/", list, access.Authenticated())`:                  "access.Authenticated is no function",
		`_ = fastness.Config{Host: hosts}`:                                      "fastness.Config has no field Host",
		`_ = fastness.Retirement{Until: t}`:                                     "fastness.Retirement has no field Until",
		`client := outbound.New(outbound.Config{})`:                             "outbound.New has 2 results",
		`_ = access.Object(may)`:                                                "access.Object takes 2 arguments",
		"store, err := filestore.Open(dir, cfg)\nstore.Put(r)":                  "store.Put does not exist",
		"Limit int `query:\"limit\" max:\"100\"`":                               "tag max does not exist",
		"Name secret.String `json:\"name\"`":                                    "secret.String does not exist",
		"f() // or access.Roles":                                                "access.Roles does not exist",
		"oauth.New()":                                                           "oauth is no package",
		`INSERT INTO t VALUES (1)`:                                              "no Go",
		`// the default`:                                                        "no code",
		`_, err := token.NewBearer(token.BearerConfig{Keys: ring})`:             "token.BearerConfig has no field Keys",
		`fastness.Post[In](app, "/")`:                                           "fastness.Post takes 3 arguments or more",
		"sessions, err := session.Open(ctx, cfg)\nsessions.Finish(ctx, id)":     "sessions.Finish does not exist",
		"type In struct {\n\tLimit int `query:\"limit\" maximun:\"100\"`\n}\n":  "tag maximun does not exist",
		"_ = headers.Config{ContentSecurity: policy} // headers.New(cfg) alone": "headers.Config has no field ContentSecurity",
	} {
		if wrong := m.judge(snippet); !slices.ContainsFunc(wrong, func(s string) bool { return strings.Contains(s, want) }) {
			t.Errorf("%s\n  got %q, want %q", snippet, wrong, want)
		}
	}
}

// judge says what is wrong with a snippet.
func (m module) judge(snippet string) (wrong []string) {
	file := parseSnippet(snippet)
	if file == nil {
		return []string{"it is no Go"}
	}
	j := &judge{module: m, types: map[string]string{"app": "fastness.App"}, local: map[string]bool{}}
	ast.Inspect(file, j.declare)
	ast.Inspect(file, j.look)
	if !j.code {
		j.say("there is no code")
	}
	for _, group := range file.Comments {
		for _, name := range regexp.MustCompile(`\b([a-z]+)\.([A-Z]\w*)`).FindAllStringSubmatch(group.Text(), -1) {
			if m[name[1]] != nil && m[name[1]].names[name[2]] == nil {
				j.say("%s does not exist", name[0])
			}
		}
	}
	return j.wrong
}

// parseSnippet parses statements, declarations or fields; "…" stands for what is left out.
func parseSnippet(snippet string) *ast.File {
	snippet = strings.ReplaceAll(snippet, "…", "etc")
	for _, around := range [...][2]string{{"func _() {\n", "\n}"}, {"", "\n"}, {"type _ struct {\n", "\n}"}} {
		file, err := parser.ParseFile(token.NewFileSet(), "", "package p\n"+around[0]+snippet+around[1], parser.ParseComments)
		if err == nil {
			return file
		}
	}
	return nil
}

// judge holds one snippet against the module.
type judge struct {
	module
	local map[string]bool   // what the snippet declares
	types map[string]string // of some of it, as "filestore.Store"
	wrong []string
	code  bool
}

func (j *judge) say(format string, args ...any) {
	j.wrong = append(j.wrong, fmt.Sprintf(format, args...))
}

// declare notes variables and parameters, and of what type they are.
func (j *judge) declare(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.Field:
		for _, name := range n.Names {
			j.local[name.Name] = true
		}
	case *ast.AssignStmt:
		for i, left := range n.Lhs {
			if name, ok := left.(*ast.Ident); ok && n.Tok == token.DEFINE {
				j.local[name.Name] = true
				if pkg, f := j.function(n.Rhs[0]); f != nil && i < results(f) {
					j.types[name.Name] = typeName(pkg, f.Results.List[i].Type)
				}
			}
		}
		if pkg, f := j.function(n.Rhs[0]); f != nil && results(f) != len(n.Lhs) {
			j.say("%s.%s has %d results", pkg, called(n.Rhs[0]).Sel.Name, results(f))
		}
	}
	return true
}

func (j *judge) look(n ast.Node) bool {
	switch n := n.(type) {
	case ast.Stmt, *ast.TypeSpec, *ast.Field:
		if _, block := n.(*ast.BlockStmt); !block && !reflect.DeepEqual(n, &ast.FieldList{}) {
			j.code = true
		}
		if f, ok := n.(*ast.Field); ok {
			j.tags(f)
		}
	case *ast.SelectorExpr:
		j.selector(n)
	case *ast.CallExpr:
		j.call(n)
	case *ast.CompositeLit:
		j.fields(n)
	}
	return true
}

func (j *judge) selector(s *ast.SelectorExpr) {
	x, ok := s.X.(*ast.Ident)
	if !ok {
		return
	}
	switch kind := j.types[x.Name]; {
	case kind != "":
		pkg, name, _ := strings.Cut(kind, ".")
		if j.module[pkg] != nil && j.module[pkg].names[name] != nil && j.module[pkg].names[name+"."+s.Sel.Name] == nil && !slices.Contains(j.fieldsOf(kind), s.Sel.Name) {
			j.say("%s.%s does not exist", x.Name, s.Sel.Name)
		}
	case j.local[x.Name] || values[x.Name]:
	case j.module[x.Name] != nil:
		if j.module[x.Name].names[s.Sel.Name] == nil {
			j.say("%s.%s does not exist", x.Name, s.Sel.Name)
		}
	case !others[x.Name]:
		j.say("%s is no package", x.Name)
	}
}

// values are what snippets take for given; others are packages that are not of this module.
var (
	values = map[string]bool{"app": true, "in": true, "db": true, "tx": true, "ring": true, "pages": true, "accounts": true}
	others = map[string]bool{"context": true, "http": true, "os": true, "exec": true, "xml": true, "ldap": true, "json": true}
)

func (j *judge) call(c *ast.CallExpr) {
	s := called(c)
	if s == nil || j.exported(s) == nil {
		return
	}
	if _, isType := j.exported(s).(*ast.TypeSpec); isType {
		return
	}
	pkg, f := j.function(c)
	if f == nil {
		j.say("%s.%s is no function", s.X, s.Sel.Name)
		return
	}
	least, variadic := 0, false
	for _, p := range f.Params.List {
		if _, variadic = p.Type.(*ast.Ellipsis); !variadic {
			least += max(1, len(p.Names))
		}
	}
	rest := slices.ContainsFunc(c.Args, func(a ast.Expr) bool { x, ok := a.(*ast.Ident); return ok && x.Name == "etc" })
	switch {
	case variadic && len(c.Args) < least && !rest:
		j.say("%s.%s takes %d arguments or more", pkg, s.Sel.Name, least)
	case !variadic && len(c.Args) != least && !rest:
		j.say("%s.%s takes %d arguments", pkg, s.Sel.Name, least)
	}
}

func (j *judge) fields(c *ast.CompositeLit) {
	s, ok := without(c.Type).(*ast.SelectorExpr)
	if !ok || j.exported(s) == nil {
		return
	}
	kind := fmt.Sprint(s.X) + "." + s.Sel.Name
	for _, e := range c.Elts {
		if pair, ok := e.(*ast.KeyValueExpr); ok && !slices.Contains(j.fieldsOf(kind), fmt.Sprint(pair.Key)) {
			j.say("%s has no field %s", kind, pair.Key)
		}
	}
}

// tagNames are the keys of tags that schema and the binding of parameters know.
var tagNames = append(schema.RuleNames(), strings.Fields("json query path header cookie form accept default example title doc deprecated readOnly writeOnly visibleTo writableBy required alias out maxPixels")...)

func (j *judge) tags(f *ast.Field) {
	if f.Tag == nil {
		return
	}
	text, _ := strconv.Unquote(f.Tag.Value)
	for _, key := range regexp.MustCompile(`(\w+):"`).FindAllStringSubmatch(text, -1) {
		if !slices.Contains(tagNames, key[1]) {
			j.say("the tag %s does not exist", key[1])
		}
	}
}

// exported returns the declaration that a selector names, or nil.
func (j *judge) exported(s *ast.SelectorExpr) ast.Node {
	x, ok := s.X.(*ast.Ident)
	if !ok || j.local[x.Name] || values[x.Name] || j.module[x.Name] == nil {
		return nil
	}
	return j.module[x.Name].names[s.Sel.Name]
}

// function returns the function of the module that an expression calls.
func (j *judge) function(e ast.Expr) (pkg string, f *ast.FuncType) {
	if s := called(e); s != nil {
		if d, ok := j.exported(s).(*ast.FuncDecl); ok {
			return fmt.Sprint(s.X), d.Type
		}
	}
	return "", nil
}

func called(e ast.Expr) *ast.SelectorExpr {
	if c, ok := e.(*ast.CallExpr); ok {
		s, _ := without(c.Fun).(*ast.SelectorExpr)
		return s
	}
	return nil
}

// without returns what type arguments belong to.
func without(e ast.Expr) ast.Expr {
	if x, ok := e.(*ast.IndexExpr); ok {
		return x.X
	}
	return e
}

func results(f *ast.FuncType) int {
	if f.Results == nil {
		return 0
	}
	return f.Results.NumFields()
}

// typeName returns the name of a type of a package, without its pointer.
func typeName(pkg string, e ast.Expr) string {
	if star, ok := e.(*ast.StarExpr); ok {
		e = star.X
	}
	if name, ok := without(e).(*ast.Ident); ok && name.IsExported() {
		return pkg + "." + name.Name
	}
	return ""
}

// module is what the packages of this module export, by their names. Where two have the
// same name, what either exports is there.
type module map[string]*exports

type exports struct {
	names map[string]ast.Node // also "Store.Save"
}

// fieldsOf returns the fields of a struct, through one alias.
func (m module) fieldsOf(kind string) (fields []string) {
	pkg, name, _ := strings.Cut(kind, ".")
	if m[pkg] == nil {
		return nil
	}
	spec, ok := m[pkg].names[name].(*ast.TypeSpec)
	if !ok {
		return nil
	}
	switch of := without(spec.Type).(type) {
	case *ast.SelectorExpr:
		return m.fieldsOf(fmt.Sprint(of.X) + "." + of.Sel.Name)
	case *ast.StructType:
		for _, f := range of.Fields.List {
			for _, name := range f.Names {
				fields = append(fields, name.Name)
			}
		}
	}
	return fields
}

// readModule parses all packages of the framework, and none of the scanner.
func readModule(t *testing.T) module {
	t.Helper()
	m := module{}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); name != ".." && strings.HasPrefix(name, ".") || slices.Contains([]string{"scan", "testdata", "examples", "bench", "bin", "cmd", "archtest"}, name) {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err == nil && file.Name.Name != "main" {
			m.add(file)
		}
		return err
	})
	if err != nil || len(m) < 20 {
		t.Fatalf("%d packages were found (%v)", len(m), err)
	}
	return m
}

func (m module) add(file *ast.File) {
	if m[file.Name.Name] == nil {
		m[file.Name.Name] = &exports{names: map[string]ast.Node{}}
	}
	names := m[file.Name.Name].names
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			name := d.Name.Name
			if d.Recv != nil {
				_, of, _ := strings.Cut(typeName("", d.Recv.List[0].Type), ".")
				name = of + "." + name
			}
			names[name] = d
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					names[spec.Name.Name] = spec
				case *ast.ValueSpec:
					for _, name := range spec.Names {
						names[name.Name] = spec
					}
				}
			}
		}
	}
}

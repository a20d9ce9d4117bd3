package spec

import (
	"bytes"
	"cmp"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// loaded is what one public document came to.
type loaded struct {
	maker, format                         string
	size, operations, schemas, complaints int
	declared                              int // operations, counted without this package
	time                                  time.Duration
	first                                 string // complaint
}

// TestPublicDocuments loads what makers publish. The documents are large, so they are not
// here: `make specs` fetches them and says where they are.
func TestPublicDocuments(t *testing.T) {
	folder := os.Getenv("FASTNESS_SPECS")
	if folder == "" {
		t.Skip("FASTNESS_SPECS names no folder of documents: make specs fetches them")
	}
	var all []loaded
	refused := 0
	err := filepath.WalkDir(folder, func(name string, d fs.DirEntry, err error) error {
		ext := filepath.Ext(name)
		if err != nil || d.IsDir() || ext != ".json" && ext != ".yaml" && ext != ".yml" {
			return err
		}
		data, err := os.ReadFile(name)
		if err != nil || !bytes.Contains(data, []byte("paths")) || !bytes.Contains(data, []byte("openapi")) && !bytes.Contains(data, []byte("swagger")) {
			return err
		}
		l, err := load(t, data, name)
		if err != nil {
			refused++
			t.Logf("%s: %v", name, err)
			return nil
		}
		rel, _ := filepath.Rel(folder, name)
		l.maker = strings.TrimSuffix(filepath.ToSlash(rel), ext)
		all = append(all, l)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	report(t, all, refused)
}

func load(t *testing.T, data []byte, name string) (loaded, error) {
	root, err := os.OpenRoot(filepath.Dir(name))
	if err != nil {
		return loaded{}, err
	}
	defer func() { _ = root.Close() }()
	begin := time.Now()
	api, err := Parse(data, ParseConfig{Source: name, Fetch: Folder(root)})
	if err != nil {
		return loaded{}, err
	}
	l := loaded{size: len(data), operations: len(api.Operations), schemas: len(api.Schemas), complaints: len(api.Complaints), time: time.Since(begin), declared: -1}
	for _, c := range api.Complaints {
		if len(l.first) == 0 {
			l.first = c.Where + ": " + c.What
		}
		if strings.Contains(c.What, "leads nowhere") {
			l.first = c.Where + ": " + c.What
		}
	}
	if l.time > 20*time.Second {
		t.Errorf("%s took %v", name, l.time)
	}
	var plain struct {
		OpenAPI, Swagger string
		Paths            map[string]map[string]any
	}
	if json.Unmarshal(data, &plain) == nil {
		l.declared = 0
		for path, item := range plain.Paths {
			for method := range item {
				if slices.Contains(methods(), method) && strings.HasPrefix(path, "/") {
					l.declared++
				}
			}
		}
	}
	l.format = cmp.Or(plain.OpenAPI, plain.Swagger, "YAML")
	for _, o := range api.Operations {
		sane(t, name, o)
	}
	return l, nil
}

// sane reports what no operation may be.
func sane(t *testing.T, name string, o *Operation) {
	if o.ID == "" || !strings.HasPrefix(o.Path, "/") {
		t.Errorf("%s: %s has the id %q", name, o, o.ID)
	}
	for _, placeholder := range placeholders(o.Path) {
		if o.Param("path", placeholder) == nil {
			t.Errorf("%s: %s has no parameter %s", name, o, placeholder)
		}
	}
	for _, p := range o.Params {
		if p.Schema == nil {
			t.Errorf("%s: %s: %s has no schema", name, o, p.Name)
		}
	}
	if o.Body != nil {
		for _, m := range o.Body.Media {
			if m.Schema == nil {
				t.Errorf("%s: %s: %s has no schema", name, o, m.Type)
			}
			m.Schema.Fields()
		}
	}
	o.Result().List()
}

func report(t *testing.T, all []loaded, refused int) {
	if len(all) < 20 {
		t.Errorf("%d documents: there must be at least 20", len(all))
	}
	slices.SortFunc(all, func(a, b loaded) int { return b.size - a.size })
	operations, empty, off := 0, 0, 0
	var slowest time.Duration
	t.Logf("%-60s %-7s %9s %6s %7s %10s %8s", "maker", "format", "bytes", "ops", "schemas", "complaints", "ms")
	formats, shown := map[string]int{}, map[string]bool{}
	for _, l := range all {
		operations += l.operations
		slowest = max(slowest, l.time)
		if l.operations == 0 {
			empty++
		}
		wrong := l.declared >= 0 && l.operations != l.declared
		if wrong {
			off++
		}
		formats[l.format]++
		maker := strings.TrimPrefix(l.maker, "directory/package/api/")
		maker, _, _ = strings.Cut(maker, "/")
		if wrong || !shown[maker] && len(shown) < 80 || l.operations == 0 && l.size > 5000 {
			shown[maker] = true
			t.Logf("%-60s %-7s %9d %6d %7d %10d %8d %s", cut(l.maker, 58), l.format, l.size, l.operations, l.schemas, l.complaints, l.time.Milliseconds(), cut(l.first, 120))
		}
		if wrong {
			t.Logf("    %d operations are declared, %d were read", l.declared, l.operations)
		}
	}
	t.Logf("%d documents, %d refused, %d without operations, %d with another number of operations than declared, %d operations, slowest %v, formats %v", len(all), refused, empty, off, operations, slowest, formats)
}

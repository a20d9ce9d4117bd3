package schema_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fastness/fastness/schema"
)

// vectors returns the folder of the test vectors that others wrote.
func vectors(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("FASTNESS_VECTORS")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "vectors")
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no test vectors at %s: set FASTNESS_VECTORS to their folder", dir)
	}
	return dir
}

func TestJSONTestSuite(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(vectors(t), "jsontestsuite", "*.json"))
	if err != nil || len(files) != 318 {
		t.Fatalf("found %d files, want 318 (%v)", len(files), err)
	}
	anything, err := schema.For[any]()
	if err != nil {
		t.Fatal(err)
	}
	refusedDuplicates := map[string]bool{
		"y_object_duplicated_key.json":           true,
		"y_object_duplicated_key_and_value.json": true,
	}
	var accepted, refused, duplicates int
	for _, file := range files {
		name := filepath.Base(file)
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, err = anything.Decode(t.Context(), data)
		switch {
		case refusedDuplicates[name]:
			if err == nil {
				t.Errorf("%s: a duplicate name was accepted", name)
			}
			duplicates++
		case strings.HasPrefix(name, "y_"):
			if err != nil {
				t.Errorf("%s: Decode() = %v, want it accepted", name, err)
			}
			accepted++
		case strings.HasPrefix(name, "n_"):
			if err == nil {
				t.Errorf("%s: accepted, want it refused", name)
			}
			refused++
		}
	}
	if accepted+duplicates != 95 || refused != 188 {
		t.Errorf("saw %d y_ and %d n_ files, want 95 and 188", accepted+duplicates, refused)
	}
}

func TestNaughtyStringsComeBackByteForByte(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(vectors(t), "blns.json"))
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	if err := json.Unmarshal(data, &want); err != nil {
		t.Fatal(err)
	}
	if len(want) != 515 {
		t.Fatalf("read %d strings, want 515", len(want))
	}
	list, err := schema.For[[]string]()
	if err != nil {
		t.Fatal(err)
	}
	got, err := list.Decode(t.Context(), data)
	if err != nil {
		t.Fatal(err)
	}
	again, err := list.Append(nil, got)
	if err != nil {
		t.Fatal(err)
	}
	var back []string
	if err := json.Unmarshal(again, &back); err != nil {
		t.Fatal(err)
	}
	for i := range want {
		if got[i] != want[i] || back[i] != want[i] {
			t.Errorf("string %d: decoded %q, encoded and read back %q, want %q", i, got[i], back[i], want[i])
		}
	}
}

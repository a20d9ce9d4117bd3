package archive_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fastness/fastness/archive"
	"github.com/fastness/fastness/problem"
)

// entry is one of a tar file.
type entry struct {
	name, content string
	kind          byte
	link          string
	records       map[string]string
}

func rawTar(entries ...entry) string {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		h := &tar.Header{Name: e.name, Size: int64(len(e.content)), Typeflag: e.kind, Linkname: e.link, Mode: 0o4777, PAXRecords: e.records}
		if e.kind == 0 {
			h.Typeflag = tar.TypeReg
			if strings.HasSuffix(e.name, "/") {
				h.Typeflag = tar.TypeDir
			}
		}
		if e.records != nil {
			h.Format = tar.FormatPAX
		}
		if e.kind == tar.TypeXGlobalHeader {
			h = &tar.Header{Typeflag: e.kind, PAXRecords: e.records}
		}
		err := w.WriteHeader(h)
		if err == nil {
			_, err = io.WriteString(w, e.content)
		}
		if err != nil {
			panic(err)
		}
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.String()
}

func gzipped(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := io.WriteString(w, text)
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		panic(err)
	}
	return b.String()
}

func tarOf(entries ...entry) string { return gzipped(rawTar(entries...)) }

func readTar(t testing.TB, cfg archive.Config, text string) (map[string]string, error) {
	t.Helper()
	return readAll(policy(t, cfg).TarGzip(strings.NewReader(text)))
}

func TestTarIsRead(t *testing.T) {
	large := strings.Repeat("0123456789 and so on\n", 10_000)
	got, err := readTar(t, archive.Config{}, tarOf(entry{name: "x", kind: tar.TypeXGlobalHeader, records: map[string]string{"comment": "abc"}}, entry{name: "./"},
		entry{name: "./a.txt", content: "hello"}, entry{name: "folder/"}, entry{name: "folder/ü", content: large}, entry{name: strings.Repeat("long/", 25) + "b", content: "b"}))
	if err != nil || len(got) != 4 || got["a.txt"] != "hello" || got["folder/ü"] != large || got[strings.Repeat("long/", 25)+"b"] != "b" {
		t.Errorf("%d entries, %v", len(got), err)
	}
	if got, err := readTar(t, archive.Config{}, tarOf()); err != nil || len(got) != 0 {
		t.Errorf("nothing in it: %v, %v", got, err)
	}
}

func TestTarThatIsNoPlainFilesIsRefused(t *testing.T) {
	good := tarOf(entry{name: "a", content: "hello"})
	for name, tt := range map[string]struct{ text, code string }{
		"a symbolic link":             {tarOf(entry{name: "a", kind: tar.TypeSymlink, link: "/etc/passwd"}), "archive_link"},
		"a hard link":                 {tarOf(entry{name: "a", kind: tar.TypeLink, link: "/etc/passwd"}), "archive_link"},
		"a device":                    {tarOf(entry{name: "a", kind: tar.TypeBlock}), "archive_link"},
		"a terminal":                  {tarOf(entry{name: "a", kind: tar.TypeChar}), "archive_link"},
		"a pipe":                      {tarOf(entry{name: "a", kind: tar.TypeFifo}), "archive_link"},
		"a link to write through":     {tarOf(entry{name: "a", kind: tar.TypeSymlink, link: "/tmp"}, entry{name: "a/b", content: "x"}), "archive_link"},
		"no gzip":                     {rawTar(entry{name: "a"}), "archive_invalid"},
		"nothing":                     {"", "archive_invalid"},
		"no tar":                      {gzipped(strings.Repeat("hello", 1000)), "archive_invalid"},
		"cut":                         {good[:len(good)-10], "archive_invalid"},
		"a wrong sum":                 {good[:len(good)-8] + "xxxx" + good[len(good)-4:], "archive_invalid"},
		"something behind it":         {good + "x", "archive_invalid"},
		"another archive behind it":   {good + good, "archive_invalid"},
		"nothing, packed, behind it":  {good + gzipped(""), "archive_invalid"},
		"something behind its end":    {gzipped(rawTar(entry{name: "a"}) + "hello"), "archive_invalid"},
		"another tar behind its end":  {gzipped(rawTar(entry{name: "a"}) + rawTar(entry{name: "b"})), "archive_invalid"},
		"a file that ends early":      {gzipped(rawTar(entry{name: "a", content: "hello"})[:514]), "archive_invalid"},
		"a name that a record brings": {tarOf(entry{name: "../../" + strings.Repeat("a", 120), content: "x", records: map[string]string{}}), "archive_name"},
		"a sparse file":               {gzipped(strings.ReplaceAll(rawTar(entry{name: "a", content: "x", records: map[string]string{"VND.sparse.name": "b"}}), "VND.sparse", "GNU.sparse")), "archive_link"},
	} {
		_, err := readTar(t, archive.Config{}, tt.text)
		wantRefused(t, name, err, tt.code)
	}
}

func TestTarBombIsRefused(t *testing.T) {
	zeros := strings.Repeat("\x00", 20<<20)
	for name, tt := range map[string]struct {
		cfg  archive.Config
		text string
		code string
	}{
		"a thousand to one":          {archive.Config{}, tarOf(entry{name: "a", content: zeros}), "archive_too_large"},
		"a thousand to one, at last": {archive.Config{}, gzipped(rawTar(entry{name: "a"}) + zeros), "archive_too_large"},
		"too large for one":          {archive.Config{EntryBytes: 1000}, tarOf(entry{name: "a", content: zeros[:1001]}), "archive_too_large"},
		"too large for all":          {archive.Config{Bytes: 1500}, tarOf(entry{name: "a", content: zeros[:1000]}, entry{name: "b", content: zeros[:1000]}), "archive_too_large"},
		"too many":                   {archive.Config{Entries: 2}, tarOf(entry{name: "a"}, entry{name: "b"}, entry{name: "c"}), "archive_too_many_entries"},
		"too many that do not count": {archive.Config{Entries: 2}, tarOf(entry{name: "./"}, entry{name: "./"}, entry{name: "./"}), "archive_too_many_entries"},
		"a megabyte of records":      {archive.Config{Bytes: 1 << 10, Entries: 10, Ratio: 1 << 20}, tarOf(entry{name: "a", records: map[string]string{"FASTNESS.x": strings.Repeat("x", 900_000)}}), "archive_too_large"},
	} {
		_, err := readTar(t, tt.cfg, tt.text)
		wantRefused(t, name, err, tt.code)
	}
}

func TestClientThatBreaksOffIsNoFaultOfTheArchive(t *testing.T) {
	text := tarOf(entry{name: "a", content: strings.Repeat("hello", 100_000)})
	broken := errors.New("broken")
	for _, n := range []int{0, 5, 100, len(text)} {
		r := io.MultiReader(strings.NewReader(text[:n]), failingReader{broken})
		if _, err := readAll(policy(t, archive.Config{Ratio: 10_000}).TarGzip(r)); !errors.Is(err, broken) {
			t.Errorf("after %d bytes: %v, want the error of the reader", n, err)
		}
	}
}

type failingReader struct{ err error }

func (f failingReader) Read([]byte) (int, error) { return 0, f.err }

func rootIn(t *testing.T) (*os.Root, string) {
	t.Helper()
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = root.Close() })
	return root, dir
}

func TestArchiveIsUnpackedAllOrNothing(t *testing.T) {
	root, dir := rootIn(t)
	p := policy(t, archive.Config{})
	if err := archive.ExtractTo(t.Context(), root, "all", p.TarGzip(strings.NewReader(tarOf(entry{name: "a/b", content: "hello"}, entry{name: "c/"})))); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, "all", "a", "b"))
	if err != nil || info.Mode() != 0o600 || info.Size() != 5 {
		t.Errorf("%v, %v, want a file of mode 0600", info, err)
	}
	if info, err := os.Stat(filepath.Join(dir, "all", "c")); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v, want a folder of mode 0700", info, err)
	}
	if err := archive.ExtractTo(t.Context(), root, "all", p.TarGzip(strings.NewReader(tarOf()))); !errors.Is(err, fs.ErrExist) {
		t.Errorf("into a folder that is there: %v", err)
	}
	if err := root.Mkdir("empty", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := archive.ExtractTo(t.Context(), root, "empty", p.TarGzip(strings.NewReader(tarOf()))); !errors.Is(err, fs.ErrExist) {
		t.Errorf("into an empty folder that is there: %v", err)
	}
	if err := root.Remove("empty"); err != nil {
		t.Fatal(err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	bad := tarOf(entry{name: "a", content: "hello"}, entry{name: "../b", content: "x"})
	for name, err := range map[string]error{
		"a bad name at last":    archive.ExtractTo(t.Context(), root, "none", p.TarGzip(strings.NewReader(bad))),
		"a wrong sum":           archive.ExtractTo(t.Context(), root, "none", zipIn(p, pack(ends{}, raw{name: "a", content: "x"}, raw{name: "b", content: "hello", sum: 1}))),
		"a context that is off": archive.ExtractTo(gone, root, "none", zipIn(p, pack(ends{}, raw{name: "a", content: "x"}))),
		"a folder outside":      archive.ExtractTo(t.Context(), root, "../none", zipIn(p, pack(ends{}, raw{name: "a", content: "x"}))),
	} {
		if err == nil {
			t.Errorf("%s: it is unpacked", name)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("%v is left (%v), want what was unpacked whole", entries, err)
	}
}

func zipIn(p *archive.Policy, text string) func(func(archive.Entry, error) bool) {
	return p.Zip(strings.NewReader(text), int64(len(text)))
}

func TestNewNamesEveryMistake(t *testing.T) {
	_, err := archive.New(archive.Config{Bytes: -1, Entries: -1, Ratio: -1})
	for _, want := range []string{"archive config: ", "Bytes and EntryBytes", "Entries is -1", "Ratio is -1"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("New() = %v, want %q", err, want)
		}
	}
}

func FuzzTarGzip(f *testing.F) {
	for _, s := range []string{rawTar(), rawTar(entry{name: "a", content: "x"}), rawTar(entry{name: "a/"}, entry{name: "a/b", content: "x", records: map[string]string{"FASTNESS.x": "1"}}), rawTar(entry{name: strings.Repeat("a/", 60) + "b"})} {
		f.Add([]byte(s))
	}
	p, err := archive.New(archive.Config{Bytes: 1 << 20, Entries: 100})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := readAll(p.TarGzip(strings.NewReader(gzipped(string(text)))))
		for name := range got {
			if !filepath.IsLocal(name) || !fs.ValidPath(name) || strings.ContainsAny(name, "\\:\x00") {
				t.Errorf("the name %q passes", name)
			}
		}
		if err != nil {
			if _, ok := errors.AsType[*problem.Problem](err); !ok {
				t.Errorf("%v is no problem", err)
			}
		}
	})
}

func Example() {
	archives, err := archive.New(archive.Config{Bytes: 50 << 20})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, upload := range []string{
		pack(ends{}, raw{name: "items/a.csv", content: "lamp;20"}),
		pack(ends{}, raw{name: "../../etc/cron.d/a", content: "* * * * * root id"}),
	} {
		for entry, err := range archives.Zip(strings.NewReader(upload), int64(len(upload))) {
			if err != nil {
				fmt.Println(err)
				break
			}
			content, err := io.ReadAll(entry)
			fmt.Printf("%s: %s, %v\n", entry.Name, content, err)
		}
	}
	// Output:
	// items/a.csv: lamp;20, <nil>
	// a name in the archive is not one that is safe on every system
}

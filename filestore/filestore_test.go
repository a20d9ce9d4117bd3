package filestore_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fastness/fastness/filestore"
	"github.com/fastness/fastness/problem"
)

func openIn(t testing.TB, dir string, cfg filestore.Config) *filestore.Store {
	t.Helper()
	s, err := filestore.Open(dir, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func save(t testing.TB, s *filestore.Store, content string) filestore.Info {
	t.Helper()
	info, err := s.Save(context.Background(), strings.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	return info
}

func wantProblem(t *testing.T, name string, err error, status int, code string) {
	t.Helper()
	if p, ok := errors.AsType[*problem.Problem](err); !ok || p.Status != status || p.Code != code {
		t.Errorf("%s: %v, want %d %s", name, err, status, code)
	}
}

// namesIn lists what a folder holds.
func namesIn(t testing.TB, parts ...string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(parts...))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestFileIsKeptWithWhatItIs(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	now := time.Date(2026, 11, 23, 12, 0, 0, 5, time.UTC)
	s := openIn(t, dir, filestore.Config{Now: func() time.Time { return now }})
	for _, content := range []string{"", "hello", strings.Repeat("x", 200_000)} {
		saved := save(t, s, content)
		if saved.Size != int64(len(content)) || saved.SHA256 != sha256.Sum256([]byte(content)) || saved.Type != "text/plain; charset=utf-8" || !saved.Saved.Equal(now.Truncate(time.Second)) {
			t.Errorf("saved %+v", saved)
		}
		f, err := s.Open(saved.Key)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(f)
		if err := errors.Join(err, f.Verify(), f.Close()); err != nil || string(got) != content || f.Info != saved {
			t.Errorf("%d bytes of %+v, %v, want %+v", len(got), f.Info, err, saved)
		}
	}
	again := openIn(t, dir, filestore.Config{})
	n := 0
	for info, err := range again.Files(t.Context()) {
		if err != nil || info.Key.IsZero() {
			t.Errorf("%+v, %v", info, err)
		}
		n++
	}
	if left := namesIn(t, dir, "new"); n != 3 || len(left) != 0 {
		t.Errorf("%d files are listed, want 3; half written ones: %v", n, left)
	}
}

func TestDeletedFileIsGone(t *testing.T) {
	s := openIn(t, t.TempDir(), filestore.Config{})
	info := save(t, s, "hello")
	f, err := s.Open(info.Key)
	if err := errors.Join(err, s.Delete(info.Key), s.Delete(info.Key), s.Delete(filestore.Key{})); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(f); string(got) != "hello" {
		t.Errorf("who had it open reads %q, %v", got, err)
	}
	_ = f.Close()
	_, err = s.Open(info.Key)
	wantProblem(t, "deleted", err, http.StatusNotFound, "file_not_found")
	_, err = s.Open(filestore.Key{})
	wantProblem(t, "the zero key", err, http.StatusNotFound, "file_not_found")
}

func TestPathIsNoKey(t *testing.T) {
	s := openIn(t, t.TempDir(), filestore.Config{})
	good := save(t, s, "hello").Key.String()
	for _, text := range []string{
		"", "../../../../etc/passwd", "../files/" + good, "/" + good, good + "/", strings.ToUpper(good), good[1:], good + "a", "." + good[1:], good[:25] + "/", good[:25] + "1", good[:25] + "\x00", strings.Repeat("../", 9)[:26],
	} {
		if k, err := filestore.ParseKey(text); err == nil || !k.IsZero() {
			t.Errorf("%q is read as the key %q", text, k)
		}
		var k filestore.Key
		if text != "" && (k.UnmarshalText([]byte(text)) == nil || k.Scan(text) == nil || k.Scan([]byte(text)) == nil || !k.IsZero()) {
			t.Errorf("%q is read as the key %q", text, k)
		}
	}
	var k, fromJSON filestore.Key
	text, err := json.Marshal(map[string]filestore.Key{"key": save(t, s, "x").Key})
	if err != nil || k.Scan(good) != nil || k.String() != good || k.Scan(5) == nil {
		t.Errorf("%q, %v", k, err)
	}
	var back map[string]filestore.Key
	if err := json.Unmarshal(text, &back); err != nil || back["key"].IsZero() {
		t.Errorf("%v, %v", back, err)
	}
	if v, err := fromJSON.Value(); v != nil || err != nil || fromJSON.Scan(nil) != nil {
		t.Errorf("the zero key is %v in a database, %v", v, err)
	}
	if v, _ := back["key"].Value(); v != back["key"].String() {
		t.Errorf("the key is %v in a database", v)
	}
}

func TestFileThatIsTooLargeIsNotKept(t *testing.T) {
	dir := t.TempDir()
	s := openIn(t, dir, filestore.Config{MaxBytes: 100_000})
	_, err := s.Save(t.Context(), strings.NewReader(strings.Repeat("x", 100_001)))
	wantProblem(t, "100,001 bytes", err, http.StatusRequestEntityTooLarge, "file_too_large")
	endless := &counted{}
	_, err = s.Save(t.Context(), endless)
	wantProblem(t, "no end", err, http.StatusRequestEntityTooLarge, "file_too_large")
	if endless.n > 300_000 {
		t.Errorf("%d bytes were read, want about 100,000", endless.n)
	}
	if left := append(namesIn(t, dir, "new"), namesIn(t, dir, "files")...); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
	save(t, s, strings.Repeat("x", 100_000))
}

type counted struct{ n int }

func (c *counted) Read(p []byte) (int, error) { c.n += len(p); return len(p), nil }

func TestUploadThatBreaksOffIsNotKept(t *testing.T) {
	dir := t.TempDir()
	s := openIn(t, dir, filestore.Config{})
	broken := errors.New("the client has gone")
	_, err := s.Save(t.Context(), io.MultiReader(strings.NewReader("half"), failing{broken}))
	if !errors.Is(err, broken) {
		t.Errorf("%v, want the error of the reader", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Save(ctx, strings.NewReader("x")); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want that of the context", err)
	}
	if left := append(namesIn(t, dir, "new"), namesIn(t, dir, "files")...); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestContentAtRestIsOfNoType(t *testing.T) {
	dir := t.TempDir()
	s := openIn(t, dir, filestore.Config{})
	key := save(t, s, "<html><script>alert(1)</script></html>").Key
	data, err := os.ReadFile(filepath.Join(dir, "files", key.String()))
	if err != nil || http.DetectContentType(data) != "text/plain; charset=utf-8" {
		t.Errorf("on the disk it is %s (%v)", http.DetectContentType(data), err)
	}
}

func TestFolderOpenToOthersIsRefused(t *testing.T) {
	for _, folder := range []string{".", "files", "new"} {
		dir := t.TempDir()
		s := openIn(t, dir, filestore.Config{})
		if info, err := os.Stat(filepath.Join(dir, "files")); err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("the folder is made with %v (%v)", info.Mode(), err)
		}
		_ = s.Close()
		if err := os.Chmod(filepath.Join(dir, folder), 0o777); err != nil {
			t.Fatal(err)
		}
		if _, err := filestore.Open(dir, filestore.Config{}); err == nil || !strings.Contains(err.Error(), "open to others") {
			t.Errorf("%s: Open() = %v, want it refused", folder, err)
		}
	}
}

func TestLinkOutOfTheFolderIsNotFollowed(t *testing.T) {
	dir, secret := t.TempDir(), filepath.Join(t.TempDir(), "secret")
	s := openIn(t, dir, filestore.Config{})
	key := save(t, s, "hello").Key
	path := filepath.Join(dir, "files", key.String())
	data, err := os.ReadFile(path)
	if err := errors.Join(err, os.WriteFile(secret, data, 0o600), os.Remove(path), os.Symlink(secret, path)); err != nil {
		t.Fatal(err)
	}
	if f, err := s.Open(key); err == nil {
		t.Errorf("the link is followed to %+v", f.Info)
	}
	other := t.TempDir()
	if err := os.Symlink(t.TempDir(), filepath.Join(other, "files")); err != nil {
		t.Fatal(err)
	}
	if _, err := filestore.Open(other, filestore.Config{}); err == nil || !strings.Contains(err.Error(), "not a folder") {
		t.Errorf("a folder that is a link: %v", err)
	}
}

func TestDamagedFileIsNotRead(t *testing.T) {
	dir := t.TempDir()
	s := openIn(t, dir, filestore.Config{})
	change := func(f func([]byte) []byte) filestore.Key {
		key := save(t, s, "hello").Key
		path := filepath.Join(dir, "files", key.String())
		data, err := os.ReadFile(path)
		if err := errors.Join(err, os.WriteFile(path, f(data), 0o600)); err != nil {
			t.Fatal(err)
		}
		return key
	}
	for name, f := range map[string]func([]byte) []byte{
		"cut":             func(b []byte) []byte { return b[:len(b)-1] },
		"longer":          func(b []byte) []byte { return append(b, 'x') },
		"cut in the head": func(b []byte) []byte { return b[:100] },
		"of another kind": func(b []byte) []byte { return append([]byte("x"), b[1:]...) },
		"no JSON":         func(b []byte) []byte { return bytes.Replace(b, []byte("{"), []byte("["), 1) },
		"no hash":         func(b []byte) []byte { return bytes.Replace(b, []byte(`"sha256":"`), []byte(`"sha256":"zz`), 1) },
	} {
		if _, err := s.Open(change(f)); err == nil {
			t.Errorf("%s: it is read", name)
		}
	}
	f, err := s.Open(change(func(b []byte) []byte { b[512] = 'j'; return b }))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Verify(); err == nil || !strings.Contains(err.Error(), "not what was saved") {
		t.Errorf("Verify() of what was changed = %v", err)
	}
	_ = f.Close()
}

func TestSweepRemovesWhatNobodyRefersTo(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	s := openIn(t, t.TempDir(), filestore.Config{Now: func() time.Time { return now }})
	used, unused := save(t, s, "used").Key, save(t, s, "unused").Key
	now = now.Add(time.Hour)
	young := save(t, s, "young").Key
	asked := 0
	refersTo := func(_ context.Context, key filestore.Key) (bool, error) { asked++; return key == used, nil }
	n, err := s.Sweep(t.Context(), now, refersTo)
	if n != 1 || err != nil || asked != 2 {
		t.Errorf("%d removed, %v, %d asked about", n, err, asked)
	}
	for key, want := range map[filestore.Key]bool{used: true, unused: false, young: true} {
		f, err := s.Open(key)
		if (err == nil) != want {
			t.Errorf("Open() = %v, want it there: %v", err, want)
		}
		if err == nil {
			_ = f.Close()
		}
	}
	down := errors.New("the database is down")
	if n, err := s.Sweep(t.Context(), now.Add(time.Hour), func(context.Context, filestore.Key) (bool, error) { return false, down }); n != 0 || !errors.Is(err, down) {
		t.Errorf("without an answer: %d removed, %v", n, err)
	}
}

// A listing that breaks off must not look like one that is whole.
func TestFolderThatCannotBeReadToItsEndIsAnError(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("other systems end the list of a folder that is gone without an error")
	}
	dir := t.TempDir()
	s := openIn(t, dir, filestore.Config{})
	save(t, s, "one")
	var last error
	for info, err := range s.Files(t.Context()) {
		last = err
		if err == nil {
			err = errors.Join(s.Delete(info.Key), os.Remove(filepath.Join(dir, "files")))
		}
		if err != nil && last == nil {
			t.Fatal(err)
		}
	}
	if !errors.Is(last, fs.ErrNotExist) {
		t.Errorf("the files end with %v, want that the folder is gone", last)
	}
}

func TestManySaveAtOnce(t *testing.T) {
	dir := t.TempDir()
	s := openIn(t, dir, filestore.Config{})
	var group sync.WaitGroup
	for i := range 20 {
		group.Go(func() {
			if i%5 == 0 { // Another process opens the store meanwhile.
				other, err := filestore.Open(dir, filestore.Config{})
				if err == nil {
					err = other.Close()
				}
				if err != nil {
					t.Error(err)
				}
			}
			content := strings.Repeat(fmt.Sprint(i), 1000)
			info, err := s.Save(context.Background(), strings.NewReader(content))
			if err != nil {
				t.Error(err)
				return
			}
			f, err := s.Open(info.Key)
			if err == nil {
				err = errors.Join(f.Verify(), f.Close())
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if n := len(namesIn(t, dir, "files")); n != 20 {
		t.Errorf("%d files, want 20", n)
	}
}

func TestOpenNamesEveryMistake(t *testing.T) {
	_, err := filestore.Open("", filestore.Config{MaxBytes: -1})
	if err == nil || !strings.Contains(err.Error(), "filestore config: ") || !strings.Contains(err.Error(), "no name") || !strings.Contains(err.Error(), "MaxBytes is -1") {
		t.Errorf("Open() = %v", err)
	}
}

func FuzzParseKey(f *testing.F) {
	f.Add("../../etc/passwd")
	f.Add("abcdefghijklmnopqrstuvwxyz")
	f.Fuzz(func(t *testing.T, text string) {
		k, err := filestore.ParseKey(text)
		if err == nil && (k.String() != text || !filepath.IsLocal(text) || filepath.Base(text) != text || strings.ContainsAny(text, ". /\\")) {
			t.Errorf("%q is a key", text)
		}
	})
}

func Example() {
	dir, err := os.MkdirTemp("", "pictures")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	store, err := filestore.Open(dir, filestore.Config{MaxBytes: 5 << 20})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close()
	info, err := store.Save(context.Background(), strings.NewReader("a;b\n1;2\n"))
	if err != nil {
		fmt.Println(err)
		return
	}
	file, err := store.Open(info.Key) // The key is in the row of the item.
	if err != nil {
		fmt.Println(err)
		return
	}
	defer file.Close()
	content, err := io.ReadAll(file)
	fmt.Printf("%s, %d bytes, %q, %v\n", file.Info.Type, file.Info.Size, content, err)
	_, err = filestore.ParseKey("../../etc/passwd")
	fmt.Println(err)
	// Output:
	// text/plain; charset=utf-8, 8 bytes, "a;b\n1;2\n", <nil>
	// there is no such file
}

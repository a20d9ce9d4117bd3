package secret_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/fastness/fastness/secret"
)

// write makes a file of a mode, whatever the umask.
func write(t testing.TB, path, content string, mode fs.FileMode) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFileIsReadWithoutItsNewline(t *testing.T) {
	for content, want := range map[string]string{
		password: password, password + "\n": password, password + "\r\n": password, password + "\n\n": password + "\n", " " + password + " \n": " " + password + " ", "a\nb\n": "a\nb", "\n\n": "\n",
	} {
		path := write(t, filepath.Join(t.TempDir(), "key"), content, 0o400)
		if text, err := secret.File(path).Read(t.Context()); err != nil || text.Reveal() != want {
			t.Errorf("%q: %q, %v, want %q", content, text.Reveal(), err, want)
		}
	}
}

func TestFileThatOthersCanUseIsRefused(t *testing.T) {
	for mode, ok := range map[fs.FileMode]bool{
		0o400: true, 0o600: true, 0o440: true, 0o640: true, 0o700: true, 0o444: false, 0o644: false, 0o604: false, 0o602: false, 0o601: false, 0o660: false, 0o620: false, 0o777: false,
	} {
		path := write(t, filepath.Join(t.TempDir(), "key"), password, mode)
		text, err := secret.File(path).Read(t.Context())
		if (err == nil) != ok || ok == text.IsZero() {
			t.Errorf("mode %#o: %v", mode, err)
		}
		if err != nil && (!strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), fmt.Sprintf("%#o", mode))) {
			t.Errorf("mode %#o: the error does not say what is wrong: %v", mode, err)
		}
		source, err := secret.NewFile(secret.FileConfig{Path: path, InsecureReadable: "the container has one user"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := source.Read(t.Context()); err != nil {
			t.Errorf("mode %#o with a reason: %v", mode, err)
		}
	}
}

func TestFileThatIsNoneIsRefused(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{
		"empty": write(t, filepath.Join(dir, "empty"), "", 0o600), "a newline": write(t, filepath.Join(dir, "newline"), "\n", 0o600), "too long": write(t, filepath.Join(dir, "long"), strings.Repeat("a", 64<<10+1), 0o600),
		"a folder": dir, "a pipe that nobody writes to": pipe, "none": filepath.Join(dir, "none"), "a device": "/dev/zero", "a name with NUL": "a\x00b", "no name": "",
		"a file that is not as long as it says": "/proc/self/environ",
	} {
		if text, err := secret.File(path).Read(t.Context()); err == nil || !text.IsZero() {
			t.Errorf("%s was read", name)
		}
	}
	if _, err := secret.File(filepath.Join(dir, "none")).Read(t.Context()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v, want fs.ErrNotExist", err)
	}
	huge := write(t, filepath.Join(dir, "huge"), "", 0o600)
	if err := os.Truncate(huge, 256<<20); err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := secret.File(huge).Read(t.Context())
	if runtime.ReadMemStats(&after); err == nil || after.TotalAlloc-before.TotalAlloc > 4<<20 {
		t.Errorf("256 MiB: %v, with %d bytes of memory", err, after.TotalAlloc-before.TotalAlloc)
	}
	path := write(t, filepath.Join(dir, "longest"), strings.Repeat("a", 64<<10), 0o600)
	if _, err := secret.File(path).Read(t.Context()); err != nil {
		t.Errorf("64 KiB: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := secret.File(path).Read(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("nobody waits: %v", err)
	}
	if _, err := secret.NewFile(secret.FileConfig{}); err == nil {
		t.Error("a configuration without a path is taken")
	}
}

// Kubernetes mounts a folder in which key points to ..data/key, and ..data to a
// folder of this moment, which is what is replaced.
func TestSecretOfKubernetesIsReadAndReplaced(t *testing.T) {
	dir := t.TempDir()
	put := func(version, content string) {
		if err := os.Mkdir(filepath.Join(dir, version), 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, version, "key"), content, 0o440)
		next := filepath.Join(dir, "..data_tmp")
		if err := errors.Join(os.Symlink(version, next), os.Rename(next, filepath.Join(dir, "..data"))); err != nil {
			t.Fatal(err)
		}
	}
	put("..2026_1", "first")
	if err := os.Symlink(filepath.Join("..data", "key"), filepath.Join(dir, "key")); err != nil {
		t.Fatal(err)
	}
	source := secret.File(filepath.Join(dir, "key"))
	for i, want := range []string{"first", "second"} {
		if i == 1 {
			put("..2026_2", "second")
		}
		if text, err := source.Read(t.Context()); err != nil || text.Reveal() != want {
			t.Errorf("%q, %v, want %q", text.Reveal(), err, want)
		}
	}
}

func TestVariableIsRead(t *testing.T) {
	t.Setenv("HOUSE_KEY", password)
	t.Setenv("HOUSE_EMPTY", "")
	if text, err := secret.Env("HOUSE_KEY").Read(t.Context()); err != nil || text.Reveal() != password {
		t.Errorf("%v", err)
	}
	for _, name := range []string{"HOUSE_EMPTY", "HOUSE_NONE"} {
		if _, err := secret.Env(name).Read(t.Context()); !errors.Is(err, secret.ErrNotSet) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v, want ErrNotSet and the name", name, err)
		}
	}
	t.Setenv("HOUSE_LONG", strings.Repeat("a", 64<<10+1))
	if _, err := secret.Env("HOUSE_LONG").Read(t.Context()); err == nil {
		t.Error("more than 64 KiB are read")
	}
}

func TestVariableOrFile(t *testing.T) {
	path := write(t, filepath.Join(t.TempDir(), "key"), "of the file\n", 0o400)
	open := write(t, filepath.Join(t.TempDir(), "key"), password, 0o444)
	for _, tt := range []struct {
		name, direct, file, want string
	}{
		{"the variable", password, "", password},
		{"the file", "", path, "of the file"},
		{"both", password, path, ""},
		{"an empty variable, which is none, and the file", "-", path, "of the file"},
		{"neither", "", "", ""},
		{"a file that is not there", "", path + "x", ""},
		{"a file that others can read", "", open, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.direct != "" {
				t.Setenv("HOUSE_KEY", strings.TrimPrefix(tt.direct, "-"))
			}
			t.Setenv("HOUSE_KEY_FILE", tt.file)
			text, err := secret.EnvOrFile("HOUSE_KEY").Read(t.Context())
			if text.Reveal() != tt.want || (err == nil) != (tt.want != "") {
				t.Errorf("%q, %v, want %q", text.Reveal(), err, tt.want)
			}
			if err != nil && (!strings.Contains(err.Error(), "HOUSE_KEY") || strings.Contains(err.Error(), password)) {
				t.Errorf("the error is %v, want the name of the variable and not its value", err)
			}
		})
	}
}

func TestReferencesAreParsed(t *testing.T) {
	t.Setenv("HOUSE_KEY", password)
	path := write(t, filepath.Join(t.TempDir(), "key"), "of the file", 0o444)
	vault := func(rest string) (secret.Source, error) {
		if rest == "" {
			return nil, errors.New("the path is missing")
		}
		return secret.Env("HOUSE_KEY"), nil
	}
	r := secret.Resolver{
		Schemes:               map[string]func(string) (secret.Source, error){"vault": vault, "none": func(string) (secret.Source, error) { return nil, nil }, "env": vault},
		InsecureReadableFiles: "test",
	}
	for reference, want := range map[string]string{
		"env:HOUSE_KEY": password, "env-or-file:HOUSE_KEY": password, "file:" + path: "of the file", "vault:kv/house": password,
		"vault:": "", "none:x": "", "env:": "", "env:HOUSE KEY": "", "env:A=B": "", "env:1A": "", "env-or-file:": "", "file:": "", "file:key": "", "file://host/key": "", "file:../key": "", "file:/a\x00b": "",
		"": "", ":": "", "ENV:HOUSE_KEY": "", " env:HOUSE_KEY": "", password: "", "hunter2:" + password: "", "awssm:x": "",
	} {
		source, err := r.Parse(reference)
		if want == "" {
			if err == nil || source != nil {
				t.Errorf("%q is taken", reference)
			} else if _, rest, _ := strings.Cut(reference, ":"); strings.Contains(err.Error(), password) || len(rest) > 3 && strings.Contains(err.Error(), rest) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%q: the error shows what was given: %v", reference, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", reference, err)
		} else if text, err := source.Read(t.Context()); err != nil || text.Reveal() != want {
			t.Errorf("%q: %q, %v, want %q", reference, text.Reveal(), err, want)
		}
	}
	strict, err := secret.Parse("file:" + path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := strict.Read(t.Context()); err == nil {
		t.Error("without a reason, a file that everybody can read is read")
	}
	if got := fmt.Sprintf("%v %v %v", secret.Env("A"), secret.EnvOrFile("B"), strict); got != "env:A env-or-file:B file:"+path {
		t.Errorf("sources print as %s", got)
	}
}

// What is taken says where to look, and never holds what a variable or a file can
// not be called.
func FuzzParse(f *testing.F) {
	for _, reference := range []string{"env:NAME", "env-or-file:NAME", "file:/run/secrets/key", "file:key", "env:A=B", "vault:x", password, ":", "env:\x00", "file:/\x00"} {
		f.Add(reference)
	}
	f.Fuzz(func(t *testing.T, reference string) {
		source, err := secret.Parse(reference)
		if err != nil {
			if _, rest, _ := strings.Cut(reference, ":"); len(rest) > 40 && strings.Contains(err.Error(), rest) {
				t.Errorf("the error shows %q", rest)
			}
			return
		}
		scheme, rest, _ := strings.Cut(reference, ":")
		if fmt.Sprint(source) != reference || strings.ContainsRune(rest, 0) || scheme != "file" && strings.ContainsAny(rest, "= \n/") || scheme == "file" && !filepath.IsAbs(rest) {
			t.Errorf("%q is taken as %v", reference, source)
		}
	})
}

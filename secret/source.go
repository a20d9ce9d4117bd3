package secret

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
)

// Source is where a secret comes from. [Env], [EnvOrFile] and [File] are sources;
// a vault can be another.
type Source interface {
	// Read returns the secret as it is now, never an empty one. Its errors name
	// the place, and nothing that stands there.
	Read(ctx context.Context) (Text, error)
}

// ErrNotSet says that there is no variable of that name, or an empty one.
var ErrNotSet = errors.New("it is not set")

// maxSecret is how long a secret may be. What is longer is another file.
const maxSecret = 64 << 10

// env is a variable of the environment.
type env string

// Env returns the source that reads a variable. A process gets its environment
// when it begins: what is changed outside later is not seen, so such a secret
// rotates by a restart. Variables are also seen by child processes and in crash
// reports; a [File] is not.
func Env(name string) Source { return env(name) }

// Read returns the value of the variable.
func (e env) Read(context.Context) (Text, error) {
	value := os.Getenv(string(e))
	switch {
	case value == "":
		return Text{}, fmt.Errorf("secret: variable %s: %w", string(e), ErrNotSet)
	case len(value) > maxSecret:
		return Text{}, fmt.Errorf("secret: variable %s: it has more than %d bytes", string(e), maxSecret)
	}
	return New(value), nil
}

// String returns the reference of the source.
func (e env) String() string { return "env:" + string(e) }

// envOrFile is a variable or the file that another one names.
type envOrFile struct {
	name string
	file FileConfig // but the path
}

// EnvOrFile returns the source that reads the variable name, or the file that the
// variable name_FILE names, as images of databases do. Both at once are an error:
// which one counts would be a guess.
func EnvOrFile(name string) Source { return envOrFile{name: name} }

// Read returns the value of the variable, or the content of the file.
func (e envOrFile) Read(ctx context.Context) (Text, error) {
	path := os.Getenv(e.name + "_FILE")
	switch {
	case path != "" && os.Getenv(e.name) != "":
		return Text{}, fmt.Errorf("secret: variables %s and %s_FILE are both set, want one", e.name, e.name)
	case path != "":
		text, err := file{path, e.file.InsecureReadable}.Read(ctx)
		if err != nil {
			return Text{}, fmt.Errorf("secret: variable %s_FILE: %w", e.name, err)
		}
		return text, nil
	}
	text, err := env(e.name).Read(ctx)
	if err != nil {
		return Text{}, fmt.Errorf("%w, and neither is %s_FILE", err, e.name)
	}
	return text, nil
}

// String returns the reference of the source.
func (e envOrFile) String() string { return "env-or-file:" + e.name }

// FileConfig configures a source that is a file.
type FileConfig struct {
	// Path is the name of the file. A symbolic link is followed at each reading,
	// so what Kubernetes and certificate tools put in its place is seen.
	Path string
	// InsecureReadable, if not empty, says why the file may be readable by
	// everybody on the machine, or writable by its group. Docker mounts secrets
	// with the mode 0444 and Kubernetes with 0644 unless told otherwise: mode and
	// defaultMode 0440 tell them.
	InsecureReadable string
}

type file struct{ path, insecureReadable string }

// File returns the source that reads a file of at most 64 KiB. One newline at its
// end is dropped, since editors and echo add it. A file that everybody may read or
// write, or the group may write, is refused; [NewFile] can be told otherwise.
func File(path string) Source { return file{path: path} }

// NewFile returns the source that reads a file, or an error if cfg has a mistake.
func NewFile(cfg FileConfig) (Source, error) {
	if cfg.Path == "" {
		return nil, errors.New("secret config: Path is empty, want the name of a file")
	}
	return file{cfg.Path, cfg.InsecureReadable}, nil
}

// String returns the reference of the source.
func (f file) String() string { return "file:" + f.path }

// Read returns the content of the file.
func (f file) Read(ctx context.Context) (Text, error) {
	if err := ctx.Err(); err != nil {
		return Text{}, err
	}
	data, err := f.content()
	if err != nil {
		return Text{}, fmt.Errorf("secret: %w", err)
	}
	text := string(data)
	if line, ok := strings.CutSuffix(text, "\n"); ok {
		text = strings.TrimSuffix(line, "\r")
	}
	if text == "" {
		return Text{}, fmt.Errorf("secret: %s is empty", f.path)
	}
	return New(text), nil
}

func (f file) content() ([]byte, error) {
	// To open a pipe would wait until somebody writes to it.
	if info, err := os.Stat(f.path); err != nil {
		return nil, err
	} else if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no regular file", f.path)
	}
	opened, err := os.Open(f.path)
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	before, err := opened.Stat()
	if err != nil {
		return nil, err
	}
	if mode := before.Mode(); mode.Perm()&0o027 != 0 && f.insecureReadable == "" && runtime.GOOS != "windows" { // Windows has no such bits.
		return nil, fmt.Errorf("%s: its mode is %#o, want 0600, or 0440 for a group: others can use it", f.path, mode.Perm())
	}
	data, err := io.ReadAll(io.LimitReader(opened, maxSecret+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxSecret {
		return nil, fmt.Errorf("%s has more than %d bytes", f.path, maxSecret)
	}
	after, err := opened.Stat()
	if err != nil {
		return nil, err
	}
	if after.Size() != int64(len(data)) || !after.ModTime().Equal(before.ModTime()) {
		return nil, fmt.Errorf("%s is being written to: replace it by renaming another file", f.path)
	}
	return data, nil
}

package form

import "io"

// WithTemp makes the files of larger uploads by temp.
func (l Limits) WithTemp(temp func(dir string) (TempFile, string, error)) Limits {
	l.temp = func(dir string) (spoolFile, string, error) {
		f, path, err := temp(dir)
		return f, path, err
	}
	return l
}

// TempFile is what [Limits.WithTemp] returns.
type TempFile interface {
	io.Writer
	io.ReaderAt
	io.Closer
}

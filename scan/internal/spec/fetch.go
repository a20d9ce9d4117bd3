package spec

import (
	"context"
	"io"
	"os"
)

// Folder returns a [ParseConfig.Fetch] that reads the files that a document in root
// refers to. Symbolic links do not lead out of root.
func Folder(root *os.Root) func(ctx context.Context, ref string) ([]byte, error) {
	return func(ctx context.Context, ref string) ([]byte, error) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		// A pipe would block when it is opened.
		info, err := root.Stat(ref)
		if err != nil {
			return nil, err
		}
		if !info.Mode().IsRegular() || info.Size() > maxBytes {
			return nil, errTooLarge
		}
		f, err := root.Open(ref)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		return io.ReadAll(io.LimitReader(f, maxBytes))
	}
}

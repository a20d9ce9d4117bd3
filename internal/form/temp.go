package form

import (
	"errors"
	"os"
)

// createTemp makes a file in dir that has no name, so that nothing is left behind
// even if the process is killed while it writes: the system frees what nobody has
// open. On Linux it never has a name. Elsewhere its name is taken away at once; a
// process that is killed between the two leaves an empty file. Where a system
// cannot do that, path is the name to remove later.
func createTemp(dir string) (f spoolFile, path string, err error) {
	if dir == "" {
		dir = os.TempDir()
	}
	file, err := createNameless(dir)
	if !errors.Is(err, errors.ErrUnsupported) {
		return file, "", err
	}
	if file, err = os.CreateTemp(dir, "upload-*"); err != nil {
		return nil, "", err
	}
	if os.Remove(file.Name()) == nil {
		return file, "", nil
	}
	return file, file.Name(), nil
}

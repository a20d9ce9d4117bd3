package fastness

import (
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/fastness/fastness/secret"
)

// readSecret reads the value of a flag that nobody may see.
func readSecret(ctx *kong.DecodeContext, target reflect.Value) error {
	if err := wantValue(ctx); err != nil {
		return err
	}
	text, ok := ctx.Scan.Pop().Value.(string)
	if !ok {
		return errors.New("it is no text")
	}
	target.Set(reflect.ValueOf(secret.New(text)))
	return nil
}

// maxURL is how long the URL of a database may be, in bytes.
const maxURL = 8 << 10

// readDB fills in DB from DBFile.
func (f *settingsFlags) readDB() error {
	switch {
	case f.DBFile == "":
		return nil
	case !f.DB.IsZero():
		return errors.New("--db and --db-file are both given, want one of them")
	case strings.Contains(f.DBFile, "://"): // Who swaps them must not find a password in the log.
		return errors.New("--db-file is a URL, want the name of the file that holds it")
	}
	file, err := os.Open(f.DBFile)
	if err != nil {
		return fmt.Errorf("--db-file: %w", err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxURL+1))
	text := strings.TrimSpace(string(data))
	switch {
	case err != nil:
		return fmt.Errorf("--db-file: %w", err)
	case len(data) > maxURL || text == "":
		return fmt.Errorf("--db-file: %s is empty or has more than %d bytes, want the URL of a database", f.DBFile, maxURL)
	}
	f.DB = secret.New(text)
	return nil
}

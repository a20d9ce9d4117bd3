package identity

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/secret"
)

// bootstrapFile is where the token for the first administrator waits: not in a
// log, which more people read than may be administrator.
const bootstrapFile = "first-administrator.token"

// bootstrap makes a token for the first administrator when the app begins to
// serve, if there is none yet.
func (id *Identity) bootstrap(ctx context.Context) error {
	c := id.core.Load()
	if c == nil {
		return nil
	}
	text, needed, err := c.Accounts.Bootstrap(ctx)
	if err != nil {
		return fmt.Errorf("identity: %w", err)
	}
	if !needed {
		return c.forgetBootstrap()
	}
	if err := os.MkdirAll(filepath.Dir(c.bootstrapFile), 0o700); err != nil {
		return fmt.Errorf("identity: token of the first administrator: %w", err)
	}
	if err := writeSecret(c.bootstrapFile, text); err != nil {
		return fmt.Errorf("identity: token of the first administrator: %w", err)
	}
	c.logger.InfoContext(ctx, "there is no administrator yet: make one with the command users add, or with POST /users/first and the token in the file",
		"file", c.bootstrapFile, "role", c.cfg.Administrator)
	return nil
}

// writeSecret writes a file that only its owner can read, and follows no link
// that somebody has put there.
func writeSecret(path string, text secret.Text) error {
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text.Reveal() + "\n")
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}

// forgetBootstrap removes the token once it is of no use.
func (c *Core) forgetBootstrap() error {
	if err := os.Remove(c.bootstrapFile); err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("identity: token of the first administrator: %w", err)
	}
	return nil
}

// bootstrapPath returns where the token is kept.
func bootstrapPath(s fastness.Settings) string { return filepath.Join(s.DataDir, bootstrapFile) }

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// command is a program that ends, with all that it has started, when ctx does.
func command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

// maxOutput is how much of what a tool says is kept.
const maxOutput = 8 << 20

// output runs a program and returns what it says on both ways out. A status other
// than 0 is no error here: tools use it to say that they have found something.
func output(ctx context.Context, dir, name string, args ...string) (text []byte, status int, err error) {
	cmd := command(ctx, name, args...)
	cmd.Dir = dir
	var all bytes.Buffer
	cmd.Stdout = &capped{to: &all, left: maxOutput}
	cmd.Stderr = cmd.Stdout
	err = cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() >= 0 {
		return all.Bytes(), exit.ExitCode(), nil
	}
	if err != nil {
		err = fmt.Errorf("%s: %w\n%s", name, err, tail(all.Bytes(), 20))
	}
	return all.Bytes(), 0, err
}

// must runs a program that has to succeed.
func must(ctx context.Context, dir, name string, args ...string) error {
	text, status, err := output(ctx, dir, name, args...)
	if err == nil && status != 0 {
		err = fmt.Errorf("%s %s ended with status %d\n%s", name, strings.Join(args, " "), status, tail(text, 20))
	}
	return err
}

// capped drops what is beyond its limit.
type capped struct {
	to   io.Writer
	left int
}

// Write writes what there is still room for.
func (c *capped) Write(p []byte) (int, error) {
	n := min(len(p), c.left)
	c.left -= n
	if _, err := c.to.Write(p[:n]); err != nil {
		return 0, err
	}
	return len(p), nil
}

// tail is the last lines of a text.
func tail(text []byte, lines int) string {
	all := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// A program is one that a rig needs, and the Debian package it is in.
type program struct{ name, debian string }

// install installs the programs that are not there. Who may not install packages is
// told which.
func install(ctx context.Context, programs []program) error {
	var missing []string
	for _, p := range programs {
		if _, err := exec.LookPath(p.name); err != nil {
			missing = append(missing, p.debian)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	var sudo []string
	_, noApt := exec.LookPath("apt-get")
	switch {
	case noApt == nil && os.Geteuid() == 0:
	case noApt == nil && must(ctx, "", "sudo", "-n", "true") == nil:
		sudo = []string{"sudo", "-n"}
	default:
		return fmt.Errorf("missing: %[1]s. On Debian, as root: apt-get install -y %[1]s", strings.Join(missing, " "))
	}
	fmt.Println("installing", strings.Join(missing, " "))
	apt := append(sudo, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq")
	update := append(apt[:len(apt):len(apt)], "update")
	if err := must(ctx, "", update[0], update[1:]...); err != nil {
		return err
	}
	add := append(append(apt[:len(apt):len(apt)], "install", "-y", "--no-install-recommends"), missing...)
	return must(ctx, "", add[0], add[1:]...)
}

// Command rigs lets other people's tools attack the reference application, and
// says whether it did as it should.
//
//	go run . h2spec slowhttp testssl csp sqlmap sockets
//
// Each rig builds the shop, starts it on a free port of loopback, runs one tool
// against it within a time limit, and ends what it has started. A finding that is no
// defect is allowed by name, with the reason beside it; a finding that is not allowed
// fails the rig, and so does an allowance for which there is no finding. The last
// line of each rig is its summary.
//
// It needs Linux. Tools that Debian has are installed if that is possible without
// asking, the others are built or kept in .cache/rigs and bin.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// A rig is one tool and what is expected of the shop under it.
type rig struct {
	name     string
	limit    time.Duration // for everything it does
	programs []program
	run      func(context.Context, *bench) (summary string, err error)
}

func rigs() []rig {
	return []rig{
		{"h2spec", 4 * time.Minute, nil, runH2spec},
		{"slowhttp", 12 * time.Minute, []program{{"slowhttptest", "slowhttptest"}}, runSlowHTTP},
		{"testssl", 5 * time.Minute, []program{{"testssl", "testssl.sh"}, {"openssl", "openssl"}, {"xxd", "xxd"}, {"ps", "procps"}}, runTestSSL},
		{"sqlmap", 8 * time.Minute, []program{{"sqlmap", "sqlmap"}, {"setpriv", "util-linux"}}, runSQLMap},
		{"sockets", 4 * time.Minute, nil, runSockets},
		{"csp", 3 * time.Minute, []program{{"node", "nodejs"}, {"npm", "npm"}}, runCSP},
	}
}

// bench is what a rig works with.
type bench struct {
	root  string // of the repository
	cache string // is kept
	temp  string // is not
}

func (b *bench) printf(format string, args ...any) { fmt.Printf(format+"\n", args...) }

func main() {
	// Each module stands on its own; the tools of this program, too, are built so.
	_ = os.Setenv("GOWORK", "off")
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := runAll(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "rigs:", err)
		os.Exit(1)
	}
}

// runAll runs the rigs of these names, one after the other, and repeats their
// summaries at the end if there are several.
func runAll(ctx context.Context, names []string) error {
	chosen, err := choose(names)
	if err != nil {
		return err
	}
	root, err := repository()
	if err != nil {
		return err
	}
	var summaries []string
	failed := 0
	for _, r := range chosen {
		summary, err := r.do(ctx, root)
		if err != nil {
			failed++
			fmt.Println(err)
			first, _, _ := strings.Cut(err.Error(), "\n")
			summary = fmt.Sprintf("%-9s FAILED: %s", r.name, first)
		} else {
			summary = fmt.Sprintf("%-9s ok: %s", r.name, summary)
		}
		fmt.Println(summary)
		summaries = append(summaries, summary)
	}
	if len(chosen) > 1 {
		fmt.Println("---- summary")
		for _, summary := range summaries {
			fmt.Println(summary)
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d failed", failed, len(chosen))
	}
	return nil
}

func choose(names []string) (chosen []rig, err error) {
	for _, name := range names {
		found := false
		for _, r := range rigs() {
			if r.name == name {
				chosen, found = append(chosen, r), true
			}
		}
		if !found {
			return nil, fmt.Errorf("there is no rig %q, want some of h2spec, slowhttp, testssl, csp, sqlmap, sockets", name)
		}
	}
	if len(chosen) == 0 {
		return nil, errors.New("want some of h2spec, slowhttp, testssl, csp, sqlmap, sockets")
	}
	return chosen, nil
}

// repository looks for the root of the repository from the working directory up.
func repository() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "ARCHITECTURE.md")); err == nil {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", errors.New("this is not in the repository")
		}
		dir = up
	}
}

func (r rig) do(ctx context.Context, root string) (string, error) {
	fmt.Println("----", r.name)
	ctx, cancel := context.WithTimeout(ctx, r.limit)
	defer cancel()
	if err := install(ctx, r.programs); err != nil {
		return "", err
	}
	temp, err := os.MkdirTemp("", "fastness-"+r.name+"-")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(temp) }()
	b := &bench{root: root, cache: filepath.Join(root, ".cache", "rigs"), temp: temp}
	if err := os.MkdirAll(b.cache, 0o755); err != nil {
		return "", err
	}
	summary, err := r.run(ctx, b)
	if ctx.Err() != nil {
		return "", errors.Join(fmt.Errorf("it did not end within %v", r.limit), err)
	}
	return summary, err
}

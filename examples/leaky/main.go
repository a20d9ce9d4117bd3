// Command leaky is the twin of the shop with each defence removed on purpose: what a
// hurried team would have written with net/http and database/sql. It is a target for
// scanners, and for people who learn what the flaws of an API look like.
//
//	go run ./examples/leaky                       # http://127.0.0.1:8666
//	go run ./examples/leaky --addr 127.0.0.1:0    # on a free port, which it prints
//
// NEVER PUT IT WHERE OTHERS REACH IT. It runs commands of strangers and reads any file.
// It listens on loopback addresses only, and refuses what pages of other sites make a
// browser send.
//
// Each flaw has a comment "FLAW LK-…" at its place and a row in flaws.yaml. What only
// looks like one has a row in traps.yaml. The tests prove every row over HTTP.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

const banner = `
  ##########################################################################
  #                                                                        #
  #   L E A K Y   I S   V U L N E R A B L E   O N   P U R P O S E          #
  #                                                                        #
  #   It runs commands of whoever asks, and reads any file of this user.   #
  #   Nothing of value belongs here. Stop it when you are done.            #
  #                                                                        #
  ##########################################################################

`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "leaky:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("leaky", flag.ContinueOnError)
	addr := flags.String("addr", "127.0.0.1:8666", "where to listen; loopback only")
	db := flags.String("db", "temp", "the database: temp, or the path of a file")
	version := flags.Bool("version", false, "say what this is")
	if err := flags.Parse(args); err != nil {
		return err
	}
	fmt.Print(banner)
	if *version {
		return nil
	}
	if err := loopbackOnly(ctx, *addr); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "leaky-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	s, err := open(dir, *db)
	if err != nil {
		return err
	}
	defer func() { _ = s.db.Close() }()
	return serve(ctx, s, *addr)
}

// serve answers requests until ctx ends.
func serve(ctx context.Context, s *shop, addr string) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	if at, ok := listener.Addr().(*net.TCPAddr); !ok || !at.IP.IsLoopback() {
		return errors.Join(fmt.Errorf("%s is not loopback", listener.Addr()), listener.Close())
	}
	fmt.Printf("listening on http://%s\n", listener.Addr())
	server := &http.Server{Handler: s.handler(), ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// loopbackOnly refuses every address that others could reach.
func loopbackOnly(ctx context.Context, addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return err
	}
	if host == "" {
		return errors.New("the address has no host, which would be every interface: want 127.0.0.1, ::1 or localhost")
	}
	ips, err := net.DefaultResolver.LookupIPAddr(ctx, host)
	if err != nil {
		return err
	}
	for _, ip := range ips {
		if !ip.IP.IsLoopback() {
			return fmt.Errorf("%s is not loopback: want 127.0.0.1, ::1 or localhost", ip.IP)
		}
	}
	return nil
}

package database

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/fastness/fastness/sqldb"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
)

// postgresServer is a database of a PostgreSQL server.
type postgresServer struct{ config *pgx.ConnConfig }

func (s postgresServer) String() string {
	return fmt.Sprintf("database %q of PostgreSQL at %s", s.config.Database, s.config.Host)
}

func parsePostgres(u *url.URL, cfg *Config) (target, error) {
	// A password whose /, ? or # is not in percent ends there, and what follows would be
	// the name of a database or of a parameter, which errors show.
	if strings.Contains(u.EscapedPath()+u.RawQuery, "@") || u.Fragment != "" {
		return nil, errors.New("the URL of the PostgreSQL database has a @ or a # behind its host, want signs that mean something in a URL in percent, such as %40 for @, %2F for / and %23 for #")
	}
	config, err := parseServer(u)
	if err != nil {
		return nil, err
	}
	// Whoever asked for it: the URL, or the file of services that it or the environment names.
	if mode := config.DefaultQueryExecMode; mode == pgx.QueryExecModeSimpleProtocol || mode == pgx.QueryExecModeExec {
		return nil, fmt.Errorf("default_query_exec_mode is %s, want another one: arguments would not be apart from the text of the statement, or of no certain type", mode)
	}
	mode := cmp.Or(u.Query().Get("sslmode"), os.Getenv("PGSSLMODE"))
	if cfg.InsecureTLS == "" && !verifies(config) {
		if mode != "" {
			return nil, errors.New("the certificate of the PostgreSQL server would not be verified, want sslmode=verify-full, or InsecureTLS with the reason")
		}
		query := u.Query()
		query.Set("sslmode", "verify-full")
		strict := *u
		strict.RawQuery = query.Encode()
		if config, err = parseServer(&strict); err != nil {
			return nil, err
		}
		if !verifies(config) {
			return nil, errors.New("the certificate of the PostgreSQL server would not be verified")
		}
	}
	for name, limit := range map[string]time.Duration{
		"statement_timeout": cfg.StatementTimeout, "lock_timeout": cfg.LockTimeout, "idle_in_transaction_session_timeout": cfg.IdleTimeout,
	} {
		config.RuntimeParams[name] = strconv.FormatInt(limit.Milliseconds(), 10)
	}
	if cfg.Schema != "" {
		config.RuntimeParams["search_path"] = cfg.Schema
	}
	config.ConnectTimeout = cmp.Or(config.ConnectTimeout, 5*time.Second)
	return postgresServer{config}, nil
}

// parseServer parses a URL without quoting it: pgx hides the password where it
// knows that it is one.
func parseServer(u *url.URL) (*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig(u.String())
	if err == nil {
		return config, nil
	}
	cause := errors.Unwrap(err)
	if password, ok := u.User.Password(); cause == nil || ok && strings.Contains(cause.Error(), password) || u.Query().Has("password") {
		return nil, errors.New("the URL of the PostgreSQL database cannot be read")
	}
	return nil, fmt.Errorf("the URL of the PostgreSQL database cannot be read: %w", cause)
}

// verifies reports whether nobody between here and the servers can be one of
// them: each is on this machine or shows a certificate for its name.
func verifies(config *pgx.ConnConfig) bool {
	if !isLocal(config.Host) && (config.TLSConfig == nil || config.TLSConfig.InsecureSkipVerify) {
		return false
	}
	for _, other := range config.Fallbacks {
		if !isLocal(other.Host) && (other.TLSConfig == nil || other.TLSConfig.InsecureSkipVerify) {
			return false
		}
	}
	return true
}

func isLocal(host string) bool {
	if strings.HasPrefix(host, "/") || host == "localhost" { // a Unix socket
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}

func (s postgresServer) open(cfg *Config) (*sqldb.DB, error) {
	pool := stdlib.OpenDB(*s.config)
	n := cmp.Or(cfg.Connections, 16)
	pool.SetMaxOpenConns(n)
	pool.SetMaxIdleConns(n)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	return &sqldb.DB{Dialect: sqldb.PostgreSQL, Write: pool, Read: pool, Wait: cfg.Wait}, nil
}

// migrate holds a lock of the server meanwhile, which ends with its connection.
func (s postgresServer) migrate(ctx context.Context, files fs.FS, cfg *Config) (err error) {
	if files == nil && cfg.Schema == "" {
		return nil
	}
	patient := s.config.Copy()
	for _, name := range []string{"statement_timeout", "idle_in_transaction_session_timeout", "lock_timeout"} {
		patient.RuntimeParams[name] = "0"
	}
	waiting := stdlib.OpenDB(*patient)
	defer func() { err = errors.Join(err, waiting.Close()) }()
	locked, err := waiting.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, locked.Close()) }()
	if _, err := locked.ExecContext(ctx, "SELECT pg_advisory_lock($1)", lockOf(cfg.Schema)); err != nil {
		return fmt.Errorf("wait for another process that migrates: %w", err)
	}
	if cfg.Schema != "" {
		if err := makeSchema(ctx, locked, cfg.Schema); err != nil {
			return err
		}
	}
	if files == nil {
		return nil
	}
	// A table that others use is waited for as long as they wait for it: behind a
	// migration that waits, every request would.
	patient.RuntimeParams["lock_timeout"] = s.config.RuntimeParams["lock_timeout"]
	pool := stdlib.OpenDB(*patient)
	defer func() { err = errors.Join(err, pool.Close()) }()
	return migrate(ctx, goose.DialectPostgres, pool, files)
}

// lockOf returns the number of the lock for those who migrate one schema.
func lockOf(schema string) int64 {
	hash := fnv.New64a()
	_, _ = hash.Write([]byte("fastness migrations " + schema)) // It never fails.
	return int64(hash.Sum64())
}

func makeSchema(ctx context.Context, conn *sql.Conn, schema string) error {
	_, err := conn.ExecContext(ctx, `CREATE SCHEMA IF NOT EXISTS "`+schema+`"`)
	return err
}

// isSchema reports whether a name needs no quotes anywhere.
func isSchema(name string) bool {
	for i, c := range []byte(name) {
		if (c < 'a' || c > 'z') && (i == 0 || c != '_' && (c < '0' || c > '9')) {
			return false
		}
	}
	return len(name) <= 63 && !strings.HasPrefix(name, "pg_")
}

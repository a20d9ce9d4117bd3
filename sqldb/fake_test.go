package sqldb_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"slices"
	"sync"
)

// journal is a database that only writes down what it is told.
type journal struct {
	mu        sync.Mutex
	lines     []string
	failBegin error
	failEnd   error
}

func (j *journal) write(line string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, line)
}

func (j *journal) read() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.lines)
}

func (j *journal) open() *sql.DB { return sql.OpenDB(j) }

func (j *journal) Connect(context.Context) (driver.Conn, error) { return &conn{j}, nil }
func (j *journal) Driver() driver.Driver                        { return nil }

type conn struct{ *journal }

func (c *conn) Prepare(string) (driver.Stmt, error) { return nil, errors.New("not prepared") }
func (c *conn) Close() error                        { return nil }
func (c *conn) Begin() (driver.Tx, error)           { return nil, errors.New("use BeginTx") }

func (c *conn) BeginTx(_ context.Context, opts driver.TxOptions) (driver.Tx, error) {
	if c.failBegin != nil {
		return nil, c.failBegin
	}
	if opts.ReadOnly {
		c.write("begin to read")
	} else {
		c.write("begin")
	}
	return c, nil
}

func (c *conn) ExecContext(_ context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	c.write(query)
	return driver.RowsAffected(len(args)), nil
}

func (c *conn) Commit() error {
	c.write("commit")
	return c.failEnd
}

func (c *conn) Rollback() error {
	c.write("roll back")
	return c.failEnd
}

package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"path"

	"github.com/fastness/fastness/sqldb"
	"github.com/pressly/goose/v3"
)

// folders are the migrations for each kind of database.
type folders struct{ sqlite, postgres fs.FS }

func (f *folders) of(d sqldb.Dialect) fs.FS {
	if f == nil {
		return nil
	}
	if d == sqldb.PostgreSQL {
		return f.postgres
	}
	return f.sqlite
}

// foldersOf finds the migrations in an embedded folder, or returns nil for none.
func foldersOf(files fs.FS) (*folders, error) {
	if files == nil {
		return nil, nil
	}
	for {
		names, err := fs.Glob(files, "*.sql")
		if err != nil {
			return nil, err
		}
		if len(names) > 0 {
			return &folders{files, files}, nil
		}
		entries, err := fs.ReadDir(files, ".")
		if err != nil {
			return nil, fmt.Errorf("Migrations: %w", err)
		}
		kinds := map[string]fs.FS{}
		for _, entry := range entries {
			if entry.IsDir() {
				if kinds[entry.Name()], err = fs.Sub(files, entry.Name()); err != nil {
					return nil, fmt.Errorf("Migrations: %w", err)
				}
			}
		}
		switch {
		case kinds["sqlite"] != nil && kinds["postgres"] != nil:
			return &folders{kinds["sqlite"], kinds["postgres"]}, nil
		case len(kinds) != 1 || kinds["sqlite"] != nil || kinds["postgres"] != nil:
			return nil, errors.New("Migrations: want files such as 00001_items.sql, or the folders sqlite and postgres with them")
		}
		for _, only := range kinds { // migrations, as in //go:embed migrations
			files = only
		}
	}
}

// migrate runs the migrations that the database lacks. Nobody else may do so
// meanwhile.
func migrate(ctx context.Context, dialect goose.Dialect, pool *sql.DB, files fs.FS) error {
	provider, err := goose.NewProvider(dialect, pool, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	if _, err = provider.Up(ctx); err != nil {
		if partial, ok := errors.AsType[*goose.PartialError](err); ok && partial.Failed != nil && partial.Failed.Source != nil {
			return fmt.Errorf("%s: %w", path.Base(partial.Failed.Source.Path), err)
		}
		return err
	}
	has, knows, err := provider.GetVersions(ctx)
	if err == nil && has > knows {
		return fmt.Errorf("the tables are of version %d, this program knows %d: it is older than the database", has, knows)
	}
	return err
}

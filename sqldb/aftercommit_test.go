package sqldb_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/fastness/fastness/sqldb"
)

func TestAfterCommitRunsAfterTheCommitAndNeverAfterARollback(t *testing.T) {
	broken := errors.New("broken")
	for _, tt := range []struct {
		name             string
		failure, failEnd error
		want             []string
	}{
		{"a commit", nil, nil, []string{"begin", "commit", "first", "second"}},
		{"a rollback", broken, nil, []string{"begin", "roll back"}},
		{"a commit that fails", nil, broken, []string{"begin", "commit"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			j := &journal{failEnd: tt.failEnd}
			db := &sqldb.DB{Write: j.open()}
			defer db.Close()
			_ = db.Tx(t.Context(), func(tx *sqldb.Tx) error {
				tx.AfterCommit(func() { j.write("first") })
				tx.AfterCommit(func() { j.write("second") })
				return tt.failure
			})
			if got := j.read(); !slices.Equal(got, tt.want) {
				t.Errorf("it went %q, want %q", got, tt.want)
			}
		})
	}
}

package sqldb

// AfterCommit lets f run once the transaction has committed, after those that
// were given before. It does not run if the transaction rolls back, or if it is
// not known whether it committed: so nobody is told of what is not there.
//
// It runs before the answer is sent, and cannot change it. A process that is
// killed between the commit and f does not run it: what must happen is written
// down in the transaction.
func (t *Tx) AfterCommit(f func()) { t.after = append(t.after, f) }

// committed runs what was to run after the commit.
func (t *transaction) committed() {
	for _, f := range t.after {
		f()
	}
	t.after = nil
}

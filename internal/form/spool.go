package form

import (
	"errors"
	"net/http"
	"syscall"

	"github.com/fastness/fastness/problem"
)

// spooler writes the content of a file to memory, and to disk once it is too
// large for that.
type spooler struct {
	content *content
	limits  Limits
}

func (s *spooler) Write(p []byte) (int, error) {
	c := s.content
	if c.spool == nil && int64(len(c.memory)+len(p)) <= s.limits.MemoryBytes {
		c.memory = append(c.memory, p...)
		return len(p), nil
	}
	if c.spool == nil {
		if err := s.toDisk(); err != nil {
			return 0, notKept(err)
		}
	}
	n, err := c.spool.Write(p)
	if err != nil {
		return n, notKept(err)
	}
	return n, nil
}

func (s *spooler) toDisk() (err error) {
	c := s.content
	if c.spool, c.path, err = s.limits.temp(s.limits.Dir); err != nil {
		c.spool = nil
		return err
	}
	if _, err = c.spool.Write(c.memory); err != nil {
		return err
	}
	c.memory = nil
	return nil
}

// notKept tells a full disk, which is news for the operator and no fault of the
// client, from other trouble.
func notKept(err error) *problem.Problem {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return problem.New(http.StatusInsufficientStorage, "there is no room for the upload").Named("upload_no_space").Wrap(err)
	}
	return problem.New(http.StatusServiceUnavailable, "the upload cannot be kept").Named("upload_not_kept").Wrap(err)
}

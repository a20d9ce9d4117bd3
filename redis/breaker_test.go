package redis

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
)

// A store is made before the program knows how it logs: fastness.Main sets the
// default logger when it has read the command line.
func TestAlarmGoesToTheDefaultLoggerOfItsTime(t *testing.T) {
	b := new(breaker)
	var log bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	t.Cleanup(func() { slog.SetDefault(before) })
	for range failures {
		done, err := b.enter()
		if err != nil {
			t.Fatal(err)
		}
		done(errors.New("refused"))
	}
	if !strings.Contains(log.String(), `level=ERROR msg="redis: the server does not answer" error=refused`) {
		t.Errorf("the log is %q", log.String())
	}
}

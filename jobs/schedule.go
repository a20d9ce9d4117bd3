package jobs

import (
	"errors"
	"fmt"
	"time"
)

// Schedule says when a job runs. Exactly one of Every and DailyAt is required.
type Schedule struct {
	// Every is the time from one run to the next, at least a second. The first run
	// comes at once. Periods that were missed are made up for by one run.
	Every time.Duration
	// DailyAt is the time of the day in UTC: "03:00". UTC has no day on which an hour
	// is missing or comes twice.
	DailyAt string
	// Timeout is how long a run may take before its context ends. The default is
	// Every, at most an hour.
	Timeout time.Duration
	// Jitter is the most by which a run is put off, at random, so that not all jobs
	// begin in one moment. The default is a tenth of Every, at most 30 seconds.
	Jitter time.Duration
}

const (
	day        = 24 * time.Hour
	maxTimeout = time.Hour
	maxJitter  = 30 * time.Second
	maxBehind  = 10 * 365 * day // for which periods are counted
)

// check names every mistake.
func (s Schedule) check() error {
	var errs []error
	switch {
	case s.Every == 0 && s.DailyAt == "", s.Every != 0 && s.DailyAt != "":
		errs = append(errs, errors.New("want one of Every and DailyAt"))
	case s.Every != 0 && s.Every < time.Second:
		errs = append(errs, fmt.Errorf("Every is %v, want at least 1s", s.Every))
	case s.DailyAt != "":
		if _, err := timeOfDay(s.DailyAt); err != nil {
			errs = append(errs, err)
		}
	}
	if s.Timeout < 0 {
		errs = append(errs, fmt.Errorf("Timeout is %v, want more than 0", s.Timeout))
	}
	if s.Jitter < 0 || s.Jitter > s.period() {
		errs = append(errs, fmt.Errorf("Jitter is %v, want 0 to the period", s.Jitter))
	}
	return errors.Join(errs...)
}

// timeOfDay reads hours and minutes, of two digits each.
func timeOfDay(text string) (time.Duration, error) {
	t, err := time.Parse("15:04", text)
	if err != nil || len(text) != len("15:04") { // Parse takes 3:04, too.
		return 0, errors.New(`DailyAt is not hours and minutes, want such as "03:00"`)
	}
	return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute, nil
}

func (s Schedule) period() time.Duration {
	if s.DailyAt != "" {
		return day
	}
	return s.Every
}

func (s Schedule) timeout() time.Duration {
	if s.Timeout > 0 {
		return s.Timeout
	}
	return min(s.period(), maxTimeout)
}

func (s Schedule) jitter() time.Duration {
	if s.Jitter > 0 {
		return s.Jitter
	}
	return min(s.period()/10, maxJitter)
}

// First returns when a job is due that never ran.
func (s Schedule) First(now time.Time) time.Time {
	if s.DailyAt != "" {
		return s.Latest(now)
	}
	return now
}

// Latest returns the latest time at which the next run can be due: a store has a later
// one only if the schedule was another when it was written.
func (s Schedule) Latest(now time.Time) time.Time {
	if s.DailyAt == "" {
		return now.Add(s.Every)
	}
	at, _ := timeOfDay(s.DailyAt) // New has checked it.
	next := now.UTC().Truncate(day).Add(at)
	if !next.After(now) {
		next = next.Add(day)
	}
	return next
}

// next returns when the job is due after the run that was due at due.
func (s Schedule) next(due, now time.Time) time.Time {
	if s.DailyAt != "" {
		return s.Latest(now)
	}
	if now.Sub(due) > maxBehind { // The clock of the store was wrong, or is.
		return s.Latest(now)
	}
	missed := max(now.Sub(due)/s.Every, 0)
	return due.Add((missed + 1) * s.Every)
}

// firstRetry is the pause after the first failure.
const firstRetry = time.Second

// retry returns the pause after this many failures in a row.
func (s Schedule) retry(failures int) time.Duration {
	pause := firstRetry
	for range failures - 1 {
		if pause *= 2; pause >= s.period() {
			break
		}
	}
	return min(pause, s.period())
}

package jobs

import "time"

// NextAfter is when a job is due after the run that was due at due.
func NextAfter(s Schedule, due, now time.Time) time.Time { return s.next(due, now) }

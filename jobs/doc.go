// Package jobs runs functions beside requests: some once, after an answer, in a
// [Pool]; some again and again, by a [Runner].
//
// # Periodic jobs
//
// A job runs in one of the processes that declare it, once in each period:
//
//	runner, err := jobs.New(jobs.Config{Store: store, Logger: logger},
//		jobs.Job{Name: "sweep", Schedule: jobs.Schedule{Every: time.Hour}, Run: sweep},
//		jobs.Job{Name: "report", Schedule: jobs.Schedule{DailyAt: "03:00"}, Run: report})
//	…
//	err = runner.Run(ctx) // until ctx is done
//
// An app of Fastness declares them by fastness.Job, which fills in what they need.
//
// Who may run is decided by the [Store]: [NewMemory] for one process, package sqljobs
// for several. A run has a lease, which is renewed while the function works. A process
// that dies loses it, and another takes over; so a function may run twice for one
// period, and must stand that. The clock of the store counts, not those of the
// processes.
//
// The context of a run ends before its lease does. A process that was paused can come
// back after that, in the middle of a statement. [Token] is for this case: it is a
// number that grows with each run. Whoever writes with it can refuse a smaller one than
// it has seen; sqljobs.Hold does so within a transaction.
//
// A run that fails is repeated, after a second at first and twice as long each time, at
// most a period. While its process keeps the lease, a function never runs twice at once,
// even one that does not care that its time is over.
//
// # Tasks
//
// A [Pool] has a fixed number of workers and a bounded queue. Room in the queue is
// reserved before work is promised, so what was accepted is never dropped but by the
// end of the process: a task is in memory only. What must not be lost belongs into the
// database, with a periodic job that looks for it.
package jobs

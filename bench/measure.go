package main

import (
	"fmt"
	"runtime"
	"slices"
	"syscall"
	"time"
)

// A Plan says how long to measure.
type Plan struct {
	// Rounds is how often each contender has its turn.
	Rounds int
	// Target is the CPU time that one turn should take.
	Target time.Duration
}

// A Result is one row, measured.
type Result struct {
	Name   string `json:"name"`
	Title  string `json:"title"`
	Answer string `json:"answer"`
	// Iterations is the number of requests in each round.
	Iterations int `json:"iterations"`
	// Median, Least and Most are CPU nanoseconds per request over the rounds.
	Median float64 `json:"ns_per_request"`
	Least  float64 `json:"ns_min"`
	Most   float64 `json:"ns_max"`
	// Allocations and Bytes are per request, medians too.
	Allocations float64 `json:"allocations"`
	Bytes       float64 `json:"bytes"`
}

type sample struct{ nanoseconds, allocations, bytes float64 }

// measure lets all contenders have their turns, round by round, so that a
// noisy minute falls on everybody.
func measure(all []contender, plan Plan) ([]Result, error) {
	results := make([]Result, len(all))
	samples := make([][]sample, len(all))
	for i, c := range all {
		n, err := calibrate(c.run, plan.Target)
		if err != nil {
			return nil, err
		}
		results[i] = Result{Name: c.Name, Title: c.Title, Answer: c.Answer, Iterations: n}
	}
	for range plan.Rounds {
		for i, c := range all {
			s, err := turn(c.run, results[i].Iterations)
			if err != nil {
				return nil, err
			}
			samples[i] = append(samples[i], s)
		}
	}
	for i := range results {
		results[i].sum(samples[i])
	}
	return results, nil
}

// calibrate finds how many runs take about target of CPU time. It also warms
// up what compiles or fills pools on first use.
func calibrate(run func() error, target time.Duration) (int, error) {
	const start = 64
	for n := start; ; n *= 2 {
		s, err := turn(run, n)
		if err != nil {
			return 0, err
		}
		if spent := s.nanoseconds * float64(n); spent >= float64(target)/8 {
			return max(start, int(float64(target)/s.nanoseconds)), nil
		}
	}
}

// turn runs n times and divides what the process spent, the collector's work
// included, by n. It starts with an empty garbage heap.
func turn(run func() error, n int) (sample, error) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	start, err := cpuTime()
	if err != nil {
		return sample{}, err
	}
	for range n {
		if err := run(); err != nil {
			return sample{}, err
		}
	}
	end, err := cpuTime()
	if err != nil {
		return sample{}, err
	}
	runtime.ReadMemStats(&after)
	per := 1 / float64(n)
	return sample{
		nanoseconds: float64(end-start) * per,
		allocations: float64(after.Mallocs-before.Mallocs) * per,
		bytes:       float64(after.TotalAlloc-before.TotalAlloc) * per,
	}, nil
}

// cpuTime is what the process has spent so far, in user and in system mode.
// Unlike the wall clock it does not run while a neighbour has the core.
func cpuTime() (time.Duration, error) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0, fmt.Errorf("getrusage: %w", err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), nil
}

func (r *Result) sum(samples []sample) {
	column := func(pick func(sample) float64) []float64 {
		values := make([]float64, len(samples))
		for i, s := range samples {
			values[i] = pick(s)
		}
		slices.Sort(values)
		return values
	}
	ns := column(func(s sample) float64 { return s.nanoseconds })
	r.Least, r.Median, r.Most = ns[0], median(ns), ns[len(ns)-1]
	r.Allocations = median(column(func(s sample) float64 { return s.allocations }))
	r.Bytes = median(column(func(s sample) float64 { return s.bytes }))
}

// median expects sorted values.
func median(sorted []float64) float64 {
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

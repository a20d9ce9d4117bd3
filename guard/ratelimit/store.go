package ratelimit

import (
	"context"
	"fmt"
	"time"
)

// Store counts what keys have spent. It must be safe for concurrent use. The
// package storetest holds what else is asked of it, as tests.
type Store interface {
	// Take charges s.Cost to every quota of s or, if one of them has too little
	// left, to none, in one atomic step: a read and a later write would let a
	// burst through. It fills in s.Allowed and s.States, and keeps nothing of s.
	//
	// An error means that nothing is known. The limiter then does what its rule
	// says.
	Take(ctx context.Context, s *Spend) error
}

// Spend is what a [Store] is asked, and what it answers.
type Spend struct {
	// Key is whose budget it is. It may hold any bytes.
	Key []byte
	// Cost is how much to take, at least 1.
	Cost int
	// Algorithm is how the quotas are kept. The same key with another algorithm,
	// count or window is another budget.
	Algorithm Algorithm
	// Quotas are those of the limit, at most 8.
	Quotas []Quota

	// Allowed says that every quota was charged.
	Allowed bool
	// States are what holds of each quota afterwards. The caller gives as many
	// as there are quotas.
	States []State
}

// State is what holds of one quota after a request.
type State struct {
	// Remaining is how much could be spent at once now.
	Remaining int
	// Wait is how long it takes until this quota has what was asked for, and 0
	// if it had that. If it was more than the whole quota, Wait is the window.
	Wait time.Duration
	// Reset is how long it takes until the quota is whole again, if nothing is
	// spent meanwhile.
	Reset time.Duration
}

// Algorithm is how a quota is kept.
type Algorithm int

const (
	// SlidingWindow admits at most Count units in any span of Window, wherever it
	// begins. Spent units come back when they are Window old. Quotas of up to 8
	// are kept request by request. Of larger ones those spent within a seventh
	// of the window come back together, with the last of them: a caller who
	// sends evenly gets at least seven eighths of the quota.
	SlidingWindow Algorithm = iota
	// GCRA is the generic cell rate algorithm, which is a token bucket of Count
	// tokens: they come back one by one, Count in each Window. It admits a burst
	// of Count and, together with what comes back meanwhile, nearly twice Count
	// in one window.
	GCRA
)

// String names the algorithm.
func (a Algorithm) String() string {
	switch a {
	case SlidingWindow:
		return "sliding window"
	case GCRA:
		return "GCRA"
	}
	return fmt.Sprintf("Algorithm(%d)", int(a))
}

package schema

import (
	"regexp"
	"regexp/syntax"
	"slices"
)

// pattern is a regular expression. It runs in linear time, so a caller cannot
// choose a text that takes forever.
//
// RE2 walks a set of states for each character. For ASCII texts, which are
// nearly all of them, the sets are worked out once, at registration, into a
// table with one look-up for each byte. What the table cannot say (too many
// states, word boundaries, characters beyond ASCII) is left to RE2.
type pattern struct {
	text string
	expr *regexp.Regexp
	// next holds the state that follows each state and byte. State 0 is dead;
	// the start is state 1. It is nil if there is no table.
	next  [][128]uint8
	found []bool // a match was seen: the rest of the text does not matter
	atEnd []bool // the text matches if it ends here
	// empty says that the empty text matches. It is its own question: only there
	// does a text begin where it ends, so that "$^" matches.
	empty bool
}

// maxPatternStates bounds the table: 128 bytes for each state.
const maxPatternStates = 128

func compilePattern(text string) (*pattern, error) {
	expr, err := regexp.Compile(text)
	if err != nil {
		return nil, err
	}
	p := &pattern{text: text, expr: expr}
	parsed, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return nil, err
	}
	prog, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return nil, err
	}
	p.tabulate(prog)
	return p, nil
}

// match reports whether the text holds a match, as RE2's unanchored search does.
func (p *pattern) match(s string) bool {
	if p.next == nil {
		return p.expr.MatchString(s)
	}
	if s == "" {
		return p.empty
	}
	state := uint8(1)
	for i := range len(s) {
		if p.found[state] {
			return true
		}
		c := s[i]
		if c >= 128 {
			return p.expr.MatchString(s)
		}
		if state = p.next[state][c]; state == 0 {
			// Dead for ASCII; a character beyond it may only follow where it
			// could have matched, so the text as a whole cannot match.
			return false
		}
	}
	return p.found[state] || p.atEnd[state]
}

// automaton builds the table by the subset construction.
type automaton struct {
	prog *syntax.Prog
	sets [][]uint32 // the instructions of each state, sorted
	p    *pattern
}

func (p *pattern) tabulate(prog *syntax.Prog) {
	a := &automaton{prog: prog, p: p}
	for _, inst := range prog.Inst {
		if inst.Op == syntax.InstEmptyWidth && syntax.EmptyOp(inst.Arg)&^(syntax.EmptyBeginText|syntax.EmptyEndText) != 0 {
			return
		}
	}
	start := []uint32{uint32(prog.Start)}
	p.empty = a.matches(a.closure(slices.Clone(start), syntax.EmptyBeginText|syntax.EmptyEndText))
	a.state(nil) // dead
	if a.state(a.closure(slices.Clone(start), syntax.EmptyBeginText)) == 0 {
		p.next, p.found, p.atEnd = nil, nil, nil // It matches nothing, and nobody is in a hurry to hear so.
		return
	}
	for s := 1; s < len(a.sets); s++ {
		for c := range rune(128) {
			var reached []uint32
			for _, pc := range a.sets[s] {
				inst := &prog.Inst[pc]
				switch inst.Op {
				case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
					if inst.MatchRune(c) {
						reached = append(reached, inst.Out)
					}
				}
			}
			reached = append(reached, uint32(prog.Start)) // A search may begin anywhere.
			id := a.state(a.closure(reached, 0))
			if id < 0 {
				p.next, p.found, p.atEnd = nil, nil, nil
				return
			}
			p.next[s][c] = uint8(id)
		}
	}
}

// closure returns all that can be reached from pcs without a character, where
// the conditions in holds are met.
func (a *automaton) closure(pcs []uint32, holds syntax.EmptyOp) []uint32 {
	var set []uint32
	for len(pcs) > 0 {
		pc := pcs[len(pcs)-1]
		pcs = pcs[:len(pcs)-1]
		if slices.Contains(set, pc) {
			continue
		}
		inst := &a.prog.Inst[pc]
		switch inst.Op {
		case syntax.InstFail:
			continue
		case syntax.InstAlt, syntax.InstAltMatch:
			pcs = append(pcs, inst.Out, inst.Arg)
		case syntax.InstCapture, syntax.InstNop:
			pcs = append(pcs, inst.Out)
		case syntax.InstEmptyWidth:
			if op := syntax.EmptyOp(inst.Arg); op&holds == op {
				pcs = append(pcs, inst.Out)
			} else if op&syntax.EmptyBeginText != 0 {
				continue // The beginning does not come back.
			}
		}
		set = append(set, pc)
	}
	slices.Sort(set)
	return set
}

// state returns the number of a set of instructions, a new one if need be, or
// -1 if there are too many. The set that can never match is the dead state.
func (a *automaton) state(set []uint32) int {
	if len(a.sets) > 0 && !a.alive(set) {
		set = nil
	}
	for i, known := range a.sets {
		if slices.Equal(known, set) {
			return i
		}
	}
	if len(a.sets) == maxPatternStates {
		return -1
	}
	a.sets = append(a.sets, set)
	a.p.next = append(a.p.next, [128]uint8{})
	a.p.found = append(a.p.found, a.matches(set))
	a.p.atEnd = append(a.p.atEnd, a.matches(a.closure(slices.Clone(set), syntax.EmptyEndText)))
	return len(a.sets) - 1
}

func (a *automaton) matches(set []uint32) bool {
	return slices.ContainsFunc(set, func(pc uint32) bool { return a.prog.Inst[pc].Op == syntax.InstMatch })
}

// alive reports whether the set can go on or accept.
func (a *automaton) alive(set []uint32) bool {
	return slices.ContainsFunc(set, func(pc uint32) bool {
		switch a.prog.Inst[pc].Op {
		case syntax.InstMatch, syntax.InstEmptyWidth, syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
			return true
		}
		return false
	})
}

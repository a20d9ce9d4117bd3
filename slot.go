package fastness

import "sync"

// slots pools the inputs and outputs of one operation. The function gets a copy
// of its input, so nobody holds a pointer into a slot when it is emptied. Where a
// method of the application's types runs on a value in a slot, it could keep such
// a pointer, and read the next caller's value by it: then nothing is pooled.
type slots[In, Out any] struct{ pool sync.Pool }

type typedSlot[In, Out any] struct {
	in  In
	out Out
	of  *slots[In, Out]
}

func (p *slots[In, Out]) get(pooled bool) *typedSlot[In, Out] {
	if !pooled {
		return &typedSlot[In, Out]{}
	}
	if s, ok := p.pool.Get().(*typedSlot[In, Out]); ok {
		return s
	}
	return &typedSlot[In, Out]{of: p}
}

// free wipes the slot: what is left in it would be the next caller's.
func (s *typedSlot[In, Out]) free() {
	if s.of == nil {
		return
	}
	var in In
	var out Out
	s.in, s.out = in, out
	s.of.pool.Put(s)
}

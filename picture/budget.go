package picture

import "context"

// parts is what the budget is divided into.
const parts = 16

// budget is shared by the pictures that are decoded at the same time.
type budget struct {
	turn chan struct{} // who is at it, so that two do not wait for each other's halves
	free chan struct{}
}

func newBudget() budget {
	b := budget{turn: make(chan struct{}, 1), free: make(chan struct{}, parts)}
	for range parts {
		b.free <- struct{}{}
	}
	return b
}

// take waits for as much of the budget as pixels are of all, and returns what gives
// it back.
func (b budget) take(ctx context.Context, pixels, all int64) (give func(), err error) {
	share := int((pixels*parts + all - 1) / all)
	taken := 0
	give = func() {
		for range taken {
			b.free <- struct{}{}
		}
	}
	select {
	case b.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-b.turn }()
	for ; taken < share; taken++ {
		select {
		case <-b.free:
		case <-ctx.Done():
			give()
			return nil, ctx.Err()
		}
	}
	return give, nil
}

package pubsub

import "time"

// Log is what a [Bus] has found out about a room, for a bus whose ids are times
// of its own clock: with it the question whether something is missing has one
// answer for all of them.
type Log struct {
	// Messages are those that were read.
	Messages []Message
	// Before is the id that was the room's last when the first of Messages was
	// published, or 0 if the bus knew of none.
	Before ID
	// Last is the room's last id, or 0 if the bus knows of none.
	Last ID
	// Now is the time of the bus, as an id.
	Now ID
	// Since is the time from which on the bus has lost nothing. Zero is ever.
	Since ID
	// Memory is for how long the bus knows the last id of a room.
	Memory time.Duration
}

// Page returns the page.
func (l Log) Page() Page {
	p := Page{Messages: l.Messages, Last: l.Last}
	switch {
	case len(l.Messages) > 0 && l.Before > 0:
		p.From = l.Before
	case len(l.Messages) > 0:
		p.From = l.remembers(l.Messages[0].ID)
	case l.Last > 0:
		p.From = l.Last
	default:
		p.From, p.Last = l.remembers(l.Now), l.Now
	}
	return p
}

// remembers returns the first moment of which the bus would know at a later one
// that something has happened since.
func (l Log) remembers(at ID) ID {
	return max(l.Since, at-min(at-Oldest-1, ID(l.Memory.Microseconds())))
}

package ws

// Flush waits until what was given to Send is written, or until the connection has
// ended: its error is the [*Closed]. A handler that passes on what others make, event
// by event, sends no faster than its peer reads, and what waits is where all share it
// instead of in a queue of each connection:
//
//	for event, err := range sub.Events() {
//		…
//		if err := conn.Send(event.JSON); err != nil {
//			return err
//		}
//		if err := conn.Flush(); err != nil {
//			return err
//		}
//	}
//
// It waits for as long as each message may take to be written ([Config].WriteTimeout).
func (c *Conn[In, Out]) Flush() error {
	s := c.socket
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.writing {
		s.moved.Wait()
	}
	if s.ended != nil {
		return s.ended
	}
	return nil
}

package framing

// Heads follows a stream that comes in pieces of at most size bytes. It returns
// the heads that pass and the code of the refusal at the end, if there is one.
func Heads(g *Guard, stream []byte, size int) (heads []string, refused string) {
	s := streamOf(g)
	var held []byte
	for len(stream) > 0 {
		n := min(size, len(stream))
		held = append(held, stream[:n]...)
		stream = stream[n:]
		for len(held) > 0 {
			if s.stage == atUpgrade { // as if every upgrade were declined
				s.stage = atHead
			}
			wasHead := s.stage == atHead
			n, r := s.step(held)
			if wasHead && n > 0 {
				heads = append(heads, string(held[:n]))
			}
			if r != nil {
				return heads, r.code
			}
			if n == 0 {
				break
			}
			held = held[n:]
		}
	}
	return heads, ""
}

func streamOf(g *Guard) *stream { return &stream{limits: &g.cfg} }

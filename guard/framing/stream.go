package framing

import (
	"math"
	"net/http"

	"github.com/fastness/fastness/problem"
)

// refusal is why a request is not let through.
type refusal struct {
	status       int
	code, detail string
}

func (r *refusal) problem() *problem.Problem {
	return problem.New(r.status, r.detail).Named(r.code)
}

func badRequest(code, detail string) *refusal {
	return &refusal{http.StatusBadRequest, code, detail}
}

// stage says what the next byte of a stream belongs to.
type stage uint8

const (
	atHead      stage = iota
	inBody            // counted by Content-Length
	atChunkSize       // the line before a chunk
	inChunk           // the data of a chunk
	atChunkEnd        // the CRLF behind it
	atTrailer         // the field lines behind the last chunk
	atUpgrade         // behind a head that asks for another protocol: the answer decides
)

// stream follows the requests on a connection, strictly. It never looks at a byte
// twice and keeps none: a head or a trailer that is not complete is offered again,
// from its beginning, with the bytes that have come since.
type stream struct {
	limits *Config
	stage  stage
	left   int64 // of the body or the chunk; while atChunkSize the size read so far
	digits int8  // read of a chunk size
	cr     bool  // the CR of a line end was the last byte
	head   head
}

// step returns how many bytes at the front of w may pass. Zero without a refusal
// means that w is the beginning of a head or a trailer; the next w must begin with
// the same bytes. The bytes behind a refusal must not pass.
func (s *stream) step(w []byte) (int, *refusal) {
	switch s.stage {
	case inBody:
		return s.countDown(w, atHead), nil
	case inChunk:
		return s.countDown(w, atChunkEnd), nil
	case atChunkSize:
		return s.chunkSize(w)
	case atChunkEnd:
		return s.chunkEnd(w)
	case atTrailer:
		return s.trailer(w)
	case atUpgrade:
		return 0, badRequest("early_upgrade_data", "nothing may follow an upgrade request before its answer")
	default:
		return s.requestHead(w)
	}
}

func (s *stream) countDown(w []byte, next stage) int {
	n := min(int64(len(w)), s.left)
	if s.left -= n; s.left == 0 {
		s.stage = next
	}
	return int(n)
}

func (s *stream) requestHead(w []byte) (int, *refusal) {
	n, r := s.head.scan(w, s.limits)
	if r != nil || n == 0 {
		return 0, r
	}
	if r := s.head.check(w); r != nil {
		return 0, r
	}
	s.left = 0
	switch {
	case s.head.chunked:
		s.stage, s.digits = atChunkSize, 0
	case s.head.length > 0:
		s.stage, s.left = inBody, s.head.length
	case s.head.upgrades():
		s.stage = atUpgrade
	}
	s.head = head{}
	return n, nil
}

// maxSizeDigits bounds a chunk size, leading zeros included: a parser with narrow
// integers wraps around where another does not.
const maxSizeDigits = 16

func (s *stream) chunkSize(w []byte) (int, *refusal) {
	for i, c := range w {
		switch {
		case s.cr && c == '\n':
			s.cr = false
			if s.stage = inChunk; s.left == 0 {
				s.stage, s.head = atTrailer, head{trailer: true}
			}
			return i + 1, nil
		case s.cr:
			return i, badRequest("malformed_chunk", "a chunk size must end in CRLF")
		case c == '\r' && s.digits > 0:
			s.cr = true
		case classes[c]&hexDigit == 0:
			return i, badRequest("malformed_chunk",
				"a chunk size must be hexadecimal digits and CRLF, without extensions")
		case s.digits == maxSizeDigits || s.left > math.MaxInt64>>4:
			return i, badRequest("malformed_chunk", "a chunk size is out of range")
		default:
			s.left = s.left<<4 | int64(hexValue(c))
			s.digits++
		}
	}
	return len(w), nil
}

func (s *stream) chunkEnd(w []byte) (int, *refusal) {
	for i, c := range w {
		switch {
		case s.cr && c == '\n':
			s.cr, s.stage, s.digits = false, atChunkSize, 0
			return i + 1, nil
		case !s.cr && c == '\r':
			s.cr = true
		default:
			return i, badRequest("malformed_chunk", "a chunk must end in CRLF where its size says")
		}
	}
	return len(w), nil
}

func (s *stream) trailer(w []byte) (int, *refusal) {
	n, r := s.head.scan(w, s.limits)
	if r != nil || n == 0 {
		return 0, r
	}
	s.head, s.stage = head{}, atHead
	return n, nil
}

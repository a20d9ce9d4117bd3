package main

import "net/http"

// A Peer is one way to write the two operations of package work.
type Peer struct {
	// Name is what -only and -serve take, and Title what the tables show.
	Name, Title string
	// New builds the handler with the settings that the peer's own
	// documentation recommends for production, logging off.
	New func(Terms) (http.Handler, error)
	// Violations reads the list of violations from the peer's answer to an
	// invalid body, as JSON pointers. It is nil for a floor, which looks at
	// nothing and is left out of work d.
	Violations func(answer []byte) ([]string, error)
}

// What the ratios of the tables refer to.
const (
	floorName      = "floor"
	baselineName   = "nethttp"
	decodeBaseline = "v1-manual"
)

// decodeWork is the work that no handler is part of.
const decodeWork = "decode"

// Peers lists who takes part, in the order of the rounds.
func Peers() []Peer {
	return []Peer{
		{floorName, "floor: bare `net/http`, a constant answer", NewFloor, nil},
		{baselineName, "hand-written `net/http`, `encoding/json`, manual checks", NewByHand, PathList},
		{"strict", "the same, strict", NewByHandStrict, PathList},
		{"chi", "chi + go-playground/validator", NewChi, FieldList},
		{"gin", "Gin", NewGin, FieldList},
		{"echo", "Echo", NewEcho, FieldList},
		{"huma", "Huma on ServeMux", NewHuma, HumaErrors},
		{"fuego", "Fuego", NewFuego, FuegoErrors},
		{"ogen", "ogen (generated code)", NewOgen, OgenErrors},
		{"fastness", "Fastness, every default defence on", NewFastness, FastnessErrors},
	}
}

// A Decoder turns the body of POST /orders into a Go value and validates it,
// and does nothing else.
type Decoder struct {
	Name, Title string
	// New prepares what is compiled once. The function that it returns must
	// give an error for a body that is not a valid order.
	New func() (func(body []byte) error, error)
	// Floor marks a measure that does less than the work, and so may take an
	// invalid order.
	Floor bool
}

// Decoders lists who takes part in the table of decoders.
func Decoders() []Decoder {
	return []Decoder{
		{"v1-validator", "`encoding/json` v1 + go-playground/validator", decodeThenValidator, false},
		{"twice", "decode to `any`, validate the tree, decode again", decodeTwice, false},
		{decodeBaseline, "`encoding/json` v1 + hand-written checks", decodeThenCheck, false},
		{"v2-closures", "json v2 (`go-json-experiment/json`), strict + closures", decodeV2, false},
		{"sonic-closures", "sonic, strict + closures", decodeSonic, false},
		{"ogen", "ogen (jx, generated)", decodeOgen, false},
		{"fastness", "Fastness, one pass, strict", decodeFastness, false},
		{"floor-syntax", "floor: `jsontext` syntax check alone", floorSyntax, true},
		{"floor-copy", "floor: allocate the struct and copy the bytes", floorCopy, true},
	}
}

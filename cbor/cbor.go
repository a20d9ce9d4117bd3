// Package cbor lets callers of an app send and get CBOR (RFC 8949) instead of JSON:
//
//	app := fastness.New(fastness.Config{
//		Title: "Sensors", Version: "1.0.0",
//		Formats: []fastness.Format{cbor.New()},
//	})
//
// A request says so by Content-Type: application/cbor, and asks for CBOR by
// Accept: application/cbor. Nothing else changes: bodies are made JSON and go through
// the same plan, so the same rules hold, the same violations are reported, and what
// the document says of a body is true of both.
//
// What can be read in two ways is refused: a length that is not known in advance, a
// key that is no text, text that is not UTF-8, NaN and infinities, undefined and other
// simple values, bytes after the end. Of the tags there are
//
//	0     a date and time, as its text
//	2, 3  an integer of up to 1024 bits
//	4     a decimal fraction, with an exponent of up to 9999
//
// and no others. Members that come twice are found by the plan, as they are in JSON.
//
// Byte strings are not taken. A document describes binary data as base64 text, and so it
// is in CBOR, too: a type that is text here and bytes there would be two.
//
// Answers are in the core deterministic encoding (RFC 8949 section 4.2.1): equal values
// are equal bytes.
package cbor

import (
	"net/http"
	"strconv"

	"github.com/fxamacker/cbor/v2"

	"github.com/fastness/fastness/problem"
)

// MediaType is application/cbor (RFC 8949 section 9.4).
const MediaType = "application/cbor"

// MaxDepth is how deep arrays, maps and tags may be nested.
const MaxDepth = 64

// maxItems is how many items an array or a map may have. The size of the body bounds
// them all the same: none takes less than a byte.
const maxItems = 1 << 24

// Format reads and writes CBOR. It is safe for concurrent use.
type Format struct {
	read  cbor.DecMode
	write cbor.EncMode
}

// New returns the format.
func New() *Format {
	read, err := cbor.DecOptions{
		IndefLength: cbor.IndefLengthForbidden, MaxNestedLevels: MaxDepth,
		MaxArrayElements: maxItems, MaxMapPairs: maxItems,
	}.DecMode()
	if err != nil {
		panic(err) // The options are constants, and right.
	}
	write, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		panic(err)
	}
	return &Format{read, write}
}

// MediaType returns application/cbor.
func (f *Format) MediaType() string { return MediaType }

// ToJSON returns the JSON of data, which is at most eight times as long. What is
// wrong with it is a 400 that names the place in bytes, and nothing of the content.
func (f *Format) ToJSON(data []byte) ([]byte, error) {
	if err := f.read.Wellformed(data); err != nil { // The depth, the lengths and the end, before anything is made of it.
		return nil, problem.New(http.StatusBadRequest, "the body is not one well-formed CBOR item of a known length").Named("cbor_invalid").Wrap(err)
	}
	r := reader{data: data, json: make([]byte, 0, len(data)+len(data)/2)}
	if err := r.item(); err != nil {
		return nil, err
	}
	return r.json, nil
}

// refused is what is wrong at a place.
func refused(at int, why string) error {
	return problem.New(http.StatusBadRequest, "the CBOR has "+why+" at byte "+strconv.Itoa(at)).Named("cbor_invalid")
}

package main

import (
	"bytes"
	"testing"
)

// TestDocumentIsTheSameEachTime guards what is made from the document: a client
// that changes without a reason is a review without an end.
func TestDocumentIsTheSameEachTime(t *testing.T) {
	var first []byte
	for range 20 { // Go's maps are in another order each time.
		document, err := newApp().Document()
		if err != nil {
			t.Fatal(err)
		}
		text, err := document.JSON()
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = text
		}
		if !bytes.Equal(text, first) {
			t.Fatalf("the document differs from the one before:\n%s", text)
		}
	}
}

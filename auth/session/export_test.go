package session

import "net/http"

// For the fuzz tests: what the parsers make of a text.

func WellFormed(text string) bool { _, ok := digestOf(text); return ok }

func CleanLabel(text string) string { return cleanLabel(text) }

func (c *Cookies) Value(r *http.Request) (string, int) { return c.value(r) }

// Package report is what a scan leaves behind: one document, and the formats that people
// and machines read it in.
//
// The scan fills a [Report]. [Report.Publish] makes of it what may be shown: secrets of
// the scan are replaced by names such as $TOKEN_ALICE, bodies are cut, the order is fixed.
// [Write] writes it, as text for a terminal, JSON, SARIF 2.1.0, JUnit XML or one HTML file.
//
//	doc := result.Publish()
//	err := report.Write(os.Stdout, report.Terminal, doc, report.Options{})
//	…
//	os.Exit(doc.Exit(finding.High))
//
// What the target has said is hostile: an answer may hold the codes of a terminal, markup,
// or characters that turn the direction of writing. All formats show them as text.
//
// The score. A finding that counts (proven, and not suppressed) takes a part of what is
// left of 100: a critical one 50 %, a high one 30 %, a medium one 10 %, a low one 2 %. The
// grade is A from 90, B from 75, C from 55, D from 30, else F. A scan to which less than a quarter
// of the operations answered 2xx has no score. The score of a single finding is that of its CVSS 4.0
// vector.
package report

import (
	"net/http"
	"time"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/wire"
)

// Report is what a scan knows at its end.
type Report struct {
	// Version is that of the scanner.
	Version string
	// Target is the address that was scanned, Document the address or file of the OpenAPI
	// document or empty, Title and APIVersion what that calls the API.
	Target, Document, Title, APIVersion string
	Profile                             string
	Seed                                uint64
	Start                               time.Time
	Duration                            time.Duration
	// Requests is how many were sent.
	Requests int
	// Stopped is why the scan ended early, or empty.
	Stopped    string
	Users      []User
	Findings   []*finding.Finding
	Operations []Operation
	Checks     []Check
	Complaints []Complaint
	// Notes are for a person who judges the result.
	Notes []string
	// Secrets are never shown, but as names of shell variables. Nil knows none.
	Secrets *wire.Redactor
}

// User is somebody in whose name requests were sent.
type User struct {
	Name  string `json:"name"`
	Admin bool   `json:"admin,omitempty"`
	// Registered reports whether the scan made the user.
	Registered bool `json:"registered,omitempty"`
	// LogIn says how the user logs in, as "OAuth2 password".
	LogIn string `json:"logIn,omitempty"`
}

// Operation is what became of an operation.
type Operation struct {
	ID     string `json:"id"`
	Method string `json:"method"`
	// Path is the template.
	Path string `json:"path"`
	// Found tells how an operation that is not in the document was found.
	Found string `json:"found,omitempty"`
	// Line is where the document declares it, from 1, or 0.
	Line int `json:"line,omitempty"`
	// Answers are the best ones, by user: who reached 2xx, and what the others got.
	Answers []Answer `json:"answers"`
	// Checks are the ids of those that asked it something.
	Checks []string `json:"checks"`
	// Held is why it was not asked, or empty.
	Held string `json:"held,omitempty"`
}

// Answer is the best that a user got from an operation.
type Answer struct {
	User   string `json:"user"` // or "anonymous"
	Status int    `json:"status"`
}

// Check is what became of a check.
type Check struct {
	Kind finding.Kind
	// Skipped is why it did not run, Failed why it did not run to its end.
	Skipped, Failed string
}

// Complaint is what is wrong with the document.
type Complaint struct {
	Where string `json:"where"` // a JSON pointer
	What  string `json:"what"`
	Line  int    `json:"line,omitempty"`
}

// The words for what an operation answers, as [Word] gives them.
const (
	wordOK           = "OK"
	wordRedirected   = "REDIRECTED"
	wordUnauthorized = "UNAUTHORIZED"
	wordForbidden    = "FORBIDDEN"
	wordNotFound     = "NOT FOUND"
	wordLimited      = "RATE LIMITED"
	wordValidation   = "VALIDATION"
	wordServerError  = "SERVER ERROR"
	wordSkipped      = "SKIPPED"
	wordHeld         = "HELD BACK"
)

// Word says in a word what a status means for a scan. 0, no answer, is SKIPPED.
func Word(status int) string {
	switch {
	case status == 0:
		return wordSkipped
	case status < 300:
		return wordOK
	case status < 400:
		return wordRedirected
	case status == http.StatusUnauthorized:
		return wordUnauthorized
	case status == http.StatusForbidden:
		return wordForbidden
	case status == http.StatusNotFound, status == http.StatusGone:
		return wordNotFound
	case status == http.StatusTooManyRequests:
		return wordLimited
	case status < 500:
		return wordValidation
	}
	return wordServerError
}

// Word says in a word what became of the operation: the best that anybody got.
func (o *Operation) Word() string {
	if o.Held != "" && !o.Reached() {
		return wordHeld
	}
	best := 0
	for _, a := range o.Answers {
		if best == 0 || a.Status != 0 && rank(a.Status) < rank(best) {
			best = a.Status
		}
	}
	return Word(best)
}

// Reached reports whether anybody got an answer of success.
func (o *Operation) Reached() bool {
	for _, a := range o.Answers {
		if Word(a.Status) == wordOK {
			return true
		}
	}
	return false
}

// rank orders statuses by how far into the operation a request came.
func rank(status int) int {
	order := [...]string{wordOK, wordServerError, wordValidation, wordRedirected, wordNotFound, wordForbidden, wordUnauthorized, wordLimited, wordSkipped}
	for i, w := range order {
		if w == Word(status) {
			return i
		}
	}
	return len(order)
}

// Package conditional is the conditional requests of RFC 9110 section 13: who
// changes something says which version of it they have seen, and who reads
// something is told if it is still the one they have.
//
// Two people open the same order. One cancels it, the other saves an address: the
// second answer overwrites the first, and nobody is told (a lost update, CWE-362).
// With a version it is refused.
//
// # In an app
//
// An object says its version. That is all:
//
//	type Item struct { …; Revision int64 }
//
//	func (i Item) Version() string { return strconv.FormatInt(i.Revision, 10) }
//
// An operation that answers with an Item has the header ETag, and its GET answers
// 304 to If-None-Match. An operation for PUT, PATCH or DELETE whose provider loads
// an Item asks for If-Match: without it the answer is 428, and with another version
// 412. The object is compared when the provider has loaded it and the caller may
// have it, before the function runs: in the transaction of both, if the provider
// locks the row that it loads (SELECT … FOR UPDATE; SQLite has one writer anyway).
// The author of an operation cannot forget it, only give it up by
// [InsecureLastWriteWins].
//
// # On plain net/http
//
//	func put(w http.ResponseWriter, r *http.Request) {
//		if err := conditional.Demand(r); err != nil { … } // 428
//		item := load(r)
//		if err := conditional.Check(r, conditional.Of(item.Version())); err != nil { … } // 412
//
// and for GET
//
//	tag := conditional.Of(item.Version())
//	w.Header().Set("ETag", tag.String())
//	if conditional.NotModified(r, tag, time.Time{}) {
//		w.WriteHeader(http.StatusNotModified)
//		return
//	}
package conditional

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
	"time"

	"github.com/fastness/fastness/problem"
)

// Versioned is an object that changes its version whenever it changes. The version
// is not shown: callers get a hash of it.
type Versioned interface{ Version() string }

// Tag is an entity tag (RFC 9110 section 8.8.3). The zero Tag is none.
type Tag struct {
	opaque string // with its quotes, between which there may be nothing
	weak   bool
}

// Of returns the strong tag of a version, or none for "". The tag of an object
// that looks different to several callers has a variant: what makes the difference,
// such as the roles of the caller. To [Check] it is the same version.
func Of(version string, variant ...string) Tag {
	if version == "" {
		return Tag{}
	}
	opaque := hash(version, 16)
	if text := strings.Join(variant, "\x00"); text != "" {
		opaque += "." + hash(text, 6)
	}
	return Tag{opaque: `"` + opaque + `"`}
}

// OfContent returns the tag of an answer by its bytes. It is weak, so that the
// answer can still be compressed: it says what need not be sent again, and is no
// version to change.
func OfContent(content []byte) Tag { return Tag{`"` + hash(string(content), 16) + `"`, true} }

func hash(text string, n int) string {
	sum := sha256.Sum256([]byte(text))
	return base64.RawURLEncoding.EncodeToString(sum[:n])
}

// IsZero reports whether t is no tag.
func (t Tag) IsZero() bool { return t == Tag{} }

// String returns the tag as the header ETag has it, or "".
func (t Tag) String() string {
	if t.weak {
		return "W/" + t.opaque
	}
	return t.opaque
}

// version returns what two variants of an object have in common.
func (t Tag) version() string {
	version, _, _ := strings.Cut(strings.Trim(t.opaque, `"`), ".")
	return version
}

// Demand returns a *problem.Problem with status 428 if r does not say which version
// it is about (RFC 6585 section 3).
func Demand(r *http.Request) error {
	if len(r.Header["If-Match"]) > 0 {
		return nil
	}
	return problem.New(http.StatusPreconditionRequired, "say which version you have seen: send its ETag as If-Match").Named("precondition_required")
}

// Check returns nil if r may change an object whose tag is current, and a
// *problem.Problem if not: with status 412 if r is about another version, or about
// none because there must not be one (If-None-Match), and 400 if it cannot be read.
// A zero Tag is an object that is not there.
//
// If-Match: * says that any version is meant. A tag that is weak never matches (RFC
// 9110 section 13.1.1).
func Check(r *http.Request, current Tag) error {
	if values := r.Header["If-Match"]; len(values) > 0 {
		list, err := parseHeader("If-Match", values)
		if err != nil {
			return err
		}
		if !list.has(current, func(t Tag) bool { return !t.weak && !current.weak && t.version() == current.version() }) {
			return failed()
		}
	}
	if values := r.Header["If-None-Match"]; len(values) > 0 {
		list, err := parseHeader("If-None-Match", values)
		if err != nil {
			return err
		}
		if list.has(current, func(t Tag) bool { return t.version() == current.version() }) {
			return failed()
		}
	}
	return nil
}

func failed() error {
	return problem.New(http.StatusPreconditionFailed, "it is not the version that you have seen: get the new one first").Named("precondition_failed")
}

// NotModified reports whether who sends r, a GET or a HEAD, has the answer already:
// its tag, or without one the time when it was last modified, unless that is zero.
// A header that cannot be read says nothing: the answer is sent again.
func NotModified(r *http.Request, current Tag, modified time.Time) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	if values := r.Header["If-None-Match"]; len(values) > 0 { // If-Modified-Since is then not for us (section 13.1.3).
		list, err := parseHeader("If-None-Match", values)
		return err == nil && !current.IsZero() && list.has(current, func(t Tag) bool { return t.opaque == current.opaque })
	}
	since, err := http.ParseTime(r.Header.Get("If-Modified-Since"))
	return err == nil && !modified.IsZero() && !modified.Truncate(time.Second).After(since)
}

package ws

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"unicode/utf8"

	"github.com/fastness/fastness/problem"
)

// The codes by which connections are closed (RFC 6455 section 7.4.1, and the registry
// of IANA). What HTTP has a status for is 4000 and the status, in the range that is
// left to applications: 4401 is a log-in that has ended, 4403 a right that was taken
// away.
const (
	CodeNormal        = 1000 // the handler has returned
	CodeGoingAway     = 1001 // the server stops: come back
	CodeProtocol      = 1002 // what came is no WebSocket
	CodeUnsupported   = 1003 // binary where texts are taken, or the other way round
	CodeAbnormal      = 1006 // never sent: the connection broke
	CodeInvalidText   = 1007 // a text is not UTF-8
	CodePolicy        = 1008 // too many messages
	CodeTooBig        = 1009 // a message is larger than the limit
	CodeInternal      = 1011 // the handler has failed
	CodeTryAgainLater = 1013 // the peer reads too slowly, or nobody knows whether it may go on
	CodeIdle          = 4408 // there was no message for a long time
)

// Closed is the error of a connection that has ended.
type Closed struct {
	// Code is 1000 to 4999: one of the constants, or the application's own.
	Code int
	// Reason is for people, at most 123 bytes.
	Reason string
	// ByPeer says that the other side has closed it, or went away.
	ByPeer bool

	cause error
}

// Error says by which code and why.
func (c *Closed) Error() string {
	who := "connection closed"
	if c.ByPeer {
		who = "connection closed by the peer"
	}
	text := who + ": " + strconv.Itoa(c.Code)
	if c.Reason != "" {
		text += fmt.Sprintf(" %q", c.Reason)
	}
	return text
}

// Unwrap returns what went wrong, or nil.
func (c *Closed) Unwrap() error { return c.cause }

// maxReason is how long a reason may be: what is left of a control frame (RFC 6455
// section 5.5).
const maxReason = 123

// newClosed makes a Closed that can be sent.
func newClosed(code int, reason string) *Closed {
	if len(reason) > maxReason {
		reason = reason[:maxReason]
		for !utf8.ValidString(reason) {
			reason = reason[:len(reason)-1]
		}
	}
	return &Closed{Code: code, Reason: reason}
}

// closedBy says how a connection ends whose handler has returned err, or whose context
// was cancelled by err.
func closedBy(err error) *Closed {
	if err == nil {
		return newClosed(CodeNormal, "")
	}
	if c, ok := errors.AsType[*Closed](err); ok {
		return c
	}
	p, ok := errors.AsType[*problem.Problem](err)
	if !ok || p.Status < 400 || p.Status > 599 {
		c := newClosed(CodeInternal, "internal error")
		c.cause = err
		return c
	}
	var c *Closed
	switch {
	case p.Status == http.StatusServiceUnavailable:
		c = newClosed(CodeTryAgainLater, "try again later")
	case p.Status >= http.StatusInternalServerError:
		c = newClosed(CodeInternal, "internal error")
	case p.Detail == "":
		c = newClosed(4000+p.Status, http.StatusText(p.Status))
	default:
		c = newClosed(4000+p.Status, p.Detail)
	}
	c.cause = err
	return c
}

// mayBeSent reports whether a peer may send code in a close frame.
func mayBeSent(code int) bool {
	switch {
	case code >= 1000 && code <= 1014:
		return code != 1004 && code != 1005 && code != CodeAbnormal
	default:
		return code >= 3000 && code <= 4999
	}
}

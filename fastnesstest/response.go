package fastnesstest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/schema"
)

// Response is the answer to one request.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
	// Aborted reports that the answer was begun and then cut: over a network the
	// caller would have seen the connection end.
	Aborted bool

	t       testing.TB
	types   *schema.Types
	request string
}

// Want reports another status.
func (r *Response) Want(status int) *Response {
	r.t.Helper()
	if r.Status != status {
		r.t.Errorf("%s: status %d, want %d; body %s", r.request, r.Status, status, r.shown())
	}
	return r
}

// WantHeader reports another value of a header field; "" means that there is
// none. Several values are joined by ", ".
func (r *Response) WantHeader(name, value string) *Response {
	r.t.Helper()
	if got := strings.Join(r.Header.Values(name), ", "); got != value {
		r.t.Errorf("%s: header %s is %q, want %q", r.request, name, got, value)
	}
	return r
}

// WantJSON reports a body that is not the same JSON value as text: the order of
// members and the white space do not count.
func (r *Response) WantJSON(text string) *Response {
	r.t.Helper()
	var got, want any
	if err := json.Unmarshal([]byte(text), &want); err != nil {
		r.t.Errorf("%s: the wanted text is not JSON: %v", r.request, err)
	}
	if err := json.Unmarshal(r.Body, &got); err != nil || !reflect.DeepEqual(got, want) {
		r.t.Errorf("%s: status %d, body %s, want %s", r.request, r.Status, r.shown(), text)
	}
	return r
}

// WantProblem reports an answer that is not a problem document (RFC 9457) of
// this status and code. An empty code is not compared.
func (r *Response) WantProblem(status int, code string) *Response {
	r.t.Helper()
	r.Want(status)
	p, err := r.problem()
	switch {
	case err != nil:
		r.t.Errorf("%s: %v", r.request, err)
	case p.Status != status:
		r.t.Errorf("%s: the problem says status %d, want %d", r.request, p.Status, status)
	case code != "" && p.Code != code:
		r.t.Errorf("%s: code %q, want %q; body %s", r.request, p.Code, code, r.shown())
	}
	return r
}

// WantViolation reports an answer that does not list this violation: where it
// is ("body", "query", "path", "header", "cookie" or "form"), the JSON Pointer
// to it, and the broken rule. Others may be listed, too.
func (r *Response) WantViolation(in, pointer, code string) *Response {
	r.t.Helper()
	p, err := r.problem()
	if err != nil {
		r.t.Errorf("%s: %v, want a violation", r.request, err)
		return r
	}
	if !slices.ContainsFunc(p.Errors, func(v Violation) bool { return v.In == in && v.Pointer == pointer && v.Code == code }) {
		r.t.Errorf("%s: violations %v, want %s", r.request, p.Errors, Violation{In: in, Pointer: pointer, Code: code})
	}
	return r
}

// JSON decodes the body into value, a pointer, by the rules of package schema:
// an answer that breaks its own declared rules ends the test, and so does a
// write-only member. Members that the type does not know are passed over.
func (r *Response) JSON(value any) {
	r.t.Helper()
	v := reflect.ValueOf(value)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		r.t.Fatalf("%s: JSON wants a pointer, not a %T", r.request, value)
	}
	plan, err := r.types.Plan(v.Type().Elem(), "")
	if err != nil {
		r.t.Fatalf("%s: %v", r.request, err)
	}
	report := schema.Report{Context: context.Background(), In: "body"}
	fresh := reflect.New(v.Type().Elem()).Elem()
	plan.Decode(&report, r.Body, fresh)
	if err := report.Err(); err != nil {
		r.t.Fatalf("%s: status %d, the body is not a %s: %v; body %s", r.request, r.Status, v.Type().Elem(), explain(err), r.shown())
	}
	v.Elem().Set(fresh)
}

func explain(err error) string {
	p := problem.From(err)
	if len(p.Errors) == 0 {
		return err.Error()
	}
	lines := make([]string, len(p.Errors))
	for i := range p.Errors {
		lines[i] = p.Errors[i].Pointer() + " " + p.Errors[i].Detail
	}
	return strings.Join(lines, "; ")
}

// Cookie returns the cookie of this name that the answer sets, or nil.
func (r *Response) Cookie(name string) *http.Cookie {
	answer := http.Response{Header: r.Header}
	for _, c := range answer.Cookies() {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// Problem is a problem document as the caller sees it.
type Problem struct {
	Type     string      `json:"type"`
	Title    string      `json:"title"`
	Status   int         `json:"status"`
	Detail   string      `json:"detail"`
	Code     string      `json:"code"`
	Instance string      `json:"instance"`
	Errors   []Violation `json:"errors"`
	Omitted  int         `json:"omitted"`
}

// Violation is one way in which a request was not as declared.
type Violation struct {
	In      string         `json:"in"`
	Pointer string         `json:"pointer"`
	Code    string         `json:"code"`
	Detail  string         `json:"detail"`
	Limits  map[string]any `json:"limits"`
}

// String returns the violation in one line.
func (v Violation) String() string { return v.In + " " + v.Pointer + " " + v.Code }

// Problem returns the problem document of the answer. Another answer ends the
// test.
func (r *Response) Problem() Problem {
	r.t.Helper()
	p, err := r.problem()
	if err != nil {
		r.t.Fatalf("%s: %v", r.request, err)
	}
	return p
}

func (r *Response) problem() (p Problem, err error) {
	if got := r.Header.Get("Content-Type"); got != problem.MediaType {
		return p, fmt.Errorf("status %d of type %q, want %s; body %s", r.Status, got, problem.MediaType, r.shown())
	}
	if len(r.Body) == 0 && strings.HasPrefix(r.request, "HEAD ") {
		return Problem{Status: r.Status}, nil
	}
	if err := json.Unmarshal(r.Body, &p); err != nil {
		return p, fmt.Errorf("the problem document is not JSON: %v; body %s", err, r.shown())
	}
	return p, nil
}

// shown returns what fits into a message of the body.
func (r *Response) shown() string {
	const most = 2 << 10
	switch {
	case len(r.Body) == 0:
		return "(empty)"
	case len(r.Body) > most:
		return fmt.Sprintf("%q… (%d bytes)", r.Body[:most], len(r.Body))
	case json.Valid(r.Body):
		return string(r.Body)
	}
	return fmt.Sprintf("%q", r.Body)
}

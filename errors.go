package fastness

import (
	"encoding/json"
	"net/http"
	"slices"

	"github.com/fastness/fastness/openapi"
	"github.com/fastness/fastness/problem"
)

// ErrorEncoder renders problems as answers. An app has one; two apps in one
// process may have different ones.
type ErrorEncoder interface {
	// Encode appends the body of the answer to buf and returns it with the
	// status and the content type. It must not keep buf or the problem.
	Encode(buf []byte, p *problem.Problem) (body []byte, status int, contentType string)
	// Describe returns the content type and the schema of all its answers. What
	// is in the schema's Defs becomes a component of the document; a reference
	// to it reads "#/components/schemas/" and its name.
	Describe() (contentType string, schema *openapi.Schema)
}

// ErrorFormat is an error encoder that comes with Fastness.
type ErrorFormat int

const (
	// ProblemDocuments are the problem documents of RFC 9457.
	ProblemDocuments ErrorFormat = iota
	// FastAPIErrors are the answers of FastAPI: {"detail": …}, where detail is
	// a text, or for a request that is not as declared a list of its violations
	// with type, loc, msg and ctx. What the caller sent ("input") is left out. A
	// body that is not JSON is a 422 there.
	FastAPIErrors
)

// Encode renders p.
func (f ErrorFormat) Encode(buf []byte, p *problem.Problem) (body []byte, status int, contentType string) {
	if f == FastAPIErrors {
		return fastAPIError(buf, p)
	}
	return p.AppendJSON(buf), p.Status, problem.MediaType
}

// Describe returns the schema of the format.
func (f ErrorFormat) Describe() (contentType string, schema *openapi.Schema) {
	if f == FastAPIErrors {
		return "application/json", fastAPISchema()
	}
	return problem.MediaType, problemSchema()
}

// fastAPIError renders p as FastAPI would.
func fastAPIError(buf []byte, p *problem.Problem) (body []byte, status int, contentType string) {
	body = append(buf, `{"detail":`...)
	status = p.Status
	switch {
	case len(p.Errors) > 0:
		status = http.StatusUnprocessableEntity
		body = append(body, '[')
		for i := range p.Errors {
			if i > 0 {
				body = append(body, ',')
			}
			body = appendFastAPI(body, &p.Errors[i])
		}
		body = append(body, ']')
	case len(p.Extensions) > 0 && p.Extensions["detail"] != nil:
		text, err := json.Marshal(p.Extensions["detail"])
		if err != nil {
			text = []byte("null")
		}
		body = append(body, text...)
	case p.Detail == "" || p.Status == http.StatusUnsupportedMediaType:
		body = problem.AppendString(body, statusText(p.Status))
	default:
		body = problem.AppendString(body, p.Detail)
	}
	return append(body, '}'), status, "application/json"
}

func statusText(status int) string {
	if text := http.StatusText(status); text != "" {
		return text
	}
	return "Error"
}

// appendFastAPI appends one violation in FastAPI's shape.
func appendFastAPI(buf []byte, v *problem.Violation) []byte {
	buf = problem.AppendString(append(buf, `{"type":`...), v.Code)
	in := v.In
	if in == "form" {
		in = "body" // FastAPI calls every body so.
	}
	buf = problem.AppendString(append(buf, `,"loc":[`...), in)
	limits := v.Limits
	for _, s := range v.Path {
		buf = append(buf, ',')
		buf = appendSegment(buf, s)
	}
	if i := slices.IndexFunc(limits, func(l problem.Limit) bool { return l.Name == "offset" }); v.Code == "json_invalid" && i >= 0 {
		offset, _ := limits[i].Value.(int)
		buf = appendSegment(append(buf, ','), problem.Index(offset))
		limits = slices.Delete(slices.Clone(limits), i, i+1)
	}
	buf = problem.AppendString(append(buf, `],"msg":`...), v.Detail)
	if len(limits) > 0 {
		buf = problem.AppendLimits(append(buf, `,"ctx":`...), limits)
	}
	return append(buf, '}')
}

func appendSegment(buf []byte, s problem.Segment) []byte {
	if s.IsIndex {
		text, _ := json.Marshal(s.Index) // An int always encodes.
		return append(buf, text...)
	}
	return problem.AppendString(buf, s.Name)
}

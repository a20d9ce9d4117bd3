package fastness

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/fastness/fastness/openapi"
	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/schema"
)

const (
	componentsRef = "#/components/schemas/"
	problemRef    = componentsRef + "Problem"
)

// problems adds the schema of errors and one response for each refusal.
func (d *documenter) problems() {
	_, s := d.app.cfg.Errors.Describe()
	whole := *s // Describe may return the same schema each time.
	whole.Defs = openapi.Map[*openapi.Schema]{}
	d.doc.Components.Schemas.Set("Problem", &whole)
	for name, part := range s.Defs.All() {
		d.doc.Components.Schemas.Set(name, part)
	}
}

// refusal returns a reference to the shared response of a status.
func (d *documenter) refusal(status int) *openapi.Response {
	name := strings.ReplaceAll(http.StatusText(status), " ", "")
	if _, known := d.doc.Components.Responses.Get(name); !known {
		contentType, _ := d.app.cfg.Errors.Describe()
		r := &openapi.Response{Description: describeRefusal(status)}
		media := &openapi.MediaType{Schema: &openapi.Schema{Ref: problemRef}}
		if status == http.StatusUnprocessableEntity {
			media.Example, _, _ = d.app.cfg.Errors.Encode(nil, exampleViolation())
		}
		d.app.bodies(&r.Content, []string{contentType}, media)
		if status == http.StatusUnauthorized {
			r.Headers.Set("WWW-Authenticate", &openapi.Header{
				Description: "How to prove who is calling (RFC 9110 section 11.6.1).", Schema: text("", maxChallenge),
			})
		}
		if status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests {
			r.Headers.Set("Retry-After", &openapi.Header{
				Description: "Seconds to wait before the next try.",
				Schema:      &openapi.Schema{Type: openapi.Types{"integer"}, Format: "int32", Minimum: "0", Maximum: "31622400"},
			})
		}
		d.doc.Components.Responses.Set(name, r)
	}
	return &openapi.Response{Ref: "#/components/responses/" + name}
}

func describeRefusal(status int) string {
	switch status {
	case http.StatusBadRequest:
		return "The request cannot be read."
	case http.StatusUnauthorized:
		return "Nobody knows who is calling: the credential is missing or not good."
	case http.StatusForbidden:
		return "The caller may not do this, or a page of another site has sent it."
	case http.StatusNotAcceptable:
		return "The answer is in none of the media types that the request accepts."
	case http.StatusRequestTimeout:
		return "The body took too long to arrive."
	case http.StatusRequestHeaderFieldsTooLarge:
		return "The cookies are too large or too many."
	case http.StatusInsufficientStorage:
		return "There is no room for the upload."
	case http.StatusRequestEntityTooLarge:
		return "The body is larger than this operation takes."
	case http.StatusUnsupportedMediaType:
		return "The body is of a media type that this operation does not take."
	case http.StatusUnprocessableEntity:
		return "The request is not as declared; every violation is listed."
	case http.StatusTooManyRequests:
		return "The caller asks too often; RateLimit and RateLimit-Policy say what is left of which limit."
	case http.StatusMisdirectedRequest:
		return "The host is not one that this server serves."
	case http.StatusInternalServerError:
		return "Something went wrong; the request id leads to the cause in the log."
	case http.StatusServiceUnavailable:
		return "Too much to do, or it took too long; try again later."
	case http.StatusRequestedRangeNotSatisfiable:
		return "The ranges are not in the content, are too many or overlap."
	default:
		return strconv.Itoa(status) + " " + http.StatusText(status) + "."
	}
}

// exampleViolation is what the document shows of a 422: the answer's most
// useful part is the one that a schema explains worst.
func exampleViolation() *problem.Problem {
	p := problem.New(http.StatusUnprocessableEntity, "the request is not as declared").Named("validation")
	p.Errors = []problem.Violation{{
		In: "body", Path: []problem.Segment{problem.Name("name")}, Code: "string_too_short",
		Detail: "String should have at least 1 character", Limits: []problem.Limit{{Name: "min_length", Value: 1}},
	}}
	return p
}

func text(description string, maxLength int) *openapi.Schema {
	return &openapi.Schema{Type: openapi.Types{"string"}, Description: description, MaxLength: &maxLength}
}

// problemSchema describes an RFC 9457 problem document.
func problemSchema() *openapi.Schema {
	s := &openapi.Schema{
		Type: openapi.Types{"object"}, Description: "A problem document (RFC 9457).",
		Required: []string{"title", "status"}, AdditionalProperties: &openapi.Schema{},
	}
	s.Defs.Set("ProblemViolation", violationSchema())
	kind := text("A URI that names the kind of problem; about:blank if absent.", 2048)
	kind.Format = "uri-reference"
	s.Properties.Set("type", kind)
	s.Properties.Set("title", text("The kind of problem in a few words.", 256))
	s.Properties.Set("status", &openapi.Schema{
		Type: openapi.Types{"integer"}, Format: "int32", Description: "The HTTP status code.", Minimum: "400", Maximum: "599",
	})
	s.Properties.Set("detail", text("This occurrence, for people.", 4096))
	s.Properties.Set("code", text("The kind of problem, for programs.", 64))
	instance := text("This occurrence: the request id as a URN.", 256)
	instance.Format = "uri-reference"
	s.Properties.Set("instance", instance)
	s.Properties.Set("errors", &openapi.Schema{
		Type: openapi.Types{"array"}, Description: "What is not as declared.",
		Items: &openapi.Schema{Ref: componentsRef + "ProblemViolation"}, MaxItems: new(schema.DefaultMaxViolations),
	})
	s.Properties.Set("omitted", &openapi.Schema{
		Type: openapi.Types{"integer"}, Format: "int32", Description: "How many more violations there are.", Minimum: "1", Maximum: "2147483647",
	})
	return s
}

// violationSchema describes one violation in a problem document.
func violationSchema() *openapi.Schema {
	s := &openapi.Schema{
		Type: openapi.Types{"object"}, Description: "One way in which a request is not as declared.",
		Required: []string{"in", "pointer", "code", "detail"}, AdditionalProperties: openapi.Never(),
	}
	in := text("The part of the request.", 6)
	in.Enum = []any{"path", "query", "header", "cookie", "form", "body"}
	s.Properties.Set("in", in)
	pointer := text("Where in that part, as a JSON Pointer (RFC 6901).", 8192)
	pointer.Format = "json-pointer"
	s.Properties.Set("pointer", pointer)
	s.Properties.Set("code", text("The broken rule, for programs.", 64))
	s.Properties.Set("detail", text("The broken rule, for people.", 2048))
	s.Properties.Set("limits", &openapi.Schema{
		Type: openapi.Types{"object"}, Description: "The parameters of the rule.", AdditionalProperties: &openapi.Schema{},
	})
	return s
}

// fastAPISchema describes the errors of FastAPI.
func fastAPISchema() *openapi.Schema {
	index := &openapi.Schema{Type: openapi.Types{"integer"}, Format: "int64", Minimum: "0", Maximum: "9223372036854775807"}
	loc := &openapi.Schema{
		Type: openapi.Types{"array"}, Description: "Where: the part of the request, then names and indexes.",
		Items: &openapi.Schema{AnyOf: []*openapi.Schema{text("", 8192), index}}, MaxItems: new(128),
	}
	violation := &openapi.Schema{
		Type: openapi.Types{"object"}, Description: "One way in which a request is not as declared.",
		Required: []string{"loc", "msg", "type"}, AdditionalProperties: openapi.Never(),
	}
	violation.Properties.Set("type", text("The broken rule, for programs.", 64))
	violation.Properties.Set("loc", loc)
	violation.Properties.Set("msg", text("The broken rule, for people.", 2048))
	violation.Properties.Set("ctx", &openapi.Schema{Type: openapi.Types{"object"}, AdditionalProperties: &openapi.Schema{}})
	violations := &openapi.Schema{
		Type: openapi.Types{"array"}, Items: &openapi.Schema{Ref: componentsRef + "ProblemViolation"},
		MaxItems: new(schema.DefaultMaxViolations),
	}
	s := &openapi.Schema{
		Type: openapi.Types{"object"}, Description: "An error, in the shape of FastAPI.",
		Required: []string{"detail"}, AdditionalProperties: openapi.Never(),
	}
	s.Defs.Set("ProblemViolation", violation)
	s.Properties.Set("detail", &openapi.Schema{
		Description: "What went wrong: a text, or a list of violations.",
		AnyOf:       []*openapi.Schema{text("", 4096), violations, {}},
	})
	return s
}

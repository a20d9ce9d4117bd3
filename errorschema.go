package fastness

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/fastness/fastness/openapi"
)

const problemRef = "#/components/schemas/Problem"

// problems adds the schema of errors and one response for each refusal.
func (d *documenter) problems() {
	_, s := d.app.cfg.Errors.Describe()
	d.doc.Components.Schemas.Set("Problem", s)
}

// refusal returns a reference to the shared response of a status.
func (d *documenter) refusal(status int) *openapi.Response {
	name := strings.ReplaceAll(http.StatusText(status), " ", "")
	if _, known := d.doc.Components.Responses.Get(name); !known {
		contentType, _ := d.app.cfg.Errors.Describe()
		r := &openapi.Response{Description: describeRefusal(status)}
		r.Content.Set(contentType, &openapi.MediaType{Schema: &openapi.Schema{Ref: problemRef}})
		if status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests {
			r.Headers.Set("Retry-After", &openapi.Header{
				Description: "Seconds to wait before the next try.",
				Schema:      &openapi.Schema{Type: openapi.Types{"integer"}, Format: "int32", Minimum: "0", Maximum: "86400"},
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
	case http.StatusRequestEntityTooLarge:
		return "The body is larger than this operation takes."
	case http.StatusUnsupportedMediaType:
		return "The body is of a media type that this operation does not take."
	case http.StatusUnprocessableEntity:
		return "The request is not as declared; every violation is listed."
	case http.StatusMisdirectedRequest:
		return "The host is not one that this server serves."
	case http.StatusInternalServerError:
		return "Something went wrong; the request id leads to the cause in the log."
	case http.StatusServiceUnavailable:
		return "Too much to do, or it took too long; try again later."
	default:
		return strconv.Itoa(status) + " " + http.StatusText(status) + "."
	}
}

func text(description string, maxLength int) *openapi.Schema {
	return &openapi.Schema{Type: openapi.Types{"string"}, Description: description, MaxLength: &maxLength}
}

// problemSchema describes an RFC 9457 problem document.
func problemSchema() *openapi.Schema {
	violation := &openapi.Schema{Type: openapi.Types{"object"}, Required: []string{"in", "pointer", "code", "detail"}}
	in := text("The part of the request.", 6)
	in.Enum = []any{"path", "query", "header", "cookie", "form", "body"}
	violation.Properties.Set("in", in)
	violation.Properties.Set("pointer", text("Where in that part, as a JSON Pointer (RFC 6901).", 8192))
	violation.Properties.Set("code", text("The broken rule, for programs.", 64))
	violation.Properties.Set("detail", text("The broken rule, for people.", 2048))
	violation.Properties.Set("limits", &openapi.Schema{
		Type: openapi.Types{"object"}, Description: "The parameters of the rule.", AdditionalProperties: &openapi.Schema{},
	})
	s := &openapi.Schema{
		Type: openapi.Types{"object"}, Description: "A problem document (RFC 9457).",
		Required: []string{"title", "status"}, AdditionalProperties: &openapi.Schema{},
	}
	kind := text("A URI that names the kind of problem; about:blank if absent.", 2048)
	kind.Format = "uri-reference"
	s.Properties.Set("type", kind)
	s.Properties.Set("title", text("The kind of problem in a few words.", 256))
	s.Properties.Set("status", &openapi.Schema{
		Type: openapi.Types{"integer"}, Format: "int32", Description: "The HTTP status code.", Minimum: "400", Maximum: "599",
	})
	s.Properties.Set("detail", text("This occurrence, for people.", 4096))
	s.Properties.Set("code", text("The kind of problem, for programs.", 64))
	s.Properties.Set("instance", text("This occurrence: the request id as a URN.", 256))
	most := 20
	s.Properties.Set("errors", &openapi.Schema{
		Type: openapi.Types{"array"}, Description: "What is not as declared.", Items: violation, MaxItems: &most,
	})
	s.Properties.Set("omitted", &openapi.Schema{
		Type: openapi.Types{"integer"}, Format: "int32", Description: "How many more violations there are.", Minimum: "1", Maximum: "2147483647",
	})
	return s
}

// fastAPISchema describes the errors of FastAPI.
func fastAPISchema() *openapi.Schema {
	loc := &openapi.Schema{Type: openapi.Types{"array"}, Items: &openapi.Schema{
		AnyOf: []*openapi.Schema{{Type: openapi.Types{"string"}}, {Type: openapi.Types{"integer"}}},
	}}
	violation := &openapi.Schema{Type: openapi.Types{"object"}, Required: []string{"loc", "msg", "type"}}
	violation.Properties.Set("type", text("The broken rule, for programs.", 64))
	violation.Properties.Set("loc", loc)
	violation.Properties.Set("msg", text("The broken rule, for people.", 2048))
	violation.Properties.Set("ctx", &openapi.Schema{Type: openapi.Types{"object"}, AdditionalProperties: &openapi.Schema{}})
	s := &openapi.Schema{Type: openapi.Types{"object"}, Required: []string{"detail"}}
	s.Properties.Set("detail", &openapi.Schema{
		Description: "What went wrong: a text, or a list of violations.",
		AnyOf:       []*openapi.Schema{text("", 4096), {Type: openapi.Types{"array"}, Items: violation}, {}},
	})
	return s
}

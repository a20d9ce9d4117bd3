package fastness

import (
	"encoding/json"

	"github.com/fastness/fastness/internal/eventstream"
	"github.com/fastness/fastness/openapi"
	"github.com/fastness/fastness/schema"
)

// streamed describes an answer that is sent while it is made. OpenAPI 3.1 has no word
// for the items of a stream: the whole is a text, and the extension x-itemSchema says of
// each item what itemSchema does in OpenAPI 3.2.
func (d *documenter) streamed(out *openapi.Response, op *operationPlan) *openapi.Response {
	outline := op.outline
	if outline.stream == bytesOnly {
		out.Content.Set(outline.content, &openapi.MediaType{})
		return out
	}
	item := d.schemas.Describe(op.output, schema.Output)
	if outline.content == eventstream.MediaType {
		event := &openapi.Schema{Type: openapi.Types{"object"}, Required: []string{"data"}}
		event.Properties.Set("id", text("What Last-Event-ID says when the client comes back.", eventstream.MaxID))
		event.Properties.Set("event", text("The type, such as \"error\" for a problem document that ends the stream.", eventstream.MaxID))
		event.Properties.Set("retry", &openapi.Schema{Type: openapi.Types{"integer"}, Format: "int64", Minimum: json.Number("0"), Maximum: json.Number("86400000")})
		event.Properties.Set("data", &openapi.Schema{Type: openapi.Types{"string"}, ContentMediaType: "application/json", ContentSchema: item})
		item = event
	}
	out.Content.Set(outline.content, &openapi.MediaType{Schema: &openapi.Schema{
		Type: openapi.Types{"string"}, Extensions: map[string]any{"x-itemSchema": item},
	}})
	return out
}

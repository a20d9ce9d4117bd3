package fastness

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/fastness/fastness/openapi"
	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/redirect"
	"github.com/fastness/fastness/schema"
)

// Document returns the OpenAPI document of the app. It is made once, when the
// declarations are compiled, and must not be changed.
func (a *App) Document() (*openapi.Document, error) {
	if err := a.compile(); err != nil {
		return nil, err
	}
	return a.document, nil
}

// documenter makes the document.
type documenter struct {
	app      *App
	doc      *openapi.Document
	schemas  *schema.Describer
	comments comments
	errs     []error
}

func (a *App) makeDocument() error {
	info := openapi.Info{
		Title: a.cfg.Title, Version: a.cfg.Version, Description: a.cfg.Description,
		TermsOfService: a.cfg.Terms, Contact: a.cfg.Contact, License: a.cfg.License,
	}
	d := &documenter{
		app: a, schemas: schema.NewDescriber(),
		doc: &openapi.Document{Info: info, Servers: a.cfg.Servers, Tags: a.cfg.Tags},
	}
	var err error
	if d.comments, err = readComments(a.cfg.Source); err != nil {
		d.errs = append(d.errs, fmt.Errorf("source: %w", err))
	}
	d.problems()
	d.securitySchemes()
	for _, op := range a.operations {
		if !op.spec.Hidden {
			d.operation(op)
		}
	}
	d.webhooks()
	for name, s := range d.schemas.Components().All() {
		if _, taken := d.doc.Components.Schemas.Get(name); taken {
			d.errs = append(d.errs, fmt.Errorf("document: the name %s is taken by the schema of errors", name))
		}
		d.doc.Components.Schemas.Set(name, s)
	}
	d.tags()
	if len(d.doc.Servers) == 0 { // What readers assume without it (OpenAPI 3.1, 4.8.1), said to those who do not.
		d.doc.Servers = []openapi.Server{{URL: cmp.Or(a.base, "/")}}
	}
	if a.cfg.EditDocument != nil {
		a.cfg.EditDocument(d.doc)
	}
	if len(d.errs) == 0 {
		d.errs = append(d.errs, d.doc.Validate())
	}
	a.document, a.rendered = d.doc, newRendered(d.doc)
	return errors.Join(d.errs...)
}

// tags lists the tags that operations use and nobody described.
func (d *documenter) tags() {
	known := make(map[string]bool)
	for _, t := range d.doc.Tags {
		known[t.Name] = true
	}
	for _, op := range d.app.operations {
		for _, name := range op.spec.Tags {
			if !known[name] && !op.spec.Hidden {
				known[name] = true
				d.doc.Tags = append(d.doc.Tags, openapi.Tag{Name: name})
			}
		}
	}
}

// operation adds one operation to its path.
func (d *documenter) operation(op *operationPlan) {
	path := strings.ReplaceAll(op.path, "...}", "}")
	item, ok := d.doc.Paths.Get(path)
	if !ok {
		item = &openapi.PathItem{}
		d.doc.Paths.Set(path, item)
	}
	summary, description := d.comments.of(op.function)
	o := &openapi.Operation{
		OperationID: op.id, Tags: op.spec.Tags, Deprecated: op.spec.Deprecated,
		Summary:     first(op.spec.Summary, summary, humanize(op.id)),
		Description: first(op.spec.Description, description),
		Extensions:  map[string]any{"x-access": op.access()},
		Security:    d.security(op),
	}
	for name, value := range op.spec.Extensions {
		o.Extensions[name] = value
	}
	if limits := op.limitText(); limits != "" {
		o.Extensions["x-rate-limit"] = limits
	}
	d.parameters(o, op)
	d.conditions(o, op)
	d.key(o, op)
	retirement(o, op.spec.Retirement)
	d.callbacks(o, op)
	d.requestBody(o, op)
	d.responses(o, op)
	d.webSocket(o, op)
	if !item.SetOperation(op.method, o) {
		d.errs = append(d.errs, fmt.Errorf("%s: the document has no place for this method: hide the operation", op.where()))
	}
}

func first(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// parameters lists what the operation and its providers read, each once.
func (d *documenter) parameters(o *openapi.Operation, op *operationPlan) {
	seen := make(map[string]bool)
	for _, plan := range op.input.withProviders() {
		for i := range plan.params {
			p := &plan.params[i]
			key := p.in + " " + p.name
			if seen[key] {
				continue
			}
			seen[key] = true
			o.Parameters = append(o.Parameters, d.parameter(p))
		}
	}
	slices.SortStableFunc(o.Parameters, func(a, b *openapi.Parameter) int { return cmp.Compare(placeOf(a), placeOf(b)) })
}

// placeOf says how early a parameter is listed: in the order of a request.
func placeOf(p *openapi.Parameter) int {
	return slices.Index([]string{"path", "query", "header", "cookie"}, p.In)
}

func (d *documenter) parameter(p *param) *openapi.Parameter {
	s := withoutNull(d.schemas.Describe(p.plan, schema.Input))
	if text, ok := p.field.Tag.Lookup("default"); ok {
		s.Default = literal(s, text, p.list)
	}
	out := &openapi.Parameter{
		Name: p.name, In: p.in, Required: p.required || p.in == "path", Schema: s,
		Description: p.field.Tag.Get("doc"), Deprecated: p.field.Tag.Get("deprecated") == "true",
	}
	if text, ok := p.field.Tag.Lookup("example"); ok {
		out.Example = literal(s, text, p.list)
	}
	return out
}

// withoutNull returns what is left of a nullable schema where values are sent as
// text, in which null has no spelling: it may be absent, and that is all.
func withoutNull(s *openapi.Schema) *openapi.Schema {
	isNull := func(name string) bool { return name == "null" }
	if len(s.Type) > 1 {
		s.Type = slices.DeleteFunc(s.Type, isNull)
	}
	if len(s.AnyOf) == 2 && len(s.AnyOf[1].Type) == 1 && isNull(s.AnyOf[1].Type[0]) {
		return s.AnyOf[0]
	}
	return s
}

// literal returns the text of a tag as JSON of the schema's type.
func literal(s *openapi.Schema, text string, list bool) json.RawMessage {
	if list && text == "" {
		return json.RawMessage("[]") // As paramDefault reads it.
	}
	if list {
		var items []json.RawMessage
		for item := range strings.SplitSeq(text, ",") {
			items = append(items, literal(s.Items, item, false))
		}
		data, err := json.Marshal(items)
		if err == nil {
			return data
		}
	}
	if len(s.Type) > 0 && s.Type[0] != "string" && json.Valid([]byte(text)) {
		return json.RawMessage(text)
	}
	return problem.AppendString(nil, text)
}

// requestBody describes the body that the operation reads.
func (d *documenter) requestBody(o *openapi.Operation, op *operationPlan) {
	b := &op.input.body
	switch b.kind {
	case noBody:
	case formBody:
		o.RequestBody = d.formBody(b)
	case streamBody:
		o.RequestBody = b.describe()
	default:
		media := &openapi.MediaType{Schema: d.schemas.Describe(b.plan, schema.Input)}
		for _, e := range op.spec.Examples {
			d.example(media, b.plan, e.Name, e.Value)
		}
		o.RequestBody = &openapi.RequestBody{Required: !b.optional}
		d.app.bodies(&o.RequestBody.Content, b.mediaTypes(), media)
	}
}

func (d *documenter) example(media *openapi.MediaType, plan *schema.Plan, name string, value any) {
	data, err := json.Marshal(value)
	if reflect.TypeOf(value) == plan.Type() {
		v := reflect.New(plan.Type()).Elem()
		v.Set(reflect.ValueOf(value))
		if plan, err = d.app.examples().Plan(plan.Type(), ""); err == nil {
			data, err = plan.Append(nil, v)
		}
	}
	if err != nil {
		d.errs = append(d.errs, fmt.Errorf("example %q: %w", name, err))
		return
	}
	media.Examples.Set(name, &openapi.Example{Value: data})
}

func (d *documenter) formBody(b *bodyPlan) *openapi.RequestBody {
	s := &openapi.Schema{Type: openapi.Types{"object"}, AdditionalProperties: openapi.Never()}
	body, multipart := &openapi.RequestBody{}, &openapi.MediaType{Schema: s}
	for i := range b.fields {
		p := &b.fields[i]
		var field *openapi.Schema
		if p.file {
			field = p.files.describe(p, multipart)
		} else {
			field = withoutNull(d.schemas.Describe(p.plan, schema.Input))
			if text, ok := p.field.Tag.Lookup("default"); ok {
				field.Default = literal(field, text, p.list)
			}
		}
		field.Description = p.field.Tag.Get("doc")
		s.Properties.Set(p.name, field)
		if p.required {
			s.Required = append(s.Required, p.name)
			body.Required = true
		}
	}
	if !b.files {
		body.Content.Set("application/x-www-form-urlencoded", &openapi.MediaType{Schema: s})
	}
	body.Content.Set("multipart/form-data", multipart)
	return body
}

// responses lists the normal answer, what the options add, and every refusal
// that the chain can give for this operation.
func (d *documenter) responses(o *openapi.Operation, op *operationPlan) {
	all := make(map[string]*openapi.Response)
	all[strconv.Itoa(op.status)] = d.normal(op)
	for _, r := range op.spec.Responses {
		out := &openapi.Response{Description: first(r.Description, http.StatusText(r.Status))}
		d.extra(out, op, r.Type)
		all[strconv.Itoa(r.Status)] = out
	}
	d.tags304(all, op)
	for _, refusal := range slices.Concat(refusals(op), refusalsOfGuards(d.app, op), op.refusalsOfVersions(), op.refusalsOfKeys(), refusalsOfDownloads(op), op.refusalsOfFormats(d.app)) {
		status := strconv.Itoa(refusal)
		if all[status] == nil {
			all[status] = d.refusal(refusal)
		}
	}
	for _, status := range slices.Sorted(maps.Keys(all)) {
		o.Responses.Set(status, all[status])
	}
}

// refusals returns the statuses by which the chain can refuse a request for op.
func refusals(op *operationPlan) []int {
	codes := append(refusalsOfCallers(op), http.StatusBadRequest)
	codes = append(codes, refusalsOfHandshakes(op)...)
	if op.input.body.kind != noBody {
		codes = append(codes, http.StatusRequestTimeout, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	}
	reads := op.input.body.kind != noBody
	for _, plan := range op.input.withProviders() {
		reads = reads || len(plan.params) > 0
	}
	if reads {
		codes = append(codes, http.StatusUnprocessableEntity)
	}
	if op.spec.Retirement != nil && op.spec.Retirement.Gone {
		codes = append(codes, http.StatusGone)
	}
	if op.input.cookies {
		codes = append(codes, http.StatusRequestHeaderFieldsTooLarge)
	}
	if op.input.body.files {
		codes = append(codes, http.StatusInsufficientStorage)
	}
	return append(codes, http.StatusMisdirectedRequest, http.StatusInternalServerError, http.StatusServiceUnavailable)
}

// normal describes the answer of the function's type.
func (d *documenter) normal(op *operationPlan) *openapi.Response {
	out := &openapi.Response{Description: first(op.spec.StatusText, http.StatusText(op.status))}
	if op.streams() {
		return d.streamed(out, op)
	}
	if op.output != nil && op.table == nil {
		d.app.bodies(&out.Content, []string{jsonMedia}, &openapi.MediaType{Schema: d.schemas.Describe(op.output, schema.Output)})
	}
	if op.linked {
		out.Headers.Set("Link", linkHeader())
	}
	if op.outline.content != "" {
		out.Content.Set(op.outline.content, &openapi.MediaType{}) // Not JSON: a schema has nothing to say about it.
	}
	for _, name := range op.outline.headers {
		path := text("", redirect.MaxLength)
		path.Format = "uri-reference"
		out.Headers.Set(name, &openapi.Header{Description: "A path on this site.", Schema: path})
	}
	return out
}

// extra describes the body of an answer that an option declares.
func (d *documenter) extra(out *openapi.Response, op *operationPlan, t reflect.Type) {
	switch t {
	case nil, reflect.TypeFor[struct{}](), reflect.TypeFor[NoContent]():
	case reflect.TypeFor[*problem.Problem](), reflect.TypeFor[problem.Problem]():
		contentType, _ := d.app.cfg.Errors.Describe()
		d.app.bodies(&out.Content, []string{contentType}, &openapi.MediaType{Schema: &openapi.Schema{Ref: problemRef}})
	default:
		plan, err := d.app.types.Plan(t, "")
		if err == nil {
			err = plan.Answerable()
		}
		if err != nil {
			d.errs = append(d.errs, fmt.Errorf("%s: response: %w", op.where(), err))
			return
		}
		d.app.bodies(&out.Content, []string{jsonMedia}, &openapi.MediaType{Schema: d.schemas.Describe(plan, schema.Output)})
	}
}

// humanize makes words of an id: createItem becomes "Create item".
func humanize(id string) string {
	var b strings.Builder
	for i, r := range strings.ReplaceAll(id, "_", " ") {
		switch {
		case i == 0:
			b.WriteString(strings.ToUpper(string(r)))
		case 'A' <= r && r <= 'Z':
			b.WriteString(" " + strings.ToLower(string(r)))
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

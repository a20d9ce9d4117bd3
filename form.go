package fastness

import (
	"net/http"
	"reflect"

	"github.com/fastness/fastness/internal/form"
	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/schema"
)

// bindForm reads an urlencoded or multipart body into the fields of v. An empty
// one is a form without fields, of no media type.
func (b *bodyPlan) bindForm(x *exchange, v reflect.Value, empty bool) (err error) {
	var parts form.Parts
	if !empty {
		if parts, err = b.readForm(x); err != nil {
			return err
		}
	}
	if err := x.checkForm(parts); err != nil {
		return err
	}
	for i := range b.fields {
		b.fields[i].fromForm(x, parts, v.FieldByIndex(b.fields[i].index))
	}
	if x.app.cfg.InsecureFastAPICompat == "" {
		b.unknownFields(x, parts)
	}
	return nil
}

// readForm parses the body by its media type.
func (b *bodyPlan) readForm(x *exchange) (form.Parts, error) {
	op := x.match.Value.operation
	limit := op.spec.BodyLimit
	if x.r.ContentLength > limit {
		return nil, op.tooLarge
	}
	if err := x.decompress(); err != nil {
		return nil, err
	}
	media, err := form.ContentType(x.r.Header["Content-Type"])
	switch {
	case err == nil && media.Type == "multipart/form-data":
		x.files, err = form.Multipart(x.r.Body, media.Boundary, form.Limits{
			Bytes: limit, Dir: x.app.cfg.UploadDir, Accept: b.accept, FileBytesOf: b.fileBytes,
		})
		return x.files, err
	case err == nil && media.IsForm():
		return b.readURLEncoded(x)
	case x.app.cfg.InsecureFastAPICompat != "":
		return nil, nil // FastAPI reads a form without fields.
	case err == nil:
		err = problem.New(http.StatusUnsupportedMediaType, "the body must be a form").Named("unsupported_media_type")
	}
	return nil, err
}

func (b *bodyPlan) readURLEncoded(x *exchange) (form.Parts, error) {
	body, err := x.readBody()
	if err != nil {
		return nil, err
	}
	pairs, err := form.AppendBody(nil, string(body), 0)
	parts := make(form.Parts, len(pairs))
	for i, p := range pairs {
		parts[i] = form.Part{Name: p.Name, Value: p.Value}
	}
	return parts, err
}

// accept refuses a file before it is read where no field wants one: uploads
// that nobody asked for are the cheapest way to fill a disk.
func (b *bodyPlan) accept(name string, isFile bool) error {
	if !isFile {
		return nil
	}
	for i := range b.fields {
		if b.fields[i].name == name && b.fields[i].file {
			return nil
		}
	}
	return problem.New(http.StatusUnprocessableEntity, "a file was sent where none is wanted").Named("unexpected_file")
}

// unknownFields refuses fields that nobody declared.
func (b *bodyPlan) unknownFields(x *exchange, parts form.Parts) {
	for _, part := range parts {
		known := part.Name == x.app.csrf.field && part.Name != ""
		for i := range b.fields {
			known = known || b.fields[i].name == part.Name
		}
		if !known {
			x.report.Violate([]problem.Segment{problem.Name(part.Name)}, "extra_forbidden")
		}
	}
}

// fromForm reads the field from the parts. An empty text counts as absent: a
// browser sends every field of a form, filled in or not.
func (p *param) fromForm(x *exchange, parts form.Parts, v reflect.Value) {
	if p.file {
		p.fromFiles(x, parts, v)
		return
	}
	var values []string
	for _, part := range parts {
		if part.Name == p.name && part.File == nil && part.Value != "" {
			values = append(values, part.Value)
		}
	}
	switch {
	case len(values) > 0 && !p.plan.ReadsText() && (len(values) == 1 || x.app.cfg.InsecureFastAPICompat != ""):
		p.fromJSON(x, values[len(values)-1], v)
	case p.list && len(values) > 0:
		p.decode(x, values, v)
	case len(values) == 0:
		p.one(x, "", 0, v)
	case len(values) > 1 && x.app.cfg.InsecureFastAPICompat != "":
		p.one(x, values[len(values)-1], 1, v)
	default:
		p.one(x, values[0], len(values), v)
	}
}

// fromJSON reads a field of a structured type: JSON text inside the form.
func (p *param) fromJSON(x *exchange, text string, v reflect.Value) {
	inner := schema.Report{Context: &x.ctx, In: x.report.In, Prefix: p.prefix, Viewer: x.report.Viewer}
	p.plan.Decode(&inner, []byte(text), v)
	x.report.Merge(&inner)
}

func (p *param) fromFiles(x *exchange, parts form.Parts, v reflect.Value) {
	var files []File
	for _, part := range parts {
		if part.Name != p.name {
			continue
		}
		if part.File == nil {
			if part.Value != "" {
				x.report.Add(problem.Violation{
					Path: []problem.Segment{problem.Name(p.name)}, Code: "value_error", Detail: "Value error, expected a file",
				})
				return
			}
			continue
		}
		files = append(files, *part.File)
	}
	p.checkFiles(x, files)
	switch {
	case len(files) == 0 && p.required:
		x.report.Violate(p.prefix, "missing")
	case p.list && (len(files) < p.files.minItems || p.files.maxItems > 0 && len(files) > p.files.maxItems):
		p.countFiles(x, len(files))
	case p.list:
		v.Set(reflect.ValueOf(files))
	case len(files) > 1:
		x.report.Violate(p.prefix, "duplicate_parameter")
	case len(files) == 1:
		switch v.Type() {
		case reflect.TypeFor[*File]():
			v.Set(reflect.ValueOf(&files[0]))
		case reflect.TypeFor[Opt[File]]():
			v.Set(reflect.ValueOf(schema.Some(files[0])))
		default:
			v.Set(reflect.ValueOf(files[0]))
		}
	}
}

package fastness

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/fastness/fastness/mediatype"
	"github.com/fastness/fastness/openapi"
	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/schema"
)

// fileRules are what the tags of a field say about its files.
type fileRules struct {
	// minItems and maxItems bound a list of files; 0 means no bound.
	minItems, maxItems int
	// minBytes and maxBytes bound each file; 0 means no bound of its own.
	minBytes, maxBytes int64
	// accept says which types are wanted, or is nil: then any is.
	accept *mediatype.Policy
}

// fileRules reads the rules that a file can have. Any other would check nothing.
func (c *inputCompiler) fileRules(p *param, sf reflect.StructField) {
	if required, given := c.flag(sf, "required"); given {
		p.required = required
	}
	p.files = new(fileRules)
	for _, name := range append(schema.RuleNames(), "visibleTo", "writableBy") {
		if text, given := sf.Tag.Lookup(name); given {
			c.fileRule(p, name, text)
		}
	}
	c.fileTypes(p, sf)
	rules := p.files
	if limit := c.op.spec.BodyLimit; rules.maxBytes > limit {
		c.mistake("field %s: maxLength is %d bytes, and the whole body may have %d: the operation needs a BodyLimit", sf.Name, rules.maxBytes, limit)
	}
	if rules.maxBytes > 0 && rules.minBytes > rules.maxBytes || rules.maxItems > 0 && rules.minItems > rules.maxItems {
		c.mistake("field %s: no file is between its minimum and its maximum", sf.Name)
	}
	p.required = p.required || rules.minItems > 0
}

func (c *inputCompiler) fileRule(p *param, name, text string) {
	size, err := parseBytes(text)
	items, countErr := strconv.Atoi(text)
	switch {
	case name == "minLength" || name == "maxLength":
		if err != nil {
			c.mistake("field %s: %s is %q, want a number of bytes, such as 200000, 200KiB or 5MiB", p.field.Name, name, text)
		}
		if name == "minLength" {
			p.files.minBytes = size
		} else {
			p.files.maxBytes = size
		}
	case !p.list || name != "minItems" && name != "maxItems":
		c.mistake("field %s: rule %s does not fit a file", p.field.Name, name)
	case countErr != nil || items < 0:
		c.mistake("field %s: %s is %q, want a whole number from 0", p.field.Name, name, text)
	case name == "minItems":
		p.files.minItems = items
	default:
		p.files.maxItems = items
	}
}

// fileTypes reads the tags about types and pixels.
func (c *inputCompiler) fileTypes(p *param, sf reflect.StructField) {
	pixels := make(map[string]int64)
	for _, name := range []string{"maxPixels", "maxWidth", "maxHeight"} {
		text, given := sf.Tag.Lookup(name)
		if !given {
			continue
		}
		n, err := strconv.ParseInt(text, 10, 32)
		if err != nil || n < 1 {
			c.mistake("field %s: %s is %q, want a whole number from 1", sf.Name, name, text)
		}
		pixels[name] = n
	}
	text, given := sf.Tag.Lookup("accept")
	if !given {
		if len(pixels) > 0 {
			c.mistake("field %s: a limit in pixels needs to know that it is a picture: the tag accept says so, as in accept:\"image/*\"", sf.Name)
		}
		return
	}
	cfg := mediatype.Config{MaxPixels: pixels["maxPixels"], MaxWidth: int(pixels["maxWidth"]), MaxHeight: int(pixels["maxHeight"])}
	for name := range strings.SplitSeq(text, ",") {
		cfg.Accept = append(cfg.Accept, strings.TrimSpace(name))
	}
	policy, err := mediatype.New(cfg)
	if err != nil {
		c.mistake("field %s: accept: %w", sf.Name, err)
	}
	p.files.accept = policy
}

// parseBytes reads a number of bytes.
func parseBytes(text string) (int64, error) {
	digits, unit := text, int64(1)
	for suffix, bytes := range map[string]int64{"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30} {
		if rest, found := strings.CutSuffix(text, suffix); found {
			digits, unit = rest, bytes
		}
	}
	n, err := strconv.ParseInt(digits, 10, 32)
	if err == nil && n < 0 {
		err = errors.New("it is negative")
	}
	return n * unit, err
}

// fileBytes returns how large a file of a field may be, so that one that is too
// large is not read to its end. 0 means that its field says nothing.
func (b *bodyPlan) fileBytes(name string) int64 {
	for i := range b.fields {
		if b.fields[i].name == name && b.fields[i].files != nil {
			return b.fields[i].files.maxBytes
		}
	}
	return 0
}

// checkFiles holds the files of a field against its rules, and makes their types
// those that the rules found.
func (p *param) checkFiles(x *exchange, files []File) {
	rules := p.files
	for i := range files {
		f, path := &files[i], p.prefix
		if p.list {
			path = append(path[:len(path):len(path)], problem.Index(i))
		}
		if f.Size < rules.minBytes {
			x.report.Add(problem.Violation{
				Path: path, Code: "file_too_short", Detail: fmt.Sprintf("The file should have at least %d bytes", rules.minBytes),
				Limits: []problem.Limit{{Name: "min_length", Value: int(rules.minBytes)}},
			})
			continue
		}
		if rules.accept == nil {
			continue
		}
		found, err := rules.accept.Check(mediatype.Content{Type: f.ContentType, Width: f.Width, Height: f.Height, Why: f.Doubt}, mediatype.Claim{Name: f.Name, Type: f.Claimed})
		if err != nil {
			why := problem.From(err)
			x.report.Add(problem.Violation{Path: path, Code: why.Code, Detail: why.Detail})
			continue
		}
		f.ContentType = found.Type
	}
}

// countFiles says how many files there should be.
func (p *param) countFiles(x *exchange, n int) {
	code, limit := "too_short", problem.Limit{Name: "min_length", Value: p.files.minItems}
	if n >= p.files.minItems {
		code, limit = "too_long", problem.Limit{Name: "max_length", Value: p.files.maxItems}
	}
	x.report.Violate(p.prefix, code, problem.Limit{Name: "field_type", Value: "List"}, limit, problem.Limit{Name: "actual_length", Value: n})
}

// describe makes the schema of the files, and says in the encoding of the body
// which types are wanted.
func (r *fileRules) describe(p *param, media *openapi.MediaType) *openapi.Schema {
	bound := func(n int64) *int {
		if n == 0 {
			return nil
		}
		return new(int(n))
	}
	s := &openapi.Schema{
		Type: openapi.Types{"string"}, ContentMediaType: mediatype.Unknown,
		MinLength: bound(r.minBytes), MaxLength: bound(r.maxBytes),
	}
	if r.accept != nil {
		types := r.accept.Types()
		if len(types) == 1 {
			s.ContentMediaType = types[0]
		}
		media.Encoding.Set(p.name, &openapi.Encoding{ContentType: strings.Join(types, ", ")})
	}
	if !p.list {
		return s
	}
	return &openapi.Schema{Type: openapi.Types{"array"}, Items: s, MinItems: bound(int64(r.minItems)), MaxItems: bound(int64(r.maxItems))}
}

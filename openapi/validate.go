package openapi

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Validate returns every mistake by which the document contradicts itself, as
// errors that begin with the place, joined by [errors.Join]:
//
//   - a title or version that is missing, a path without its slash, two paths
//     that differ only in the names of their parameters
//   - an operationId, a tag or a parameter that is used twice
//   - a path parameter that is not declared, not in the path, or not required
//   - a parameter with neither schema nor content, or with both
//   - a response whose status is not one
//   - a reference within the document that leads nowhere, or to another kind
//   - a security requirement without its scheme, a component with an odd name
//
// It does not check a document against the whole specification, and it does not
// follow references to other documents.
func (d *Document) Validate() error {
	v := validator{doc: d, index: d.Index(), operations: make(map[string]string)}
	v.head()
	v.components()
	v.paths("#/paths", d.Paths, true)
	v.paths("#/webhooks", d.Webhooks, false)
	v.paths("#/components/pathItems", d.Components.PathItems, false)
	v.references()
	return errors.Join(v.mistakes...)
}

type validator struct {
	doc        *Document
	index      Index
	operations map[string]string // operationId -> place of its first use
	mistakes   []error
}

func (v *validator) add(at, format string, args ...any) {
	v.mistakes = append(v.mistakes, fmt.Errorf("%s: %w", at, fmt.Errorf(format, args...)))
}

func (v *validator) head() {
	if version := v.doc.OpenAPI; version != "" && !strings.HasPrefix(version, "3.1.") {
		v.add("#/openapi", "version is %q: %w", version, ErrVersion)
	}
	if v.doc.Info.Title == "" {
		v.add("#/info/title", "is empty")
	}
	if v.doc.Info.Version == "" {
		v.add("#/info/version", "is empty")
	}
	tags := make(map[string]bool)
	for i, tag := range v.doc.Tags {
		if tags[tag.Name] {
			v.add(fmt.Sprintf("#/tags/%d", i), "tag %q is described twice", tag.Name)
		}
		tags[tag.Name] = true
	}
	v.security("#/security", v.doc.Security)
}

func (v *validator) components() {
	c := &v.doc.Components
	for _, group := range []struct {
		name  string
		names []string
	}{
		{"schemas", c.Schemas.names}, {"responses", c.Responses.names}, {"parameters", c.Parameters.names},
		{"examples", c.Examples.names}, {"requestBodies", c.RequestBodies.names}, {"headers", c.Headers.names},
		{"securitySchemes", c.SecuritySchemes.names}, {"links", c.Links.names},
		{"callbacks", c.Callbacks.names}, {"pathItems", c.PathItems.names},
	} {
		for _, name := range group.names {
			if !componentName.MatchString(name) {
				v.add("#/components/"+group.name, "name %q has characters other than letters, digits, '.', '-' and '_'", name)
			}
		}
	}
}

// componentName is the rule of OpenAPI 3.1, 4.8.7.1.
var componentName = regexp.MustCompile(`^[a-zA-Z0-9._-]+$`)

// templateName matches one {name} of a path template.
var templateName = regexp.MustCompile(`\{([^{}]*)\}`)

func (v *validator) paths(at string, items Map[*PathItem], templated bool) {
	shapes := make(map[string]string)
	for path, item := range items.All() {
		here := at + "/" + escapePointer(path)
		var names []string
		if templated {
			if !strings.HasPrefix(path, "/") {
				v.add(here, "path does not begin with a slash")
			}
			shape := templateName.ReplaceAllString(path, "{}")
			if other, ok := shapes[shape]; ok {
				v.add(here, "path matches the same requests as %s", other)
			}
			shapes[shape] = path
			for _, match := range templateName.FindAllStringSubmatch(path, -1) {
				names = append(names, match[1])
			}
		}
		if item == nil {
			continue
		}
		if item.Ref == "" { // What is referred to is checked in its own place.
			v.pathItem(here, item)
		}
		if templated {
			v.templates(here, item, names)
		}
	}
}

func (v *validator) pathItem(at string, item *PathItem) {
	v.parameters(at+"/parameters", item.Parameters)
	for method, op := range item.Operations() {
		here := at + "/" + strings.ToLower(method)
		v.parameters(here+"/parameters", op.Parameters)
		v.operation(here, op)
	}
}

func (v *validator) operation(at string, op *Operation) {
	if id := op.OperationID; id != "" {
		if first, ok := v.operations[id]; ok {
			v.add(at, "operationId %q is that of %s too", id, first)
		} else {
			v.operations[id] = at
		}
	}
	for status := range op.Responses.All() {
		if !isStatus(status) {
			v.add(at+"/responses", `status %q is not a number, a range like "4XX" or "default"`, status)
		}
	}
	v.security(at+"/security", op.Security)
}

// isStatus follows OpenAPI 3.1, 4.8.16.2.
func isStatus(s string) bool {
	if s == "default" {
		return true
	}
	return len(s) == 3 && s[0] >= '1' && s[0] <= '5' &&
		(s[1:] == "XX" || s[1] >= '0' && s[1] <= '9' && s[2] >= '0' && s[2] <= '9')
}

func (v *validator) parameters(at string, list []*Parameter) {
	seen := make(map[[2]string]bool)
	for i, p := range list {
		here := fmt.Sprintf("%s/%d", at, i)
		p, err := Resolve(v.index, p)
		if err != nil {
			continue // references says so.
		}
		key := [2]string{p.In, p.Name}
		if seen[key] {
			v.add(here, "parameter %q in %s is declared twice", p.Name, p.In)
		}
		seen[key] = true
		if !slices.Contains([]string{"path", "query", "header", "cookie"}, p.In) {
			v.add(here, `in is %q, want "path", "query", "header" or "cookie"`, p.In)
		}
		if p.Name == "" {
			v.add(here, "name is empty")
		}
		if p.In == "path" && !p.Required {
			v.add(here, "path parameter %q is not required", p.Name)
		}
		if n := p.Content.Len(); (p.Schema != nil) == (n > 0) || n > 1 {
			v.add(here, "parameter %q: want a schema or a content of one media type, and not both", p.Name)
		}
	}
}

// templates compares the {names} of a path with the path parameters of each of
// its operations.
func (v *validator) templates(at string, item *PathItem, names []string) {
	item, err := Resolve(v.index, item)
	if err != nil {
		return // references says so.
	}
	for method, op := range item.Operations() {
		here := at + "/" + strings.ToLower(method)
		declared := make(map[string]bool)
		for _, p := range slices.Concat(op.Parameters, item.Parameters) {
			p, err := Resolve(v.index, p)
			if err != nil || p.In != "path" {
				continue
			}
			if !slices.Contains(names, p.Name) && !declared[p.Name] {
				v.add(here, "path parameter %q is not in the path", p.Name)
			}
			declared[p.Name] = true
		}
		for _, name := range names {
			if !declared[name] {
				v.add(here, "{%s} of the path is not declared as a path parameter", name)
			}
		}
	}
}

func (v *validator) security(at string, requirements []SecurityRequirement) {
	for i, requirement := range requirements {
		for _, name := range slices.Sorted(maps.Keys(requirement)) {
			if _, ok := v.doc.Components.SecuritySchemes.Get(name); !ok {
				v.add(fmt.Sprintf("%s/%d", at, i), "security scheme %q is not in components", name)
			}
		}
	}
}

func (v *validator) references() {
	for at, part := range v.doc.Parts() {
		ref := refOf(part)
		if !strings.HasPrefix(ref, "#") {
			continue
		}
		if err := v.resolve(part); err != nil {
			v.add(at, "%w", err)
		}
	}
}

func (v *validator) resolve(part any) (err error) {
	switch p := part.(type) {
	case *Schema:
		if p.Ref == "#" || !strings.HasPrefix(p.Ref, "#/") {
			return nil // A schema may name itself, or an $anchor.
		}
		_, ok := v.index.parts[place(p.Ref)].(*Schema)
		if !ok {
			err = fmt.Errorf("%q: %w", p.Ref, ErrRef)
		}
	case *Parameter:
		_, err = Resolve(v.index, p)
	case *RequestBody:
		_, err = Resolve(v.index, p)
	case *Response:
		_, err = Resolve(v.index, p)
	case *Header:
		_, err = Resolve(v.index, p)
	case *Example:
		_, err = Resolve(v.index, p)
	case *Link:
		_, err = Resolve(v.index, p)
	case *SecurityScheme:
		_, err = Resolve(v.index, p)
	case *PathItem:
		_, err = Resolve(v.index, p)
	}
	return err
}

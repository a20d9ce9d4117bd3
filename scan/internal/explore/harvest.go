package explore

import (
	"maps"
	"slices"
	"strings"

	"github.com/fastness/fastness/scan/internal/login"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/internal/spec"
	"github.com/fastness/fastness/scan/internal/value"
	"github.com/fastness/fastness/scan/wire"
)

// isEnvelope reports whether a member only wraps what an answer is about.
func isEnvelope(name string) bool {
	switch strings.ToLower(name) {
	case "data", "result", "results", "items", "item", "records", "record", "rows", "content", "contents", "payload", "response", "value", "values", "list", "entries", "objects", "body", "_embedded", "embedded", "collection", "edges", "node", "nodes", "hits", "docs", "page", "attributes":
		return true
	}
	return false
}

// maxItems of a list that are looked at.
const maxItems = 20

// harvest keeps the values of an answer.
func (x *Explorer) harvest(op *spec.Operation, user *login.User, ex *wire.Exchange) {
	v, ok := probe.Decode(ex)
	if !ok {
		return
	}
	resource := ResourceOf(op)
	if segments := op.Segments(); op.Safe() && len(segments) > 0 && mine(op) && resource == "user" {
		if m := mainObject(v, nil, resource); m != nil && user != nil {
			x.learnOwn(user, m)
		}
	}
	x.walk(v, resource, user, op, 0)
}

// learnOwn keeps what an operation about the caller says about the caller.
func (x *Explorer) learnOwn(user *login.User, m map[string]any) {
	own := x.own[user.Called()]
	if own == nil {
		own = map[string]any{}
		x.own[user.Called()] = own
	}
	for _, name := range slices.Sorted(maps.Keys(m)) {
		key := value.Normal(name)
		if name == "_id" || key == "userid" {
			key = "id"
		}
		if isScalar(m[name]) && m[name] != nil && own[key] == nil {
			own[key] = m[name]
		}
	}
}

func isScalar(v any) bool {
	switch v.(type) {
	case map[string]any, []any:
		return false
	}
	return true
}

func (x *Explorer) walk(v any, resource string, user *login.User, op *spec.Operation, depth int) {
	if depth > 6 {
		return
	}
	switch v := v.(type) {
	case []any:
		for _, e := range v[:min(len(v), maxItems)] {
			if isScalar(e) {
				x.t.Observe(probe.Observed{Resource: resource, Field: "id", Value: e, User: user.Called(), Op: op.ID})
				continue
			}
			x.walk(e, resource, user, op, depth+1)
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			e := v[name]
			if isScalar(e) {
				x.observe(name, e, resource, user, op)
				continue
			}
			inner := resource
			if !isEnvelope(name) {
				words := value.Words(name)
				if len(words) > 0 {
					words[len(words)-1] = value.Singular(words[len(words)-1])
					inner = alias(strings.Join(words, ""))
				}
				if m, ok := e.(map[string]any); ok && inner != "user" && (m["username"] != nil || m["email"] != nil) {
					inner = "user"
				}
			}
			x.walk(e, inner, user, op, depth+1)
		}
	}
}

// observe keeps one member: of what has it, and of what it names.
func (x *Explorer) observe(name string, v any, resource string, user *login.User, op *spec.Operation) {
	if v == nil || len(probe.Text(v)) > 300 || probe.Text(v) == "" {
		return
	}
	field := value.Normal(name)
	if name == "_id" {
		field = "id"
	}
	o := probe.Observed{Resource: resource, Field: field, Value: v, User: user.Called(), Op: op.ID}
	x.t.Observe(o)
	x.remember(resource, name)
	if named, key, ok := x.refer(name, nil); ok && named != resource {
		o.Resource, o.Field = named, key
		x.t.Observe(o)
	}
}

// memberNames is where the written names of members are kept, beside the normal ones.
const memberNames = "\x00names"

func (x *Explorer) remember(resource, name string) {
	x.t.Observe(probe.Observed{Resource: resource, Field: memberNames, Value: name})
}

// members returns the names of the members that answers showed of a resource.
func (x *Explorer) members(resource string) []string {
	var out []string
	for _, o := range x.t.Values(resource, memberNames, nil) {
		out = append(out, probe.Text(o.Value))
	}
	return out
}

// mainObject returns the object that an answer is about: the one that holds a marker, else
// that of the resource, else the outermost that is no envelope.
func mainObject(v any, marks map[string]string, resource string) map[string]any {
	var holds, named, first map[string]any
	var visit func(v any, name string, depth int)
	visit = func(v any, name string, depth int) {
		switch v := v.(type) {
		case []any:
			for _, e := range v {
				visit(e, name, depth)
			}
		case map[string]any:
			if holds == nil && holdsMark(v, marks) {
				holds = v
			}
			if named == nil && depth > 0 && alias(nounOf(name)) == resource {
				named = v
			}
			if first == nil && (depth == 0 || isEnvelope(name)) && hasIdentifier(v, resource) {
				first = v
			}
			if depth < 5 {
				for _, key := range slices.Sorted(maps.Keys(v)) {
					visit(v[key], key, depth+1)
				}
			}
		}
	}
	visit(v, "", 0)
	for _, m := range []map[string]any{holds, named, first} {
		if m != nil && (hasIdentifier(m, resource) || m == nil) {
			return m
		}
	}
	for _, m := range []map[string]any{holds, named} {
		if m != nil {
			return m
		}
	}
	m, _ := v.(map[string]any)
	return m
}

func holdsMark(m map[string]any, marks map[string]string) bool {
	for _, v := range m {
		text, ok := v.(string)
		if !ok || text == "" {
			continue
		}
		for _, mark := range marks {
			if strings.Contains(text, mark) {
				return true
			}
		}
	}
	return false
}

func hasIdentifier(m map[string]any, resource string) bool { return identifierOf(m, resource) != nil }

// identifierOf returns the identifier of an object, or nil.
func identifierOf(m map[string]any, resource string) any {
	byField := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(m)) {
		if isScalar(m[name]) && m[name] != nil && probe.Text(m[name]) != "" {
			byField[value.Normal(name)] = m[name]
		}
	}
	for _, field := range []string{"id", resource + "id", "uuid", "guid", resource + "uuid", "pk", "oid", resource + "number", "slug"} {
		if v := byField[field]; v != nil {
			return v
		}
	}
	var only any
	count := 0
	for _, field := range slices.Sorted(maps.Keys(byField)) {
		if words := value.Words(field); len(words) == 1 && strings.HasSuffix(field, "id") && (strings.HasPrefix(resource, strings.TrimSuffix(field, "id")) || strings.HasSuffix(resource, strings.TrimSuffix(field, "id"))) {
			only = byField[field]
			count++
		}
	}
	if count == 1 {
		return only
	}
	return nil
}

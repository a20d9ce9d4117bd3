package cedar

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	engine "github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/types"
	policyast "github.com/cedar-policy/cedar-go/x/exp/ast"
	"github.com/cedar-policy/cedar-go/x/exp/schema"
	"github.com/cedar-policy/cedar-go/x/exp/schema/resolved"
)

// builtIn is the part of the schema that is the same for every app.
const builtIn = `entity Role;
entity API;
entity User in [Role] {
	roles: Set<String>, tenant?: String, scopes: Set<String>, allScopes: Bool,
	client: String, scheme: String, methods: Set<String>
};
`

// source is a file, or a text of the configuration.
type source struct{ name, text string }

func (c Config) sources() (policies, schemas []source, errs []error) {
	if c.Policies != "" {
		policies = append(policies, source{"Policies", c.Policies})
	}
	if c.Schema != "" {
		schemas = append(schemas, source{"Schema", c.Schema})
	}
	if c.Files == nil {
		return policies, schemas, nil
	}
	errs = append(errs, fs.WalkDir(c.Files, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(c.Files, path)
		switch {
		case err != nil:
			return err
		case strings.HasSuffix(path, ".cedar"):
			policies = append(policies, source{path, string(text)})
		case strings.HasSuffix(path, ".cedarschema"):
			schemas = append(schemas, source{path, string(text)})
		default:
			errs = append(errs, fmt.Errorf("%s: want a name that ends in .cedar or .cedarschema", path))
		}
		return nil
	}))
	return policies, schemas, errs
}

// compileSchema reads each source by itself, so that a mistake is found where it
// is, and then all as one.
func compileSchema(roles []string, sources []source) (*resolved.Schema, []error) {
	var errs []error
	if slices.Contains(roles, "") {
		errs = append(errs, errors.New("Roles: a role has no name"))
	}
	all := builtIn
	for _, s := range sources {
		var one schema.Schema
		one.SetFilename(s.name)
		if err := one.UnmarshalCedar([]byte(s.text)); err != nil {
			errs = append(errs, err)
		}
		all += s.text + "\n"
	}
	if len(errs) > 0 {
		return nil, errs
	}
	var whole schema.Schema
	whole.SetFilename("all schemas")
	if err := whole.UnmarshalCedar([]byte(all)); err != nil {
		return nil, []error{err}
	}
	compiled, err := whole.Resolve()
	if err != nil {
		return nil, []error{fmt.Errorf("schema: %w", err)}
	}
	return compiled, nil
}

// names are the entities that exist, for types of which the schema or the
// configuration lists them all.
type names map[types.EntityType][]string

func namesOf(s *resolved.Schema, roles []string) names {
	if s == nil {
		return nil
	}
	known := names{"Role": roles, "API": {string(self().UID.ID)}}
	for name, enum := range s.Enums {
		for _, value := range enum.Values {
			known[name] = append(known[name], string(value.ID))
		}
	}
	for uid := range s.Actions {
		known[uid.Type] = append(known[uid.Type], string(uid.ID))
	}
	return known
}

// add adds the policies of a source, or says what is wrong with each.
func (p *Policies) add(s source, known names) (errs []error) {
	list, err := engine.NewPolicyListFromBytes(s.name, []byte(s.text))
	if err != nil {
		return []error{fmt.Errorf("%s: %w", s.name, err)}
	}
	if len(list) == 0 {
		return []error{fmt.Errorf("%s: no policy", s.name)}
	}
	for _, policy := range list {
		at := policy.Position()
		id := fmt.Sprintf("%s:%d:%d", s.name, at.Line, at.Column)
		p.set.Add(engine.PolicyID(id), policy)
		if p.schema == nil {
			continue // What is wrong with the schema comes first.
		}
		err := errors.Join(p.schema.Policy("", (*policyast.Policy)(policy.AST())), known.check(policy))
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", id, err))
		}
	}
	return errs
}

// check looks at every entity that the policy names, in its scope and in its
// conditions. It reads the policy's JSON form, where an entity is an object with
// the members type and id.
func (known names) check(policy *engine.Policy) error {
	text, err := policy.MarshalJSON()
	if err != nil {
		return err
	}
	var tree any
	if err := json.Unmarshal(text, &tree); err != nil {
		return err
	}
	return errors.Join(known.walk(tree)...)
}

func (known names) walk(node any) (errs []error) {
	switch node := node.(type) {
	case []any:
		for _, child := range node {
			errs = append(errs, known.walk(child)...)
		}
	case map[string]any:
		kind, _ := node["type"].(string)
		id, ok := node["id"].(string)
		if all, listed := known[types.EntityType(kind)]; ok && listed && !slices.Contains(all, id) {
			errs = append(errs, fmt.Errorf("there is no %s::%q", kind, id))
		}
		for _, child := range node {
			errs = append(errs, known.walk(child)...)
		}
	}
	return errs
}

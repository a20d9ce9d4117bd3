package schema

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/fastness/fastness/openapi"
	"github.com/fastness/fastness/secret"
)

// secretNode is the plan of a secret.Text: a string that is read, with the rules
// of strings, and never written. A client writes it, because it is the one who
// knows the secret.
type secretNode struct {
	*textTypeNode
	client bool
}

func (c *compiler) secret(r *rules, where string) node {
	return &secretNode{c.text(reflect.TypeFor[secret.Text](), r, where, "").(*textTypeNode), c.client}
}

func (n *secretNode) encode(e *encoder, v reflect.Value) {
	if n.client || e.compares {
		e.string(v.Interface().(secret.Text).Reveal())
		return
	}
	e.fail("%w", secret.ErrEncode)
}

func (n *secretNode) describe(d *Describer, mode Mode) *openapi.Schema {
	s := n.stringNode.describe(d, mode)
	if s.Format == "" {
		s.Format = "password"
	}
	s.WriteOnly = true
	return s
}

// Answerable returns an error that names every member by which the plan's values
// would write a secret.Text. What is behind an any is only known when it is
// written, and fails then.
func (p *Plan) Answerable() error {
	return errors.Join(secretsIn(p.node, p.typ.String(), make(map[*structNode]bool))...)
}

func secretsIn(n node, where string, seen map[*structNode]bool) (errs []error) {
	switch n := n.(type) {
	case *secretNode:
		return []error{fmt.Errorf(`%s is a secret.Text, which is never written: leave it out, or tag it writeOnly:"true"`, where)}
	case *structNode:
		if seen[n] {
			return nil
		}
		seen[n] = true
		for i := range n.fields {
			if f := &n.fields[i]; !f.writeOnly {
				errs = append(errs, secretsIn(f.plan, n.typ.String()+"."+f.name, seen)...)
			}
		}
		for i := range n.computed {
			errs = append(errs, secretsIn(n.computed[i].result, n.typ.String()+"."+n.computed[i].name, seen)...)
		}
	case *writtenNode, *patchNode: // They write themselves.
	default:
		for _, inner := range inside(n) {
			errs = append(errs, secretsIn(inner, where, seen)...)
		}
	}
	return errs
}

package templates

import (
	"fmt"
	"html/template"
	"reflect"
	"slices"
	"strings"
	"text/template/parse"
)

// checker walks over the trees of a page with the type of its data. Where it does not
// know a type (a function's, an interface's) it has no opinion.
type checker struct {
	page *template.Template
	errs []error
	seen map[visit]bool
}

type visit struct {
	name string
	dot  reflect.Type
}

// scope is what names mean within one template.
type scope struct {
	name string
	root reflect.Type
	vars map[string]reflect.Type
}

// check returns what would go wrong when the page is executed.
func check(page *template.Template, data reflect.Type) []error {
	c := &checker{page: page, seen: make(map[visit]bool)}
	c.template(page.Name(), data)
	if len(c.errs) == 0 {
		if err := escapes(page); err != nil {
			c.errs = append(c.errs, err)
		}
	}
	return c.errs
}

func (c *checker) wrong(s *scope, format string, args ...any) {
	err := fmt.Errorf("in %s: %s", s.name, fmt.Sprintf(format, args...))
	if !slices.ContainsFunc(c.errs, func(e error) bool { return e.Error() == err.Error() }) {
		c.errs = append(c.errs, err)
	}
}

// template checks the one called name, executed with a value of type dot.
func (c *checker) template(name string, dot reflect.Type) {
	v := visit{name, dot}
	if c.seen[v] {
		return
	}
	c.seen[v] = true
	s := &scope{name, dot, make(map[string]reflect.Type)}
	t := c.page.Lookup(name)
	if t == nil || t.Tree == nil {
		c.errs = append(c.errs, fmt.Errorf("nobody defines the template %q", name))
		return
	}
	c.list(s, t.Tree.Root, dot)
}

func (c *checker) list(s *scope, list *parse.ListNode, dot reflect.Type) {
	if list == nil {
		return
	}
	for _, node := range list.Nodes {
		switch n := node.(type) {
		case *parse.ActionNode:
			c.pipe(s, n.Pipe, dot)
		case *parse.IfNode:
			c.pipe(s, n.Pipe, dot)
			c.list(s, n.List, dot)
			c.list(s, n.ElseList, dot)
		case *parse.WithNode:
			inner := c.pipe(s, n.Pipe, dot)
			c.list(s, n.List, inner)
			c.list(s, n.ElseList, dot)
		case *parse.RangeNode:
			c.list(s, n.List, c.ranged(s, n.Pipe, dot))
			c.list(s, n.ElseList, dot)
		case *parse.TemplateNode:
			var inner reflect.Type
			if n.Pipe != nil {
				inner = c.pipe(s, n.Pipe, dot)
			}
			c.template(n.Name, inner)
		}
	}
}

// ranged returns the type of the items that a range goes over.
func (c *checker) ranged(s *scope, p *parse.PipeNode, dot reflect.Type) reflect.Type {
	declared := p.Decl
	over := *p
	over.Decl = nil
	list := deref(c.pipe(s, &over, dot))
	var item reflect.Type
	if list != nil {
		switch list.Kind() {
		case reflect.Slice, reflect.Array, reflect.Map, reflect.Chan:
			item = list.Elem()
		}
	}
	for i, v := range declared {
		s.vars[v.Ident[0]] = nil
		if i == len(declared)-1 {
			s.vars[v.Ident[0]] = item
		}
	}
	return item
}

// pipe checks a pipeline and returns the type of its value, or nil.
func (c *checker) pipe(s *scope, p *parse.PipeNode, dot reflect.Type) (value reflect.Type) {
	for _, cmd := range p.Cmds {
		value = nil
		for i, arg := range cmd.Args {
			t := c.arg(s, arg, dot)
			if i == 0 && len(p.Cmds) == 1 {
				value = t
			}
		}
	}
	for _, v := range p.Decl {
		s.vars[v.Ident[0]] = value
		if p.IsAssign {
			s.vars[v.Ident[0]] = nil
		}
	}
	return value
}

func (c *checker) arg(s *scope, arg parse.Node, dot reflect.Type) reflect.Type {
	switch n := arg.(type) {
	case *parse.DotNode:
		return dot
	case *parse.FieldNode:
		return c.fields(s, dot, n.Ident)
	case *parse.VariableNode:
		start := s.vars[n.Ident[0]]
		if n.Ident[0] == "$" {
			start = s.root
		}
		return c.fields(s, start, n.Ident[1:])
	case *parse.ChainNode:
		return c.fields(s, c.arg(s, n.Node, dot), n.Field)
	case *parse.PipeNode:
		return c.pipe(s, n, dot)
	}
	return nil
}

// fields returns the type of t.a.b.c.
func (c *checker) fields(s *scope, t reflect.Type, names []string) reflect.Type {
	for _, name := range names {
		if t == nil || t.Kind() == reflect.Interface {
			return nil
		}
		next, ok := member(t, name)
		if !ok {
			c.wrong(s, "%s has no field or method %s", t, name)
			return nil
		}
		if f, isField := fieldOf(t, name); isField && unescaped(f.Type) {
			c.wrong(s, "the field %s of %s is a %s, which is not escaped: want a string, or a method that gives it", name, t, f.Type)
		}
		t = next
	}
	return t
}

func deref(t reflect.Type) reflect.Type {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t
}

// member returns the type of a field, a method or a map's values, or nil if it is not
// known.
func member(t reflect.Type, name string) (reflect.Type, bool) {
	for _, receiver := range []reflect.Type{t, reflect.PointerTo(t)} {
		if m, ok := receiver.MethodByName(name); ok {
			if m.Type.NumOut() == 0 {
				return nil, false
			}
			return m.Type.Out(0), true
		}
	}
	if f, ok := fieldOf(t, name); ok {
		return f.Type, true
	}
	t = deref(t)
	switch t.Kind() {
	case reflect.Map:
		return t.Elem(), t.Key().Kind() == reflect.String
	case reflect.Interface:
		return nil, true
	}
	return nil, false
}

func fieldOf(t reflect.Type, name string) (f reflect.StructField, ok bool) {
	if t = deref(t); t.Kind() == reflect.Struct {
		f, ok = t.FieldByName(name)
	}
	return f, ok && f.IsExported()
}

// unescaped reports whether html/template shows values of t as they are.
func unescaped(t reflect.Type) bool {
	t = deref(t)
	return t.PkgPath() == "html/template" && t.Kind() == reflect.String && !strings.HasSuffix(t.Name(), "Code")
}

package route

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// Tree holds routes. Its zero value is empty and ready to use. Any number of
// goroutines may call Find at once, but none while Add or AddMount runs.
type Tree[T any] struct {
	root    node
	values  []T // values[i-1] belongs to number i; number 0 is no route
	all     methodSet
	allow   []string // by methodSet
	mounted bool
}

// node is the state after some segments of a path. No node is entered more than
// once for one path, since its depth is the number of segments it took; so a
// search costs at most one step per node that fits, however it goes back.
type node struct {
	few   []branch         // literal children
	many  map[string]*node // the same, once there are more than fewChildren
	param *node
	here  leaf // the path ends
	slash leaf // the path ends with a slash
	rest  leaf // a catch-all takes what follows
	mount int  // number of the mount
}

const fewChildren = 8

type branch struct {
	name string
	node *node
}

// leaf holds the routes of one pattern, a number per method.
type leaf struct {
	pattern string
	methods methodSet
	numbers [methodCount]int
}

// Add adds a route. The error names every mistake of the pattern, a second
// route for the same method and path, or a path that was added under other
// parameter names. HEAD is answered by the route of GET unless it has its own.
// TRACE and CONNECT have no place in an API and are refused.
func (t *Tree[T]) Add(method, pattern string, value T) error {
	m := methodOf(method)
	steps, slash, err := parse(pattern)
	if m == methodOther {
		err = errors.Join(fmt.Errorf("method %q is not DELETE, GET, HEAD, OPTIONS, PATCH, POST or PUT", method), err)
	}
	if err != nil {
		return fmt.Errorf("route %s %s: %w", method, pattern, err)
	}
	l := t.root.leafFor(steps, slash)
	switch {
	case l.pattern != "" && l.pattern != pattern:
		return fmt.Errorf("route %s %s: the same path is already called %s", method, pattern, l.pattern)
	case l.numbers[m] != 0 && !(m == methodHead && l.headOfGet()):
		return fmt.Errorf("route %s %s: added twice", method, pattern)
	}
	t.values = append(t.values, value)
	l.pattern = pattern
	l.set(m, len(t.values))
	t.all |= l.methods
	if t.allow == nil {
		t.allow = allowHeaders()
	}
	return nil
}

// AddMount adds a value that takes, for every method, the path prefix itself
// and everything below it, where no route has the path. A path with a route is
// the route's alone: it answers 405 and never falls through to a mount. Of
// several mounts the longest prefix wins. A prefix has no parameters; a
// trailing slash makes no difference. Malformed paths and paths with empty
// segments do not reach a mount either.
func (t *Tree[T]) AddMount(prefix string, value T) error {
	steps, _, err := parse(prefix)
	if err != nil {
		return fmt.Errorf("mount %s: %w", prefix, err)
	}
	n := &t.root
	for _, s := range steps {
		if s.kind != literal {
			return fmt.Errorf("mount %s: a prefix has no parameters", prefix)
		}
		n = n.child(s.text)
	}
	if n.mount != 0 {
		return fmt.Errorf("mount %s: added twice", prefix)
	}
	t.values = append(t.values, value)
	n.mount = len(t.values)
	t.mounted = true
	return nil
}

// Find returns the route for a method and the URL of a request. It allocates
// only the Location of a redirect.
func (t *Tree[T]) Find(method string, u *url.URL) (m Match[T]) {
	if u.Path == "*" && method == "OPTIONS" && u.Opaque == "" { // RFC 9112 section 3.2.4
		m.Outcome, m.Allow = Options, t.allowOf(t.all)
		return m
	}
	path, verdict, ok := cleanPath(u)
	if !ok {
		m.Outcome = verdict
		return m
	}
	w := walk{method: methodOf(method), params: &m.Params}
	if w.start(&t.root, path) {
		m.Outcome, m.Value = Found, t.values[w.number-1]
		m.HeadOfGet = w.headOfGet
		return m
	}
	if w.allowed != 0 {
		m.Outcome, m.Allow = MethodNotAllowed, t.allowOf(w.allowed)
		if w.method == methodOptions {
			m.Outcome = Options
		}
		return m
	}
	if t.mounted {
		if number := t.root.mountFor(path); number != 0 {
			m.Outcome, m.Value = Found, t.values[number-1]
			return m
		}
	}
	if w.other {
		m.Outcome, m.Location = Redirect, otherForm(u)
	}
	return m
}

func (t *Tree[T]) allowOf(set methodSet) string {
	if t.allow == nil {
		return "OPTIONS"
	}
	return t.allow[set|1<<methodOptions]
}

// leafFor returns the leaf of a pattern; it grows the tree where needed.
func (n *node) leafFor(steps []step, slash bool) *leaf {
	for _, s := range steps {
		switch s.kind {
		case literal:
			n = n.child(s.text)
		case param:
			if n.param == nil {
				n.param = new(node)
			}
			n = n.param
		case catchAll:
			return &n.rest
		}
	}
	if slash {
		return &n.slash
	}
	return &n.here
}

// child returns the literal child; it is added if it is missing.
func (n *node) child(name string) *node {
	if c := n.literal(name); c != nil {
		return c
	}
	c := new(node)
	n.few = append(n.few, branch{name, c})
	if len(n.few) > fewChildren {
		n.many = make(map[string]*node, len(n.few))
		for _, b := range n.few {
			n.many[b.name] = b.node
		}
	}
	return c
}

func (n *node) literal(name string) *node {
	if n.many != nil {
		return n.many[name]
	}
	for i := range n.few {
		if n.few[i].name == name {
			return n.few[i].node
		}
	}
	return nil
}

func (n *node) mountFor(path string) (number int) {
	rest := path[1:]
	for {
		if n.mount != 0 {
			number = n.mount
		}
		if rest == "" {
			return number
		}
		var segment string
		segment, rest, _ = strings.Cut(rest, "/")
		if n = n.literal(segment); n == nil {
			return number
		}
	}
}

func (l *leaf) set(m method, number int) {
	if m == methodGet && l.headOfGet() {
		l.numbers[methodHead] = number
		l.methods |= 1 << methodHead
	}
	l.numbers[m] = number
	l.methods |= 1 << m
}

// headOfGet reports whether HEAD has no route of its own and follows GET.
func (l *leaf) headOfGet() bool {
	return l.numbers[methodHead] == l.numbers[methodGet]
}

// walk is one search.
type walk struct {
	method    method
	slash     bool // the path ends with a slash
	headOfGet bool
	other     bool // the path has routes with the trailing slash toggled
	allowed   methodSet
	number    int
	params    *Params
}

// start searches for path, which was inspected.
func (w *walk) start(root *node, path string) bool {
	if path == "/" {
		return w.take(&root.slash)
	}
	var text string
	text, w.slash = strings.CutSuffix(path[1:], "/")
	return w.segment(root, text)
}

// segment searches below n for the segments of text, which is not empty.
func (w *walk) segment(n *node, text string) bool {
	first, rest, deeper := strings.Cut(text, "/")
	if c := n.literal(first); c != nil && w.enter(c, rest, deeper) {
		return true
	}
	if n.param != nil {
		w.params.push(first)
		if w.enter(n.param, rest, deeper) {
			return true
		}
		w.params.pop()
	}
	if n.rest.methods == 0 {
		return false
	}
	// A catch-all never ends with a slash: "a" and "a/" would be two names of
	// one thing, and a rule about one of them would miss the other.
	if w.slash {
		w.other = true
		return false
	}
	if !w.take(&n.rest) {
		return false
	}
	w.params.push(text)
	return true
}

func (w *walk) enter(n *node, rest string, deeper bool) bool {
	if deeper {
		return w.segment(n, rest)
	}
	leaf, other := &n.here, &n.slash
	if w.slash {
		leaf, other = other, leaf
	}
	if other.methods != 0 {
		w.other = true
	}
	return w.take(leaf)
}

func (w *walk) take(l *leaf) bool {
	w.allowed |= l.methods
	w.number = l.numbers[w.method]
	w.headOfGet = w.method == methodHead && l.headOfGet()
	return w.number != 0
}

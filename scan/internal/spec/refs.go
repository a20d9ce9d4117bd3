package spec

import (
	"io/fs"
	"net/url"
	"path"
	"strconv"
	"strings"
)

// file is a document or one that it refers to.
type file struct {
	// name is the address, or the path below the folder of the main document.
	name string
	main bool
	root *place
	// named are schemas by the names that references use instead of a pointer: anchors,
	// ids, and the names of $defs. It is made when first needed.
	named map[string]*place
}

// Bounds of external references.
const (
	maxFiles = 100
	maxHops  = 50
)

// follow returns what the place refers to, or itself. It is nil if that is not there.
func (l *loader) follow(p *place) *place {
	start := p
	for range maxHops {
		ref := p.get("$ref")
		if p == nil || ref.kind() != isString {
			return p
		}
		next := l.resolve(p, ref.node.text)
		if next == nil {
			return nil
		}
		p = next
	}
	l.complain(start, "the reference leads to itself")
	return nil
}

// resolve returns what a reference of the place means. A broken one is complained about
// once, and what it most likely meant is returned.
func (l *loader) resolve(p *place, ref string) *place {
	target, fragment, hasFragment := strings.Cut(strings.TrimSpace(ref), "#")
	f := p.file
	if target != "" {
		if f = l.open(p, target); f == nil {
			return l.guess(p, ref)
		}
	}
	if !hasFragment || fragment == "" {
		return f.root
	}
	if found := walk(f.root, fragment); found != nil {
		return found
	}
	if decoded, err := url.PathUnescape(fragment); err == nil {
		if found := walk(f.root, decoded); found != nil {
			return found
		}
	}
	if found := f.lookUp(fragment); found != nil {
		return found
	}
	return l.guess(&place{node: p.node, file: f, up: p.up, key: p.key}, ref)
}

// guess returns the component that has the last part of a broken reference as its name.
func (l *loader) guess(p *place, ref string) *place {
	name := ref[strings.LastIndexAny(ref, "/#")+1:]
	for _, f := range []*file{p.file, l.main} {
		for _, home := range []string{"/components/schemas/", "/definitions/", "/components/parameters/", "/parameters/", "/components/responses/", "/responses/", "/components/requestBodies/", "/$defs/"} {
			if found := walk(f.root, home+name); found != nil && name != "" {
				l.complain(p, "the reference "+cut(ref, 200)+" is broken; "+home+name+" is used")
				return found
			}
		}
		if found := f.lookUp(name); found != nil {
			l.complain(p, "the reference "+cut(ref, 200)+" is broken; "+found.pointer()+" is used")
			return found
		}
	}
	l.complain(p, "the reference "+cut(ref, 200)+" leads nowhere")
	return nil
}

// walk follows a JSON pointer (RFC 6901).
func walk(p *place, pointer string) *place {
	if pointer == "" {
		return p
	}
	if pointer[0] != '/' {
		return nil
	}
	for part := range strings.SplitSeq(pointer[1:], "/") {
		part = strings.ReplaceAll(strings.ReplaceAll(part, "~1", "/"), "~0", "~")
		if p.kind() == isList {
			i, err := strconv.Atoi(part)
			if err != nil || i < 0 || i >= len(p.node.items) {
				return nil
			}
			p = &place{node: p.node.items[i], file: p.file, up: p, key: part}
		} else {
			p = p.get(part)
		}
		if p == nil {
			return nil
		}
	}
	return p
}

// lookUp returns the schema with an anchor, an id, or a name in any $defs.
func (f *file) lookUp(name string) *place {
	if f.root == nil {
		return nil
	}
	if f.named == nil {
		f.named = map[string]*place{}
		f.gather()
	}
	return f.named[name]
}

func (f *file) gather() {
	seen := map[*node]bool{}
	remember := func(name string, p *place) {
		if _, there := f.named[name]; !there && name != "" {
			f.named[name] = p
		}
	}
	for list := []*place{f.root}; len(list) > 0; {
		p := list[len(list)-1]
		list = list[:len(list)-1]
		if seen[p.node] {
			continue
		}
		seen[p.node] = true
		for _, c := range p.children() {
			if c.node.kind == isList || c.node.kind == isObject {
				list = append(list, c)
			}
			if p.key == "$defs" || p.key == "definitions" {
				remember(c.key, c)
			}
		}
		for _, key := range []string{"$anchor", "$dynamicAnchor", "$id", "id"} {
			if id := p.get(key); id.kind() == isString {
				remember(strings.TrimPrefix(id.node.text, "#"), p)
			}
		}
	}
}

// open returns the file that a reference names, or nil.
func (l *loader) open(p *place, target string) *file {
	name, problem := l.locate(p.file, target)
	if problem != "" {
		if found := l.main.lookUp(target); found != nil { // It is the $id of a schema.
			return &file{name: target, root: found}
		}
		l.complain(p, "the reference to "+cut(target, 200)+" is not followed: "+problem)
		return nil
	}
	if f, ok := l.files[name]; ok {
		return f
	}
	if len(l.files) >= maxFiles {
		l.complain(p, "the reference to "+cut(target, 200)+" is not followed: there are too many files")
		return nil
	}
	l.files[name] = nil
	data, err := l.config.Fetch(l.ctx, name)
	if err == nil && len(data) > l.left {
		err = errTooLarge
	}
	var root *node
	if err == nil {
		l.left -= len(data)
		root, err = l.read(data)
	}
	if err != nil {
		l.complain(p, "the reference to "+cut(target, 200)+" cannot be followed: "+err.Error())
		return nil
	}
	f := &file{name: name}
	f.root = &place{node: root, file: f}
	l.note(f.root)
	l.files[name] = f
	return f
}

// locate returns the name of a file that a reference in another one means. A document can
// be hostile, so it must not name other hosts, nor files outside of its own folder.
func (l *loader) locate(from *file, target string) (name, problem string) {
	if l.config.Fetch == nil {
		return "", "no other files are read"
	}
	base := from.name
	if isAddress(l.config.Source) {
		source, err := url.Parse(base)
		if err != nil {
			return "", "the address of the document is not one"
		}
		to, err := source.Parse(target)
		if err != nil {
			return "", "it is not an address"
		}
		if to.Scheme != source.Scheme || !strings.EqualFold(to.Host, source.Host) || to.User != nil {
			return "", "it leads to another host"
		}
		to.Fragment = ""
		return to.String(), ""
	}
	if decoded, err := url.PathUnescape(target); err == nil {
		target = decoded
	}
	if isAddress(target) || strings.ContainsAny(target, ":\\\x00") {
		return "", "it leads to another host"
	}
	name = path.Join(path.Dir(base), target)
	if path.IsAbs(target) || !fs.ValidPath(name) {
		return "", "it leads out of the folder of the document"
	}
	return name, ""
}

func isAddress(source string) bool {
	return strings.HasPrefix(source, "http://") || strings.HasPrefix(source, "https://")
}

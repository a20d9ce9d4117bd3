package sanitize

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// Policy cleans HTML as its Config says. It is safe for concurrent use.
type Policy struct {
	elements map[string]*element
	content  map[string]bool // removed with what they contain
	prefixes []string
	filter   func(tag, attribute, value string) (string, bool)
	comments bool
	schemes  map[string]bool
	relative URLRelative
	rel      string
	styles   map[string]bool
	idPrefix string
	maxBytes int
	maxDepth int
}

// element is one that is allowed.
type element struct {
	name  string
	kind  kind
	attrs map[string]*attribute
	set   []pair // in the order of their names
}

type pair struct{ name, value string }

// attribute says how the value of one is judged.
type attribute struct {
	name    string
	use     use
	values  map[string]bool // nil is any
	classes map[string]bool // nil is any
}

// builder collects the mistakes of a Config.
type builder struct {
	*Policy
	cfg      Config
	mistakes []error
}

func (b *builder) mistake(format string, args ...any) {
	b.mistakes = append(b.mistakes, fmt.Errorf(format, args...))
}

// New returns the policy, or an error that names every mistake in cfg.
func New(cfg Config) (*Policy, error) {
	if cfg.Tags == nil {
		cfg.Tags = defaultTags()
	}
	if cfg.CleanContentTags == nil {
		cfg.CleanContentTags = []string{"script", "style"}
	}
	if cfg.Attributes == nil {
		cfg.Attributes = defaultAttributes()
	}
	if cfg.URLSchemes == nil {
		cfg.URLSchemes = defaultSchemes()
	}
	b := &builder{cfg: cfg, Policy: &Policy{
		elements: map[string]*element{}, content: map[string]bool{}, schemes: map[string]bool{}, styles: map[string]bool{},
		prefixes: slices.Clone(cfg.GenericAttributePrefixes), filter: cfg.AttributeFilter, comments: cfg.KeepComments,
		relative: cfg.URLRelative, idPrefix: cfg.IDPrefix,
	}}
	b.limits()
	b.tags()
	b.urls()
	b.styleProperties()
	b.allowAttributes()
	b.allowValues()
	b.allowClasses()
	b.setValues()
	b.links()
	b.ids()
	if len(b.mistakes) > 0 {
		return nil, fmt.Errorf("sanitize config: %w", errors.Join(b.mistakes...))
	}
	return b.Policy, nil
}

func (b *builder) limits() {
	b.maxBytes, b.maxDepth = b.cfg.MaxBytes, b.cfg.MaxDepth
	if b.maxBytes == 0 {
		b.maxBytes = 1 << 20
	}
	if b.maxDepth == 0 {
		b.maxDepth = 256
	}
	if b.maxBytes < 0 {
		b.mistake("MaxBytes is %d, want at least 1", b.maxBytes)
	}
	if b.maxDepth < 8 || b.maxDepth > 400 {
		b.mistake("MaxDepth is %d, want 8 to 400", b.maxDepth)
	}
}

func (b *builder) tags() {
	for _, name := range b.cfg.CleanContentTags {
		if !isName(name) {
			b.mistake("CleanContentTags has %q, which is not the name of an element in lower case", name)
		}
		b.content[name] = true
	}
	for _, name := range b.cfg.Tags {
		switch why := whyNever(name); {
		case b.content[name]:
			b.mistake("%s is in Tags and in CleanContentTags", name)
		case !isName(name):
			b.mistake("Tags has %q, which is not the name of an element in lower case", name)
		case why != "":
			b.mistake("Tags has %s: %s", name, why)
		}
		b.elements[name] = &element{name: name, kind: kindOf(name), attrs: map[string]*attribute{}}
	}
	for _, name := range b.cfg.Tags {
		if kindOf(name)&(tablePart|structural) == 0 {
			continue
		}
		for _, needed := range []string{"table", "tbody", "tr", "td"} {
			if b.elements[needed] == nil {
				b.mistake("Tags has %s and not %s, which a browser adds", name, needed)
			}
		}
		break
	}
	if b.elements["col"] != nil && b.elements["colgroup"] == nil {
		b.mistake("Tags has col and not colgroup, which a browser adds")
	}
}

func (b *builder) urls() {
	for _, scheme := range b.cfg.URLSchemes {
		switch {
		case slices.Contains([]string{"javascript", "vbscript", "livescript", "data", "blob", "filesystem", "file", "about", "view-source"}, scheme):
			b.mistake("URLSchemes has %s: such a URL runs or contains what is shown", scheme)
		case scheme != strings.ToLower(scheme) || !isScheme(scheme):
			b.mistake(`URLSchemes has %q, want one like "https"`, scheme)
		}
		b.schemes[scheme] = true
	}
	if b.relative.mode == rewriteByFunction && b.relative.rewrite == nil {
		b.mistake("URLRelative: RewriteRelative has no function")
	}
	if b.relative.mode != rewriteToBase {
		return
	}
	base, err := url.Parse(b.relative.base)
	switch {
	case err != nil || base.Host == "":
		b.mistake("URLRelative: %q is no absolute URL", b.relative.base)
	case !b.schemes[base.Scheme]:
		b.mistake("URLRelative: the scheme of %q is not in URLSchemes", b.relative.base)
	}
	b.relative.parsed = base
}

// styleProperties notes which CSS properties are kept. A few properties load
// and run what they name, in browsers of long ago.
func (b *builder) styleProperties() {
	for _, name := range b.cfg.FilterStyleProperties {
		switch {
		case name == "behavior" || strings.HasSuffix(name, "-binding"):
			b.mistake("FilterStyleProperties has %s, which can run scripts", name)
		case !isName(strings.TrimLeft(name, "-")):
			b.mistake("FilterStyleProperties has %q, which is no CSS property in lower case", name)
		}
		b.styles[name] = true
	}
}

func (b *builder) allowAttributes() {
	for _, tag := range slices.Sorted(maps.Keys(b.cfg.Attributes)) {
		for _, name := range b.cfg.Attributes[tag] {
			b.checkAllowed("Attributes of "+tag, name)
			for _, e := range b.elements {
				if e.name == tag || tag == "*" {
					e.attrs[name] = &attribute{name: name, use: useOf(name)}
				}
			}
		}
	}
	for _, prefix := range b.prefixes {
		if !isAttributeName(prefix) || !strings.HasSuffix(prefix, "-") || strings.HasPrefix(prefix, "on") {
			b.mistake(`GenericAttributePrefixes has %q, want one like "data-"`, prefix)
		}
	}
}

// checkAllowed refuses what senders may not fill, and wants the options without
// which they may not.
func (b *builder) checkAllowed(where, name string) {
	b.checkAttribute(where, name)
	if name == "style" && b.cfg.FilterStyleProperties == nil {
		b.mistake("%s: style, and FilterStyleProperties does not say which properties", where)
	}
	if useOf(name) == idUse && b.idPrefix == "" && b.cfg.InsecureAnyID == "" {
		b.mistake("%s: %s needs IDPrefix, or the reason in InsecureAnyID", where, name)
	}
}

// checkAttribute refuses names that a policy cannot make safe.
func (b *builder) checkAttribute(where, name string) {
	switch {
	case !isAttributeName(name):
		b.mistake("%s: %q is not the name of an attribute in lower case", where, name)
	case strings.HasPrefix(name, "on"):
		b.mistake("%s: %s is a script", where, name)
	case slices.Contains([]string{"srcdoc", "srcset", "imagesrcset", "ping", "http-equiv", "is", "nonce", "attributionsrc", "archive", "classid", "xmlns"}, name),
		strings.Contains(name, ":"):
		b.mistake("%s: %s holds markup, code or more than one URL", where, name)
	}
}

// allows reports whether the Config allows an attribute of an element whatever
// its value is.
func (b *builder) allows(tag, name string) bool {
	return slices.Contains(b.cfg.Attributes[tag], name) || slices.Contains(b.cfg.Attributes["*"], name)
}

func (b *builder) allowValues() {
	for _, tag := range slices.Sorted(maps.Keys(b.cfg.TagAttributeValues)) {
		for _, name := range slices.Sorted(maps.Keys(b.cfg.TagAttributeValues[tag])) {
			b.checkAllowed("TagAttributeValues of "+tag, name)
			if b.allows(tag, name) {
				b.mistake("%s of %s is in Attributes and in TagAttributeValues", name, tag)
			}
			if e := b.elements[tag]; e != nil {
				e.attrs[name] = &attribute{name: name, use: useOf(name), values: set(b.cfg.TagAttributeValues[tag][name])}
			}
		}
	}
}

func (b *builder) allowClasses() {
	for _, tag := range slices.Sorted(maps.Keys(b.cfg.AllowedClasses)) {
		if b.allows(tag, "class") || b.cfg.TagAttributeValues[tag]["class"] != nil {
			b.mistake("class of %s is in AllowedClasses and in Attributes or TagAttributeValues", tag)
		}
		if e := b.elements[tag]; e != nil {
			e.attrs["class"] = &attribute{name: "class", classes: set(b.cfg.AllowedClasses[tag])}
		}
	}
}

func (b *builder) setValues() {
	for _, tag := range slices.Sorted(maps.Keys(b.cfg.SetTagAttributeValues)) {
		if !isName(tag) {
			b.mistake("SetTagAttributeValues has no element %s", tag)
		}
		for _, name := range slices.Sorted(maps.Keys(b.cfg.SetTagAttributeValues[tag])) {
			value := b.cfg.SetTagAttributeValues[tag][name]
			b.checkAttribute("SetTagAttributeValues of "+tag, name)
			if useOf(name) == urlUse {
				if scheme, rest := splitScheme(value); rest && !b.schemes[scheme] {
					b.mistake("SetTagAttributeValues of %s: the scheme of %s is not in URLSchemes", tag, name)
				}
			}
			if e := b.elements[tag]; e != nil {
				e.set = append(e.set, pair{name, value})
			}
		}
	}
}

func (b *builder) links() {
	b.rel = b.cfg.LinkRel
	switch {
	case b.cfg.InsecureNoLinkRel != "" && b.cfg.LinkRel != "":
		b.mistake("LinkRel and InsecureNoLinkRel contradict each other")
	case b.cfg.InsecureNoLinkRel != "":
		return
	case b.rel == "":
		b.rel = "noopener noreferrer"
	}
	for _, tag := range []string{"a", "area"} {
		_, isSet := b.cfg.SetTagAttributeValues[tag]["rel"]
		if b.allows(tag, "rel") || b.cfg.TagAttributeValues[tag]["rel"] != nil || isSet {
			b.mistake("rel of %s is allowed, and LinkRel sets it; leave it out, or say why in InsecureNoLinkRel", tag)
		}
	}
}

func (b *builder) ids() {
	if b.idPrefix != "" && !isAttributeName(b.idPrefix) {
		b.mistake(`IDPrefix is %q, want one like "user-content-"`, b.idPrefix)
	}
	if b.idPrefix != "" && b.cfg.InsecureAnyID != "" {
		b.mistake("IDPrefix and InsecureAnyID contradict each other")
	}
}

func set(values []string) map[string]bool {
	m := make(map[string]bool, len(values))
	for _, v := range values {
		m[v] = true
	}
	return m
}

// isName reports whether name is that of an element: a letter, then letters,
// digits, hyphens, full stops and underscores, all of ASCII and in lower case.
func isName(name string) bool {
	return name != "" && name[0] >= 'a' && name[0] <= 'z' && isAttributeName(name) && !strings.Contains(name, ":")
}

// isAttributeName reports whether name consists of what no parser takes for
// anything else.
func isAttributeName(name string) bool {
	for i := range len(name) {
		switch c := name[i]; {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-', c == '_', c == '.', c == ':':
		default:
			return false
		}
	}
	return name != ""
}

package sanitize

import (
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// use says what a browser does with the value of an attribute.
type use uint8

const (
	plainUse use = iota
	urlUse       // it loads it, or goes there
	idUse        // it names the element, for scripts too
	styleUse     // it reads it as CSS
	classUse
)

func useOf(attribute string) use {
	switch attribute {
	case "href", "src", "cite", "action", "formaction", "data", "poster", "background", "longdesc", "manifest", "codebase", "usemap",
		"profile", "icon", "dynsrc", "lowsrc":
		return urlUse
	case "id", "name":
		return idUse
	case "style":
		return styleUse
	case "class":
		return classUse
	}
	return plainUse
}

// maxAttributes is how many attributes a tag may have.
const maxAttributes = 64

// attributes writes what is allowed of the attributes of a tag. Of two with one
// name the tokenizer gives the first, which is the one that counts in a browser.
func (c *cleaner) attributes(e *element, z *html.Tokenizer) {
	count, linked := 0, e.name == "a"
	for more := z != nil; more && count < maxAttributes; {
		var key, value []byte
		key, value, more = z.TagAttr()
		rule := c.rule(e, key)
		if rule == nil {
			continue
		}
		count++
		if slices.ContainsFunc(e.set, func(p pair) bool { return p.name == rule.name }) {
			continue
		}
		if text, ok := c.value(e, rule, value); ok {
			c.out = appendAttribute(c.out, rule.name, text)
			linked = linked || rule.name == "href" && e.name == "area"
		}
	}
	for _, p := range e.set {
		c.out = appendAttribute(c.out, p.name, p.value)
	}
	if linked && c.policy.rel != "" {
		c.out = appendAttribute(c.out, "rel", c.policy.rel)
	}
}

// rule returns how an attribute is judged, or nil if it is not allowed.
func (c *cleaner) rule(e *element, key []byte) *attribute {
	if rule := e.attrs[string(key)]; rule != nil {
		return rule
	}
	for _, prefix := range c.policy.prefixes {
		if name := string(key); strings.HasPrefix(name, prefix) && isAttributeName(name) {
			return &attribute{name: name, use: useOf(name)}
		}
	}
	return nil
}

// value returns what is kept of a value, and whether the attribute is.
func (c *cleaner) value(e *element, rule *attribute, raw []byte) (string, bool) {
	text, ok := c.judge(rule, strings.ReplaceAll(string(raw), "\x00", ""))
	if !ok || c.policy.filter == nil || c.verifies {
		return text, ok
	}
	text, ok = filtered(c.policy.filter, e.name, rule.name, text)
	if !ok {
		return "", false
	}
	return c.judge(rule, strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", ""))
}

// filtered asks a function of the application. One that panics said no.
func filtered(f func(tag, attribute, value string) (string, bool), tag, attribute, value string) (text string, ok bool) {
	defer func() {
		if recover() != nil {
			text, ok = "", false
		}
	}()
	return f(tag, attribute, value)
}

func (c *cleaner) judge(rule *attribute, text string) (string, bool) {
	if rule.values != nil && !rule.values[text] {
		return "", false
	}
	switch rule.use {
	case urlUse:
		return c.url(text)
	case styleUse:
		return c.policy.style(text), true
	case idUse:
		if !strings.HasPrefix(text, c.policy.idPrefix) {
			text = c.policy.idPrefix + text
		}
	}
	if rule.classes != nil {
		return rule.filterClasses(text), true
	}
	return text, true
}

// filterClasses returns the classes that are allowed.
func (a *attribute) filterClasses(text string) string {
	var kept []string
	for class := range strings.FieldsFuncSeq(text, isSpaceRune) {
		if a.classes[class] {
			kept = append(kept, class)
		}
	}
	return strings.Join(kept, " ")
}

package sanitize

import (
	"bytes"
	"strings"

	"golang.org/x/net/html"
)

// Clean returns what is allowed of s, as HTML. Cleaning that again changes
// nothing. If s is longer than MaxBytes, nothing in it is taken for markup.
func (p *Policy) Clean(s string) string {
	if isPlain(s) {
		return s
	}
	if len(s) > p.maxBytes {
		return escapeText(s)
	}
	return p.clean(s)
}

// clean is Clean for a text of any length.
func (p *Policy) clean(s string) string {
	c := cleaner{policy: p, out: make([]byte, 0, len(s)+len(s)/8+64), spare: len(s) + 256}
	c.run(s)
	out := string(c.out)
	if !c.repaired {
		return out
	}
	again := cleaner{policy: p, out: c.out[:0], spare: len(out) + 256, verifies: true}
	again.run(out)
	if string(again.out) != out {
		return escapeText(s)
	}
	return out
}

// CleanText returns s as text: every character that means something to a parser
// of HTML is escaped, so that it can stand in an element or in an attribute
// with or without quotes. It does not make s fit for a script, a style or a URL.
func (p *Policy) CleanText(s string) string { return escapeAll(s) }

// IsHTML reports whether a parser finds a tag, a comment or a doctype in s.
// That is also so for "a<b": a letter behind < begins a tag.
func (p *Policy) IsHTML(s string) bool { return isHTML(s) }

func isHTML(s string) bool {
	if strings.IndexByte(s, '<') < 0 {
		return false
	}
	z := html.NewTokenizer(strings.NewReader(s))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return false
		case html.TextToken:
		default:
			return true
		}
	}
}

// cleaner is one cleaning under way. It writes the output as it goes.
type cleaner struct {
	policy *Policy
	out    []byte
	stack  []open
	// pending are formatting elements that ended because something around them
	// did. They are opened again before the next text, as a browser does.
	pending []open
	// spare is how many bytes may be spent on opening them again: otherwise a few
	// bytes that end a paragraph would cost as much as all that is open.
	spare int
	// tooDeep counts elements whose tags were left out because of their depth.
	tooDeep int
	// removed is an element that is removed with its content, and how often it
	// was opened.
	removed      string
	removedDepth int
	// repaired says that the nesting was not that of the input.
	repaired bool
	// verifies says that the input is the output of another cleaning.
	verifies bool
	atPre    bool // the last token was the start tag of a pre
}

// open is an element without its end tag.
type open struct {
	*element
	from, to int  // its start tag in the output
	ended    bool // as soon as what is inside has
}

func (c *cleaner) run(s string) {
	z := html.NewTokenizer(strings.NewReader(strings.ToValidUTF8(s, "\uFFFD")))
	for {
		token := z.Next()
		afterPre := c.atPre
		c.atPre = false
		switch token {
		case html.ErrorToken: // The reader has no error but its end.
			c.closeTo(0)
			return
		case html.TextToken:
			text := z.Text()
			if afterPre { // A parser leaves the newline out, for the sake of who reads the source.
				text = bytes.TrimPrefix(text, []byte("\n"))
			}
			c.text(text)
		case html.StartTagToken, html.SelfClosingTagToken:
			c.startTag(z)
		case html.EndTagToken:
			name, _ := z.TagName()
			c.endTag(name)
		case html.CommentToken:
			c.comment(z.Text())
		}
	}
}

func (c *cleaner) startTag(z *html.Tokenizer) {
	name, _ := z.TagName()
	if string(name) == "noscript" {
		z.NextIsNotRawText() // It may be shown to readers without scripts.
	}
	if c.removed != "" {
		if string(name) == c.removed {
			c.removedDepth++
		}
		return
	}
	if string(name) == "image" { // HTML Standard section 13.2.6.4.7: "Don't ask."
		name = []byte("img")
	}
	if e := c.policy.elements[string(name)]; e != nil {
		if c.place(e) {
			c.open(e, z)
		}
		return
	}
	k := kindOf(string(name))
	if c.policy.content[string(name)] {
		if k&void == 0 {
			c.removed, c.removedDepth = string(name), 1
		}
		return
	}
	if k&closesP != 0 && !c.inTable() {
		c.endParagraph()
	}
}

func (c *cleaner) endTag(name []byte) {
	if c.removed != "" {
		if string(name) == c.removed {
			if c.removedDepth--; c.removedDepth == 0 {
				c.removed = ""
			}
		}
		return
	}
	e := c.policy.elements[string(name)]
	if e == nil || e.kind&void != 0 {
		return
	}
	if c.tooDeep > 0 && e.kind&(tablePart|structural) == 0 {
		c.tooDeep--
		return
	}
	c.end(e)
}

// text writes a text, in a cell if it stands in a table outside of one.
func (c *cleaner) text(s []byte) {
	if len(s) == 0 || c.removed != "" {
		return
	}
	if c.inTable() {
		if isSpace(s) {
			c.out = appendText(c.out, s)
			return
		}
		c.cell()
	}
	c.reopen()
	if s[0] == '\n' && len(c.stack) > 0 && c.top().name == "pre" && c.top().to == len(c.out) {
		c.out = append(c.out, '\n') // for the parser to leave out
	}
	c.out = appendText(c.out, s)
}

// comment keeps a comment that is text for every parser there ever was.
func (c *cleaner) comment(s []byte) {
	if !c.policy.comments || c.removed != "" {
		return
	}
	if bytes.ContainsAny(s, "<>&[]\r\x00") || bytes.Contains(s, []byte("--")) || bytes.HasPrefix(s, []byte("-")) || bytes.HasSuffix(s, []byte("-")) {
		return
	}
	c.out = append(append(append(c.out, "<!--"...), s...), "-->"...)
}

// open writes a start tag and, unless the element is void, waits for its end.
// z has the attributes; nil has none.
func (c *cleaner) open(e *element, z *html.Tokenizer) {
	from := len(c.out)
	c.out = append(append(c.out, '<'), e.name...)
	c.attributes(e, z)
	c.out = append(c.out, '>')
	c.atPre = e.name == "pre"
	if e.kind&void == 0 {
		c.stack = append(c.stack, open{element: e, from: from, to: len(c.out)})
	}
}

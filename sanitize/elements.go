package sanitize

// kind says how a browser's parser treats an element (HTML Standard section
// 13.2.6). Only what has a bearing on nesting is here.
type kind uint16

const (
	void       kind = 1 << iota // has no content and no end tag
	closesP                     // a p in scope ends where it begins
	special                     // stops the search for an li, dd or dt that it would end
	formatting                  // is opened again where the nesting was wrong
	boundary                    // what is inside cannot end what is outside
	tablePart                   // stands in a table and nowhere else
	structural                  // has table parts in it, and no text
	heading
	annotation // rb, rp, rt, rtc
	implied    // ends where an annotation begins
)

// kindOf returns the kind of an element by its name in lower case.
func kindOf(name string) kind {
	switch name {
	case "a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u":
		return formatting
	case "address", "article", "aside", "blockquote", "center", "details", "dir", "div", "dl", "fieldset", "figcaption", "figure", "footer",
		"form", "header", "hgroup", "listing", "main", "menu", "nav", "ol", "plaintext", "pre", "search", "section", "summary", "ul", "xmp":
		return closesP | special
	case "dialog": // It ends a p, and is not among the special elements.
		return closesP
	case "p", "li", "dd", "dt":
		return closesP | special | implied
	case "h1", "h2", "h3", "h4", "h5", "h6":
		return closesP | special | heading
	case "hr":
		return closesP | special | void
	case "area", "br", "embed", "img", "input", "keygen", "link", "meta", "param", "source", "track", "wbr", "base", "basefont", "bgsound", "frame":
		return special | void
	case "rb", "rp", "rt", "rtc":
		return annotation | implied
	case "table":
		return closesP | special | boundary | structural
	case "colgroup", "tbody", "thead", "tfoot", "tr":
		return special | tablePart | structural
	case "col":
		return special | tablePart | void
	case "caption", "td", "th":
		return special | tablePart | boundary
	case "button", "iframe", "noscript", "object", "script", "select", "style", "template", "textarea", "title", "head", "body", "html",
		"applet", "frameset", "marquee", "noembed", "noframes":
		return special
	}
	return 0
}

// whyNever says why an element cannot be allowed, or "".
func whyNever(name string) string {
	switch name {
	case "svg", "math":
		return "its content is parsed by the rules of XML: markup that is inert there is not when the page is parsed again"
	case "script", "style", "xmp", "iframe", "noembed", "noframes", "noscript", "plaintext", "textarea", "title", "template", "listing":
		return "a browser does not parse its content as HTML that is shown"
	case "select", "option", "optgroup", "selectedcontent", "datalist":
		return "browsers differ in what they parse inside a select"
	case "html", "head", "body", "frameset", "frame", "base", "link", "meta", "basefont", "bgsound":
		return "it belongs to a whole document"
	case "object", "embed", "applet", "param", "portal", "fencedframe", "marquee", "keygen", "isindex", "image":
		return "it loads content that is active, or is obsolete and parsed by rules of its own"
	}
	return ""
}

// defaultTags are the elements that nh3 allows by default.
func defaultTags() []string {
	return []string{
		"a", "abbr", "acronym", "area", "article", "aside", "b", "bdi", "bdo", "blockquote", "br", "caption", "center", "cite",
		"code", "col", "colgroup", "data", "dd", "del", "details", "dfn", "div", "dl", "dt", "em", "figcaption", "figure",
		"footer", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hgroup", "hr", "i", "img", "ins", "kbd", "li", "map", "mark",
		"nav", "ol", "p", "pre", "q", "rp", "rt", "rtc", "ruby", "s", "samp", "small", "span", "strike", "strong", "sub",
		"summary", "sup", "table", "tbody", "td", "th", "thead", "time", "tr", "tt", "u", "ul", "var", "wbr",
	}
}

// defaultAttributes are the attributes that nh3 allows by default; "*" is any
// element.
func defaultAttributes() map[string][]string {
	return map[string][]string{
		"*":          {"lang", "title"},
		"a":          {"href", "hreflang"},
		"bdo":        {"dir"},
		"blockquote": {"cite"},
		"col":        {"align", "char", "charoff", "span"},
		"colgroup":   {"align", "char", "charoff", "span"},
		"del":        {"cite", "datetime"},
		"hr":         {"align", "size", "width"},
		"img":        {"align", "alt", "height", "src", "width"},
		"ins":        {"cite", "datetime"},
		"ol":         {"start"},
		"q":          {"cite"},
		"table":      {"align", "char", "charoff", "summary"},
		"tbody":      {"align", "char", "charoff"},
		"td":         {"align", "char", "charoff", "colspan", "headers", "rowspan"},
		"tfoot":      {"align", "char", "charoff"},
		"th":         {"align", "char", "charoff", "colspan", "headers", "rowspan", "scope"},
		"thead":      {"align", "char", "charoff"},
		"tr":         {"align", "char", "charoff"},
	}
}

func defaultSchemes() []string { return []string{"http", "https", "mailto", "tel"} }

// wideSchemes are the URL schemes that nh3 allows by default.
func wideSchemes() []string {
	return []string{
		"bitcoin", "ftp", "ftps", "geo", "http", "https", "im", "irc", "ircs", "magnet", "mailto", "mms", "mx", "news", "nntp",
		"openpgp4fpr", "sip", "sms", "smsto", "ssh", "tel", "url", "webcal", "wtai", "xmpp",
	}
}

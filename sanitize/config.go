package sanitize

// Config says what is allowed. The zero value is the default of nh3 with fewer
// URL schemes. In each list, nil is the default and an empty one is nothing.
// Names are in lower case.
type Config struct {
	// Tags are the elements that are kept. Of others the tags are removed, and
	// what they contain stays. The default are the 75 of nh3: text, lists,
	// tables, images. Those of which a table consists (table, tbody, tr, td) are
	// allowed together, because a browser adds what is missing. Elements whose
	// content is not parsed as HTML, such as svg, style or iframe, are refused.
	Tags []string
	// CleanContentTags are elements that are removed with all that they contain.
	// The default is script and style.
	CleanContentTags []string
	// Attributes are the attributes that each element may have; those of "*" are
	// for every element. The default is that of nh3: lang and title everywhere,
	// href of a, src of img and such. Event handlers (on…), srcdoc and others
	// that carry code are refused, and so is style without FilterStyleProperties.
	Attributes map[string][]string
	// AttributeFilter, if not nil, is asked about every attribute that is left.
	// It returns its new value and whether the attribute is kept. If it panics,
	// the attribute is dropped. What it returns is checked like what was sent. It
	// is not asked about rel and what SetTagAttributeValues sets. It must be safe
	// for concurrent use.
	AttributeFilter func(tag, attribute, value string) (string, bool)
	// KeepComments keeps comments of plain text. Those with markup in them, as
	// conditional comments have, are removed even so.
	KeepComments bool
	// LinkRel is the attribute rel of every link. The default is
	// "noopener noreferrer": a page that is opened does not get hold of the one
	// that links to it, and is not told its address.
	LinkRel string
	// InsecureNoLinkRel, if not empty, says why links get no rel.
	InsecureNoLinkRel string
	// GenericAttributePrefixes allow all attributes that begin so, of every
	// element. Each ends with a hyphen: "data-", "aria-". Mind the scripts of the
	// page: libraries such as htmx and Bootstrap act on data- attributes.
	GenericAttributePrefixes []string
	// TagAttributeValues are attributes that are kept if they have one of some
	// values: element → attribute → values.
	TagAttributeValues map[string]map[string][]string
	// SetTagAttributeValues are attributes that every such element gets, whatever
	// it had: element → attribute → value.
	SetTagAttributeValues map[string]map[string]string
	// URLSchemes are the schemes of absolute URLs. An attribute with another is
	// dropped. The default is http, https, mailto and tel. Schemes that run or
	// contain what is in the URL (javascript, data …) are refused.
	URLSchemes []string
	// URLRelative says what becomes of relative URLs. The default is
	// [PassRelative].
	URLRelative URLRelative
	// AllowedClasses are the classes that each element may have; others are
	// removed from its attribute class.
	AllowedClasses map[string][]string
	// FilterStyleProperties are the CSS properties that are kept in attributes
	// style. Their values are plain: no url(…), no escapes, no functions but
	// those of colours and arithmetic.
	FilterStyleProperties []string
	// IDPrefix is put before every id and name that does not begin with it, so
	// that no element takes the place of one of the page (DOM clobbering): a
	// script that asks for window.config gets an element with the id config.
	// Where an element may have id or name, it is required.
	IDPrefix string
	// InsecureAnyID, if not empty, says why ids and names need no prefix.
	InsecureAnyID string
	// MaxBytes is the longest text that is cleaned; a longer one is shown as
	// text. The default is 1 MiB.
	MaxBytes int
	// MaxDepth is how deep elements are nested; of deeper ones only the content
	// stays. The default is 256, the most is 400: browsers stop at 512.
	MaxDepth int
}

// NH3 is the default of nh3, with its wide list of URL schemes: those of
// programs, too, that a link starts on the reader's machine.
func NH3() Config { return Config{URLSchemes: wideSchemes()} }

// Strict allows no element: what is left is the text, escaped.
func Strict() Config { return Config{Tags: []string{}, Attributes: map[string][]string{}} }

// Basic is for comments: paragraphs, lists, quotations, code and links, and no
// image, table or heading. Links are absolute.
func Basic() Config {
	return Config{
		Tags: []string{
			"a", "b", "blockquote", "br", "code", "del", "em", "i", "ins", "kbd", "li", "mark", "ol", "p", "pre", "q", "s", "strong",
			"sub", "sup", "u", "ul",
		},
		Attributes:  map[string][]string{"a": {"href"}, "ol": {"start"}},
		URLRelative: DenyRelative(),
	}
}

package mediatype

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/fastness/fastness/problem"
)

// DefaultPixels is how many pixels a picture may have if nobody says: 50 million,
// which is more than the camera of a phone makes by itself.
const DefaultPixels = 50_000_000

// Config says which files are wanted. The zero value accepts nothing, which is a
// mistake.
type Config struct {
	// Accept are media types of [Types], or "image/*": PNG, JPEG, GIF and WebP.
	// Text has no signature. What is called text/csv, application/json or
	// text/markdown is a text in UTF-8 whose name says so.
	Accept []string
	// MaxPixels is how many pixels a picture may have. The default is
	// [DefaultPixels]. It holds for PNG, JPEG, GIF and WebP; the size of no other
	// picture is known, so accepting one together with MaxPixels, MaxWidth or
	// MaxHeight is a mistake.
	MaxPixels int64
	// MaxWidth and MaxHeight are in pixels. The default is no limit but MaxPixels.
	MaxWidth, MaxHeight int
	// InsecureActive, if not empty, says why types are accepted that a browser
	// runs scripts in: text/html, image/svg+xml, application/xml,
	// application/java-archive.
	InsecureActive string
}

// Claim is what the sender says about a file. Nothing of it is believed.
type Claim struct {
	// Name is the file's name. Its last extension is compared with the content.
	// One without an extension says nothing.
	Name string
	// Type is the Content-Type. One that is empty or application/octet-stream
	// says nothing.
	Type string
}

// Policy says which files are wanted. It is safe for concurrent use.
type Policy struct {
	accept        []*kind
	maxPixels     int64
	width, height int
}

// New returns a policy, or an error that names every mistake in cfg.
func New(cfg Config) (*Policy, error) {
	var mistakes []error
	note := func(format string, args ...any) { mistakes = append(mistakes, fmt.Errorf(format, args...)) }
	p := &Policy{maxPixels: cmp.Or(cfg.MaxPixels, DefaultPixels), width: cfg.MaxWidth, height: cfg.MaxHeight}
	if cfg.MaxPixels < 0 || cfg.MaxWidth < 0 || cfg.MaxHeight < 0 {
		note("MaxPixels, MaxWidth and MaxHeight are %d, %d and %d, want at least 1", cfg.MaxPixels, cfg.MaxWidth, cfg.MaxHeight)
	}
	if len(cfg.Accept) == 0 {
		note("Accept is empty: it says which types are wanted")
	}
	bounded := cfg.MaxPixels != 0 || cfg.MaxWidth != 0 || cfg.MaxHeight != 0
	for _, name := range cfg.Accept {
		if name == "image/*" {
			p.accept = append(p.accept, kindOf("image/png"), kindOf("image/jpeg"), kindOf("image/gif"), kindOf("image/webp"))
			continue
		}
		switch k := kindOf(name); {
		case k == nil:
			note("Accept: %q is not recognised by its content; what is: %s", name, strings.Join(Types(), ", "))
		case k.active && cfg.InsecureActive == "":
			note("Accept: a browser runs the scripts in %s: InsecureActive must say why it is accepted", name)
		case bounded && k.is("image/") && !k.isMeasured():
			note("Accept: the size of %s is not read, so it cannot be limited in pixels", name)
		default:
			p.accept = append(p.accept, k)
		}
	}
	if len(mistakes) > 0 {
		return nil, fmt.Errorf("mediatype config: %w", errors.Join(mistakes...))
	}
	return p, nil
}

func (k *kind) isMeasured() bool {
	return k.name == "image/png" || k.name == "image/jpeg" || k.name == "image/gif" || k.name == "image/webp"
}

// Types returns the media types that are accepted.
func (p *Policy) Types() []string {
	names := make([]string, len(p.accept))
	for i, k := range p.accept {
		names[i] = k.name
	}
	return names
}

// Check returns the content if it is wanted; the type of a text is then the one
// that its name says. Otherwise the error is a [*problem.Problem] with status 422
// and one of the codes file_type, file_type_mismatch, image_too_large.
func (p *Policy) Check(c Content, claim Claim) (Content, error) {
	k := p.kind(c, claim)
	if k == nil {
		detail := "The file should be of a type that is accepted: " + strings.Join(p.Types(), ", ")
		if c.Why != "" {
			detail += "; " + c.Why
		}
		return c, refused("file_type", detail)
	}
	if extension := extensionOf(claim.Name); extension != "" && !slices.Contains(k.extensions, extension) {
		return c, refused("file_type_mismatch", "The extension of the file should be that of its content")
	}
	if claimed := essence(claim.Type); claimed != "" && claimed != Unknown && !k.spokenBy(claimed) {
		return c, refused("file_type_mismatch", "The declared type of the file should be that of its content")
	}
	switch {
	case k.isMeasured() && c.Pixels() > p.maxPixels:
		return c, refused("image_too_large", fmt.Sprintf("The picture should have at most %d pixels", p.maxPixels))
	case k.isMeasured() && (c.Width > cmp.Or(p.width, math.MaxInt) || c.Height > cmp.Or(p.height, math.MaxInt)):
		return c, refused("image_too_large", "The picture should not be wider or higher than is allowed")
	}
	if k.isText() {
		c.Type = k.name
		if strings.HasPrefix(c.Type, "text/") {
			c.Type += utf8Charset
		}
	}
	return c, nil
}

// kind returns the accepted kind that the content is of. Among texts the name
// decides, and the claimed type if the name says nothing.
func (p *Policy) kind(c Content, claim Claim) *kind {
	is := essence(c.Type)
	if is != plainText {
		for _, k := range p.accept {
			if k.name == is {
				return k
			}
		}
		return nil
	}
	extension, claimed := extensionOf(claim.Name), essence(claim.Type)
	var first *kind
	for _, k := range p.accept {
		if !k.isText() {
			continue
		}
		if slices.Contains(k.extensions, extension) || extension == "" && k.name == claimed {
			return k
		}
		if first == nil {
			first = k
		}
	}
	return first
}

func extensionOf(name string) string {
	return strings.ToLower(strings.TrimPrefix(path.Ext(strings.TrimRight(name, ". ")), "."))
}

func refused(code, detail string) *problem.Problem {
	return problem.New(http.StatusUnprocessableEntity, detail).Named(code)
}

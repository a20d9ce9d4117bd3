package fastness

import (
	"errors"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/fastness/fastness/internal/field"
	"github.com/fastness/fastness/internal/form"
	"github.com/fastness/fastness/internal/negotiate"
	"github.com/fastness/fastness/openapi"
	"github.com/fastness/fastness/problem"
)

// Format is one more way to write the bodies of an app, beside JSON: see package cbor,
// a module of its own. The engine stays one. A request that names the format in its
// Content-Type is made JSON, and read by the same plan; an answer is made of JSON,
// where Accept wants the format more (RFC 9110 section 12.5.1). Its methods must be
// safe for concurrent use, and keep nothing that they get.
type Format interface {
	// MediaType is the format's, without parameters: "application/cbor".
	MediaType() string
	// ToJSON returns the JSON of a body. It must refuse what is not strictly the
	// format, and what could be read in two ways, and must bound what it returns by the
	// size of data: more than eight times as much is a 413. A *problem.Problem is
	// shown, and any other error is a 400 that does not tell it.
	ToJSON(data []byte) ([]byte, error)
	// FromJSON returns the body of an answer. An error is a 500, and rolls back.
	FromJSON(data []byte) ([]byte, error)
}

// maxGrowth is how many times its size a body may have as JSON: a NUL in a text is one
// byte elsewhere, and six in JSON.
const maxGrowth = 8

const jsonMedia = "application/json"

// checkFormats refuses media types that mean something already, or that a browser
// would do something with: a page of another site may send a text/plain body without
// being asked, and text/html in an answer is a page of this site.
func (a *App) checkFormats() (errs []error) {
	seen := make(map[string]bool)
	for i, f := range a.cfg.Formats {
		if f == nil {
			errs = append(errs, fmt.Errorf("config: Formats: %d is nil", i+1))
			continue
		}
		media := f.MediaType()
		parsed, params, err := mime.ParseMediaType(media)
		minor, application := strings.CutPrefix(media, "application/")
		switch {
		case err != nil || parsed != media || len(params) > 0 || !application || !field.IsToken(minor):
			errs = append(errs, fmt.Errorf("config: Formats: %q is no media type in lower case that begins with application/", media))
		case minor == "json" || minor == "x-www-form-urlencoded" || minor == "octet-stream" || minor == "pdf" ||
			strings.HasSuffix(minor, "+json") || strings.HasSuffix(minor, "xml") || strings.HasSuffix(minor, "script"):
			errs = append(errs, fmt.Errorf("config: Formats: %s means something else already, to the app or to browsers", media))
		case seen[media]:
			errs = append(errs, fmt.Errorf("config: Formats: %s is there twice", media))
		}
		seen[media] = true
	}
	return errs
}

// format returns the format of a media type, or nil.
func (a *App) format(media string) Format {
	for _, f := range a.cfg.Formats {
		if f.MediaType() == media {
			return f
		}
	}
	return nil
}

// bodyTypes are the media types that bodies may have.
func (a *App) bodyTypes() []string {
	types := []string{jsonMedia}
	for _, f := range a.cfg.Formats {
		types = append(types, f.MediaType())
	}
	return types
}

// notTaken says which bodies are taken.
func (a *App) notTaken() *problem.Problem {
	p := problem.New(http.StatusUnsupportedMediaType, "the body must be JSON").Named("unsupported_media_type")
	if len(a.cfg.Formats) > 0 {
		p.Detail = "the body must be of type " + strings.Join(a.bodyTypes(), " or ")
		p.With("Accept", strings.Join(a.bodyTypes(), ", ")) // RFC 9110 section 15.5.16
	}
	return p
}

// toJSON makes JSON of a body that is in another format.
func (x *exchange) toJSON(body []byte) ([]byte, error) {
	media, _ := form.ContentType(x.r.Header["Content-Type"]) // checkMedia has read it.
	f := x.app.format(media.Type)
	if f == nil {
		return body, nil
	}
	text, err := f.ToJSON(body)
	if len(text) > maxGrowth*len(body)+64 {
		return nil, x.match.Value.operation.tooLarge
	}
	if _, told := errors.AsType[*problem.Problem](err); err != nil && !told {
		err = problem.New(http.StatusBadRequest, "the body is not valid "+media.Type).Named("body_invalid").Wrap(err)
	}
	return text, err
}

// negotiates reports whether answers of op are in the format that Accept wants.
func (op *operationPlan) negotiates(a *App) bool {
	return len(a.cfg.Formats) > 0 && op.output != nil && op.table == nil && !op.streams()
}

// checkAccept finds the format of the answer, and refuses a request that accepts none of
// what op answers with, before anything is done. What cannot be read is no wish.
func (x *exchange) checkAccept(op *operationPlan) error {
	if !op.negotiates(x.app) {
		return nil
	}
	best, f := x.best(jsonMedia)
	if x.format = f; best < 0 && op.outline.content == "" {
		return problem.New(http.StatusNotAcceptable, "there is "+strings.Join(x.app.bodyTypes(), " and ")).Named("not_acceptable")
	}
	return nil
}

// best returns which representation Accept wants: 0 for the one that is called by the
// names, and further ones for the formats.
func (x *exchange) best(names ...string) (best int, f Format) {
	ranges, ok := negotiate.Parse(x.r.Header["Accept"])
	if !ok {
		return 0, nil
	}
	offers := [][]string{names}
	for _, f := range x.app.cfg.Formats {
		offers = append(offers, []string{f.MediaType()})
	}
	if best = ranges.Best(offers...); best > 0 {
		f = x.app.cfg.Formats[best-1]
	}
	return best, f
}

// variant is what an ETag depends on besides the version: the roles of the caller, and
// the format. Two representations never share a strong tag (RFC 9110 section 8.8.1).
func (x *exchange) variant(op *operationPlan) []string {
	view := x.view(op)
	if x.format != nil {
		view = append(view, x.format.MediaType())
	}
	return view
}

// inFormat makes an answer what Accept wants. It comes before the commit, so that a
// failure rolls back.
func (x *exchange) inFormat(op *operationPlan, a *answer) error {
	if !op.negotiates(x.app) {
		return nil
	}
	if a.header == nil {
		a.header = make(http.Header, 1)
	}
	if !slices.Contains(a.header["Vary"], "Accept") {
		a.header["Vary"] = slices.Concat(a.header["Vary"], []string{"Accept"})
	}
	f := x.format
	if f == nil || a.content != jsonMedia {
		return nil
	}
	raw, err := f.FromJSON(a.raw)
	if err != nil {
		return fmt.Errorf("the answer as %s: %w", f.MediaType(), err)
	}
	a.raw, a.content = raw, f.MediaType()
	return nil
}

// problemInFormat makes a problem document what Accept wants. There is no registered
// media type of RFC 9457's documents in another format, so it is the format's own.
func (x *exchange) problemInFormat(body []byte, content string) ([]byte, string) {
	if len(x.app.cfg.Formats) == 0 || content != problem.MediaType && content != jsonMedia {
		return body, content
	}
	x.vary("Accept")
	if _, f := x.best(jsonMedia, problem.MediaType); f != nil {
		if other, err := f.FromJSON(body); err == nil {
			return other, f.MediaType()
		}
	}
	return body, content
}

// vary adds to what the answer depends on.
func (x *exchange) vary(name string) {
	if h := x.out.Header(); !slices.Contains(h["Vary"], name) {
		h["Vary"] = slices.Concat(h["Vary"], []string{name})
	}
}

// bodies describes one body in all formats.
func (a *App) bodies(content *openapi.Map[*openapi.MediaType], names []string, media *openapi.MediaType) {
	for _, name := range names {
		content.Set(name, media)
	}
	if slices.Contains(names, jsonMedia) || slices.Contains(names, problem.MediaType) {
		for _, f := range a.cfg.Formats {
			content.Set(f.MediaType(), media)
		}
	}
}

// refusalsOfFormats is the status by which Accept refuses an answer.
func (op *operationPlan) refusalsOfFormats(a *App) []int {
	if !op.negotiates(a) || op.outline.content != "" {
		return nil
	}
	return []int{http.StatusNotAcceptable}
}

package fastness

import (
	"net/http"
	"slices"
	"strings"

	"github.com/fastness/fastness/internal/form"
	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/schema"
)

// patchTypes returns the media types of a patch, or nil if the body is none.
func patchTypes(p *schema.Plan, err error) []string {
	if err != nil || p.MediaTypes()[0] == "application/json" {
		return nil
	}
	return p.MediaTypes()
}

// mediaTypes are those that a JSON body is said to have in the document.
func (b *bodyPlan) mediaTypes() []string {
	if b.patch == nil {
		return []string{"application/json"}
	}
	return b.patch
}

// checkPatch refuses a body of another format, and says which there are (RFC 5789
// section 2.2).
func (b *bodyPlan) checkPatch(media form.Media, err error) (ok bool, refusal error) {
	if err == nil && slices.Contains(b.patch, media.Type) {
		return true, nil
	}
	if err == nil {
		err = problem.New(http.StatusUnsupportedMediaType, "the body must be of type "+strings.Join(b.patch, " or ")).Named("unsupported_media_type")
	}
	if p := problem.From(err); p.Status == http.StatusUnsupportedMediaType {
		refused := *p
		return false, (&refused).With("Accept-Patch", strings.Join(b.patch, ", "))
	}
	return false, err
}

package probe

import (
	"net/http"
	"slices"
	"strings"

	"github.com/fastness/fastness/scan/wire"
)

// maxFiles is how many files are kept.
const maxFiles = 40

// noteFile keeps the first answer to each path that the scan has read and that is of no
// operation: pages, scripts and what else they lead to.
func (w *World) noteFile(ex *wire.Exchange) {
	r := &ex.Request
	if r.Method != http.MethodGet || r.Operation != "" || !strings.HasPrefix(r.Why, "discover") || r.Query != "" || !ex.OK() || len(ex.Body) == 0 || len(w.files) >= maxFiles {
		return
	}
	if !slices.ContainsFunc(w.files, func(have *wire.Exchange) bool { return have.Request.Path == r.Path }) {
		w.files = append(w.files, ex)
	}
}

// Files returns the pages, scripts and other files that were read on the way to operations,
// and are none.
func (w *World) Files() []*wire.Exchange {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(w.files), func(ex *wire.Exchange) bool { return w.API.Find(http.MethodGet, ex.Request.Path) != nil })
}

package probe

import (
	"net/url"
	"regexp"
	"slices"

	"github.com/fastness/fastness/scan/internal/login"
	"github.com/fastness/fastness/scan/wire"
)

// markerForm is what [Target.Marker] returns.
const markerForm = `fz[0-9a-f]{20}`

// markersIn returns the markers in a text, each once.
func markersIn(text string) []string {
	found := regexp.MustCompile(markerForm).FindAllString(text, -1)
	slices.Sort(found)
	return slices.Compact(found)
}

// noteMarkers keeps who sent a marker first: nobody else can know it but from the target.
func (w *World) noteMarkers(ex *wire.Exchange) {
	text := ex.Request.Target() + "\n" + string(ex.Request.Body)
	if plain, err := url.QueryUnescape(text); err == nil {
		text = plain
	}
	for _, m := range markersIn(text) {
		if _, known := w.senders[m]; !known {
			if w.senders == nil {
				w.senders = map[string]string{}
			}
			w.senders[m] = ex.Request.User
		}
	}
}

// MarkersOf returns the markers in an answer that a user was the first to send.
func (w *World) MarkersOf(user *login.User, ex *wire.Exchange) []string {
	found := markersIn(string(ex.Body))
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.DeleteFunc(found, func(m string) bool {
		sender, known := w.senders[m]
		return !known || user == nil || sender != user.Name
	})
}

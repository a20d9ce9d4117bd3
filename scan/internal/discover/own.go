package discover

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/internal/spec"
)

// accounts notes that what shows the caller's own account may change it, too. Only what
// nobody logs in with, and nobody is known by, is part of the request.
func (f *finder) accounts(ctx context.Context) {
	for _, op := range f.all() {
		segments := op.Segments()
		if op.Method != http.MethodGet || strings.Contains(op.Path, "{") || len(segments) == 0 || f.known[key(http.MethodPatch, op.Path)] || f.known[key(http.MethodPut, op.Path)] {
			continue
		}
		switch strings.ToLower(segments[len(segments)-1]) {
		case "me", "self", "profile", "account", "settings", "preferences", "user", "myself":
		default:
			continue
		}
		ex := f.ask(ctx, http.MethodGet, f.concrete(op), "account")
		if ex == nil || !ex.OK() {
			continue
		}
		v, _ := probe.Decode(ex)
		m, _ := v.(map[string]any)
		s := &spec.Schema{Types: []string{"object"}, Properties: map[string]*spec.Schema{}}
		for _, name := range slices.Sorted(maps.Keys(m)) {
			if _, text := m[name].(string); text && harmless(name) {
				s.Names = append(s.Names, name)
				s.Properties[name] = &spec.Schema{Types: []string{"string"}}
			}
		}
		if len(s.Names) == 0 {
			continue
		}
		f.known[key(http.MethodPatch, op.Path)] = true
		f.result.Unproven = append(f.result.Unproven, &spec.Operation{
			ID: "seen PATCH " + op.Path, Method: http.MethodPatch, Path: op.Path, Security: op.Security, Secured: op.Secured,
			Found: "an account is often changed where it is read",
			Body:  &spec.Body{Required: true, Media: []*spec.Media{{Type: "application/json", Schema: s}}},
		})
	}
}

// harmless reports whether a member of an account is one that may be another.
func harmless(name string) bool {
	switch strings.NewReplacer("_", "", "-", "").Replace(strings.ToLower(name)) {
	case "fullname", "displayname", "firstname", "lastname", "nickname", "phone", "phonenumber", "bio", "about", "motto", "city", "company", "title", "address", "street", "language", "signature":
		return true
	}
	return false
}

package explore

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/fastness/fastness/scan/internal/login"
	"github.com/fastness/fastness/scan/internal/spec"
	"github.com/fastness/fastness/scan/internal/value"
	"github.com/fastness/fastness/scan/wire"
)

// repair changes requests of an operation that were refused.
type repair struct {
	x    *Explorer
	op   *spec.Operation
	user *login.User
	sent map[string]bool
	// step counts the repairs that do not follow what an answer says.
	step int
	// media and ids count what was tried instead.
	media, ids int
	leaned     bool
}

// after returns the next request, or nil to give up.
func (r *repair) after(ctx context.Context, last *try, ex *wire.Exchange) *try {
	switch OutcomeOf(ex) {
	case Unauthorized, RateLimited, NoAnswer, Redirected:
		return nil
	case Forbidden, NotFound:
		if ex.Status == 405 || ex.Status == 501 {
			return nil
		}
		return r.allowed(last, ex)
	}
	if next := r.condition(ctx, last, ex); next != nil {
		return next
	}
	if ex.Status == 415 {
		return r.otherMedia(last)
	}
	next := &try{last.c.Clone(), maps.Clone(last.marks)}
	changed := false
	for _, c := range complaints(ex) {
		changed = r.mend(next, c) || changed
	}
	if changed {
		return next
	}
	return r.other(last, ex)
}

// allowed returns a request after one that was forbidden, or about what is not there.
func (r *repair) allowed(last *try, ex *wire.Exchange) *try {
	if next := r.ownPage(last, ex); next != nil {
		return next
	}
	if next := r.otherID(last); next != nil || ex.Status != 403 {
		return next
	}
	return r.lean()
}

// other returns a request that differs from the last, without knowing what was wrong.
func (r *repair) other(last *try, ex *wire.Exchange) *try {
	for r.step < 7 {
		r.step++
		switch r.step {
		case 1:
			if next := r.otherID(last); next != nil {
				return next
			}
			if next := r.otherBody(last); next != nil {
				return next
			}
		case 7:
			return r.otherBody(last)
		case 2:
			if r.op.Body != nil && len(r.op.Body.Media) > 0 {
				c, marks := r.x.build(r.op, r.user, true)
				return &try{c, marks}
			}
		case 3:
			if next := r.guessed(last); next != nil {
				return next
			}
		case 4:
			if next := r.example(last); next != nil {
				return next
			}
		case 5:
			if next := r.otherMedia(last); next != nil {
				return next
			}
		case 6:
			if r.op.Body == nil && !r.op.Safe() && last.c.Media == "" && r.op.Method != "DELETE" {
				c := last.c.Clone()
				c.Media, c.Body = "application/json", map[string]any{}
				return &try{c, nil}
			}
		}
	}
	return nil
}

// otherID returns the request with another value of the last parameter of the path.
func (r *repair) otherID(last *try) *try {
	references := r.x.paths[r.op.ID]
	if len(references) == 0 {
		return nil
	}
	r.ids++
	ref := references[len(references)-1]
	found := r.x.candidates(ref, r.op, r.user)
	if r.ids >= len(found) {
		return nil
	}
	return &try{last.c.With("path", ref.Name, found[r.ids]), last.marks}
}

// otherBody returns the request with other values of what its body names, or nil: what was
// named may be sold out.
func (r *repair) otherBody(last *try) *try {
	c, changed := last.c, false
	for _, p := range last.c.Points() {
		if p.In != "body" && p.In != "query" || p.Value == nil {
			continue
		}
		if v := r.otherReference(p.Last(), p.In, p.Value); v != nil {
			c, changed = c.With(p.In, p.Name, v), true
		}
	}
	if !changed {
		return nil
	}
	return &try{c, last.marks}
}

// otherMedia returns the request in another media type.
func (r *repair) otherMedia(last *try) *try {
	types := []string{}
	if r.op.Body != nil {
		for _, m := range r.op.Body.Media {
			types = append(types, m.Type)
		}
	}
	if last.c.Media != "" {
		types = append(types, "application/json", "application/x-www-form-urlencoded", "multipart/form-data")
	}
	for r.media < len(types) {
		media := types[r.media]
		r.media++
		if media == last.c.Media || slices.Contains(types[:r.media-1], media) {
			continue
		}
		if r.op.Body != nil {
			for _, m := range r.op.Body.Media {
				if m.Type == media {
					c, maker := last.c.Clone(), r.x.maker(r.op, r.user, false)
					fill(c, m, maker)
					return &try{c, maker.Marks}
				}
			}
		}
		c := last.c.Clone()
		c.Media = media
		return &try{c, last.marks}
	}
	return nil
}

// example returns the request with the first example of the document as it is.
func (r *repair) example(last *try) *try {
	if r.op.Body == nil || len(r.op.Body.Media) == 0 {
		return nil
	}
	m := r.op.Body.Media[0]
	examples := m.Examples
	if m.Schema != nil {
		examples = append(slices.Clone(examples), m.Schema.Examples...)
	}
	if len(examples) == 0 {
		return nil
	}
	c := last.c.Clone()
	c.Media, c.Body = m.Type, examples[0]
	return &try{c.Clone(), nil}
}

// guessed returns the request with the members that answers showed of what it is about:
// what can be read can often be written.
func (r *repair) guessed(last *try) *try {
	body, isMap := last.c.Body.(map[string]any)
	if r.op.Safe() || len(body) > 0 || last.c.Media != "" && !isMap {
		return nil
	}
	resource := ResourceOf(r.op)
	made := map[string]any{}
	m := r.x.maker(r.op, r.user, false)
	for _, name := range r.x.members(resource) {
		if value.IsIdentifier(name) || value.Privileged(name) {
			continue
		}
		seen := r.x.t.Values(resource, value.Normal(name), r.user)
		s := &spec.Schema{}
		if len(seen) > 0 {
			s.Types = []string{typeOf(seen[0].Value)}
		}
		made[name] = m.Make("/"+name, name, s, nil)
	}
	if len(made) == 0 {
		return nil
	}
	c := last.c.Clone()
	c.Media, c.Body = "application/json", made
	return &try{c, m.Marks}
}

func typeOf(v any) string {
	switch v := v.(type) {
	case bool:
		return "boolean"
	case json.Number:
		if strings.ContainsAny(v.String(), ".eE") {
			return "number"
		}
		return "integer"
	}
	return "string"
}

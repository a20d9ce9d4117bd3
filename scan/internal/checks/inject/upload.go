package inject

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/internal/spec"
	"github.com/fastness/fastness/scan/wire"
)

// activeUpload uploads pages in the place of files, and looks whether the target shows them
// to browsers as pages.
func activeUpload() []check.Check {
	kind := kindActiveUpload()
	return []check.Check{{Kind: kind, Phase: check.Write, Run: func(ctx context.Context, t *probe.Target, report check.Report) error {
		for _, op := range t.API.Operations {
			if op.Safe() || !usable(t, op) {
				continue
			}
			s := baseOf(t, op, kind.ID)
			for _, point := range filePoints(s.c) {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				s.point = point
				if claim, found := serves(ctx, t, s); found {
					report(claim)
				}
			}
		}
		return ctx.Err()
	}}}
}

// filePoints returns the parts of a form that are files, sent or declared.
func filePoints(c *probe.Case) (out []probe.Point) {
	if c == nil || c.Media != "multipart/form-data" {
		return nil
	}
	seen := map[string]bool{}
	for _, p := range c.Points() {
		if _, file := p.Value.(probe.File); file && p.In == "body" {
			seen[p.Name] = true
			out = append(out, p)
		}
	}
	if s := c.BodySchema(); s != nil {
		for _, name := range s.Names {
			if m := s.Properties[name]; !seen["/"+name] && isFile(m) {
				out = append(out, probe.Point{In: "body", Name: "/" + name, Schema: m})
			}
		}
	}
	return out
}

func isFile(s *spec.Schema) bool { return s != nil && (s.Format == "binary" || s.Is("file")) }

// serves uploads a page and a picture with a script, and fetches them.
func serves(ctx context.Context, t *probe.Target, s spot) (claim check.Claim, found bool) {
	for _, kind := range []struct{ ext, claimed, body string }{
		{".html", "text/html", "<!doctype html><script>/*%s*/</script>"},
		{".html", "image/png", "<!doctype html><script>/*%s*/</script>"},
		{".svg", "image/svg+xml", `<svg xmlns="http://www.w3.org/2000/svg"><script>/*%s*/</script></svg>`},
		{".png.html", "image/png", "\x89PNG\r\n\x1a\n<!doctype html><script>/*%s*/</script>"},
	} {
		name, secret := t.Marker(), t.Marker()
		content := fmt.Sprintf(kind.body, secret)
		ex := t.Send(ctx, s.user, s.c.With("body", s.point.Name, probe.File{Name: name + kind.ext, Type: kind.claimed, Content: []byte(content)}), s.why)
		if probe.Refused(ex) {
			continue
		}
		for _, where := range placesOf(t, ex, s.op, name+kind.ext) {
			shown := t.Do(ctx, s.user, wire.Request{Method: http.MethodGet, Path: where, Header: http.Header{"Accept": {"*/*"}}, Why: s.why, Operation: s.op.ID})
			if !shown.OK() || shown.Media() == "" || !runs(shown) || !strings.Contains(shown.Text(), "<script>/*"+secret) {
				continue
			}
			return check.Claim{
				Place: probe.PlaceOf(s.op, s.point.String(), ""), Cause: s.op.String(),
				Says:     fmt.Sprintf("a file %q with a script is taken, and shown to browsers at %s as %s", "x"+kind.ext, where, shown.Media()),
				Control:  "the script is in the answer as it was uploaded, with a text that was made for it, and nothing tells browsers to save the file instead",
				Evidence: []finding.Evidence{evidence("the upload", ex), evidence("what a browser gets", shown)},
			}, true
		}
	}
	return claim, false
}

// placesOf returns paths where a file may be shown: what the answer says, and what is usual.
func placesOf(t *probe.Target, ex *wire.Exchange, op *spec.Operation, name string) []string {
	var out []string
	add := func(text string) {
		u, err := url.Parse(text)
		if err != nil || text == "" || strings.ContainsAny(text, " \n<>") || u.Host != "" && !strings.HasSuffix(ex.Origin, "//"+u.Host) {
			return
		}
		p := u.EscapedPath()
		if !strings.HasPrefix(p, "/") {
			p = "/" + p
		}
		if !slices.Contains(out, p) && p != "/" && len(out) < 14 {
			out = append(out, p)
		}
	}
	add(ex.Header.Get("Location"))
	for _, leaf := range probe.Leaves(ex) {
		text := leaf.Text()
		if strings.Contains(text, "/") || strings.Contains(text, name) || hasPart(leaf.Name(), "url", "path", "file", "location", "href", "link", "filename", "key") {
			add(text)
			if base := path.Base(text); base != "." && base != "/" {
				for _, folder := range []string{"uploads", "files", "static", "media", "images", "static/uploads", "public"} {
					add("/" + folder + "/" + base)
				}
			}
		}
	}
	add(ex.Request.Path) // A reader of what was written there.
	add(ex.Request.Path + "/" + name)
	for _, folder := range []string{"/uploads/", "/files/", "/static/"} {
		add(folder + name)
	}
	for _, reader := range t.API.Operations {
		if reader.Method == http.MethodGet && strings.HasPrefix(reader.Path, op.Path+"/{") {
			for _, leaf := range probe.Leaves(ex) {
				if strings.EqualFold(leaf.Name(), "id") || hasPart(leaf.Name(), "id", "filename", "name") {
					add(ex.Request.Path + "/" + url.PathEscape(leaf.Text()))
				}
			}
		}
	}
	return out
}

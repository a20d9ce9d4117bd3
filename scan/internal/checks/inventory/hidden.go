package inventory

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/internal/spec"
)

// hidden looks at the operations that no document names.
func hidden() check.Check {
	kind, known := kindHidden(), newMarks()
	return check.Check{Kind: kind, Phase: check.Read, Run: func(ctx context.Context, t *probe.Target, report check.Report) error {
		if !documented(t) {
			return nil // Nothing is hidden where nothing is named.
		}
		for _, op := range t.API.Operations {
			if op.Found == "" || op.Method != http.MethodGet || harmless(op.Path) || twinOf(t, op) != nil || ctx.Err() != nil {
				continue
			}
			if claim, found := answersHidden(ctx, t, op, known, kind.ID); found {
				report(claim)
			}
		}
		return ctx.Err()
	}}
}

func answersHidden(ctx context.Context, t *probe.Target, op *spec.Operation, known marks, why string) (claim check.Claim, found bool) {
	proof, proved := t.Proofs[op.ID]
	path := op.Path
	if s := t.AnySample(op); s != nil {
		path = s.Exchange.Request.Target()
	} else if proved && proof.Answer != nil {
		path = proof.Answer.Request.Target()
	}
	if strings.Contains(path, "{") {
		return claim, false
	}
	nobody := get(ctx, t, nil, path, why)
	if !probe.Granted(nobody) || !nobody.IsJSON() || !hasData(nobody) {
		return claim, false
	}
	if known.signature(nobody) != "" || isDescription(nobody) {
		return claim, false // See IV-04.
	}
	absent := get(ctx, t, nil, beside(t, nobody.Request.Path), why)
	if alike(nobody, absent) || absent.OK() && probe.Shape(absent) == probe.Shape(nobody) {
		return claim, false
	}
	severity, holds := finding.Medium, ""
	if name := sensitive(nobody); name != "" {
		severity, holds = finding.High, ", with "+name
	}
	return check.Claim{
		Place: probe.PlaceOf(op, "", "anonymous"), Severity: as(severity),
		Says:    "no document names the operation, and it answers everybody with data" + holds,
		Control: fmt.Sprintf("a path beside it that cannot be there is answered %d", absent.Status),
		Evidence: []finding.Evidence{
			evidence("it answers nobody in particular", nobody), evidence("a path beside it", absent),
		},
	}, true
}

// harmless reports whether to answer a path is usual, though no document names it.
func harmless(path string) bool {
	lower := strings.ToLower(strings.Trim(path, "/"))
	last := lower[strings.LastIndexByte(lower, '/')+1:]
	switch last {
	case "", "health", "healthz", "livez", "readyz", "live", "ready", "liveness", "readiness", "ping", "version", "status", "up", "robots.txt", "favicon.ico", "sitemap.xml", "manifest.json", "security.txt", "api", "v1", "v2", "v3", "index.html",
		"openapi.json", "swagger.json", "openapi", "swagger", "openapi.yaml", "api-docs", "docs", "redoc", "jwks.json", "jwks", "openid-configuration", "oauth-authorization-server", "csrf", "csrf-token", "csrftoken", "info", "about":
		return true
	}
	return strings.HasPrefix(lower, ".well-known/") || strings.HasPrefix(lower, "static/") || strings.HasPrefix(lower, "assets/")
}

package fastness

import (
	"net/http"

	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/openapi"
)

// securitySchemes describes the ways in which callers prove who they are.
func (d *documenter) securitySchemes() {
	for _, s := range d.app.callers.Descriptions() {
		d.doc.Components.SecuritySchemes.Set(s.Name, s.Security)
	}
	if _, header, _ := d.app.csrf.guard.Names(); header != "" && d.app.wantsTokens() != "" {
		d.doc.Components.SecuritySchemes.Set(csrfScheme, &openapi.SecurityScheme{
			Type: "apiKey", In: "header", Name: header,
			Description: "A token against cross-site requests. It belongs to a cookie, and to the session if there is one.",
		})
	}
}

// csrfScheme is the name of the CSRF token in the document.
const csrfScheme = "csrf"

// wantsToken reports whether a request for op needs a token in the header, if it
// has a credential of the scheme s. One of an operation with a form may have it
// there.
func (d *documenter) wantsToken(op *operationPlan, s *auth.Description) bool {
	c := &op.spec.CrossSite
	if _, header, _ := d.app.csrf.guard.Names(); header == "" || op.input.body.kind == formBody {
		return false
	}
	return c.Token || s != nil && s.Cookie() && c.InsecureNoToken == "" && op.changes()
}

// changes reports whether the operation may change something.
func (op *operationPlan) changes() bool {
	return op.spec.CrossSite.Effects || op.method != http.MethodGet && op.method != http.MethodHead && op.method != http.MethodOptions
}

// security lists the schemes that op takes, any of which will do, with the
// scopes that its rule names. An empty list says that nobody need say who they
// are.
func (d *documenter) security(op *operationPlan) []openapi.SecurityRequirement {
	list := []openapi.SecurityRequirement{}
	if op.gate.schemes == nil {
		if d.wantsToken(op, nil) {
			list = append(list, openapi.SecurityRequirement{csrfScheme: {}})
		}
		return list
	}
	for _, s := range op.gate.schemes.Descriptions() {
		scopes := []string{}
		if s.Security.Type == "oauth2" || s.Security.Type == "openIdConnect" {
			scopes = append(scopes, op.spec.Access.Needs().Scopes...)
		}
		need := openapi.SecurityRequirement{s.Name: scopes}
		if d.wantsToken(op, &s) {
			need[csrfScheme] = []string{}
		}
		list = append(list, need)
	}
	if op.gate.optional {
		list = append(list, openapi.SecurityRequirement{})
	}
	return list
}

// refusalsOfCallers returns the statuses by which callers can be refused.
func refusalsOfCallers(op *operationPlan) (codes []int) {
	if op.gate.schemes != nil {
		codes = append(codes, http.StatusUnauthorized, http.StatusForbidden)
	}
	return codes
}

// refusalsOfGuards returns the statuses by which guards can refuse a request that is
// well formed.
func refusalsOfGuards(a *App, op *operationPlan) (codes []int) {
	if op.spec.CrossSite.Token || op.changes() && op.spec.CrossSite.InsecureAnyOrigin == "" {
		codes = append(codes, http.StatusForbidden)
	}
	if len(op.limiters) > 0 || !op.unlimited && a.cfg.RateLimit.InsecureUnlimited == "" {
		codes = append(codes, http.StatusTooManyRequests)
	}
	return codes
}

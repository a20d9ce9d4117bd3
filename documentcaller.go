package fastness

import (
	"net/http"

	"github.com/fastness/fastness/openapi"
)

// securitySchemes describes the ways in which callers prove who they are.
func (d *documenter) securitySchemes() {
	for _, s := range d.app.callers.Descriptions() {
		d.doc.Components.SecuritySchemes.Set(s.Name, s.Security)
	}
}

// security lists the schemes that op takes, any of which will do, with the
// scopes that its rule names. An empty list says that nobody need say who they
// are.
func (d *documenter) security(op *operationPlan) []openapi.SecurityRequirement {
	list := []openapi.SecurityRequirement{}
	if op.gate.schemes == nil {
		return list
	}
	for _, s := range op.gate.schemes.Descriptions() {
		scopes := []string{}
		if s.Security.Type == "oauth2" || s.Security.Type == "openIdConnect" {
			scopes = append(scopes, op.spec.Access.Needs().Scopes...)
		}
		list = append(list, openapi.SecurityRequirement{s.Name: scopes})
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

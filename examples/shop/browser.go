package main

import (
	"context"
	"net/http"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/guard/headers"
	"github.com/fastness/fastness/identity"
)

// Visitor is who looks at a page.
type Visitor struct {
	User *auth.User // nil for nobody
	Docs bool       // the docs page is there
}

// Name returns the name of who is logged in, or "".
func (v Visitor) Name() string {
	if v.User == nil {
		return ""
	}
	return v.User.Name
}

// Admin reports whether the visitor may see the page for administrators.
func (v Visitor) Admin() bool { return v.User.HasRole("admin") && v.User.HasScope("users") }

// Buys reports whether the visitor may order something.
func (v Visitor) Buys() bool {
	return v.User != nil && v.User.HasScope("orders")
}

// visitorOf provides the visitor of a page.
func visitorOf(_ context.Context, in struct {
	App    *fastness.App
	Caller *auth.User
}) (Visitor, error) {
	return Visitor{in.Caller, in.App.DocsShown()}, nil
}

type logOutInput struct {
	Core    *identity.Core
	Request *http.Request
	Next    string `form:"next" default:"/" maxLength:"2048"`
}

// logOutForm ends the session of a browser, and leads on.
func logOutForm(ctx context.Context, in logOutInput) (fastness.Result[fastness.NoContent], error) {
	set := http.Header{}
	err := in.Core.Cookies.LogOut(ctx, set, in.Request)
	return fastness.Result[fastness.NoContent]{
		Status:  http.StatusSeeOther,
		Header:  http.Header{"Location": {identity.OwnPath(in.Next)}, "Clear-Site-Data": {headers.ClearSiteData}},
		Cookies: (&http.Response{Header: set}).Cookies(),
	}, err
}

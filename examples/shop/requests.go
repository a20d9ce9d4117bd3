package main

import (
	"context"
	"net/http"
	"slices"
	"strings"
)

// Note is a name and what there is to say about it.
type Note struct {
	Name        string  `json:"name" minLength:"1" maxLength:"120" example:"Lamp"`
	Description *string `json:"description" maxLength:"10000"`
}

// Wrapped is a note under a name of its own.
type Wrapped struct {
	Item Note `json:"item"`
}

// wrapItem answers with the item that was sent. It stores nothing.
func wrapItem(_ context.Context, in struct{ Body Note }) (Wrapped, error) {
	return Wrapped{in.Body}, nil
}

type readRequestInput struct {
	ID      int64 `path:"item_id" minimum:"1" doc:"The answer repeats it." example:"7"`
	Request *http.Request
}

// RequestView is a request as its operation sees it.
type RequestView struct {
	ID      int64             `json:"item_id" minimum:"1" example:"7"`
	Headers map[string]string `json:"headers" maxLength:"32768" doc:"By lower-case name. Credentials are \"***\"."`
	Cookies map[string]string `json:"cookies" maxLength:"3" doc:"By name. Every value is \"***\"."`
}

// readRequest shows the headers and cookies of the request, without what is
// secret in them.
//
// The values of all cookies, and of headers that hold credentials, are replaced
// by "***".
func readRequest(_ context.Context, in readRequestInput) (RequestView, error) {
	view := RequestView{
		ID:      in.ID,
		Headers: map[string]string{"host": in.Request.Host},
		Cookies: make(map[string]string),
	}
	for name, values := range in.Request.Header {
		name = strings.ToLower(name)
		view.Headers[name] = strings.Join(values, ", ")
		if isCredential(name) {
			view.Headers[name] = masked
		}
	}
	for _, cookie := range in.Request.Cookies() {
		view.Cookies[cookie.Name] = masked
	}
	return view, nil
}

// masked stands for what must not be shown. An answer that repeats credentials
// hands them to whoever gets a script to read it, cookies that no script can
// read among them.
const masked = "***"

// isCredential reports whether the header called name, in lower case, holds
// something secret.
func isCredential(name string) bool {
	if name == "cookie" || name == "set-cookie" || name == "x-api-key" || strings.HasPrefix(name, "proxy-") {
		return true
	}
	return slices.ContainsFunc([]string{"auth", "token", "secret", "password"}, func(part string) bool {
		return strings.Contains(name, part)
	})
}

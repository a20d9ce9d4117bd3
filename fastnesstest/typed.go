package fastnesstest

import "net/http"

// Get sends a GET request and returns the decoded body. Another status than the
// expected one, or a body that is no T, ends the test.
func Get[T any](api *API, target string, options ...Option) T {
	api.t.Helper()
	return typed[T](api, http.MethodGet, target, nil, options)
}

// Post is [Get] for a POST request with a body; nil means none.
func Post[T any](api *API, target string, body any, options ...Option) T {
	api.t.Helper()
	return typed[T](api, http.MethodPost, target, body, options)
}

// Put is [Get] for a PUT request with a body; nil means none.
func Put[T any](api *API, target string, body any, options ...Option) T {
	api.t.Helper()
	return typed[T](api, http.MethodPut, target, body, options)
}

// Patch is [Get] for a PATCH request with a body; nil means none.
func Patch[T any](api *API, target string, body any, options ...Option) T {
	api.t.Helper()
	return typed[T](api, http.MethodPatch, target, body, options)
}

// Delete is [Get] for a DELETE request.
func Delete[T any](api *API, target string, options ...Option) T {
	api.t.Helper()
	return typed[T](api, http.MethodDelete, target, nil, options)
}

func typed[T any](api *API, method, target string, body any, options []Option) (value T) {
	api.t.Helper()
	res, want := api.send(method, target, body, options)
	switch {
	case want == 0 && (res.Status < 200 || res.Status > 299):
		api.t.Fatalf("%s: status %d, want 200 to 299; body %s", res.request, res.Status, res.shown())
	case want != 0 && res.Status != want:
		api.t.Fatalf("%s: status %d, want %d; body %s", res.request, res.Status, want, res.shown())
	}
	res.JSON(&value)
	return value
}

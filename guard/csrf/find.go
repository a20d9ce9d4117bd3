package csrf

import (
	"bytes"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
)

// FromHeader returns the token of the header field, and whether there is one. A
// field that comes twice, or without Config.HeaderPrefix, is an error. With
// FieldOnly there is never one.
func (g *Guard) FromHeader(r *http.Request) (token string, present bool, err error) {
	if g.location == FieldOnly {
		return "", false, nil
	}
	switch values := r.Header[g.header]; len(values) {
	case 0:
		return "", false, nil
	case 1:
		token = values[0]
	default:
		return "", true, invalid("the CSRF token is there more than once")
	}
	if g.prefix == "" {
		return token, true, nil
	}
	scheme, rest, _ := strings.Cut(token, " ")
	if !strings.EqualFold(scheme, g.prefix) {
		return "", true, invalidToken()
	}
	return strings.TrimLeft(rest, " "), true, nil
}

// fromBody returns the token of a form, "" if there is none. What it reads of the
// body is put back.
func (g *Guard) fromBody(r *http.Request) (string, error) {
	if values := r.PostForm[g.field]; len(values) > 0 { // Somebody has read the body before.
		return one(values)
	}
	if r.Body == nil || r.Body == http.NoBody || len(r.Header["Content-Type"]) != 1 {
		return "", nil
	}
	kind, parameters, err := mime.ParseMediaType(r.Header["Content-Type"][0])
	if err != nil || kind != "application/x-www-form-urlencoded" && kind != "multipart/form-data" {
		return "", nil
	}
	start, whole, err := g.peek(r)
	switch {
	case err != nil: // Who reads the body next, gets the same error and says what it is.
		return "", nil
	case kind == "multipart/form-data":
		return one(findPart(start, parameters["boundary"], g.field))
	}
	return one(findPair(start, whole, g.field))
}

// one returns the only value. Of two, the next reader may take the other one.
func one(values []string) (string, error) {
	switch len(values) {
	case 0:
		return "", nil
	case 1:
		return values[0], nil
	}
	return "", invalid("the CSRF token is there more than once")
}

// peek reads the beginning of the body and puts it back.
func (g *Guard) peek(r *http.Request) (start []byte, whole bool, err error) {
	body := r.Body
	start, err = io.ReadAll(io.LimitReader(body, g.bodyLimit))
	next := io.Reader(body)
	if err != nil {
		next = failing{err}
	}
	r.Body = &peeked{io.MultiReader(bytes.NewReader(start), next), body}
	return start, int64(len(start)) < g.bodyLimit, err
}

// peeked is a body whose beginning was read.
type peeked struct {
	io.Reader
	io.Closer
}

// failing returns the error with which reading ended.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// findPair returns the values of a name in urlencoded text. The last pair of text
// that goes on is cut off, perhaps.
func findPair(text []byte, whole bool, name string) (values []string) {
	rest, more := string(text), true
	for more {
		var pair string
		pair, rest, more = strings.Cut(rest, "&")
		if !more && !whole {
			break
		}
		key, value, _ := strings.Cut(pair, "=")
		if key, err := url.QueryUnescape(key); err != nil || key != name {
			continue
		}
		if value, err := url.QueryUnescape(value); err == nil {
			values = append(values, value)
		}
	}
	return values
}

// findPart returns the values of a name in the beginning of a multipart body.
// Parts that are cut off, and files, are none.
func findPart(text []byte, boundary, name string) (values []string) {
	if boundary == "" {
		return nil
	}
	parts := multipart.NewReader(bytes.NewReader(text), boundary)
	for {
		part, err := parts.NextRawPart()
		if err != nil {
			return values
		}
		if part.FormName() != name || part.FileName() != "" {
			continue
		}
		value, err := io.ReadAll(io.LimitReader(part, maxToken+1))
		if err != nil {
			return values
		}
		values = append(values, string(value))
	}
}

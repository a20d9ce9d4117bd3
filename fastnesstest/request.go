package fastnesstest

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"reflect"

	"github.com/fastness/fastness/auth"
)

// Option changes a request, or what is expected of its answer.
type Option func(*request)

// request is a request that is being made.
type request struct {
	*http.Request
	status int
	// Of a browser: where its token comes from, if not from the usual place, and
	// whether a form is submitted, which has its token in a field.
	tokenFrom *string
	submits   bool
}

// Status expects the answer to have this status. Without it the generic
// functions expect any of 200 to 299.
func Status(code int) Option { return func(r *request) { r.status = code } }

// Header adds a header field. "Host" replaces the host of the request.
func Header(name, value string) Option {
	return func(r *request) {
		switch http.CanonicalHeaderKey(name) {
		case "Host":
			r.Host = value
		case "Content-Type": // Twice is an error of its own, and hardly meant.
			r.Header.Set(name, value)
		default:
			r.Header.Add(name, value)
		}
	}
}

// Cookie adds a cookie.
func Cookie(name, value string) Option {
	return func(r *request) {
		line := name + "=" + value
		if sent := r.Header.Get("Cookie"); sent != "" {
			line = sent + "; " + line
		}
		r.Header.Set("Cookie", line)
	}
}

// Query adds a parameter to the query string.
func Query(name, value string) Option {
	return func(r *request) {
		if r.URL.RawQuery != "" {
			r.URL.RawQuery += "&"
		}
		r.URL.RawQuery += url.QueryEscape(name) + "=" + url.QueryEscape(value)
	}
}

// Accept says which media types the caller takes.
func Accept(mediaTypes string) Option { return Header("Accept", mediaTypes) }

// PlainHTTP sends the request without TLS.
func PlainHTTP() Option { return func(r *request) { r.TLS = nil } }

// JSON is a body of JSON text that is sent as it is.
type JSON string

// Raw is a body that is sent as it is.
type Raw struct {
	// ContentType is sent if it is not empty.
	ContentType string
	Body        []byte
}

// Part is a part of a multipart body: see [Field] and [File].
type Part struct {
	name, fileName string
	isFile         bool
	content        []byte
}

// Field is a plain field of a form.
func Field(name, value string) Part { return Part{name: name, content: []byte(value)} }

// File is a file in a form.
func File(name, fileName string, content []byte) Part {
	return Part{name: name, fileName: fileName, isFile: true, content: content}
}

// Multipart is the body of a multipart/form-data form with these parts.
func Multipart(parts ...Part) Raw {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for _, p := range parts {
		header := textproto.MIMEHeader{"Content-Disposition": {multipart.FileContentDisposition(p.name, p.fileName)}}
		if p.isFile {
			header.Set("Content-Type", "application/octet-stream")
		} else {
			header.Set("Content-Disposition", fmt.Sprintf("form-data; name=%q", p.name))
		}
		w, _ := form.CreatePart(header) // A bytes.Buffer takes everything.
		_, _ = w.Write(p.content)
	}
	_ = form.Close()
	return Raw{ContentType: form.FormDataContentType(), Body: body.Bytes()}
}

// encode returns the bytes of a body and what they are.
func (a *API) encode(body any) (content []byte, contentType string, err error) {
	switch body := body.(type) {
	case nil:
		return nil, "", nil
	case JSON:
		return []byte(body), "application/json", nil
	case Raw:
		return append([]byte{}, body.Body...), body.ContentType, nil
	case url.Values:
		return []byte(body.Encode()), "application/x-www-form-urlencoded", nil
	case string, []byte:
		return nil, "", fmt.Errorf("a %T may be JSON text or a JSON string: use JSON or Raw", body)
	}
	v := reflect.ValueOf(body)
	plan, err := a.types.Plan(v.Type(), "")
	if err != nil {
		return nil, "", err
	}
	content, err = plan.Append(nil, v)
	return content, "application/json", err
}

// As makes the request one of a verified caller, whatever credentials it has:
// for tests of what callers may do, not of how they prove who they are.
func As(u auth.User) Option {
	return func(r *request) { r.Request = r.WithContext(auth.With(r.Context(), &u)) }
}

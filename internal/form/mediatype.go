package form

import (
	"net/http"
	"strings"

	"github.com/fastness/fastness/internal/field"
	"github.com/fastness/fastness/problem"
)

// Media is a parsed Content-Type.
type Media struct {
	// Type is type/subtype in lower case.
	Type string
	// Charset is the charset parameter in lower case, or empty.
	Charset string
	// Boundary is the boundary parameter, or empty.
	Boundary string
}

// IsJSON reports whether the media type is application/json or ends in +json
// (RFC 6839 section 3.1).
func (m Media) IsJSON() bool {
	return m.Type == "application/json" || strings.HasSuffix(m.Type, "+json")
}

// IsForm reports whether the media type is one of the two of HTML forms.
func (m Media) IsForm() bool {
	return m.Type == "application/x-www-form-urlencoded" || m.Type == "multipart/form-data"
}

// ContentType parses the values of all Content-Type header fields. None is a
// 415. Two are a 400, even if they are equal: a reader takes the first, another
// the last.
func ContentType(values []string) (Media, error) {
	switch len(values) {
	case 0:
		return MediaType("")
	case 1:
		return MediaType(values[0])
	}
	return Media{}, malformed("media_type_repeated", "the Content-Type header is repeated")
}

// MediaType parses the value of a Content-Type header (RFC 9110 section 8.3.1).
// A parameter that comes twice is refused. JSON and forms are read as UTF-8, so
// another charset is a 415. Parameters other than charset and boundary have to
// be well formed and are left out.
//
// The common spellings are recognised without parsing; nothing is allocated for
// a value in lower case without quoted parameters.
func MediaType(value string) (Media, error) {
	switch value {
	case "application/json":
		return Media{Type: "application/json"}, nil
	case "application/json; charset=utf-8", "application/json;charset=utf-8":
		return Media{Type: "application/json", Charset: "utf-8"}, nil
	case "":
		return Media{}, unsupported("media_type_missing", "the request has no Content-Type")
	}
	m, ok := parseMedia(value)
	if !ok {
		return Media{}, malformed("media_type_invalid", "the Content-Type cannot be read")
	}
	if m.Charset != "" && m.Charset != "utf-8" && (m.IsJSON() || m.IsForm()) {
		return Media{}, unsupported("charset_unsupported", "the charset must be utf-8")
	}
	return m, nil
}

func unsupported(code, detail string) *problem.Problem {
	return problem.New(http.StatusUnsupportedMediaType, detail).Named(code)
}

func parseMedia(value string) (m Media, ok bool) {
	head, params, _ := strings.Cut(value, ";")
	m.Type = strings.ToLower(strings.Trim(head, " \t"))
	major, minor, found := strings.Cut(m.Type, "/")
	if !found || !field.IsToken(major) || !field.IsToken(minor) {
		return Media{}, false
	}
	var space [4]parameter
	list, ok := parameters(params, space[:0])
	for _, p := range list {
		switch p.name {
		case "charset":
			m.Charset = strings.ToLower(p.value)
		case "boundary":
			m.Boundary = p.value
		}
	}
	return m, ok
}

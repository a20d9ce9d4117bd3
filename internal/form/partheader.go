package form

import (
	"mime"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/fastness/fastness/internal/field"
)

// partHeader is what is used of the header of a part.
type partHeader struct {
	name, fileName, mediaType string
	isFile                    bool
}

// parsePartHeader reads the header lines of a part. The fields that decide how
// the part is read may come once; others, such as Content-Length, say nothing
// that is needed and are only checked for their form.
func parsePartHeader(lines []string) (partHeader, error) {
	disposition, mediaType, encoding := "", "", ""
	for _, line := range lines {
		name, value, found := strings.Cut(line, ":")
		if !found || !field.IsToken(name) || !isFieldValue(value) {
			return partHeader{}, badPart("a header of a part is malformed")
		}
		field := (*string)(nil)
		switch strings.ToLower(name) {
		case "content-disposition":
			field = &disposition
		case "content-type":
			field = &mediaType
		case "content-transfer-encoding":
			field = &encoding
		default:
			continue
		}
		value = strings.Trim(value, " \t")
		if *field != "" || value == "" {
			return partHeader{}, badPart("a header of a part is empty or repeated")
		}
		*field = value
	}
	// The three that mean "as it is" change nothing, and some clients send them.
	switch strings.ToLower(encoding) {
	case "", "7bit", "8bit", "binary":
	default:
		return partHeader{}, badPart("a part has a transfer encoding")
	}
	head, err := parseDisposition(disposition)
	if err != nil || mediaType == "" {
		return head, err
	}
	m, ok := parseMedia(mediaType)
	head.mediaType = m.Type
	switch {
	case !ok || strings.HasPrefix(m.Type, "multipart/"):
		return head, badPart("a part is a multipart itself or has a malformed type")
	case !head.isFile && m.Charset != "" && m.Charset != "utf-8" && m.Charset != "us-ascii":
		return head, unsupported("charset_unsupported", "the charset of a field must be utf-8")
	}
	return head, nil
}

// parseDisposition reads the Content-Disposition of a part (RFC 7578 section
// 4.2).
func parseDisposition(value string) (head partHeader, err error) {
	kind, rest, _ := strings.Cut(value, ";")
	var space [4]parameter
	params, ok := parameters(rest, space[:0])
	if !ok || !strings.EqualFold(strings.TrimRight(kind, " \t"), "form-data") {
		return head, badPart("a Content-Disposition is missing or malformed")
	}
	plain, extended := "", ""
	hasExtended := false
	for _, p := range params {
		switch p.name {
		case "name":
			head.name = p.value
		case "filename":
			plain, head.isFile = p.value, true
		case "filename*":
			extended, ok = decodeExtended(p.value)
			hasExtended, head.isFile = true, true
		default: // Continuations such as filename*0, and what nobody sends.
			ok = false
		}
		if !ok {
			return head, badPart("a Content-Disposition has an unknown or malformed parameter")
		}
	}
	if head.fileName, ok = oneFileName(plain, extended, hasExtended); !ok {
		return head, badPart("a part has two file names")
	}
	switch {
	case head.name == "":
		return head, badPart("a part has no name")
	case !isText(head.name) || !isText(head.fileName):
		return head, badPart("a name is not valid UTF-8 or holds a control character")
	}
	return head, nil
}

// oneFileName returns the file name of a part. RFC 7578 forbids filename*, but
// the HTTP client of .NET sends it beside filename. Both have to say the same,
// or a proxy that looks at one would judge another file than the app gets.
func oneFileName(plain, extended string, hasExtended bool) (name string, ok bool) {
	switch {
	case !hasExtended:
		return plain, true
	case plain == "" || plain == extended:
		return extended, true
	}
	decoded, err := new(mime.WordDecoder).DecodeHeader(plain)
	return extended, err == nil && decoded == extended
}

// decodeExtended decodes UTF-8'language'text of RFC 8187 section 3.2.
func decodeExtended(s string) (text string, ok bool) {
	charset, rest, _ := strings.Cut(s, "'")
	_, encoded, found := strings.Cut(rest, "'")
	if !found || !strings.EqualFold(charset, "utf-8") {
		return "", false
	}
	text, err := url.PathUnescape(encoded)
	return text, err == nil && text != ""
}

// isText reports whether s is valid UTF-8 without control characters.
func isText(s string) bool { return utf8.ValidString(s) && !hasControl(s) }

// isFieldValue reports whether s has no control character but tabs.
func isFieldValue(s string) bool {
	for i := range len(s) {
		if isControl(s[i]) && s[i] != '\t' {
			return false
		}
	}
	return true
}

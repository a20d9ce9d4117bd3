package mediatype

import (
	"bytes"
	"mime"
	"strings"
)

// kind is a media type that is recognised.
type kind struct {
	name       string
	extensions []string // the usual one first
	aliases    []string // what else senders call it
	// signature is how the content begins, from the byte offset on. A '?' stands
	// for any byte. A kind without one is found in another way.
	signature string
	offset    int
	// walk looks through the content and says what is wrong with it, or "".
	walk func(*input, *Content) string
	// active says that a browser runs what is inside.
	active bool
}

// is reports whether the kind is of a type, or begins so.
func (k *kind) is(name string) bool { return strings.HasPrefix(k.name, name) }

const (
	officePrefix = "application/vnd.openxmlformats-officedocument."
	plainText    = "text/plain"
)

// kinds is the table. Where signatures overlap, the first one counts.
var kinds = [...]kind{
	{name: "image/png", extensions: []string{"png"}, aliases: []string{"image/x-png", "image/apng"}, signature: "\x89PNG\r\n\x1a\n", walk: walkPNG},
	{name: "image/jpeg", extensions: []string{"jpg", "jpeg", "jpe", "jfif"}, aliases: []string{"image/jpg", "image/pjpeg"}, signature: "\xff\xd8\xff", walk: walkJPEG},
	{name: "image/gif", extensions: []string{"gif"}, signature: "GIF8?a", walk: walkGIF},
	{name: "image/webp", extensions: []string{"webp"}, signature: "RIFF????WEBPVP8", walk: walkWebP},
	{name: "image/avif", extensions: []string{"avif"}, signature: "ftypavif", offset: 4},
	{name: "image/heic", extensions: []string{"heic", "heif"}, aliases: []string{"image/heif"}, signature: "ftyphei", offset: 4},
	{name: "image/tiff", extensions: []string{"tif", "tiff"}, signature: "II*\x00"},
	{name: "image/bmp", extensions: []string{"bmp"}, aliases: []string{"image/x-ms-bmp"}, signature: "BM????\x00\x00\x00\x00"},
	{name: "application/pdf", extensions: []string{"pdf"}, aliases: []string{"application/x-pdf"}, signature: "%PDF-", walk: walkPDF},
	{name: "application/zip", extensions: []string{"zip"}, aliases: []string{"application/x-zip-compressed", "application/x-zip"}, signature: "PK\x03\x04", walk: walkZIP},
	{name: officePrefix + "wordprocessingml.document", extensions: []string{"docx"}},
	{name: officePrefix + "spreadsheetml.sheet", extensions: []string{"xlsx"}},
	{name: officePrefix + "presentationml.presentation", extensions: []string{"pptx"}},
	{name: "application/java-archive", extensions: []string{"jar"}, aliases: []string{"application/x-java-archive"}, active: true},
	{name: "application/gzip", extensions: []string{"gz", "tgz"}, aliases: []string{"application/x-gzip", "application/x-tar", "application/x-compressed-tar"}, signature: "\x1f\x8b\x08"},
	{name: "audio/mpeg", extensions: []string{"mp3"}, aliases: []string{"audio/mp3"}, signature: "ID3"},
	{name: "audio/wav", extensions: []string{"wav"}, aliases: []string{"audio/x-wav", "audio/wave", "audio/vnd.wave"}, signature: "RIFF????WAVEfmt "},
	{name: "audio/flac", extensions: []string{"flac"}, aliases: []string{"audio/x-flac"}, signature: "fLaC"},
	{name: "audio/ogg", extensions: []string{"ogg", "oga", "opus"}, aliases: []string{"application/ogg", "video/ogg"}, signature: "OggS\x00"},
	{name: "audio/mp4", extensions: []string{"m4a"}, aliases: []string{"audio/x-m4a", "audio/m4a"}, signature: "ftypM4A", offset: 4},
	{name: "video/quicktime", extensions: []string{"mov", "qt"}, signature: "ftypqt  ", offset: 4},
	{name: "video/mp4", extensions: []string{"mp4", "m4v"}, aliases: []string{"video/x-m4v"}, signature: "ftyp", offset: 4},
	{name: "video/webm", extensions: []string{"webm", "mkv"}, aliases: []string{"audio/webm", "video/x-matroska"}, signature: "\x1a\x45\xdf\xa3"},
	{name: "text/html", extensions: []string{"html", "htm"}, active: true},
	{name: "image/svg+xml", extensions: []string{"svg"}, active: true},
	{name: "application/xml", extensions: []string{"xml"}, aliases: []string{"text/xml"}, active: true},
	{name: "text/csv", extensions: []string{"csv"}, aliases: []string{"application/csv", "application/vnd.ms-excel", plainText}},
	{name: "application/json", extensions: []string{"json"}, aliases: []string{"text/json", plainText}},
	{name: "text/markdown", extensions: []string{"md", "markdown"}, aliases: []string{"text/x-markdown", plainText}},
	{name: plainText, extensions: []string{"txt", "text", "log"}},
}

// kindOf returns the kind of a media type, or nil.
func kindOf(name string) *kind {
	for _, k := range kinds {
		if k.name == name {
			return &k
		}
	}
	return nil
}

// signatureOf returns the kind whose signature head has, or nil.
func signatureOf(head []byte) *kind {
	for _, k := range kinds {
		if k.signature != "" && len(head) >= k.offset && matches(head[k.offset:], k.signature) {
			return &k
		}
	}
	return nil
}

func matches(head []byte, signature string) bool {
	if len(head) < len(signature) {
		return false
	}
	for i := range len(signature) {
		if signature[i] != '?' && signature[i] != head[i] {
			return false
		}
	}
	return true
}

// essence returns a media type in lower case and without its parameters, and what
// cannot be read as one as it is.
func essence(mediaType string) string {
	if name, _, err := mime.ParseMediaType(mediaType); err == nil {
		return name
	}
	return mediaType
}

// spokenBy reports whether the kind is meant by a media type that somebody sent.
func (k *kind) spokenBy(mediaType string) bool {
	for _, alias := range k.aliases {
		if alias == mediaType {
			return true
		}
	}
	return k.name == mediaType
}

// isText reports whether content of the kind is plain text, to tell by nothing
// but its name.
func (k *kind) isText() bool {
	return k.name == "text/csv" || k.name == "application/json" || k.name == "text/markdown" || k.name == plainText
}

// walkPDF wants a version and the end that a writer leaves.
func walkPDF(in *input, _ *Content) string {
	if len(in.head) < 8 || in.head[5] != '1' && in.head[5] != '2' || in.head[6] != '.' {
		return "it is a PDF of no version"
	}
	if !bytes.Contains(in.window(max(0, in.size-headBytes), in.size), []byte("%%EOF")) {
		return cutShort
	}
	return ""
}

// walkZIP looks whether the archive ends with its directory, and what kind of
// document it is by the names in there.
func walkZIP(in *input, c *Content) string {
	tail := in.window(max(0, in.size-maxDirectory), in.size)
	end := bytes.LastIndex(tail, []byte("PK\x05\x06"))
	if end < 0 || len(tail) < end+22 {
		return cutShort
	}
	if comment := int(tail[end+20]) | int(tail[end+21])<<8; end+22+comment != len(tail) {
		return behind
	}
	has := func(name string) bool { return bytes.Contains(tail, []byte(name)) }
	switch {
	case has("META-INF/MANIFEST.MF") || has(".class"):
		c.Type = "application/java-archive"
	case !has("[Content_Types].xml"):
	case has("word/document"):
		c.Type = officePrefix + "wordprocessingml.document"
	case has("xl/workbook"):
		c.Type = officePrefix + "spreadsheetml.sheet"
	case has("ppt/presentation"):
		c.Type = officePrefix + "presentationml.presentation"
	}
	return ""
}

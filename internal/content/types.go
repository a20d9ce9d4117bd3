package content

import (
	"path"
	"strings"
)

// Type returns the media type of files that are called like this, or
// "application/octet-stream". It does not look into them, nor at what the system has in
// its tables: the same file is the same everywhere.
func Type(name string) string {
	switch strings.ToLower(path.Ext(name)) {
	case ".html", ".htm":
		return "text/html; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".js", ".mjs":
		return "text/javascript; charset=utf-8"
	case ".json", ".map":
		return "application/json"
	case ".webmanifest":
		return "application/manifest+json"
	case ".txt":
		return "text/plain; charset=utf-8"
	case ".md":
		return "text/markdown; charset=utf-8"
	case ".csv":
		return "text/csv; charset=utf-8"
	case ".xml":
		return "application/xml"
	case ".svg":
		return "image/svg+xml"
	case ".png":
		return "image/png"
	case ".jpg", ".jpeg":
		return "image/jpeg"
	case ".gif":
		return "image/gif"
	case ".webp":
		return "image/webp"
	case ".avif":
		return "image/avif"
	case ".ico":
		return "image/vnd.microsoft.icon"
	case ".woff":
		return "font/woff"
	case ".woff2":
		return "font/woff2"
	case ".ttf":
		return "font/ttf"
	case ".otf":
		return "font/otf"
	case ".wasm":
		return "application/wasm"
	case ".pdf":
		return "application/pdf"
	case ".zip":
		return "application/zip"
	case ".gz":
		return "application/gzip"
	case ".mp4":
		return "video/mp4"
	case ".webm":
		return "video/webm"
	case ".mp3":
		return "audio/mpeg"
	case ".ogg":
		return "audio/ogg"
	case ".wav":
		return "audio/wav"
	}
	return Binary
}

// Binary is the type of what nobody knows: a browser saves it.
const Binary = "application/octet-stream"

// MayShow reports whether a browser may show a file of a stranger's with this type:
// pictures, sound, moving pictures and plain text. SVG, HTML and XML hold scripts, and a
// PDF may, too.
func MayShow(mediaType string) bool {
	media, _, _ := strings.Cut(mediaType, ";")
	switch strings.ToLower(strings.TrimSpace(media)) {
	case "image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "text/plain",
		"video/mp4", "video/webm", "audio/mpeg", "audio/ogg", "audio/wav":
		return true
	}
	return false
}

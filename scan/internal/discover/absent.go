package discover

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/wire"
)

// absence is what paths of a form answer that are not there.
type absence struct {
	answers []*wire.Exchange
	looks   []look
}

// look is what can be told of an answer without its values.
type look struct {
	status          int
	media, shape    string
	body, plain     string // without what it repeats of the path; with it
	title, location string
	size            int
	text            string   // as it came
	names           []string // of the path, that an answer may repeat
}

// random finds what changes from answer to answer: numbers and hexadecimal ids, times.
var random = regexp.MustCompile(`[0-9a-fA-F]{8}-[0-9a-fA-F-]{20,}|\d{4}-\d\d-\d\d[T ][0-9:.]+(Z|[+-]\d\d:?\d\d)?|[0-9a-fA-F]{12,}|\d+`)

// title is that of an HTML page.
var title = regexp.MustCompile(`(?is)<title[^>]*>(.*?)</title>`)

// lookOf describes an answer. What the answer repeats of the path is taken out.
func lookOf(ex *wire.Exchange) look {
	target := ex.Request.Target()
	path := ex.Request.Path
	last := path[strings.LastIndexByte(strings.TrimRight(path, "/"), '/')+1:]
	names := []string{target, path, strings.Trim(path, "/"), strings.Trim(last, "/")}
	blank := func(s string) string { return withoutNames(s, names, 3) }
	text, left := ends(ex.Text())
	l := look{
		text: text, names: names,
		status: ex.Status, media: ex.Media(), shape: probe.Shape(ex), body: blank(text), plain: random.ReplaceAllString(text, "#"),
		location: ex.Header.Get("Location"),
	}
	if m := title.FindStringSubmatch(text); m != nil {
		l.title = blank(strings.TrimSpace(m[1]))
	}
	l.size = len(l.body) + left
	return l
}

// maxLook is how many bytes of an answer are looked at, in its beginning and in its end.
const maxLook = 8 << 10

// ends returns the beginning and the end of a long text, and how much was left out: hundreds
// of answers are compared, and a target may make each as long as a scan reads.
func ends(text string) (short string, left int) {
	if len(text) <= 2*maxLook {
		return text, 0
	}
	return text[:maxLook] + text[len(text)-maxLook:], len(text) - 2*maxLook
}

// withoutNames takes out the names that are at least so long, and what is random.
func withoutNames(text string, names []string, least int) string {
	for _, name := range names {
		if len(name) >= least {
			text = strings.ReplaceAll(text, name, "…")
		}
	}
	return random.ReplaceAllString(text, "#")
}

// same reports whether the texts of two answers are the same apart from the names of both
// paths. A name that is a word of the page, as "all" or "list" is of many, is taken out of
// both: without that, a page that repeats its path is another one for each word.
func (l look) same(other look) bool {
	return abs(len(l.text)-len(other.text)) <= 4096 && l.sameBut(other, l.text, other.text)
}

func (l look) sameBut(other look, text, otherText string) bool {
	all := append(slices.Clone(l.names), other.names...)
	slices.SortFunc(all, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	return withoutNames(text, all, 1) == withoutNames(otherText, all, 1)
}

// like reports whether two answers say the same. Steady is whether bodies of paths that
// are not there are always the same, so that another one is something else.
func (l look) like(other look, steady bool) bool {
	if l.status != other.status || l.media != other.media || !l.sameBut(other, l.location, other.location) {
		return false
	}
	if l.body == other.body || l.plain == other.plain || l.same(other) {
		return true
	}
	if l.shape != other.shape || l.title != other.title {
		return false
	}
	if l.status >= 400 || !steady {
		// Refusals hold a number, a time, a name of the path in parts.
		return abs(l.size-other.size) <= 32+max(l.size, other.size)/10
	}
	return false
}

func abs(n int) int { return max(n, -n) }

// decoy returns a path like the given one that cannot be there: another name for its last
// part that is no parameter, with the same dot at its beginning and the same ending.
func (f *finder) decoy(path string) string {
	f.decoys++
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %s %d", f.config.Seed, path, f.decoys))
	parts := strings.Split(path, "/")
	at := len(parts) - 1
	for at > 1 && (parts[at] == "" || isValue(parts[at])) {
		at--
	}
	name := parts[at]
	dot := ""
	if strings.HasPrefix(name, ".") {
		dot, name = ".", name[1:]
	}
	ending := ""
	if i := strings.LastIndexByte(name, '.'); i > 0 {
		ending = name[i:]
	}
	word := "q" + strings.NewReplacer("0", "k", "1", "l", "2", "m", "3", "n", "4", "p", "5", "r", "6", "s", "7", "t", "8", "v", "9", "w").Replace(hex.EncodeToString(sum[:5]))
	parts[at] = dot + word + ending
	return strings.Join(parts, "/")
}

// form is the same for paths whose absence looks the same: method, folder, ending, depth.
func form(method, path string) string {
	parts := strings.Split(path, "/")
	at := len(parts) - 1
	for at > 1 && (parts[at] == "" || isValue(parts[at])) {
		at--
	}
	name := parts[at]
	tail := strings.Repeat("/*", len(parts)-1-at)
	kind := ""
	if strings.HasPrefix(name, ".") {
		kind = "."
		name = name[1:]
	}
	if i := strings.LastIndexByte(name, '.'); i > 0 {
		kind += name[i:]
	}
	return method + " " + strings.Join(parts[:at], "/") + "/" + kind + tail
}

// absentLike learns what paths like this answer that are not there.
func (f *finder) absentLike(ctx context.Context, method, path string) *absence {
	name := form(method, path)
	a := f.absent[name]
	if a == nil {
		a = &absence{}
		f.absent[name] = a
		for range 2 {
			f.learn(ctx, a, method, path)
		}
	}
	return a
}

func (f *finder) learn(ctx context.Context, a *absence, method, path string) {
	if ex := f.ask(ctx, method, f.decoy(path), "not there"); ex != nil && ex.Status != 0 {
		a.answers = append(a.answers, ex)
		a.looks = append(a.looks, lookOf(ex))
	}
}

// like returns the answer for an absent path that looks like this one, or nil.
func (a *absence) like(ex *wire.Exchange) *wire.Exchange {
	l := lookOf(ex)
	steady := true
	for _, other := range a.looks[1:] {
		steady = steady && other.body == a.looks[0].body
	}
	for i, other := range a.looks {
		if l.like(other, steady) {
			return a.answers[i]
		}
	}
	return nil
}

// exists asks for a path and reports whether it is there: its answer is other than that
// to paths like it that cannot be there, also now that it was asked for.
func (f *finder) exists(ctx context.Context, method, target, why string) (answer, absent *wire.Exchange, ok bool) {
	ex := f.ask(ctx, method, target, why)
	if ex == nil || !speaks(ex) {
		return nil, nil, false
	}
	path := ex.Request.Path
	a := f.absentLike(ctx, method, path)
	if len(a.looks) == 0 || a.like(ex) != nil {
		return nil, nil, false
	}
	// Whoever was asked for too many paths that are not there may answer in another way
	// from now on: to all of them.
	before := len(a.looks)
	f.learn(ctx, a, method, path)
	if len(a.looks) == before || a.like(ex) != nil {
		return nil, nil, false
	}
	if f.onlySlash(ex) {
		if path := ex.Request.Path; !strings.HasSuffix(path, "/") {
			return f.exists(ctx, method, path+"/", why)
		}
		return nil, nil, false
	}
	return ex, a.answers[len(a.answers)-1], true
}

// speaks reports whether an answer says anything about whether something is there.
func speaks(ex *wire.Exchange) bool {
	switch ex.Status {
	case 0, http.StatusNotFound, http.StatusGone, http.StatusTooManyRequests, http.StatusRequestURITooLong,
		http.StatusNotImplemented, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return false
	}
	return true
}

// onlySlash reports whether a redirect leads to the same path with or without a slash at
// its end, or elsewhere in the name of the host: it says nothing of what is there.
func (f *finder) onlySlash(ex *wire.Exchange) bool {
	if ex.Status < 300 || ex.Status >= 400 {
		return false
	}
	to, ok := f.resolve(ex.Request.Path, ex.Header.Get("Location"))
	if !ok {
		return true
	}
	path, _, _ := strings.Cut(to, "?")
	return strings.TrimRight(path, "/") == strings.TrimRight(ex.Request.Path, "/")
}

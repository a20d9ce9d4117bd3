package inject

import (
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"regexp"
	"strings"

	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/wire"
)

// comparer tells answers apart by what they say, not by what changes from one request to
// the next, and not by the value that was sent.
type comparer struct {
	// volatile are the pointers of values that differ between two answers to one request.
	volatile map[string]bool
	// loose drops numbers from answers that are no JSON.
	loose bool
}

// learn returns a comparer of two answers to the same request, or false if they differ too
// much to compare anything.
func learn(a, b *wire.Exchange, sent ...string) (*comparer, bool) {
	c := &comparer{volatile: map[string]bool{}}
	left, right := grouped(a, sent), grouped(b, sent)
	for at, v := range left {
		if right[at] != v {
			c.volatile[at] = true
		}
	}
	for at := range right {
		if _, ok := left[at]; !ok {
			c.volatile[at] = true
		}
	}
	if _, isJSON := probe.Decode(a); !isJSON && c.view(a, sent...) != c.view(b, sent...) {
		c.loose = true
	}
	return c, c.view(a, sent...) == c.view(b, sent...)
}

// view returns what an answer says, without the value that was sent, and without what that
// value was made of: an object repeats the id by which it was asked for.
func (c *comparer) view(ex *wire.Exchange, sent ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d %s\n", ex.Status, ex.Media())
	if ex.Status >= 300 && ex.Status < 400 {
		b.WriteString(unsaid(ex.Header.Get("Location"), sent))
	}
	if v, ok := probe.Decode(ex); ok {
		for _, leaf := range probe.LeavesOf(v) {
			if c.volatile[leaf.Pointer] {
				continue
			}
			fmt.Fprintf(&b, "%s=%s\n", leaf.Pointer, unsaid(leaf.Text(), sent))
		}
		return b.String()
	}
	text := unsaid(ex.Text(), sent)
	if c.loose {
		text = changing.ReplaceAllString(text, "0")
	}
	return b.String() + text
}

// changing are texts as times, counters and nonces are.
var changing = regexp.MustCompile(`[0-9a-fA-F-]{6,}|[0-9]+`)

// grouped returns the values of an answer by their pointers.
func grouped(ex *wire.Exchange, sent []string) map[string]string {
	out := map[string]string{}
	for _, leaf := range probe.Leaves(ex) {
		out[leaf.Pointer] += unsaid(leaf.Text(), sent) + "\n"
	}
	return out
}

// unsaid returns a text without what was sent, however it is escaped, and without markers.
func unsaid(text string, values []string) string {
	for _, sent := range values {
		if sent == "" {
			continue
		}
		quoted, _ := json.Marshal(sent) // A string can be written.
		for _, form := range []string{sent, html.EscapeString(sent), url.QueryEscape(sent), url.PathEscape(sent), strings.Trim(string(quoted), `"`), strings.ToLower(sent), strings.ToUpper(sent)} {
			if len(form) > 3 || form == text {
				text = strings.ReplaceAll(text, form, "¤")
			}
		}
	}
	return markers.ReplaceAllString(text, "¤")
}

var markers = regexp.MustCompile(`fz[0-9a-f]{20}`)

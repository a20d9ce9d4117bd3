package page

import (
	"context"
	"net/url"
	"strings"

	"github.com/fastness/fastness/sqldb"
)

// Page is the answer of a list.
type Page[T any] struct {
	Items []T `json:"items" maxItems:"1000"`
	// Next and Prev are what to send as cursor for the next and the previous page. A
	// page of a [Query] has none: offsets are counted, and the header field Link has them.
	Next Cursor `json:"next,omitzero" maxLength:"4096" doc:"The cursor of the next page. Absent on the last page."`
	Prev Cursor `json:"prev,omitzero" maxLength:"4096" doc:"The cursor of the page before. Absent on the first page."`
	// Total is how many rows there are on all pages, for lists that count: see [Count].
	Total *int64 `json:"total,omitzero" minimum:"0" doc:"How many there are on all pages."`

	links []string
}

// LinkHeader returns the header field Link of the answer (RFC 8288), or "": the pages before
// and after, as references relative to the request. A page whose parameters are very long
// is not linked to. An app sets the field by itself.
func (p Page[T]) LinkHeader() string { return strings.Join(p.links, ", ") }

// Map returns the page with what f makes of each row: what callers see of it.
func Map[T, V any](p Page[T], f func(T) V) Page[V] {
	items := make([]V, len(p.Items))
	for i, item := range p.Items {
		items[i] = f(item)
	}
	return Page[V]{items, p.Next, p.Prev, p.Total, p.links}
}

// maxLink is the most bytes of a link. It repeats what the caller sent, and a proxy may
// take a header that is too long for an answer that is broken.
const maxLink = 6 << 10

// link adds a link to the same list with other parameters.
func (p *Page[T]) link(rel string, query url.Values, name, value string) {
	query.Set(name, value)
	if target := query.Encode(); len(target) <= maxLink {
		p.links = append(p.links, "<?"+target+`>; rel="`+rel+`"`)
	}
}

// Count returns how many rows a statement finds, for [Page].Total, but counts at most
// to most: a larger result is most + 1. It costs about as much as to read them all,
// so count where somebody asks for it.
//
//	total, err := page.Count(ctx, in.Tx, 10_000, sqldb.Constant("SELECT 1 FROM items"), where)
func Count(ctx context.Context, from sqldb.Reader, most int, rows sqldb.Fragment, where ...sqldb.Fragment) (int64, error) {
	var n int64
	err := from.QueryRow(ctx, "SELECT count(*) FROM (? WHERE ? LIMIT ?) AS counted", rows, sqldb.And(where...), most+1).Scan(&n)
	return n, err
}

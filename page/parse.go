package page

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/fastness/fastness/problem"
)

// Parse reads the parameters of a list with the bounds of [CursorQuery], for handlers
// without an app. The error is a [*problem.Problem] of status 400 or 422. Other
// parameters are the handler's.
func Parse[T Listed[T]](r *http.Request, scope *Scope) (CursorQuery[T], error) {
	q := CursorQuery[T]{Limit: 20, Scope: scope}
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return q, problem.New(http.StatusBadRequest, "the query cannot be read").Wrap(err)
	}
	for _, name := range []string{"limit", "sort", "cursor"} {
		sent := values[name]
		if len(sent) > 1 {
			return q, refused(name, "repeated", "the parameter "+name+" is there twice")
		}
		if len(sent) == 0 {
			continue
		}
		switch name {
		case "limit":
			n, err := strconv.Atoi(sent[0])
			if err != nil || n < 1 || n > 100 {
				return q, refused(name, "limit", "limit is a number from 1 to 100")
			}
			q.Limit = Limit(n)
		case "sort":
			q.Sort = Sort[T](sent[0])
			if !slices.Contains(q.Sort.Enum(), sent[0]) {
				return q, unknownSort(q.Sort.Enum())
			}
		case "cursor":
			q.Cursor = Cursor(sent[0])
			if sent[0] == "" {
				return q, invalidCursor(errPosition)
			}
		}
	}
	return q, nil
}

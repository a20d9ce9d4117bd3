package limits_test

import (
	"math/rand/v2"
	"net/http"
	"strconv"
	"testing"
)

const pages = `"/items": {"get": {"parameters": [{"name": "limit", "in": "query", "schema": {"type": "integer"}}],
	"responses": {"200": {"description": "items"}}}}`

const pagesTo100 = `"/items": {"get": {"parameters": [{"name": "per_page", "in": "query", "schema": {"type": "integer", "maximum": 100}}],
	"responses": {"200": {"description": "items"}}}}`

const noPages = `"/items": {"get": {"responses": {"200": {"description": "items"}}}}`

// shelf has so many items, and gives as many as size says they may be.
func shelf(items int, param string, size func(asked int, given bool) int, wrap func(list []any, asked, size int) any) http.Handler {
	return locked(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text := r.URL.Query().Get(param)
		asked, err := strconv.Atoi(text)
		if text != "" && err != nil {
			answer(w, 400, map[string]any{"error": param + " is a number"})
			return
		}
		n := size(asked, text != "")
		if n == refused {
			answer(w, 422, map[string]any{"error": param + " is too large"})
			return
		}
		if n < 0 || n > items { // As LIMIT -1 is in SQLite.
			n = items
		}
		list := make([]any, n)
		for i := range list {
			list[i] = map[string]any{"id": i + 1, "name": "item"}
		}
		answer(w, 200, wrap(list, asked, n))
	}))
}

const refused = -99

func bare(list []any, _, _ int) any { return list }

func enveloped(list []any, asked, _ int) any {
	return map[string]any{"meta": map[string]any{"per_page": asked}, "data": map[string]any{"items": list}}
}

func asAsked(asked int, given bool) int {
	if !given {
		return 20
	}
	return asked
}

func cut(asked int, given bool) int {
	if !given || asked < 1 {
		return 20
	}
	return min(asked, 100)
}

func TestPageWithoutABoundIsFound(t *testing.T) {
	found(t, scanned(t, "RC-01", shelf(3000, "limit", asAsked, bare), pages), "GET /items (query limit)")
	found(t, scanned(t, "RC-01", shelf(3000, "per_page", asAsked, enveloped), pagesTo100), "GET /items (query per_page)")
}

func TestPageBeyondTheDeclaredBoundIsFound(t *testing.T) {
	found(t, scanned(t, "RC-01", shelf(150, "per_page", asAsked, enveloped), pagesTo100), "GET /items (query per_page)")
}

func TestPageSizeThatNoDocumentNamesIsFound(t *testing.T) {
	found(t, scanned(t, "RC-01", shelf(3000, "page_size", asAsked, bare), noPages), "GET /items (query page_size)")
}

func TestPageBelowZeroThatIsAllIsFound(t *testing.T) {
	found(t, scanned(t, "RC-01", shelf(60, "limit", asAsked, bare), pages), "GET /items (query limit)")
}

func TestPageOfWhichTooLittleIsThereIsAHint(t *testing.T) {
	r := scanned(t, "RC-01", shelf(57, "limit", func(asked int, given bool) int { return max(asAsked(asked, given), 0) }, bare), pages)
	if len(r.Findings) != 1 || r.Findings[0].Proven {
		t.Errorf("want one hint, got %s", all(r))
	}
}

func TestPagesWithABoundAreLeftAlone(t *testing.T) {
	for name, h := range map[string]http.Handler{
		"cut at 100":       shelf(3000, "limit", cut, bare),
		"cut at 100 items": shelf(3000, "limit", cut, enveloped),
		"refused": shelf(3000, "limit", func(asked int, given bool) int {
			if given && (asked < 1 || asked > 100) {
				return refused
			}
			return asAsked(asked, given)
		}, bare),
		"the parameter is nothing": shelf(300, "", func(int, bool) int { return 200 }, bare),
		"cut at 500":               shelf(520, "limit", func(asked int, given bool) int { return min(max(asAsked(asked, given), 1), 500) }, bare),
		"as many as there are":     shelf(12, "limit", asAsked, bare),
		"says what it is cut to": shelf(57, "limit", cut, func(list []any, asked, _ int) any {
			return map[string]any{"items": list, "limit": cut(asked, asked != 0)}
		}),
		"any number of items": locked(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			answer(w, 200, make([]int, rand.IntN(40)))
		})),
	} {
		t.Run(name, func(t *testing.T) { silent(t, scanned(t, "RC-01", h, pages), "GET /items") })
	}
}

package scan_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fastness/fastness/scan"
	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/report"
)

// warehouse has n kinds of things, each with a list, and operations that make, show, change
// and remove one. Every third kind is shown to everybody who is logged in.
type warehouse struct {
	mu     sync.Mutex
	n      int
	things map[string][]*thing // by kind
}

type thing struct {
	owner string
	gone  bool
	value map[string]any
}

// document describes five operations for each kind.
func (h *warehouse) document() []byte {
	var paths []string
	for i := range h.n {
		paths = append(paths, fmt.Sprintf(`"/%[1]s": {"get": {"parameters": [{"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 50}}], "responses": {"200": {"description": "mine"}}},
	"post": {"requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/New"}}}}, "responses": {"201": {"description": "made"}}}},
"/%[1]s/{id}": {"parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "integer"}}],
	"get": {"responses": {"200": {"description": "it"}}}, "patch": {"requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/New"}}}}, "responses": {"200": {"description": "changed"}}},
	"delete": {"responses": {"204": {"description": "gone"}}}}`, kindName(i)))
	}
	return []byte(`{"openapi": "3.1.0", "info": {"title": "A warehouse", "version": "1"},
"components": {"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-User"}},
"schemas": {"New": {"type": "object", "required": ["title"], "properties": {"title": {"type": "string"}, "note": {"type": "string"}, "quantity": {"type": "integer", "minimum": 1}}}}},
"security": [{"key": []}], "paths": {` + strings.Join(paths, ",\n") + `}}`)
}

// kindName returns a noun of the kind: "bags", "bbgs".
func kindName(i int) string {
	return string([]byte{'a' + byte(i/26), 'o', 'r', 'a' + byte(i%26)}) + "ets"
}

func (h *warehouse) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	user, ok := strings.CutSuffix(r.Header.Get("X-User"), "s-key")
	if !ok || user != "alice" && user != "bob" {
		say(w, 401, `{"error":"who are you?"}`)
		return
	}
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	kind := -1
	for i := range h.n {
		if kindName(i) == parts[0] {
			kind = i
		}
	}
	if kind < 0 || len(parts) > 2 {
		say(w, 404, `{"error":"no such path"}`)
		return
	}
	if h.things == nil {
		h.things = map[string][]*thing{}
	}
	list := h.things[parts[0]]
	if len(parts) == 1 {
		h.collection(w, r, user, parts[0], list)
		return
	}
	id, err := strconv.Atoi(parts[1])
	if err != nil || id < 1 || id > len(list) || list[id-1].gone || list[id-1].owner != user && kind%3 != 0 {
		say(w, 404, `{"error":"no such thing"}`)
		return
	}
	one := list[id-1]
	switch r.Method {
	case "GET":
	case "PATCH":
		in, ok := thingIn(w, r)
		if !ok {
			return
		}
		if one.owner != user {
			say(w, 403, `{"error":"it is not yours"}`)
			return
		}
		for k, v := range in {
			one.value[k] = v
		}
	case "DELETE":
		if one.owner != user {
			say(w, 403, `{"error":"it is not yours"}`)
			return
		}
		one.gone = true
		w.WriteHeader(204)
		return
	default:
		say(w, 405, `{"error":"no"}`)
		return
	}
	out, _ := json.Marshal(one.value)
	say(w, 200, string(out))
}

func (h *warehouse) collection(w http.ResponseWriter, r *http.Request, user, kind string, list []*thing) {
	switch r.Method {
	case "GET":
		limit, _ := strconv.Atoi(r.URL.Query().Get("limit"))
		if limit < 1 || limit > 50 {
			limit = 20
		}
		mine := []any{}
		for _, one := range list {
			if one.owner == user && !one.gone && len(mine) < limit {
				mine = append(mine, one.value)
			}
		}
		out, _ := json.Marshal(mine)
		say(w, 200, string(out))
	case "POST":
		in, ok := thingIn(w, r)
		if !ok {
			return
		}
		in["id"] = len(list) + 1
		h.things[kind] = append(list, &thing{owner: user, value: in})
		out, _ := json.Marshal(in)
		say(w, 201, string(out))
	default:
		say(w, 405, `{"error":"no"}`)
	}
}

// thingIn reads a thing, strictly.
func thingIn(w http.ResponseWriter, r *http.Request) (map[string]any, bool) {
	var in struct {
		Title    *string `json:"title"`
		Note     string  `json:"note"`
		Quantity *int    `json:"quantity"`
	}
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10))
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil || in.Title == nil || *in.Title == "" || len(*in.Title) > 200 || in.Quantity != nil && (*in.Quantity < 1 || *in.Quantity > 100) {
		say(w, 422, `{"error":"a thing has a title, a note and a quantity"}`)
		return nil, false
	}
	out := map[string]any{"title": *in.Title, "note": in.Note, "quantity": 1}
	if in.Quantity != nil {
		out["quantity"] = *in.Quantity
	}
	return out, true
}

// searched scans a warehouse of n kinds, and returns the report and the most memory that was
// in use meanwhile, in bytes, after a collection of garbage.
func searched(t *testing.T, n int, seed uint64) (r *report.Report, most uint64) {
	t.Helper()
	h := &warehouse{n: n}
	stop, done := make(chan struct{}), make(chan uint64)
	go func() {
		peak := uint64(0)
		for {
			select {
			case <-stop:
				done <- peak
				return
			case <-time.After(2 * time.Second):
				runtime.GC()
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				peak = max(peak, m.HeapAlloc)
			}
		}
	}()
	r, err := scan.Run(context.Background(), scan.Config{
		Handler: h, Text: h.document(), Seed: seed, MaxTime: 10 * time.Minute, MaxRequests: 1_000_000,
		Users: []scan.User{{Name: "alice", Token: "alices-key"}, {Name: "bob", Token: "bobs-key"}},
	})
	close(stop)
	most = <-done
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d operations: %d requests in %v, %d MiB, stopped: %q, %d findings", 5*n, r.Requests, r.Duration.Round(time.Millisecond), most>>20, r.Stopped, len(r.Findings))
	return r, most
}

// proven returns what a report says, without what may be another one each time.
func proven(r *report.Report) (out []string) {
	for _, f := range r.Findings {
		for _, p := range f.Places {
			out = append(out, fmt.Sprintf("%s %v %v %s %s", f.Kind.ID, f.Proven, f.Severity, p, p.Users))
		}
	}
	slices.Sort(out)
	return out
}

func TestSameSeedFindsTheSame(t *testing.T) {
	kinds, wanted := 1, []int{0}
	if long() {
		kinds, wanted = 6, []int{0, 3}
	}
	first, _ := searched(t, kinds, 11)
	second, _ := searched(t, kinds, 11)
	if a, b := proven(first), proven(second); !slices.Equal(a, b) {
		t.Errorf("once:\n%s\nand again:\n%s", strings.Join(a, "\n"), strings.Join(b, "\n"))
	}
	for _, want := range wanted {
		if !slices.ContainsFunc(first.Findings, func(f *finding.Finding) bool {
			return f.Kind.ID == "AZ-01" && f.Places[0].Path == "/"+kindName(want)+"/{id}"
		}) {
			t.Errorf("%s was not found", kindName(want))
		}
	}
}

func TestThreeHundredOperationsAreScannedInTenMinutes(t *testing.T) {
	if !long() {
		t.Skip("it takes minutes: make scan-hostile")
	}
	small, before := searched(t, 6, 1)
	large, most := searched(t, 60, 1)
	if large.Stopped != "" || large.Duration > 10*time.Minute {
		t.Errorf("%v: %s", large.Duration, large.Stopped)
	}
	if most > before+256<<20 {
		t.Errorf("%d MiB in use, and %d MiB with a tenth of the operations", most>>20, before>>20)
	}
	if small.Requests*15 < large.Requests {
		t.Errorf("%d requests for ten times as many operations, and %d before", large.Requests, small.Requests)
	}
}

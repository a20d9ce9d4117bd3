package discover

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/internal/spec"
	"github.com/fastness/fastness/scan/wire"
)

// all are the operations known so far.
func (f *finder) all() []*spec.Operation {
	return append(slices.Clone(f.api.Operations), f.result.Operations...)
}

// maxPaths that are asked for other methods, and neighbours that are tried.
const maxPaths = 150

// methods asks each known path for methods that nobody has declared.
func (f *finder) methods(ctx context.Context) {
	done := map[string]bool{}
	for _, op := range f.all() {
		if shape := shapeOf(op.Path); done[shape] || len(done) >= maxPaths {
			continue
		}
		done[shapeOf(op.Path)] = true
		target := f.concrete(op)
		path, _, _ := strings.Cut(target, "?")
		found := func(method, why string, answer, absent *wire.Exchange) {
			other := &spec.Operation{Method: method, Path: op.Path, Found: why, Security: op.Security, Secured: op.Secured}
			for _, p := range op.Params {
				if p.In == "path" {
					other.Params = append(other.Params, p)
				}
			}
			f.add(other, answer, absent)
		}
		if answer := f.ask(ctx, http.MethodOptions, path, "methods"); answer != nil {
			for _, method := range allowed(answer) {
				if _, absent, ok := f.allows(ctx, method, path); ok && isMethod(method) {
					found(method, "OPTIONS answers that "+method+" is allowed, unlike for paths that are not there", answer, absent)
				}
			}
		}
		if f.known[key(http.MethodGet, op.Path)] {
			continue
		}
		answer, absent, ok := f.exists(ctx, http.MethodGet, path, "methods")
		if ok && answer.Status != http.StatusMethodNotAllowed {
			found(http.MethodGet, fmt.Sprintf("GET answers %d, unlike paths that are not there", answer.Status), answer, absent)
		}
		if ok && answer.Status == http.StatusMethodNotAllowed {
			for _, method := range allowed(answer) {
				if isMethod(method) {
					found(method, "405 names "+method+" as allowed", answer, absent)
				}
			}
		}
	}
}

func isMethod(name string) bool {
	return slices.Contains([]string{"GET", "POST", "PUT", "PATCH", "DELETE"}, name)
}

// versions looks for the known operations under other versions.
func (f *finder) versions(ctx context.Context) {
	tried, asked, there := map[string]bool{}, map[string]int{}, map[string]bool{}
	for _, op := range f.all() {
		parts := strings.Split(op.Path, "/")
		at := slices.IndexFunc(parts, isVersion)
		if at < 0 {
			continue
		}
		sample := strings.Split(f.concrete(op), "/")
		if at >= len(sample) || sample[at] != parts[at] {
			continue
		}
		for _, other := range otherVersions(parts[at]) {
			path := replaced(parts, at, other)
			if f.known[key(op.Method, path)] || tried[op.Method+path] {
				continue
			}
			tried[op.Method+path] = true
			// Versions with a number are often there in part; of others, a few paths tell.
			if asked[other]++; asked[other] > maxNamed && !there[other] && !isVersion(other) {
				continue
			}
			before := len(f.result.Operations)
			f.twin(ctx, op, path, replaced(sample, at, other), "as in "+parts[at])
			there[other] = there[other] || len(f.result.Operations) > before
		}
	}
}

// maxNamed is how many paths are tried under a version that has no number, as "beta".
const maxNamed = 8

// replaced returns the path with another part; empty is without it.
func replaced(parts []string, at int, other string) string {
	parts = slices.Clone(parts)
	if other == "" {
		return strings.Join(slices.Delete(parts, at, at+1), "/")
	}
	parts[at] = other
	return strings.Join(parts, "/")
}

// otherVersions are the versions beside one: older ones first.
func otherVersions(name string) []string {
	digits := strings.IndexAny(name, "0123456789")
	number, err := strconv.Atoi(strings.SplitN(strings.NewReplacer(".", " ", "_", " ", "-", " ").Replace(name[digits:]), " ", 2)[0])
	var out []string
	if err == nil {
		for n := number - 1; n >= max(0, number-4); n-- {
			out = append(out, name[:digits]+strconv.Itoa(n))
		}
		out = append(out, name[:digits]+strconv.Itoa(number+1))
	}
	return append(out, "beta", "alpha", "internal", "legacy", "old", "dev", "test", "private", "")
}

// twin adds an operation like a known one at another path, if it is there. GET to the path
// of another method is answered with 405 at least.
func (f *finder) twin(ctx context.Context, op *spec.Operation, path, target, why string) {
	if Dangerous(target) {
		return
	}
	answer, absent, ok := f.exists(ctx, http.MethodGet, target, "other version")
	if !ok && op.Method != http.MethodGet {
		answer, absent, ok = f.allows(ctx, op.Method, target)
	}
	if !ok || op.Method == http.MethodGet && answer.Status == http.StatusMethodNotAllowed {
		return
	}
	other := *op
	other.Path = path
	other.Params = slices.Clone(op.Params)
	other.Found = fmt.Sprintf("%s; %s answers %d, unlike paths that are not there", why, answer.Request.Method, answer.Status)
	f.add(&other, answer, absent)
}

// words tries paths that are often there.
func (f *finder) words(ctx context.Context) {
	bases := []string{""}
	if f.config.Base != "" {
		bases = append(bases, f.config.Base)
	}
	for _, top := range f.folders() {
		if !slices.Contains(bases, top) && len(bases) < 4 {
			bases = append(bases, top)
		}
	}
	for _, base := range bases {
		for _, w := range wordList() {
			if w.top && base != "" {
				continue
			}
			path := base + "/" + w.path
			if f.known[key(http.MethodGet, path)] {
				continue
			}
			answer, absent, ok := f.exists(ctx, http.MethodGet, path, "word list")
			if !ok || w.file && !answer.OK() {
				continue
			}
			f.addGuess(path, "word list", answer, absent)
		}
	}
}

// addGuess adds what a guess has found: GET, or what is allowed instead.
func (f *finder) addGuess(path, why string, answer, absent *wire.Exchange) {
	if answer.Status != http.StatusMethodNotAllowed {
		f.add(&spec.Operation{Method: http.MethodGet, Path: path, Found: fmt.Sprintf("%s; GET answers %d, unlike paths that are not there", why, answer.Status)}, answer, absent)
		return
	}
	for _, method := range allowed(answer) {
		if isMethod(method) {
			f.add(&spec.Operation{Method: method, Path: path, Found: why + "; 405 names " + method + " as allowed"}, answer, absent)
		}
	}
}

// folders are those in which the known operations are, without parameters, the ones with
// most operations first: "/api/v1" of "/api/v1/users/{id}".
func (f *finder) folders() []string {
	count := map[string]int{}
	var out []string
	for _, op := range f.all() {
		parts := op.Segments()
		top := ""
		for _, part := range parts[:max(0, len(parts)-1)] {
			lower := strings.ToLower(part)
			if !isVersion(part) && lower != "api" && lower != "rest" {
				break
			}
			top += "/" + part
		}
		if top == "" {
			continue
		}
		if count[top] == 0 {
			out = append(out, top)
		}
		count[top]++
	}
	slices.SortStableFunc(out, func(a, b string) int { return count[b] - count[a] })
	return out
}

// neighbours tries what often stands beside and above known operations.
func (f *finder) neighbours(ctx context.Context) {
	tried := map[string]bool{}
	try := func(path, target, why string) {
		if tried[path] || len(tried) >= 4*maxPaths || f.known[key(http.MethodGet, path)] || Dangerous(path) {
			return
		}
		tried[path] = true
		if answer, absent, ok := f.exists(ctx, http.MethodGet, target, "neighbour"); ok {
			f.addGuess(path, why, answer, absent)
		}
	}
	collections := map[string]bool{}
	for _, op := range f.all() {
		// A found file has no neighbours of interest.
		if strings.Contains(op.Path, "/.") {
			continue
		}
		target, _, _ := strings.Cut(f.concrete(op), "?")
		have := strings.Split(target, "/")
		for _, above := range parents(op.Path) {
			depth := strings.Count(above, "/") + 1
			if depth > len(have) {
				continue
			}
			try(above, strings.Join(have[:depth], "/"), "above "+op.Path)
		}
		collection := op.Path
		for strings.HasSuffix(collection, "}") {
			collection = collection[:strings.LastIndexByte(collection, '/')]
		}
		if collection == "" || strings.Contains(collection, "{") || collections[collection] || len(collections) >= 20 {
			continue
		}
		collections[collection] = true
		for _, word := range []string{"_debug", "debug", "all", "me", "search", "export", "count", "list", "stats", "admin", "internal"} {
			try(collection+"/"+word, collection+"/"+word, "beside "+op.Path)
		}
		parts := strings.Split(collection, "/")
		last := parts[len(parts)-1]
		for _, word := range []string{"admin", "internal", "debug"} {
			path := strings.Join(parts[:len(parts)-1], "/") + "/" + word + "/" + last
			try(path, path, "beside "+op.Path)
		}
	}
}

// graphql asks the usual paths, and those found, whether they speak it.
func (f *finder) graphql(ctx context.Context) {
	paths := []string{"/graphql", "/api/graphql", "/v1/graphql", "/query", "/gql", "/graphiql"}
	if f.config.Base != "" {
		paths = append([]string{f.config.Base + "/graphql"}, paths...)
	}
	for _, op := range f.all() {
		if strings.Contains(strings.ToLower(op.Path), "graphql") && !slices.Contains(paths, op.Path) && !strings.Contains(op.Path, "{") {
			paths = append(paths, op.Path)
		}
	}
	for _, path := range paths {
		ex := f.ask(ctx, http.MethodGet, path+"?query=%7B__typename%7D", "GraphQL")
		if ex != nil && !speaksGraphQL(ex) && f.config.Queries {
			ex = f.typeName(ctx, path)
		}
		if ex == nil || slices.Contains(f.result.GraphQL, path) || !speaksGraphQL(ex) {
			continue
		}
		f.result.GraphQL = append(f.result.GraphQL, path)
		text := &spec.Schema{Types: []string{"string"}, Examples: []any{"{__typename}"}}
		f.add(&spec.Operation{
			Method: http.MethodPost, Path: path, Tags: []string{"graphql"}, Found: fmt.Sprintf("GraphQL: {__typename} answers %d", ex.Status),
			Body: &spec.Body{Required: true, Media: []*spec.Media{{Type: "application/json", Schema: &spec.Schema{
				Types: []string{"object"}, Names: []string{"query", "variables", "operationName"}, Required: []string{"query"},
				Properties: map[string]*spec.Schema{"query": text, "variables": {Types: []string{"object"}}, "operationName": {Types: []string{"string"}}},
			}}}},
		}, ex, nil)
	}
}

// typeName asks with a POST that reads the name of a type; nil if the path is not called
// like one that speaks GraphQL.
func (f *finder) typeName(ctx context.Context, path string) *wire.Exchange {
	last := strings.ToLower(path[strings.LastIndexByte(path, '/')+1:])
	if !strings.Contains(last, "graphql") && last != "gql" || f.result.Requests >= f.config.MaxRequests || ctx.Err() != nil {
		return nil
	}
	f.result.Requests++
	return f.config.Send(ctx, wire.Request{
		Method: http.MethodPost, Path: path, Why: "discover GraphQL", Body: []byte(`{"query":"{__typename}"}`),
		Header: http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json"}},
	})
}

// speaksGraphQL reports whether an answer is one of GraphQL: data, or errors that name it.
// Some take POST only, and say so in its words.
func speaksGraphQL(ex *wire.Exchange) bool {
	v, ok := probe.Decode(ex)
	if m, isObject := v.(map[string]any); ok && isObject {
		if data, ok := m["data"].(map[string]any); ok && data["__typename"] != nil {
			return true
		}
		if list, ok := m["errors"].([]any); ok && len(list) > 0 {
			if first, ok := list[0].(map[string]any); ok && first["message"] != nil && ex.Status != http.StatusNotFound {
				text := strings.ToLower(fmt.Sprint(first["message"], first["extensions"]))
				return strings.Contains(text, "graphql") || strings.Contains(text, "query") || strings.Contains(text, "csrf")
			}
		}
	}
	text := strings.ToLower(ex.Text()[:min(len(ex.Text()), 500)])
	return ex.Status >= 400 && ex.Status < 500 && ex.Status != http.StatusNotFound && strings.Contains(text, "graphql") && strings.Contains(text, "post")
}

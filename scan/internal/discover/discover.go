// Package discover finds what there is to ask a target for: its document at the usual
// places ([Documents]), and the operations that no document names ([Run]): linked ones, such
// that forms and scripts use, other versions, methods and paths that are often there.
//
//	found := discover.Run(ctx, discover.Config{API: api, Send: func(ctx context.Context, r wire.Request) *wire.Exchange {
//		return target.Do(ctx, user, r)
//	}})
//	api.Operations = append(api.Operations, found.Operations...)
//
// A path is there if its answer differs from that to paths that cannot be there, which are
// made like it: many targets answer 200 or 401 to everything. Only GET, HEAD and OPTIONS
// are sent, and no GET whose name says that it resets, removes or logs out. Numbers are
// bounded, and the same target gives the same result.
package discover

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/internal/spec"
	"github.com/fastness/fastness/scan/wire"
)

// Send sends a request, in the name of whom it wants.
type Send func(context.Context, wire.Request) *wire.Exchange

// Config is what to look for, and how long.
type Config struct {
	Send Send
	// Queries allows one more kind of request: a POST of {__typename}, that reads the name of
	// a type, to paths whose last part names GraphQL. Many servers take nothing else.
	Queries bool
	// API is what is known so far. It may be empty. Operations of it that were found, and
	// not declared, get the parameters that are found now; nothing else is changed.
	API *spec.API
	// Base is the path of the target, without a slash at its end; the default is that of
	// the API.
	Base string
	// Sample returns a path, with its query, that is known to work for an operation with
	// GET, or "". It may be nil.
	Sample func(*spec.Operation) string
	// Seen are answers in which to look for links.
	Seen []*wire.Exchange
	// MaxRequests are sent at most; the default is 1500. MaxPages of them follow links;
	// the default is 150.
	MaxRequests, MaxPages int
	// Seed makes the names of paths that cannot be there.
	Seed uint64
}

// Result is what was found.
type Result struct {
	// Operations are not in the API, and say how they were found.
	Operations []*spec.Operation
	// Unproven are such that a form or a script uses, or that what is read lets expect, and
	// of which nothing can be told without sending more than GET, HEAD and OPTIONS.
	Unproven []*spec.Operation
	// Proofs are the answers that show that an operation is there, by its ID.
	Proofs map[string]Proof
	// GraphQL are the paths that answer GraphQL.
	GraphQL []string
	// Requests is how many were sent; Cut is set if there would have been more.
	Requests int
	Cut      bool
}

// Proof is an answer, and that to a path like it that cannot be there.
type Proof = probe.Proof

// finder is one run.
type finder struct {
	config Config
	api    *spec.API
	origin string // of the target, as it shows in exchanges
	result Result
	known  map[string]bool // method and shape of the path
	absent map[string]*absence
	decoys int
	asked  map[string]*wire.Exchange // GET by target
	refs   []ref                     // found, in order
	seen   map[string]bool           // keys of refs
	queue  []string                  // pages and scripts to read
	queued map[string]bool
	done   int            // refs whose answers were read
	shapes map[string]int // how many pages of a shape were asked for
	pages  int
}

// Run looks for operations.
func Run(ctx context.Context, config Config) *Result {
	f := newFinder(config)
	for _, ex := range config.Seen {
		f.origin = cmp.Or(f.origin, ex.Origin)
	}
	for _, op := range f.api.Operations {
		f.known[key(op.Method, op.Path)] = true
	}
	f.routes(ctx)
	f.crawl(ctx)
	f.fromRefs(ctx)
	f.items(ctx)
	f.methods(ctx)
	f.words(ctx)
	f.items(ctx)
	f.versions(ctx)
	f.neighbours(ctx)
	f.graphql(ctx)
	f.accounts(ctx)
	slices.SortStableFunc(f.result.Operations, func(a, b *spec.Operation) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), strings.Compare(a.Method, b.Method))
	})
	return &f.result
}

func newFinder(config Config) *finder {
	if config.MaxRequests <= 0 {
		config.MaxRequests = 1500
	}
	if config.MaxPages <= 0 {
		config.MaxPages = 150
	}
	if config.API == nil {
		config.API = &spec.API{}
	}
	if config.Base == "" {
		config.Base = config.API.Base
	}
	return &finder{
		config: config, api: config.API, result: Result{Proofs: map[string]Proof{}}, known: map[string]bool{},
		absent: map[string]*absence{}, asked: map[string]*wire.Exchange{}, seen: map[string]bool{}, shapes: map[string]int{}, queued: map[string]bool{},
	}
}

// key is the same for paths that differ only in the names of their parameters.
func key(method, path string) string { return method + " " + shapeOf(path) }

// ask sends a request once; nil if there must be no more.
func (f *finder) ask(ctx context.Context, method, target, why string) *wire.Exchange {
	if method == http.MethodGet {
		if ex := f.asked[target]; ex != nil {
			return ex
		}
		if Dangerous(target) {
			return nil
		}
	}
	if f.result.Requests >= f.config.MaxRequests {
		f.result.Cut = true
		return nil
	}
	if ctx.Err() != nil {
		return nil
	}
	f.result.Requests++
	path, query, _ := strings.Cut(target, "?")
	ex := f.config.Send(ctx, wire.Request{
		Method: method, Path: path, Query: query, Why: "discover " + why,
		Header: http.Header{"Accept": {"application/json, text/html;q=0.9, */*;q=0.8"}},
	})
	f.origin = cmp.Or(f.origin, ex.Origin)
	if method == http.MethodGet {
		f.asked[target] = ex
	}
	return ex
}

// add notes an operation that was proved to be there.
func (f *finder) add(op *spec.Operation, answer, absent *wire.Exchange) {
	if op.Method == http.MethodHead || op.Method == http.MethodOptions || op.Method == http.MethodTrace || f.known[key(op.Method, op.Path)] {
		return
	}
	f.known[key(op.Method, op.Path)] = true
	op.ID = "found " + op.Method + " " + op.Path
	completePath(op)
	if answer != nil && op.Method == http.MethodGet {
		for _, field := range Missing(answer) {
			if field.In == "query" && op.Param("query", field.Name) == nil {
				op.Params = append(op.Params, queryParam(field.Name, "", true))
			}
		}
	}
	f.result.Operations = append(f.result.Operations, op)
	f.result.Proofs[op.ID] = Proof{Answer: answer, Absent: absent}
}

// concrete returns a path for an operation, with values in the place of its parameters.
func (f *finder) concrete(op *spec.Operation) string {
	if f.config.Sample != nil {
		if sample := f.config.Sample(op); sample != "" {
			return sample
		}
	}
	return fill(op.Path, func(name string) string {
		if p := op.Param("path", name); p != nil && len(p.Examples) > 0 {
			if text, ok := p.Examples[0].(string); ok {
				return text
			}
		}
		return "1"
	})
}

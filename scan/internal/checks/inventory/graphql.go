package inventory

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/wire"
)

// graphQL asks what strangers may, and how much at once.
func graphQL() check.Check {
	kind := kindGraphQL()
	return check.Check{Kind: kind, Phase: check.Read, Run: func(ctx context.Context, t *probe.Target, report check.Report) error {
		for _, path := range graphPaths(t) {
			if ctx.Err() != nil {
				break
			}
			(&graph{ctx: ctx, t: t, path: path, why: kind.ID, report: report}).run()
		}
		return ctx.Err()
	}}
}

// graphPaths are those that speak it, in the document or found.
func graphPaths(t *probe.Target) (out []string) {
	out = slices.Clone(t.GraphQL)
	for _, op := range t.API.Operations {
		if op.Method == http.MethodPost && strings.HasSuffix(strings.ToLower(op.Path), "graphql") && !slices.Contains(out, op.Path) {
			out = append(out, op.Path)
		}
	}
	return out
}

type graph struct {
	ctx       context.Context
	t         *probe.Target
	path, why string
	report    check.Report
}

func (g *graph) ask(body any) *wire.Exchange {
	return g.t.Once(g.ctx, nil, wire.Request{
		Method: http.MethodPost, Path: g.path, Why: g.why, Body: probe.EncodeJSON(body),
		Header: http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json"}},
	})
}

func (g *graph) query(text string) (*wire.Exchange, map[string]any) {
	ex := g.ask(map[string]any{"query": text})
	v, _ := probe.Decode(ex)
	m, _ := v.(map[string]any)
	data, _ := m["data"].(map[string]any)
	return ex, data
}

func (g *graph) say(cause string, severity finding.Severity, says, control string, shown *wire.Exchange) {
	g.report(check.Claim{
		Place: finding.Place{Method: http.MethodPost, Path: g.path, Parameter: "body /query", Users: "anonymous"}, Cause: g.path + cause, Severity: as(severity),
		Says: says, Control: control, Evidence: []finding.Evidence{evidence("it is answered to nobody in particular", shown)},
	})
}

const introspection = `{__schema{queryType{name} types{kind name fields{name args{name type{kind}} type{kind name ofType{kind name ofType{kind name ofType{kind name}}}}}}}}`

// The parts of an answer to an introspection.
type (
	graphType struct {
		Kind, Name string
		Fields     []graphField
	}
	graphField struct {
		Name string
		Args []struct{ Type struct{ Kind string } }
		Type graphRef
	}
	graphRef struct {
		Kind, Name string
		OfType     *graphRef
	}
)

func (g *graph) run() {
	field := "__typename"
	ex, data := g.query(introspection)
	if data["__schema"] == nil {
		ex, data = g.query("{__schema{queryType{name} types{kind name fields{name}}}}")
	}
	if schema, ok := data["__schema"].(map[string]any); ok && schema["types"] != nil {
		g.say("introspection", finding.Low, "strangers read the whole schema by introspection", "the answer has the types of the schema", ex)
		if open := g.resolvers(schema); open != "" {
			field = open
		}
	}
	g.many(field)
}

// resolvers asks for all that needs no argument, and returns a field that answers.
func (g *graph) resolvers(schema map[string]any) (open string) {
	var types []graphType
	if json.Unmarshal(probe.EncodeJSON(schema["types"]), &types) != nil {
		return ""
	}
	root := "Query"
	if q, ok := schema["queryType"].(map[string]any); ok {
		root = probe.Text(q["name"])
	}
	byName := map[string]graphType{}
	for _, t := range types {
		byName[t.Name] = t
	}
	asked := 0
	for _, f := range byName[root].Fields {
		if slices.ContainsFunc(f.Args, func(a struct{ Type struct{ Kind string } }) bool { return a.Type.Kind == "NON_NULL" }) || asked >= 20 || g.ctx.Err() != nil {
			continue
		}
		of, ok := byName[f.Type.named()]
		if !ok || len(of.Fields) == 0 { // Sloppy schemas call everything a text.
			of, ok = byName[strings.ToUpper(f.Name[:1])+strings.TrimSuffix(f.Name[1:], "s")]
		}
		if !ok || len(of.Fields) == 0 || of.Name == root {
			continue
		}
		asked++
		var names []string
		for _, sub := range of.Fields {
			if len(sub.Args) == 0 && len(byName[sub.Type.named()].Fields) == 0 {
				names = append(names, sub.Name)
			}
		}
		if len(names) == 0 {
			continue
		}
		text := f.Name + "{" + strings.Join(names, " ") + "}"
		ex, data := g.query("{" + text + "}")
		if data[f.Name] == nil || !hasData(ex) {
			continue
		}
		open = text
		if name := sensitive(ex); name != "" {
			g.say("open "+f.Name, finding.High, fmt.Sprintf("strangers ask for %s and get %s", f.Name, name), "the request has no credentials, and the answer holds values", ex)
		}
	}
	return open
}

func (r *graphRef) named() string {
	for r.OfType != nil {
		r = r.OfType
	}
	return r.Name
}

// many asks for one field a hundred times in one request, and in ten of one list.
func (g *graph) many(field string) {
	var b strings.Builder
	for i := range 100 {
		fmt.Fprintf(&b, "a%d:%s ", i, field)
	}
	ex, data := g.query("{" + b.String() + "}")
	n := 0
	for name := range data {
		if strings.HasPrefix(name, "a") && data[name] != nil {
			n++
		}
	}
	if n >= 100 {
		g.say("aliases", finding.Medium, "one request of a stranger asks a hundred times for the same under other names, and all of it is done", "the answer has a hundred members", ex)
	}
	list := make([]any, 10)
	for i := range list {
		list[i] = map[string]any{"query": "{" + field + "}"}
	}
	ex = g.ask(list)
	if v, ok := probe.Decode(ex); ok && ex.OK() {
		if answers, ok := v.([]any); ok && len(answers) == 10 {
			g.say("batch", finding.Low, "one request holds ten, and all of them are done: limits for each request do not count them", "the answer is a list of ten", ex)
		}
	}
}

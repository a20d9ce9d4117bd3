package fastness

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/fastness/fastness/asyncapi"
	"github.com/fastness/fastness/observe"
	"github.com/fastness/fastness/openapi"
	"github.com/fastness/fastness/schema"
)

// AsyncDocument returns the AsyncAPI document of the app: its WebSockets, and what
// goes over them. It is nil for an app that has none. It is made once, when the
// declarations are compiled, and must not be changed.
func (a *App) AsyncDocument() (*asyncapi.Document, error) {
	if err := a.compile(); err != nil || a.async == nil {
		return nil, err
	}
	return a.async.doc, nil
}

// asyncDocument is the document, and how it is served.
type asyncDocument struct {
	doc  *asyncapi.Document
	text func() ([]byte, error)
}

// describesSockets reports whether there is something to describe.
func (a *App) describesSockets() bool { return slices.ContainsFunc(a.operations, isShownSocket) }

func isShownSocket(op *operationPlan) bool { return op.socket != nil && !op.spec.Hidden }

// makeAsyncDocument describes the plans of all WebSockets that are not hidden.
func (a *App) makeAsyncDocument() error {
	if !a.describesSockets() {
		return nil
	}
	d := &documenter{app: a, doc: &openapi.Document{}, schemas: schema.NewDescriber()}
	out := &asyncapi.Document{Info: a.asyncInfo(), DefaultContentType: "application/json"}
	d.comments, _ = readComments(a.cfg.Source) // What is wrong there the other document has said.
	for _, op := range a.operations {
		if isShownSocket(op) {
			d.channel(out, op)
		}
	}
	d.problems()
	out.Components.Schemas = d.schemas.Components()
	for name, s := range d.doc.Components.Schemas.All() { // Problems, and what they hold.
		out.Components.Schemas.Set(name, s)
	}
	for _, s := range a.callers.Descriptions() {
		out.Components.SecuritySchemes.Set(s.Name, asyncapi.SchemeOf(s.Security))
	}
	a.asyncServers(out)
	if err := out.Validate(); err != nil {
		return err
	}
	a.async = &asyncDocument{out, sync.OnceValues(out.JSON)}
	return nil
}

func (a *App) asyncInfo() asyncapi.Info {
	info := asyncapi.Info{Title: a.cfg.Title, Version: a.cfg.Version, Description: a.cfg.Description, TermsOfService: a.cfg.Terms}
	if c := a.cfg.Contact; c != nil {
		info.Contact = &asyncapi.Contact{Name: c.Name, URL: c.URL, Email: c.Email}
	}
	if l := a.cfg.License; l != nil {
		info.License = &asyncapi.License{Name: l.Name, URL: l.URL}
	}
	for _, t := range a.cfg.Tags {
		info.Tags = append(info.Tags, asyncapi.Tag{Name: t.Name, Description: t.Description})
	}
	return info
}

// asyncServers lists those of the configuration, or one whose host the reader
// knows.
func (a *App) asyncServers(out *asyncapi.Document) {
	for i, s := range a.cfg.Servers {
		u, err := url.Parse(s.URL)
		if err != nil || u.Host == "" {
			continue
		}
		server := &asyncapi.Server{Host: u.Host, Protocol: "wss", Pathname: u.Path, Description: s.Description}
		if u.Scheme == "http" {
			server.Protocol = "ws"
		}
		out.Servers.Set(fmt.Sprintf("server%d", i+1), server)
	}
	if out.Servers.Len() > 0 {
		return
	}
	server := &asyncapi.Server{Host: "{host}", Protocol: "wss", Pathname: a.base, Description: "Where this document is from."}
	server.Variables.Set("host", &asyncapi.ServerVariable{Default: "localhost:8443", Description: "A name, and a port if it is not 443."})
	out.Servers.Set("server", server)
}

const problemMessage = "problem"

// channel adds a WebSocket: its channel, and an operation for each direction.
func (d *documenter) channel(out *asyncapi.Document, op *operationPlan) {
	summary, description := d.comments.of(op.function)
	c := &asyncapi.Channel{
		Address: strings.ReplaceAll(op.path, "...}", "}"), Title: first(op.spec.Summary, summary, humanize(op.id)),
		Description: first(op.spec.Description, description), Access: op.access(),
	}
	for _, name := range op.spec.Tags {
		c.Tags = append(c.Tags, asyncapi.Tag{Name: name})
	}
	d.handshake(c, op)
	s, ref := op.socket, asyncapi.Reference{Ref: "#/channels/" + op.id}
	security := d.asyncSecurity(op)
	if s.in != noMessages() {
		m := d.message(s.receives, schema.Input)
		m.MaxLength = s.limit
		c.Messages.Set("received", m)
		out.Operations.Set(op.id+"Receive", &asyncapi.Operation{
			Action: asyncapi.Receive, Title: c.Title, Description: "What clients send.", Channel: ref, Security: security, Rate: s.rate, Messages: []asyncapi.Reference{{Ref: ref.Ref + "/messages/received"}},
		})
	}
	sends := &asyncapi.Operation{Action: asyncapi.Send, Title: c.Title, Description: "What clients get.", Channel: ref, Security: security}
	if s.out != noMessages() {
		c.Messages.Set("sent", d.message(s.sends, schema.Output))
		sends.Messages = append(sends.Messages, asyncapi.Reference{Ref: ref.Ref + "/messages/sent"})
	}
	if s.in != noMessages() {
		contentType, _ := d.app.cfg.Errors.Describe()
		c.Messages.Set(problemMessage, &asyncapi.Message{
			Name: problemMessage, ContentType: contentType, Payload: &openapi.Schema{Ref: problemRef},
			Summary: "The answer to a message that is not as declared, or that cannot be done.",
		})
		sends.Messages = append(sends.Messages, asyncapi.Reference{Ref: ref.Ref + "/messages/" + problemMessage})
	}
	if len(sends.Messages) > 0 {
		out.Operations.Set(op.id+"Send", sends)
	}
	out.Channels.Set(op.id, c)
}

// message describes what goes in one direction; plan is nil for bytes.
func (d *documenter) message(plan *schema.Plan, mode schema.Mode) *asyncapi.Message {
	if plan == nil {
		return &asyncapi.Message{ContentType: "application/octet-stream"}
	}
	name, _, _ := strings.Cut(plan.Type().Name(), "[") // What it is of has a name of its own.
	return &asyncapi.Message{Name: name, Payload: d.schemas.Describe(plan, mode)}
}

// handshake describes what the request that opens the connection holds.
func (d *documenter) handshake(c *asyncapi.Channel, op *operationPlan) {
	var o openapi.Operation
	d.parameters(&o, op)
	query, headers := &openapi.Schema{Type: openapi.Types{"object"}}, &openapi.Schema{Type: openapi.Types{"object"}}
	for _, p := range o.Parameters {
		switch p.In {
		case "path":
			c.Parameters.Set(p.Name, &asyncapi.Parameter{Description: p.Description, Schema: p.Schema})
		case "query":
			property(query, p)
		case "header":
			property(headers, p)
		}
	}
	binding := &asyncapi.WebSocketBinding{Method: op.method, Version: "0.1.0"}
	if query.Properties.Len() > 0 {
		binding.Query = query
	}
	if headers.Properties.Len() > 0 {
		binding.Headers = headers
	}
	c.Bindings = &asyncapi.ChannelBindings{WebSocket: binding}
}

func property(of *openapi.Schema, p *openapi.Parameter) {
	p.Schema.Description = cmp.Or(p.Schema.Description, p.Description)
	of.Properties.Set(p.Name, p.Schema)
	if p.Required {
		of.Required = append(of.Required, p.Name)
	}
}

// asyncSecurity lists the schemes that op takes, any of which will do. That nobody
// need say who they are has no spelling in AsyncAPI; x-access says it.
func (d *documenter) asyncSecurity(op *operationPlan) (list []*asyncapi.SecurityScheme) {
	if op.gate.schemes == nil || op.gate.optional {
		return nil
	}
	for _, s := range op.gate.schemes.Descriptions() {
		scopes := op.spec.Access.Needs().Scopes
		if s.Security.Type != "oauth2" && s.Security.Type != "openIdConnect" || len(scopes) == 0 {
			list = append(list, asyncapi.SchemeRef(s.Name))
			continue
		}
		scheme := asyncapi.SchemeOf(s.Security)
		scheme.Scopes = scopes
		list = append(list, scheme)
	}
	return list
}

func (a *App) serveAsync(x *exchange) error {
	text, err := a.async.text()
	return x.sendRaw(text, "application/json", err)
}

// asyncapiCommand prints the document of the WebSockets.
type asyncapiCommand struct {
	Mount  string `placeholder:"PREFIX" help:"Print that of the app that is mounted there."`
	Output string `short:"o" placeholder:"FILE" help:"Write to this file."`
}

// Run prints the document.
func (c *asyncapiCommand) Run(p *program) error {
	if err := p.compile(Settings{}); err != nil {
		return err
	}
	app := p.app.below(c.Mount)
	if app == nil {
		return fmt.Errorf("no app is mounted at %s", observe.Printable(c.Mount, 80))
	}
	document, err := app.AsyncDocument()
	if err != nil {
		return err
	}
	if document == nil {
		return errors.New("the app has no WebSockets")
	}
	text, err := app.async.text()
	if err != nil {
		return err
	}
	text = append(text[:len(text):len(text)], '\n')
	if c.Output != "" {
		return os.WriteFile(c.Output, text, 0o644)
	}
	return p.print(text)
}

// Package asyncapi holds AsyncAPI 3.0 documents as Go values: what OpenAPI is for
// requests, for messages. An app writes one for its WebSockets.
//
//	doc := &asyncapi.Document{Info: asyncapi.Info{Title: "Shop", Version: "1.0.0"}}
//	doc.Channels.Set("bids", &asyncapi.Channel{Address: "/ws/items/{id}"})
//	text, err := doc.JSON()
//
// The sections that comments name are those of the AsyncAPI Specification 3.0.0.
// Only what WebSockets need is here.
package asyncapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/fastness/fastness/openapi"
)

// Version is the version of the specification that documents are of.
const Version = "3.0.0"

// Document is a whole document (AsyncAPI Object).
type Document struct {
	Info               Info
	DefaultContentType string
	Servers            openapi.Map[*Server]
	Channels           openapi.Map[*Channel]
	Operations         openapi.Map[*Operation]
	Components         Components
}

// Info is about the API (Info Object).
type Info struct {
	Title          string            `json:"title"`
	Version        string            `json:"version"`
	Description    string            `json:"description,omitempty"`
	TermsOfService string            `json:"termsOfService,omitempty"`
	Contact        *Contact          `json:"contact,omitempty"`
	License        *License          `json:"license,omitempty"`
	Tags           []Tag             `json:"tags,omitempty"`
	ExternalDocs   *ExternalDocument `json:"externalDocs,omitempty"`
}

// Contact is whom to ask (Contact Object).
type Contact struct {
	Name  string `json:"name,omitempty"`
	URL   string `json:"url,omitempty"`
	Email string `json:"email,omitempty"`
}

// License is under what terms the API is (License Object).
type License struct {
	Name string `json:"name"`
	URL  string `json:"url,omitempty"`
}

// Tag groups channels and operations (Tag Object).
type Tag struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
}

// ExternalDocument is more to read (External Documentation Object).
type ExternalDocument struct {
	URL         string `json:"url"`
	Description string `json:"description,omitempty"`
}

// Server is where the API is (Server Object).
type Server struct {
	// Host is a name and a port, which may have variables: "{host}".
	Host string `json:"host"`
	// Protocol is "wss", or "ws" for one without TLS.
	Protocol    string                       `json:"protocol"`
	Pathname    string                       `json:"pathname,omitempty"`
	Description string                       `json:"description,omitempty"`
	Variables   openapi.Map[*ServerVariable] `json:"variables,omitzero"`
}

// ServerVariable is what a host may be (Server Variable Object).
type ServerVariable struct {
	Default     string   `json:"default,omitempty"`
	Enum        []string `json:"enum,omitempty"`
	Description string   `json:"description,omitempty"`
}

// Channel is a way on which messages go: here one WebSocket (Channel Object).
type Channel struct {
	Address     string                  `json:"address"`
	Title       string                  `json:"title,omitempty"`
	Summary     string                  `json:"summary,omitempty"`
	Description string                  `json:"description,omitempty"`
	Messages    openapi.Map[*Message]   `json:"messages,omitzero"`
	Parameters  openapi.Map[*Parameter] `json:"parameters,omitzero"`
	Tags        []Tag                   `json:"tags,omitempty"`
	Bindings    *ChannelBindings        `json:"bindings,omitempty"`
	// Access is who may connect, for people: the extension x-access.
	Access string `json:"x-access,omitempty"`
}

// Parameter is a {part} of an address (Parameter Object). It is a text; what the
// text may be is in Schema, an extension, because AsyncAPI has no place for it.
type Parameter struct {
	Description string          `json:"description,omitempty"`
	Enum        []string        `json:"enum,omitempty"`
	Schema      *openapi.Schema `json:"x-schema,omitempty"`
}

// ChannelBindings are what a protocol adds to a channel.
type ChannelBindings struct {
	WebSocket *WebSocketBinding `json:"ws,omitempty"`
}

// WebSocketBinding is the handshake (WebSockets Channel Binding 0.1.0). Query and
// Headers are schemas of objects.
type WebSocketBinding struct {
	Method  string          `json:"method,omitempty"`
	Query   *openapi.Schema `json:"query,omitempty"`
	Headers *openapi.Schema `json:"headers,omitempty"`
	Version string          `json:"bindingVersion,omitempty"`
}

// Message is what goes over a channel (Message Object).
type Message struct {
	Name        string          `json:"name,omitempty"`
	Title       string          `json:"title,omitempty"`
	Summary     string          `json:"summary,omitempty"`
	Description string          `json:"description,omitempty"`
	ContentType string          `json:"contentType,omitempty"`
	Payload     *openapi.Schema `json:"payload,omitempty"`
	// MaxLength is how many bytes it may have: the extension x-max-length.
	MaxLength int64 `json:"x-max-length,omitempty"`
}

// The actions of an operation, as the app sees it: it receives what clients send.
const (
	Receive = "receive"
	Send    = "send"
)

// Operation is what the app does with the messages of a channel (Operation
// Object).
type Operation struct {
	// Action is [Receive] or [Send].
	Action      string            `json:"action"`
	Channel     Reference         `json:"channel"`
	Title       string            `json:"title,omitempty"`
	Summary     string            `json:"summary,omitempty"`
	Description string            `json:"description,omitempty"`
	Security    []*SecurityScheme `json:"security,omitempty"` // one of them is needed
	Tags        []Tag             `json:"tags,omitempty"`
	Messages    []Reference       `json:"messages,omitempty"`
	// Rate is how many messages may come: the extension x-rate-limit.
	Rate string `json:"x-rate-limit,omitempty"`
}

// Reference stands for something elsewhere in the document (Reference Object).
type Reference struct {
	Ref string `json:"$ref"`
}

// Components are what others refer to (Components Object).
type Components struct {
	Schemas         openapi.Map[*openapi.Schema] `json:"schemas,omitzero"`
	SecuritySchemes openapi.Map[*SecurityScheme] `json:"securitySchemes,omitzero"`
}

// IsZero reports whether there are none.
func (c Components) IsZero() bool { return c.Schemas.IsZero() && c.SecuritySchemes.IsZero() }

// JSON returns the document, indented.
func (d *Document) JSON() ([]byte, error) {
	for _, s := range d.schemas() {
		if err := adapt(s); err != nil {
			return nil, err
		}
	}
	text, err := json.Marshal(struct {
		Version            string                  `json:"asyncapi"`
		Info               Info                    `json:"info"`
		DefaultContentType string                  `json:"defaultContentType,omitempty"`
		Servers            openapi.Map[*Server]    `json:"servers,omitzero"`
		Channels           openapi.Map[*Channel]   `json:"channels,omitzero"`
		Operations         openapi.Map[*Operation] `json:"operations,omitzero"`
		Components         Components              `json:"components,omitzero"`
	}{Version, d.Info, d.DefaultContentType, d.Servers, d.Channels, d.Operations, d.Components})
	if err != nil {
		return nil, fmt.Errorf("asyncapi: %w", err)
	}
	var out bytes.Buffer
	if err := json.Indent(&out, text, "", "  "); err != nil {
		return nil, fmt.Errorf("asyncapi: %w", err)
	}
	return out.Bytes(), nil
}

// schemas returns those of the document, without what they hold.
func (d *Document) schemas() (all []*openapi.Schema) {
	for _, s := range d.Components.Schemas.All() {
		all = append(all, s)
	}
	for _, c := range d.Channels.All() {
		for _, m := range c.Messages.All() {
			all = append(all, m.Payload)
		}
		if c.Bindings != nil && c.Bindings.WebSocket != nil {
			all = append(all, c.Bindings.WebSocket.Query, c.Bindings.WebSocket.Headers)
		}
	}
	return all
}

// Validate returns an error that names every reference that leads nowhere, and
// what is required and missing.
func (d *Document) Validate() error {
	var errs []error
	if d.Info.Title == "" || d.Info.Version == "" {
		errs = append(errs, errors.New("info has no title or no version"))
	}
	for name, s := range d.Servers.All() {
		if s.Host == "" || s.Protocol == "" {
			errs = append(errs, fmt.Errorf("server %s has no host or no protocol", name))
		}
	}
	for name, c := range d.Channels.All() {
		for parameter := range c.Parameters.All() {
			if !strings.Contains(c.Address, "{"+parameter+"}") {
				errs = append(errs, fmt.Errorf("channel %s has a parameter %s that is not in its address", name, parameter))
			}
		}
	}
	for name, o := range d.Operations.All() {
		errs = append(errs, d.validateOperation(name, o)...)
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("asyncapi: %w", err)
	}
	return nil
}

func (d *Document) validateOperation(name string, o *Operation) (errs []error) {
	if o.Action != Receive && o.Action != Send {
		errs = append(errs, fmt.Errorf("operation %s has the action %q, want receive or send", name, o.Action))
	}
	channel, ok := d.Channels.Get(strings.TrimPrefix(o.Channel.Ref, "#/channels/"))
	if !ok {
		return append(errs, fmt.Errorf("operation %s refers to %q, which is no channel", name, o.Channel.Ref))
	}
	for _, m := range o.Messages {
		if _, ok := channel.Messages.Get(strings.TrimPrefix(m.Ref, o.Channel.Ref+"/messages/")); !ok {
			errs = append(errs, fmt.Errorf("operation %s refers to %q, which is no message of its channel", name, m.Ref))
		}
	}
	for _, s := range o.Security {
		if _, ok := d.Components.SecuritySchemes.Get(strings.TrimPrefix(s.Ref, schemesRef)); s.Ref != "" && !ok {
			errs = append(errs, fmt.Errorf("operation %s refers to %q, which is no security scheme", name, s.Ref))
		}
	}
	return errs
}

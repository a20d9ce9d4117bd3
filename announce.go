package fastness

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/fastness/fastness/internal/operation"
	"github.com/fastness/fastness/openapi"
	"github.com/fastness/fastness/outbound"
	"github.com/fastness/fastness/schema"
	"github.com/fastness/fastness/webhook"
)

// Webhook is a message with the payload P that the app sends to other people's servers.
// What is declared is what is sent: the document describes P, and [Webhook.Message]
// encodes it by the same plan.
type Webhook[P any] struct{ sends *sends }

// sends is a request that the app makes: a webhook or a callback.
type sends struct {
	app     *App
	name    string
	payload reflect.Type
	spec    operation.Spec
	plan    *schema.Plan
}

// DeclareWebhook puts a webhook into the OpenAPI document of app, with the fields of its
// signature, and returns what sends it. The options that describe an operation describe
// it: [Summary], [Description], [Tags], [Deprecated].
//
//	var paid = fastness.DeclareWebhook[OrderPaid](app, "orderPaid", fastness.Summary("An order was paid"))
//	…
//	result, err := paid.Send(ctx, signer, client, endpoint, webhook.NewID(), OrderPaid{ID: 7})
func DeclareWebhook[P any](app *App, name string, options ...Option) *Webhook[P] {
	app.mustBeOpen("the webhook " + name)
	s := &sends{app: app, name: name, payload: reflect.TypeFor[P]()}
	apply(&s.spec, options)
	for _, other := range app.webhooks {
		if other.name == name {
			app.mistakes = append(app.mistakes, fmt.Errorf("webhook %q is there twice", name))
		}
	}
	if name == "" {
		app.mistakes = append(app.mistakes, errors.New("webhook: no name"))
	}
	app.webhooks = append(app.webhooks, s)
	return &Webhook[P]{s}
}

// Message returns the message with this id, as [webhook.NewID] makes it: for who keeps
// messages in a queue. The app must have started.
func (w *Webhook[P]) Message(id string, payload P) (webhook.Message, error) {
	if err := w.sends.app.compile(); err != nil {
		return webhook.Message{}, err
	}
	body, err := w.sends.plan.Append(nil, reflect.ValueOf(&payload).Elem())
	if err != nil {
		return webhook.Message{}, fmt.Errorf("webhook %s: %w", w.sends.name, err)
	}
	return webhook.Message{ID: id, Body: body}, nil
}

// Send signs a message and posts it once; see [webhook.Signer.Send].
func (w *Webhook[P]) Send(ctx context.Context, signer *webhook.Signer, client *outbound.Client, url, id string, payload P) (webhook.Result, error) {
	m, err := w.Message(id, payload)
	if err != nil {
		return webhook.Result{Verdict: webhook.GiveUp}, err
	}
	return signer.Send(ctx, client, url, m)
}

// Callback documents a request that the operation leads to, at a URL that the caller has
// given: expression says where, as "{$request.body#/callbackUrl}" (OpenAPI 3.1, 4.8.18).
// P is the body. Send it with package outbound, which reaches public addresses only: the
// URL is a stranger's.
func Callback[P any](name, expression string) Option {
	return operation.Func(func(s *operation.Spec) {
		if name == "" || !strings.Contains(expression, "{$") || !strings.HasSuffix(expression, "}") {
			s.Mistakes = append(s.Mistakes, fmt.Errorf("callback %q: want a name and an expression such as {$request.body#/callbackUrl}", name))
		}
		s.Callbacks = append(s.Callbacks, operation.Callback{Name: name, Expression: expression, Payload: reflect.TypeFor[P]()})
	})
}

// compileWebhooks makes the plans of the payloads.
func (a *App) compileWebhooks() (errs []error) {
	for _, s := range a.webhooks {
		var err error
		if s.plan, err = a.types.Plan(s.payload, ""); err == nil {
			err = s.plan.Answerable()
		}
		for _, err := range append(s.spec.Mistakes, err) {
			if err != nil {
				errs = append(errs, fmt.Errorf("webhook %q: %w", s.name, err))
			}
		}
	}
	return errs
}

// webhooks describes what the app sends.
func (d *documenter) webhooks() {
	for _, s := range d.app.webhooks {
		o := d.sent(s.plan)
		o.OperationID, o.Tags, o.Deprecated = s.name, s.spec.Tags, s.spec.Deprecated
		o.Summary, o.Description = first(s.spec.Summary, humanize(s.name)), s.spec.Description
		for _, field := range []struct{ name, text string }{
			{webhook.IDHeader, "The id of the event, the same over all attempts."},
			{webhook.TimestampHeader, "The time of the attempt, in seconds since 1970."},
			{webhook.SignatureHeader, "Signatures of id, time and body, after the Standard Webhooks."},
		} {
			o.Parameters = append(o.Parameters, &openapi.Parameter{
				Name: strings.ToLower(field.name), In: "header", Required: true, Description: field.text,
				Schema: &openapi.Schema{Type: openapi.Types{"string"}},
			})
		}
		d.doc.Webhooks.Set(s.name, &openapi.PathItem{Post: o})
	}
}

// sent describes a request that the app makes.
func (d *documenter) sent(plan *schema.Plan) *openapi.Operation {
	o := &openapi.Operation{RequestBody: &openapi.RequestBody{Required: true}, Security: []openapi.SecurityRequirement{}}
	o.RequestBody.Content.Set("application/json", &openapi.MediaType{Schema: d.schemas.Describe(plan, schema.Output)})
	o.Responses.Set("2XX", &openapi.Response{Description: "The message has arrived."})
	o.Responses.Set("410", &openapi.Response{Description: "No more messages are wanted."})
	return o
}

// callbacks describes the callbacks of an operation.
func (d *documenter) callbacks(o *openapi.Operation, op *operationPlan) {
	for _, c := range op.spec.Callbacks {
		plan, err := d.app.types.Plan(c.Payload, "")
		if err == nil {
			err = plan.Answerable()
		}
		if err != nil {
			d.errs = append(d.errs, fmt.Errorf("%s: callback %q: %w", op.where(), c.Name, err))
			continue
		}
		var item openapi.Map[*openapi.PathItem]
		item.Set(c.Expression, &openapi.PathItem{Post: d.sent(plan)})
		data, err := json.Marshal(&item)
		if err != nil {
			d.errs = append(d.errs, fmt.Errorf("%s: callback %q: %w", op.where(), c.Name, err))
		}
		o.Callbacks.Set(c.Name, data)
	}
}

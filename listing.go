package fastness

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"

	"github.com/fastness/fastness/openapi"
	"github.com/fastness/fastness/page"
)

// UseCursorKeys gives the app the keys of its cursors, where its Config has none: for
// packages that have a ring of keys.
func (a *App) UseCursorKeys(keys page.Keys) {
	a.mustBeOpen("a key")
	if a.cfg.Cursors.Keys == nil {
		a.cfg.Cursors.Keys = keys
	}
}

// newScope is the provider of *page.Scope: what this request asks for, and who.
func newScope(ctx context.Context, _ struct{}) (*page.Scope, error) {
	x, _ := ctx.Value(exchangeKey{}).(*exchange)
	if x == nil || x.app.cursors == nil {
		return nil, errors.New("a *page.Scope belongs to a request")
	}
	caller := []string{x.app.base}
	if u := x.ctx.user; u != nil {
		caller = append(caller, u.Issuer, u.ID, u.Tenant.String(), u.Client)
	}
	return x.app.cursors.Scope(x.r, caller...), nil
}

// compileCursors makes the cursors, if an operation has lists.
func (a *App) compileCursors() []error {
	scope, lists := reflect.TypeFor[*page.Scope](), ""
	for _, op := range a.operations {
		for _, u := range op.input.uses {
			if u.provider.typ == scope && lists == "" {
				lists = op.where()
			}
		}
	}
	if lists == "" {
		return nil
	}
	var err error
	if a.cursors, err = page.New(a.cfg.Cursors); err != nil {
		return []error{fmt.Errorf("config: Cursors: %s answers in pages: %w", lists, err)}
	}
	return nil
}

// declared asks the type of a parameter, if it has a say, what is wrong with its field.
func (c *inputCompiler) declared(sf reflect.StructField) {
	d, ok := reflect.Zero(sf.Type).Interface().(interface {
		Declared(reflect.StructField) error
	})
	if !ok {
		return
	}
	if err := d.Declared(sf); err != nil {
		c.mistake("field %s: %w", sf.Name, err)
	}
}

// linked is a body that links to others (RFC 8288), such as a page of a list.
type linked interface{ LinkHeader() string }

// addLink sets the header Link of an answer whose body is linked.
func (a *answer) addLink() error {
	link := a.body.Interface().(linked).LinkHeader()
	if link == "" {
		return nil
	}
	if breaksHeader(link) {
		return errors.New("answer with a control character in the header Link")
	}
	header := a.header.Clone()
	if header == nil {
		header = make(http.Header, 1)
	}
	header.Add("Link", link)
	a.header = header
	return nil
}

// linkHeader describes it.
func linkHeader() *openapi.Header {
	return &openapi.Header{Description: "The pages before and after, relative to the request (RFC 8288).", Schema: &openapi.Schema{Type: openapi.Types{"string"}, MaxLength: new(16 << 10)}}
}

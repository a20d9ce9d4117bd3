package probe

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/fastness/fastness/scan/internal/login"
	"github.com/fastness/fastness/scan/internal/spec"
	"github.com/fastness/fastness/scan/wire"
)

// trier is a keeper that sends log-ins which may fail.
type trier interface {
	Try(ctx context.Context, like *login.User, values map[string]string, change func(*wire.Request)) (login.Try, error)
	RegisterWith(ctx context.Context, purpose, password string) (*login.User, error)
}

var errNoTrier = errors.New("the keeper of log-ins cannot try them")

// Try sends a log-in like that of a user with other values once, and keeps nothing of it;
// see [login.Keeper.Try].
func (t *Target) Try(ctx context.Context, like *login.User, values map[string]string, change func(*wire.Request)) (login.Try, error) {
	k, ok := t.config.Keeper.(trier)
	if !ok {
		return login.Try{}, errNoTrier
	}
	return k.Try(ctx, like, values, change)
}

// RegisterWith makes a user with a password that may be too weak.
func (t *Target) RegisterWith(ctx context.Context, purpose, password string) (*login.User, error) {
	k, ok := t.config.Keeper.(trier)
	if !ok {
		return nil, errNoTrier
	}
	return k.RegisterWith(ctx, purpose, password)
}

// OperationOf returns the operation that a request is to, or nil.
func (w *World) OperationOf(r wire.Request) *spec.Operation {
	for _, op := range w.API.Operations {
		if op.ID == r.Operation && r.Operation != "" {
			return op
		}
	}
	return w.API.Find(r.Method, r.Path)
}

// Number returns a number as it is decoded from JSON, or the text if it is none.
func Number(text string) any {
	n := json.Number(text)
	if _, err := n.Float64(); err != nil {
		return text
	}
	if trimmed := strings.TrimLeft(text, "0"); trimmed != text && trimmed != "" && trimmed[0] != '.' {
		return json.Number(trimmed) // JSON has no zeros in front.
	}
	return n
}

package clienttest_test

import (
	"net/http"
	"testing"

	"github.com/fastness/fastness/internal/clienttest/shop"
	"github.com/oapi-codegen/nullable"
)

func TestAnOrderIsItsCustomersAlone(t *testing.T) {
	api := open(t, "customer", "seller", "admin")
	ctx := t.Context()
	customer, other, admin := api.as(t, "customer", ""), api.as(t, "seller", ""), api.as(t, "admin", "")

	order := shop.NewOrder{ItemId: 5, Quantity: new(int64(2)), Note: new("by the gate")}
	once := &shop.CreateOrderParams{IdempotencyKey: new(`"8e03978e-40d5-43e8-bc93-6894a57f9324"`)}
	made, err := customer.CreateOrderWithResponse(ctx, once, order)
	if err != nil || made.JSON201 == nil {
		t.Fatalf("order: %v %v, want 201", made, err)
	}
	if got := made.JSON201; got.Price != "42.5" || got.Quantity != 2 || got.Status != "open" || got.Created.IsZero() {
		t.Errorf("ordered %+v, want two lanterns at 42.5", got)
	}
	id := made.JSON201.OrderId
	if again, err := customer.CreateOrderWithResponse(ctx, once, order); err != nil || again.JSON201 == nil || again.JSON201.OrderId != id {
		t.Errorf("the same order again: %v %v, want order %d", again, err, id)
	}

	hidden, err := other.ReadOrderWithResponse(ctx, id, nil)
	if err != nil || hidden.ApplicationproblemJSON404 == nil {
		t.Errorf("another's order: %v %v, want a problem of status 404", hidden, err)
	}
	list, err := other.ListOrdersWithResponse(ctx, nil)
	if err != nil || list.JSON200 == nil || len(list.JSON200.Items) != 0 {
		t.Errorf("the orders of somebody else: %v %v, want none", list, err)
	}

	read, err := customer.ReadOrderWithResponse(ctx, id, nil)
	if err != nil || read.JSON200 == nil {
		t.Fatalf("the order: %v %v, want 200", read, err)
	}
	seen := &shop.ChangeOrderParams{IfMatch: read.HTTPResponse.Header.Get("ETag")}
	sent := shop.ChangeOrderJSONRequestBody{Status: nullable.NewNullableWithValue(shop.OrderChangePatchStatusSent)}
	refused, err := customer.ChangeOrderWithResponse(ctx, id, seen, sent)
	if err != nil || refused.ApplicationproblemJSON422 == nil {
		t.Errorf("a status by the customer: %v %v, want a problem of status 422", refused, err)
	}
	changed, err := admin.ChangeOrderWithResponse(ctx, id, seen, sent)
	if err != nil || changed.JSON200 == nil || changed.JSON200.Status != "sent" {
		t.Errorf("a status by an administrator: %v %v, want it sent", changed, err)
	}
}

func TestTokensAreRefreshedOnceAndRevoked(t *testing.T) {
	api := open(t, "customer")
	ctx, anybody := t.Context(), api.client(t)
	first := logIn(t, anybody, "customer", "orders")
	if first.TokenType != "bearer" || first.Scope != "orders" || first.ExpiresIn <= 0 {
		t.Errorf("logged in: %+v, want a token for orders", first)
	}
	second, err := anybody.RefreshTokenWithFormdataBodyWithResponse(ctx, shop.RefreshTokenFormdataRequestBody{RefreshToken: &first.RefreshToken})
	if err != nil || second.JSON200 == nil || second.JSON200.RefreshToken == first.RefreshToken {
		t.Fatalf("refresh: %v %v, want new tokens", second, err)
	}
	client := api.client(t, bearing(second.JSON200.AccessToken))
	me, err := client.ReadMeWithResponse(ctx)
	if err != nil || me.JSON200 == nil || me.JSON200.Name != "customer" || me.JSON200.Tenant != "castle" {
		t.Errorf("me: %v %v, want the customer", me, err)
	}
	revoked, err := anybody.RevokeTokenWithFormdataBodyWithResponse(ctx, shop.RevokeTokenFormdataRequestBody{Token: &second.JSON200.RefreshToken})
	if err != nil || revoked.StatusCode() >= 300 {
		t.Fatalf("revoke: %v %v, want it done", revoked, err)
	}
	me, err = client.ReadMeWithResponse(ctx)
	if err != nil || me.StatusCode() != http.StatusUnauthorized || me.ApplicationproblemJSON401 == nil {
		t.Errorf("me by a token that is revoked: %v %v, want a problem of status 401", me, err)
	}
}

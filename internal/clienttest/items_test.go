package clienttest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/fastness/fastness/internal/clienttest/shop"
	"github.com/oapi-codegen/nullable"
)

// lamp is an item with everything that an item may have. As floats its price
// would be 12345678901234.568 and its tax 0.30000000000000004.
func lamp() shop.NewItem {
	return shop.NewItem{
		Name:        "Lamp",
		Description: nullable.NewNullableWithValue("Brass, with a green shade."),
		Price:       "12345678901234.5678",
		Tax:         nullable.NewNullableWithValue(json.Number("0.3")),
	}
}

// create puts an item up for sale.
func create(t *testing.T, client *shop.ClientWithResponses, item shop.NewItem) *shop.ItemView {
	t.Helper()
	answer, err := client.CreateItemWithResponse(t.Context(), item)
	if err != nil {
		t.Fatal(err)
	}
	if answer.JSON201 == nil {
		t.Fatalf("create: %s %s, want 201", answer.Status(), answer.Body)
	}
	where := fmt.Sprintf("/items/%d", answer.JSON201.ItemId)
	if got := answer.Headers201.Location; got == nil || *got != where {
		t.Errorf("Location is %v, want %s", got, where)
	}
	return answer.JSON201
}

// text returns a member as the shop wrote it: null, or a value.
func text[T any](n nullable.Nullable[T]) string {
	switch value, err := n.Get(); {
	case n.IsNull():
		return "null"
	case err != nil:
		return "absent"
	default:
		return fmt.Sprint(value)
	}
}

func TestAnItemIsCreatedReadListedChangedAndDeleted(t *testing.T) {
	client := open(t, "seller").as(t, "seller", "")
	ctx := t.Context()

	made := create(t, client, lamp())
	id := made.ItemId
	if made.PriceWithTax != "12345678901234.8678" || made.Draft || made.Seller == "" {
		t.Errorf("created %+v, want the exact sum 12345678901234.8678, a seller and no draft", made)
	}

	found, err := client.ReadItemWithResponse(ctx, id, &shop.ReadItemParams{Q: new("brass & green")})
	if err != nil || found.JSON200 == nil {
		t.Fatalf("read: %v %v, want 200", found, err)
	}
	if got := found.JSON200; got.Name != "Lamp" || got.Price != "12345678901234.5678" || text(got.Tax) != "0.3" || text(got.Q) != "brass & green" {
		t.Errorf("read %+v, want the item as it was sent, and q", got)
	}

	list, err := client.ListItemsWithResponse(ctx, &shop.ListItemsParams{Limit: new(int64(1))})
	if err != nil || list.JSON200 == nil {
		t.Fatalf("list: %v %v, want 200", list, err)
	}
	if got := list.JSON200; len(got.Items) != 1 || got.Items[0].ItemId != id || got.Total < 1 {
		t.Errorf("listed %+v, want the new item alone", got)
	}

	changed, err := client.ChangeItemWithResponse(ctx, id, shop.ItemChange{Price: new(json.Number("1.10"))})
	if err != nil || changed.JSON200 == nil {
		t.Fatalf("change: %v %v, want 200", changed, err)
	}
	if got := changed.JSON200; got.Name != "Lamp" || got.PriceWithTax != "1.4" {
		t.Errorf("changed to %+v, want the name as it was and the sum 1.4", got)
	}

	gone, err := client.DeleteItemWithResponse(ctx, id)
	if err != nil || gone.StatusCode() != http.StatusNoContent || len(gone.Body) != 0 {
		t.Fatalf("delete: %v %v, want 204 without a body", gone, err)
	}
	missing, err := client.ReadItemWithResponse(ctx, id, nil)
	if err != nil || missing.ApplicationproblemJSON404 == nil || missing.ApplicationproblemJSON404.Status != http.StatusNotFound {
		t.Errorf("read what was deleted: %v %v, want a problem of status 404", missing, err)
	}
}

func TestViolationsAreDecoded(t *testing.T) {
	client := open(t, "seller").as(t, "seller", "items")
	answer, err := client.CreateItemWithResponse(t.Context(), shop.NewItem{Name: "", Price: "-0.01"})
	if err != nil {
		t.Fatal(err)
	}
	problem := answer.ApplicationproblemJSON422
	if problem == nil || problem.Errors == nil {
		t.Fatalf("create what is wrong: %s %s, want a problem of status 422 with violations", answer.Status(), answer.Body)
	}
	if problem.Code == nil || *problem.Code != "validation" || problem.Status != 422 || problem.Instance == nil {
		t.Errorf("problem %s, want status 422, code validation and an instance", answer.Body)
	}
	var got []string
	for _, v := range *problem.Errors {
		if !v.In.Valid() {
			t.Errorf("in is %q, which the document does not list", v.In)
		}
		got = append(got, fmt.Sprintf("%s %s %s %v", v.In, v.Pointer, v.Code, *v.Limits))
	}
	want := []string{"body /name string_too_short map[min_length:1]", "body /price greater_than_equal map[ge:0]"}
	if !slices.Equal(got, want) {
		t.Errorf("violations %q, want %q", got, want)
	}
}

func TestChangesTellAbsentFromNull(t *testing.T) {
	client := open(t, "seller").as(t, "seller", "items")
	id := create(t, client, lamp()).ItemId
	for _, step := range []struct {
		name             string
		change           shop.ItemChange
		description, tax string
	}{
		{"what is absent stays", shop.ItemChange{Name: new("Lantern")}, "Brass, with a green shade.", "0.3"},
		{"null empties, and only what it is sent for", shop.ItemChange{Tax: nullable.NewNullNullable[json.Number]()}, "Brass, with a green shade.", "null"},
		{"a value fills", shop.ItemChange{
			Description: nullable.NewNullNullable[string](), Tax: nullable.NewNullableWithValue(json.Number("2")),
		}, "null", "2"},
	} {
		answer, err := client.ChangeItemWithResponse(t.Context(), id, step.change)
		if err != nil || answer.JSON200 == nil {
			t.Fatalf("%s: %v %v, want 200", step.name, answer, err)
		}
		if got := answer.JSON200; text(got.Description) != step.description || text(got.Tax) != step.tax || got.Name != "Lantern" {
			t.Errorf("%s: changed to %s, want description %s and tax %s", step.name, answer.Body, step.description, step.tax)
		}
	}
}

func TestDraftsAndCostsAreNotForEverybody(t *testing.T) {
	api := open(t, "seller", "customer", "admin")
	item := lamp()
	item.Draft, item.Cost = new(true), nullable.NewNullableWithValue(json.Number("30"))
	seller := api.as(t, "seller", "items")
	draft := create(t, seller, item)
	if !draft.Draft || text(draft.Cost) != "absent" {
		t.Errorf("created %+v, want a draft without its cost", draft)
	}
	for _, reader := range []struct {
		name   string
		client *shop.ClientWithResponses
		want   int
		cost   string
	}{
		{"nobody", api.client(t), http.StatusNotFound, ""},
		{"a customer", api.as(t, "customer", ""), http.StatusNotFound, ""},
		{"its seller", seller, http.StatusOK, "absent"},
		{"an administrator", api.as(t, "admin", ""), http.StatusOK, "30"},
	} {
		answer, err := reader.client.ReadItemWithResponse(t.Context(), draft.ItemId, nil)
		if err != nil || answer.StatusCode() != reader.want {
			t.Errorf("a draft read by %s: %v %v, want %d", reader.name, answer, err, reader.want)
		} else if answer.JSON200 != nil && text(answer.JSON200.Cost) != reader.cost {
			t.Errorf("the cost of a draft read by %s is %s, want it %s", reader.name, text(answer.JSON200.Cost), reader.cost)
		}
	}
	change := shop.ItemChange{Name: new("Stolen")}
	for _, writer := range []struct {
		name   string
		client *shop.ClientWithResponses
		want   int
	}{
		{"nobody", api.client(t), http.StatusUnauthorized}, {"a customer", api.as(t, "customer", ""), http.StatusForbidden},
		{"its seller for orders only", api.as(t, "seller", "orders"), http.StatusForbidden},
	} {
		answer, err := writer.client.ChangeItemWithResponse(t.Context(), draft.ItemId, change)
		if err != nil || answer.StatusCode() != writer.want || answer.ApplicationproblemJSON401 == nil && answer.ApplicationproblemJSON403 == nil {
			t.Errorf("a draft changed by %s: %v %v, want %d as a problem", writer.name, answer, err, writer.want)
		}
	}
}

package main

import (
	"context"
	"fmt"
	"net/http"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/sqldb"
)

type listItemsInput struct {
	Limit  int `query:"limit" minimum:"1" maximum:"100" default:"20" doc:"The most items to list."`
	Offset int `query:"offset" minimum:"0" maximum:"1000000" default:"0" doc:"How many items to pass over."`
	Tx     *sqldb.ReadTx
}

// listItems lists what is for sale, the newest item first.
//
// Drafts are left out, and total does not count them. The list ends where the
// offset reaches total.
func listItems(ctx context.Context, in listItemsInput) (ItemList, error) {
	items, err := selectItems(ctx, in.Tx, in.Limit, in.Offset)
	if err != nil {
		return ItemList{}, err
	}
	total, err := countItems(ctx, in.Tx)
	return ItemList{Items: viewsOf(items), Total: total}, err
}

type createItemInput struct {
	Tx   *sqldb.Tx
	Body NewItem
}

// createItem puts an item up for sale, or keeps it as a draft.
//
// The answer to a draft holds a preview token. Whoever sends it in the header
// X-Preview-Token has access to the draft. It is told this once.
func createItem(ctx context.Context, in createItemInput) (fastness.Created[CreatedItem], error) {
	var answer fastness.Created[CreatedItem]
	item := in.Body.item()
	if in.Body.Draft {
		answer.Body.PreviewToken, item.Preview = newPreview()
	}
	id, err := insertItem(ctx, in.Tx, item)
	if err != nil {
		return answer, err
	}
	item.ID = id
	answer.Body.ItemView = viewOf(item)
	answer.Location = fmt.Sprintf("/items/%d", id)
	return answer, nil
}

type readItemInput struct {
	Item Item
	Q    *string `query:"q" maxLength:"50" doc:"The answer repeats it." example:"lamp"`
}

// readItem shows one item.
//
// A draft is shown to those who send its preview token. To all others there is
// no such item.
func readItem(_ context.Context, in readItemInput) (fastness.Result[FoundItem], error) {
	answer := fastness.Result[FoundItem]{
		Header: http.Header{"Vary": {"X-Preview-Token"}}, // A cache must not show a draft to the next caller.
		Body:   FoundItem{viewOf(in.Item), in.Q},
	}
	if in.Item.Draft() {
		answer.Header.Set("Cache-Control", "no-store")
	}
	return answer, nil
}

type replaceItemInput struct {
	Item LockedItem
	Tx   *sqldb.Tx
	Body ItemContents
}

// replaceItem replaces what is said about an item. A draft stays a draft.
func replaceItem(ctx context.Context, in replaceItemInput) (ItemView, error) {
	item := in.Body.item()
	item.ID, item.Preview = in.Item.ID, in.Item.Preview
	return viewOf(item), updateItem(ctx, in.Tx, item)
}

type changeItemInput struct {
	Item LockedItem
	Tx   *sqldb.Tx
	Body ItemChange
}

// changeItem changes what was sent about an item and nothing else.
//
// Members that are absent stay as they are; a null empties the description or
// the tax.
func changeItem(ctx context.Context, in changeItemInput) (ItemView, error) {
	item := in.Item.Item
	if name, sent := in.Body.Name.Get(); sent {
		item.Name = name
	}
	if description, sent := in.Body.Description.Get(); sent {
		item.Description = orNil(description)
	}
	if price, sent := in.Body.Price.Get(); sent {
		item.Price = price
	}
	if tax, sent := in.Body.Tax.Get(); sent {
		item.Tax = orNil(tax)
	}
	if _, sent := in.Body.Draft.Get(); sent { // It is false: Validate saw to that.
		item.Preview = nil
	}
	return viewOf(item), updateItem(ctx, in.Tx, item)
}

func orNil[T any](n fastness.Null[T]) *T {
	if value, ok := n.Get(); ok {
		return &value
	}
	return nil
}

type deleteItemInput struct {
	Item LockedItem
	Tx   *sqldb.Tx
}

// deleteItem takes an item off the shelf for good.
//
// Its id is not given to another item. A second time the answer is 404.
func deleteItem(ctx context.Context, in deleteItemInput) (fastness.NoContent, error) {
	return fastness.NoContent{}, removeItem(ctx, in.Tx, in.Item.ID)
}

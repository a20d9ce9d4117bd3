package main

import (
	"context"
	"fmt"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/sqldb"
)

type listItemsInput struct {
	Limit  int `query:"limit" minimum:"1" maximum:"100" default:"20" doc:"The most items to list."`
	Offset int `query:"offset" minimum:"0" maximum:"1000000" default:"0" doc:"How many items to pass over."`
	Caller *auth.User
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
	return ItemList{Items: viewsOf(items, in.Caller), Total: total}, err
}

type createItemInput struct {
	Seller auth.User
	Tx     *sqldb.Tx
	Body   NewItem
}

// createItem puts an item up for sale, or keeps it as a draft.
//
// It belongs to the caller. Nobody else sees a draft.
func createItem(ctx context.Context, in createItemInput) (fastness.Created[ItemView], error) {
	item := in.Body.item()
	item.Seller, item.Tenant, item.Draft = in.Seller.ID, in.Seller.Tenant.String(), in.Body.Draft
	id, err := insertItem(ctx, in.Tx, item)
	item.ID = id
	return fastness.Created[ItemView]{Body: viewOf(item, &in.Seller), Location: fmt.Sprintf("/items/%d", id)}, err
}

type readItemInput struct {
	Item   Item
	Caller *auth.User
	Q      *string `query:"q" maxLength:"50" doc:"The answer repeats it." example:"lamp"`
}

// readItem shows one item.
//
// A draft is shown to its seller. To all others there is no such item.
func readItem(_ context.Context, in readItemInput) (FoundItem, error) {
	return FoundItem{viewOf(in.Item, in.Caller), in.Q}, nil
}

type replaceItemInput struct {
	Item   LockedItem
	Caller *auth.User
	Live   *Live
	Tx     *sqldb.Tx
	Body   ItemContents
}

// replaceItem replaces what is said about an item. A draft stays a draft.
func replaceItem(ctx context.Context, in replaceItemInput) (ItemView, error) {
	item := in.Body.item()
	item.ID, item.Seller, item.Tenant, item.Draft = in.Item.ID, in.Item.Seller, in.Item.Tenant, in.Item.Draft
	if err := in.Live.setStock(ctx, in.Tx, item); err != nil {
		return ItemView{}, err
	}
	return viewOf(item, in.Caller), updateItem(ctx, in.Tx, item)
}

type changeItemInput struct {
	Item   LockedItem
	Caller *auth.User
	Live   *Live
	Tx     *sqldb.Tx
	Body   ItemChange
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
	if cost, sent := in.Body.Cost.Get(); sent {
		item.Cost = orNil(cost)
	}
	if stock, sent := in.Body.Stock.Get(); sent {
		item.Stock = orNil(stock)
		if err := in.Live.setStock(ctx, in.Tx, item); err != nil {
			return ItemView{}, err
		}
	}
	if _, sent := in.Body.Draft.Get(); sent { // It is false: Validate saw to that.
		item.Draft = false
	}
	return viewOf(item, in.Caller), updateItem(ctx, in.Tx, item)
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

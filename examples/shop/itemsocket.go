package main

import (
	"context"
	"errors"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/pubsub"
	"github.com/fastness/fastness/schema"
	"github.com/fastness/fastness/ws"
)

// itemSocket is a connection on which is told what happens to an item. Nobody says
// anything on it: a review is a request, with the limits of requests.
type itemSocket = fastness.Socket[ws.None, schema.Encoded[ItemEvent]]

type followItemInput struct {
	Item  Item
	Live  *Live
	After pubsub.ID `query:"after" default:"" maxLength:"20" doc:"Begin after the event with this id, which the page of the item has. Without it, now."`
}

// followItem tells what happens to an item.
//
// An event of kind "gap" says that something may be missing: look at the item again.
func followItem(ctx context.Context, in followItemInput, conn *itemSocket) error {
	sub, err := in.Live.items.Subscribe(ctx, itemRoom(in.Item.ID), in.After)
	if err != nil {
		return err
	}
	gap, err := in.Live.events.Encode(ItemEvent{Kind: "gap", ItemID: in.Item.ID})
	if err != nil {
		return err
	}
	for event, err := range sub.Events() {
		switch {
		case err != nil:
			return err
		case event.Gap:
			err = errors.Join(conn.Send(gap), conn.Flush())
		default:
			err = errors.Join(conn.Send(event.JSON), conn.Flush())
		}
		if err != nil {
			return err
		}
	}
	return errors.New("the events of an item ended without a reason")
}

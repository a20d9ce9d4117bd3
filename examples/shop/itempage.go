package main

import (
	"context"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/pubsub"
	"github.com/fastness/fastness/sqldb"
	"github.com/shopspring/decimal"
)

// reviewsOnPage is how many reviews a page shows at once.
const reviewsOnPage = 20

// ItemPage is an item with its reviews. Programs get the reviews, and the item from
// its own address.
type ItemPage struct {
	fastness.Page
	ReviewList
	Item    shownItem  `json:"-"`
	Visitor Visitor    `json:"-"`
	Form    ReviewForm `json:"-"`
	Buy     BuyForm    `json:"-"`
	// PictureProblem is why a picture was refused.
	PictureProblem string    `json:"-"`
	Newer          bool      `json:"-"` // there are newer reviews than these
	Older          int       `json:"-"` // the offset of older ones, or 0
	After          pubsub.ID `json:"-"` // what the page shows
	whole          Item
}

// ReviewForm is the form as the page shows it: empty, or as it was sent, with what
// is wrong.
type ReviewForm struct {
	Open               bool // the visitor may write a review
	Stars, Title, Text string
	Problem            string            // of all of it
	Wrong              map[string]string // of its fields
}

// BuyForm is the form to order the item.
type BuyForm struct {
	Problem string // why the order before was refused
}

// shownItem is what a page says of an item. An ItemView has a member for
// administrators, which a template would show to everybody.
type shownItem struct {
	ID           int64
	Name         string
	Description  *string
	PriceWithTax decimal.Decimal
	Tax          *decimal.Decimal
	Stock        *int    // nil: made to order
	Picture      *string // its path
	Draft        bool
}

// SoldOut reports whether nothing is left.
func (i shownItem) SoldOut() bool { return i.Stock != nil && *i.Stock == 0 }

func shown(item Item) shownItem {
	view := viewOf(item, nil)
	return shownItem{view.ID, view.Name, view.Description, view.PriceWithTax(), view.Tax, view.Stock, view.Picture, view.Draft}
}

// Choices are the stars that one can give.
func (p *ItemPage) Choices() []string { return []string{"1", "2", "3", "4", "5"} }

// Owned reports whether the visitor may change the item.
func (p *ItemPage) Owned() bool { return p.whole.OwnedBy(p.Visitor.User) }

// MayRemove reports whether the visitor gets a button to remove a review.
func (p *ItemPage) MayRemove(r Review) bool { return r.RemovableBy(p.Visitor.User, p.whole) }

type showItemInput struct {
	Item    followedItem
	Visitor Visitor
	Tx      *sqldb.ReadTx
	Offset  int `query:"offset" minimum:"0" maximum:"1000000" default:"0" doc:"How many reviews to pass over."`
}

// showItem shows an item with its reviews.
//
// Who is logged in and has written none gets a form.
func showItem(ctx context.Context, in showItemInput) (fastness.View[ItemPage], error) {
	view, err := itemPage(ctx, in.Tx, in.Item.Item, in.Visitor, in.Offset)
	view.Body.After = in.Item.after
	return view, err
}

// followedItem is an item, and the event after which what happens to it is to be told.
type followedItem struct {
	Item
	after pubsub.ID
}

// loadFollowed provides the item of a page. The position is asked for before the item is
// read, so that nothing is lost between this transaction and the connection to come. That
// there is such an item is asked for before that: nobody is to make rooms of what is not.
func loadFollowed(ctx context.Context, in struct {
	loadItemInput
	Live *Live
	DB   *sqldb.DB
}) (followedItem, error) {
	err := in.DB.ReadTx(ctx, func(tx *sqldb.ReadTx) error {
		_, err := in.load(ctx, tx, in.Caller)
		return err
	})
	if err != nil {
		return followedItem{}, err
	}
	after := position(ctx, in.Live.items, itemRoom(in.ID))
	item, err := loadItem(ctx, in.loadItemInput)
	return followedItem{item, after}, err
}

// itemPage collects what the page shows.
func itemPage(ctx context.Context, from sqldb.Reader, item Item, visitor Visitor, offset int) (fastness.View[ItemPage], error) {
	page := ItemPage{Item: shown(item), Visitor: visitor, whole: item, Newer: offset > 0}
	var err error
	if page.ReviewList, err = selectReviews(ctx, from, item.ID, reviewsOnPage, offset); err != nil {
		return fastness.View[ItemPage]{}, err
	}
	if end := offset + len(page.Reviews); end < page.Total {
		page.Older = end
	}
	if u := visitor.User; u.HasScope("reviews") {
		written, err := hasReviewed(ctx, from, item.ID, u.ID)
		if err != nil {
			return fastness.View[ItemPage]{}, err
		}
		page.Form.Open = !written
	}
	return fastness.View[ItemPage]{Template: pages.Lookup("item.html"), Body: page}, nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/sanitize"
	"github.com/fastness/fastness/sqldb"
)

// NewReview is what a user says about an item.
type NewReview struct {
	Stars int           `json:"stars" minimum:"1" maximum:"5" example:"4"`
	Title sanitize.Text `json:"title" minLength:"1" maxLength:"120" example:"Bright enough"`
	Text  sanitize.HTML `json:"text" minLength:"1" maxLength:"4000" example:"<p>Lit the <em>whole</em> gatehouse.</p>"`
}

// Review is what a user has said about an item.
type Review struct {
	ID         int64         `json:"review_id" minimum:"1" example:"7"`
	ItemID     int64         `json:"item_id" minimum:"1" example:"7"`
	Author     string        `json:"author" maxLength:"64" doc:"The id of the user who wrote it."`
	AuthorName string        `json:"author_name" maxLength:"256" doc:"Their name, as it was."`
	Stars      int           `json:"stars" minimum:"1" maximum:"5" example:"4"`
	Title      sanitize.Text `json:"title" maxLength:"120" example:"Bright enough"`
	Text       sanitize.HTML `json:"text" example:"<p>Lit the <em>whole</em> gatehouse.</p>"`
	Created    time.Time     `json:"created"`
}

// RemovableBy reports whether u may remove the review: who wrote it, and the
// administrators who look after the item.
func (r Review) RemovableBy(u *auth.User, item Item) bool {
	switch {
	case u == nil || !u.HasScope("reviews"):
		return false
	case u.HasRole("admin") && (u.Tenant.IsZero() || u.Tenant.String() == item.Tenant):
		return true
	}
	return u.ID == r.Author
}

// ReviewList is a part of the reviews of an item.
type ReviewList struct {
	Reviews []Review `json:"reviews" maxItems:"100"`
	Total   int      `json:"total" minimum:"0" doc:"How many reviews there are in all."`
	Average float64  `json:"average" minimum:"0" maximum:"5" doc:"Of the stars of all reviews. 0 if there is none." example:"4.5"`
}

type listReviewsInput struct {
	Item   Item
	Limit  int `query:"limit" minimum:"1" maximum:"100" default:"20" doc:"The most reviews to list."`
	Offset int `query:"offset" minimum:"0" maximum:"1000000" default:"0" doc:"How many reviews to pass over."`
	Tx     *sqldb.ReadTx
}

// listReviews lists what is said about an item, the newest review first.
func listReviews(ctx context.Context, in listReviewsInput) (ReviewList, error) {
	return selectReviews(ctx, in.Tx, in.Item.ID, in.Limit, in.Offset)
}

type createReviewInput struct {
	Item   LockedItem
	Author auth.User
	Live   *Live
	Tx     *sqldb.Tx
	Body   NewReview
}

// createReview says something about an item, once.
//
// The text is HTML. What is not allowed in it is removed before it is stored.
func createReview(ctx context.Context, in createReviewInput) (fastness.Created[Review], error) {
	review := Review{
		ItemID: in.Item.ID, Author: in.Author.ID, AuthorName: in.Author.Name,
		Stars: in.Body.Stars, Title: in.Body.Title, Text: in.Body.Text, Created: time.Now().UTC().Truncate(time.Second),
	}
	var err error
	if review.ID, err = insertReview(ctx, in.Tx, review); err != nil {
		return fastness.Created[Review]{}, err
	}
	err = in.Live.reviewed(ctx, in.Tx, in.Item.Item, review)
	return fastness.Created[Review]{Body: review, Location: fmt.Sprintf("/items/%d/reviews", review.ItemID)}, err
}

// LockedReview is a review, and its item, that nobody else changes until the request
// is over.
type LockedReview struct {
	Review
	Item LockedItem
}

// lockReview provides the review of the path to operations that change it.
func lockReview(ctx context.Context, in struct {
	Item LockedItem
	ID   int64 `path:"review_id" minimum:"1" doc:"The id of the review." example:"7"`
	Tx   *sqldb.Tx
}) (LockedReview, error) {
	review, err := selectReview(ctx, in.Tx.ForUpdate(), in.Item.ID, in.ID)
	return LockedReview{review, in.Item}, sqldb.NotFound(err, "there is no such review")
}

// mayRemove lets authors and administrators remove a review. That it exists
// everybody knows: a 403 tells nothing.
func mayRemove(_ context.Context, u auth.User, review LockedReview) error {
	if !review.RemovableBy(&u, review.Item.Item) {
		return access.Denied()
	}
	return nil
}

type deleteReviewInput struct {
	Review LockedReview
	Live   *Live
	Tx     *sqldb.Tx
}

// remove takes the review away, and tells who looks at the item.
func (in *deleteReviewInput) remove(ctx context.Context) error {
	return errors.Join(removeReview(ctx, in.Tx, in.Review.ID), in.Live.reviewRemoved(ctx, in.Tx, in.Review.Review))
}

// deleteReview removes a review for good. Its author may write another one.
func deleteReview(ctx context.Context, in deleteReviewInput) (fastness.NoContent, error) {
	return fastness.NoContent{}, in.remove(ctx)
}

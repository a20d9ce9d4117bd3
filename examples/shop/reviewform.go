package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/identity"
	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/schema"
	"github.com/fastness/fastness/sqldb"
)

// openRules provides the rules of a review, which a form has to keep as JSON has.
func openRules(context.Context, struct{}) (*schema.Type[NewReview], func(error) error, error) {
	rules, err := schema.For[NewReview]()
	return rules, nil, err
}

// submitReviewInput takes whatever a form can hold: who breaks a rule is to see the
// form again, not a problem document.
type submitReviewInput struct {
	Item    LockedItem
	Author  auth.User
	Visitor Visitor
	Live    *Live
	Tx      *sqldb.Tx
	Rules   *schema.Type[NewReview]
	Stars   string `form:"stars" default:""`
	Title   string `form:"title" default:""`
	Text    string `form:"text" default:""`
}

// submitReview takes the form of an item's page and leads back to the page. What is
// wrong stands beside the fields, which keep what was typed.
func submitReview(ctx context.Context, in submitReviewInput) (fastness.View[ItemPage], error) {
	review, err := in.read(ctx)
	if err == nil {
		_, err = createReview(ctx, createReviewInput{in.Item, in.Author, in.Live, in.Tx, review})
	}
	refused, ok := errors.AsType[*problem.Problem](err)
	if err != nil && !ok {
		return fastness.View[ItemPage]{}, err
	}
	view, err := itemPage(ctx, in.Tx, in.Item.Item, in.Visitor, 0)
	if refused == nil {
		view.SeeOther = fmt.Sprintf("/items/%d/page", in.Item.ID)
		return view, err
	}
	view.Status, view.Body.Form = refused.Status, in.again(refused)
	return view, err
}

// read reads the form as the JSON that a program would send.
func (in *submitReviewInput) read(ctx context.Context) (NewReview, error) {
	members := map[string]any{"title": in.Title, "text": in.Text}
	if stars, err := strconv.Atoi(in.Stars); err == nil {
		members["stars"] = stars
	}
	data, err := json.Marshal(members)
	if err != nil {
		return NewReview{}, err
	}
	return in.Rules.Decode(ctx, data)
}

// again is the form as it was sent, and why it was refused.
func (in *submitReviewInput) again(why *problem.Problem) ReviewForm {
	form := ReviewForm{Open: true, Stars: in.Stars, Title: in.Title, Text: in.Text, Wrong: make(map[string]string)}
	for _, v := range why.Errors {
		if len(v.Path) > 0 && form.Wrong[v.Path[0].Name] == "" {
			form.Wrong[v.Path[0].Name] = v.Detail
		}
	}
	if form.Problem = "Please look at what is marked below."; len(why.Errors) == 0 {
		form.Problem = "This did not work: " + why.Detail + "."
	}
	return form
}

type removeReviewInput struct {
	deleteReviewInput
	Next string `form:"next" default:"/" maxLength:"2048"`
}

// submitRemoval is deleteReview for the button of a page, and leads on.
func submitRemoval(ctx context.Context, in removeReviewInput) (fastness.Redirect, error) {
	err := in.remove(ctx)
	return fastness.Redirect{Status: http.StatusSeeOther, Path: identity.OwnPath(in.Next)}, err
}

package main

import (
	"cmp"
	"crypto/x509"
	"embed"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/cbor"
	"github.com/fastness/fastness/guard/csrf"
	"github.com/fastness/fastness/guard/headers"
	"github.com/fastness/fastness/guard/ratelimit"
	"github.com/fastness/fastness/idempotency"
	"github.com/fastness/fastness/identity"
	"github.com/fastness/fastness/jobs"
	"github.com/fastness/fastness/jobs/sqljobs"
	"github.com/fastness/fastness/locale"
	"github.com/fastness/fastness/oidc"
	"github.com/fastness/fastness/openapi"
	"github.com/fastness/fastness/passkey"
	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/securitytxt"
	"github.com/fastness/fastness/sqldb"
)

// source lets the API document quote the comments of the operations.
//
//go:embed *.go
var source embed.FS

// roles are all that users of the shop can have.
func roles() []string { return []string{"admin", "seller", "customer"} }

// mainBranch is the tenant of users who sign up by themselves.
const mainBranch = "castle"

// limits are rate limits, as package ratelimit writes them. The zero value is what
// the shop has where customers use it.
type limits struct {
	items    string // of the list of items, for each client
	reviews  string // of new reviews, for each user
	general  ratelimit.Config
	identity identity.Limits
}

// newApp declares the shop. Nothing is opened until it starts.
func newApp(limits limits) *fastness.App {
	app := fastness.New(fastness.Config{
		RateLimit:   limits.general,
		Title:       "Shop",
		Version:     "1.0.0",
		Description: "A small shop: the reference application of Fastness.",
		Contact:     &openapi.Contact{Name: "Fastness", URL: "https://github.com/fastness/fastness"},
		License:     &openapi.License{Name: "Apache License 2.0", Identifier: "Apache-2.0"},
		Tags: []openapi.Tag{
			{Name: "items", Description: "What is for sale."},
			{Name: "reviews", Description: "What is said about it."},
			{Name: "orders", Description: "What somebody buys."},
			{Name: "log-in", Description: "Tokens and sessions."},
			{Name: "me", Description: "The caller's own account."},
			{Name: "users", Description: "All accounts, for administrators."},
			{Name: "requests", Description: "How a request looks from the inside."},
			{Name: "pages", Description: "For people."},
		},
		Source:      source,
		Formats:     []fastness.Format{cbor.New()},
		Locales:     locale.Config{Catalogues: []locale.Catalogue{locale.German(), locale.French()}},
		Roles:       roles(),
		Headers:     headers.Config{ReportTo: "/csp-reports"},
		SecurityTxt: securitytxt.Config{Contact: []string{"https://github.com/fastness/fastness/security/policy"}},
	})

	users := identity.New(identity.Config{
		Open:   openUsers,
		Name:   "Fastness shop",
		Roles:  roles(),
		SignUp: &identity.SignUp{Roles: []string{"customer"}, Tenant: mainBranch},
		Scopes: []identity.Scope{{Name: "items", Description: "Sell items."}, {Name: "orders", Description: "Order items."}, {Name: "reviews", Description: "Review items."}},
		// Machines whose certificate the authority of --tls-client-ca has signed are
		// the user of that name.
		CertificateUser: func(cert *x509.Certificate) string { return cert.Subject.CommonName },
		Limits:          limits.identity,
		Clients:         []identity.Client{{ID: "shop", Name: "The shop's own programs", FirstParty: true}},
	})
	users.Declare(app)
	oidc.New(oidc.Config{Identity: users, DocsClient: "docs"}).Declare(app)
	passkey.New(passkey.Config{Identity: users, RPName: "Fastness shop"}).Declare(app)

	fastness.ProvideValue(app, app)
	fastness.ProvideApp(app, openDB)
	fastness.ProvideApp(app, openLive)
	fastness.ProvideApp(app, openPictures)
	fastness.ProvideApp(app, sqljobs.Open)
	fastness.ProvideApp(app, openKeys)
	fastness.Job(app, "sweep pictures", jobs.Schedule{DailyAt: "03:00"}, sweepPictures)
	fastness.ProvideCleanup(app, sqldb.Begin)
	fastness.ProvideCleanup(app, sqldb.BeginRead)
	fastness.Provide(app, loadItem)
	fastness.Provide(app, loadFollowed)
	fastness.Provide(app, lockItem)
	fastness.Provide(app, lockReview)
	fastness.ProvideApp(app, openRules)
	fastness.Provide(app, visitorOf)
	fastness.Provide(app, loadOrder)
	fastness.Provide(app, lockOrder)

	sells := access.All(access.Role("seller", "admin"), access.Scope("items"))
	items := app.Group("/items", fastness.Tags("items"))
	fastness.Get(items, "/", listItems, access.Public, ratelimit.Per(cmp.Or(limits.items, "5/minute"), ratelimit.ByClient), fastness.ResponseDescription("A part of the list."))
	fastness.Post(items, "/", createItem, sells, fastness.ResponseDescription("The new item. Location says where it is."))
	fastness.Get(items, "/export", exportItems, sells, fastness.ResponseDescription("The items as a file."))

	fastness.Get(items, "/live", watchItems, access.Public, fastness.ResponseDescription("An event for each change of a stock."))

	item := items.Group("/{item_id}", fastness.Response[*problem.Problem](404, "No such item, or a draft of somebody else."))
	fastness.Get(item, "", readItem, access.Public, fastness.ResponseDescription("The item."))
	fastness.Get(item, "/picture", readPicture, access.Public, fastness.ResponseDescription("The picture."))
	own := item.Group("", sells, access.Object("its seller", isSeller))
	fastness.Put(own, "", replaceItem, fastness.ResponseDescription("The item as it is now."))
	fastness.Patch(own, "", changeItem, fastness.ResponseDescription("The item as it is now."))
	fastness.Put(own, "/picture", replacePicture, fastness.BodyLimit(9<<20), fastness.ResponseDescription("The item has the picture."))
	fastness.Delete(own, "/picture", removePicture, fastness.ResponseDescription("The item has no picture."))
	fastness.Post(own, "/picture/form", submitPicture, fastness.BodyLimit(9<<20), fastness.Hidden())
	fastness.Delete(own, "", deleteItem, fastness.ResponseDescription("The item is gone."))

	reviews := app.Group("/items/{item_id}/reviews", fastness.Tags("reviews"), fastness.Response[*problem.Problem](404, "No such item or review."))
	writing := ratelimit.Rule{Limit: cmp.Or(limits.reviews, "10/hour"), Name: "reviews"} // by JSON and by the form
	fastness.Get(reviews, "", listReviews, access.Public, fastness.ResponseDescription("A part of the reviews."))
	fastness.Post(reviews, "", createReview, access.Scope("reviews"), writing, fastness.ResponseDescription("The review as it is kept."),
		fastness.Response[*problem.Problem](409, "The caller has reviewed the item already."))
	fastness.Post(reviews, "/form", submitReview, access.Scope("reviews"), writing, fastness.Hidden())
	review := reviews.Group("/{review_id}", access.Scope("reviews"), access.Object("its author or an administrator", mayRemove))
	fastness.Delete(review, "", deleteReview, fastness.ResponseDescription("The review is gone."))
	fastness.Post(review, "/delete", submitRemoval, fastness.Hidden())

	fastness.WebSocket(app, "/ws/items/{item_id}", followItem, access.Public, fastness.Tags("items"), fastness.Response[*problem.Problem](404, "No such item, or a draft of somebody else."))

	orders := app.Group("/orders", access.Scope("orders"), fastness.Tags("orders"))
	fastness.Get(orders, "", listOrders, fastness.ResponseDescription("The orders, the newest first."))
	fastness.Post(orders, "", createOrder, idempotency.Accepted(), fastness.ResponseDescription("The new order. Location says where it is."),
		fastness.Response[*problem.Problem](404, "No such item."),
		fastness.Response[*problem.Problem](409, "There are not as many left."))
	fastness.Get(orders, "/history", orderHistory, fastness.ResponseDescription("The page, or its orders."))
	order := orders.Group("/{order_id}", fastness.Response[*problem.Problem](404, "No such order, or one of somebody else."))
	fastness.Get(order, "", readOrder, fastness.ResponseDescription("The order."))
	fastness.Patch(order, "", changeOrder, fastness.ResponseDescription("The order as it is now."),
		fastness.Response[*problem.Problem](409, "There are not as many left to order them again."))

	fastness.Get(app, "/protected", protected, access.Authenticated, fastness.Tags("requests"), fastness.ResponseDescription("A warning."))
	fastness.Get(app, "/protected_route", protectedRoute, access.Role("admin"), fastness.Tags("requests"), fastness.ResponseDescription("A welcome."))

	requests := app.Group("", access.Public, fastness.Tags("requests"))
	fastness.Post(requests, "/create_item/", wrapItem, fastness.ResponseDescription("What was sent, wrapped."))
	fastness.Post(requests, "/secure", secure, csrf.RequireToken(), fastness.ResponseDescription("What it is."))
	fastness.Get(requests, "/read_item/{item_id}", readRequest, fastness.ResponseDescription("The request."))

	fastness.Post(app, "/items/{item_id}/buy", buy, access.Scope("orders"), fastness.Hidden(), fastness.Response[*problem.Problem](404, "No such item."))

	people := app.Group("", access.Public, fastness.Tags("pages"))
	fastness.Get(people, "/", home, fastness.ResponseDescription("The greeting or the page."))
	fastness.Get(people, "/items/{item_id}/page", showItem, fastness.ResponseDescription("The page, or the reviews."),
		fastness.Response[*problem.Problem](404, "No such item, or a draft of somebody else."))
	runs := access.All(access.Role("admin"), access.Scope("users"))
	fastness.Get(people, "/admin", adminPage, runs, fastness.ResponseDescription("The page or its numbers."))
	fastness.Get(people, "/admin/orders/live", watchOrders, runs, fastness.ResponseDescription("An event for each order."))
	fastness.Post(people, "/logout/form", logOutForm, csrf.RequireToken(), fastness.Hidden())
	fastness.Static(people, "/static", staticFiles())
	return app
}

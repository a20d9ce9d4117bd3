package main

import (
	"context"
	"slices"
	"time"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auditlog"
	"github.com/fastness/fastness/auth/account"
	"github.com/fastness/fastness/pubsub"
	"github.com/fastness/fastness/sqldb"
)

// AdminPage is how the shop is doing.
type AdminPage struct {
	fastness.Page
	Numbers Numbers        `json:"numbers"`
	Reviews []LatestReview `json:"reviews" maxItems:"20"`
	Events  []SeenEvent    `json:"events" maxItems:"20"`
	Minutes []int          `json:"minutes" minItems:"60" maxItems:"60" doc:"How many orders there were in each of the last 60 minutes; the last is the current one."`
	After   pubsub.ID      `json:"-"` // what the chart shows
	Visitor Visitor        `json:"-"`
}

// LastHour is how many orders the chart shows.
func (p *AdminPage) LastHour() (n int) {
	for _, count := range p.Minutes {
		n += count
	}
	return n
}

// The bars of the chart: 60 of them in a picture of 600 by 100.

func (p *AdminPage) BarX(i int) int { return 10*i + 1 }

func (p *AdminPage) BarHeight(n int) int { return 100 * n / max(5, slices.Max(p.Minutes)) }

func (p *AdminPage) BarY(n int) int { return 100 - p.BarHeight(n) }

// Numbers count what there is: of the caller's tenant, or of all for those without.
type Numbers struct {
	Items   int `json:"items" minimum:"0" doc:"Drafts, too."`
	Orders  int `json:"orders" minimum:"0"`
	Reviews int `json:"reviews" minimum:"0"`
	Users   int `json:"users" minimum:"0" maximum:"500" doc:"500 means so many, or more."`
}

// LatestReview is a review and the name of its item.
type LatestReview struct {
	Review
	ItemName string `json:"item_name" maxLength:"120"`
}

// SeenEvent is something that happened to security.
type SeenEvent struct {
	Time    time.Time `json:"time"`
	Name    string    `json:"name" maxLength:"64"`
	Actor   string    `json:"actor" maxLength:"256" doc:"The name of the user who did it, or their id."`
	Address string    `json:"address" maxLength:"64"`
	Refused bool      `json:"refused"`
}

type adminPageInput struct {
	Visitor  Visitor
	Accounts *account.Accounts
	Live     *Live
	Events   *auditlog.Log
	Tx       *sqldb.ReadTx
}

// adminPage shows how the shop is doing.
//
// Administrators of a tenant see what is theirs, those without one see all.
func adminPage(ctx context.Context, in adminPageInput) (fastness.View[AdminPage], error) {
	tenant := in.Visitor.User.Tenant
	users, err := in.Accounts.List(ctx, account.Page{Tenant: tenant, Limit: 500})
	if err != nil {
		return fastness.View[AdminPage]{}, err
	}
	page := AdminPage{Visitor: in.Visitor}
	page.After = position(ctx, in.Live.orders, ordersRoom(tenant))
	if page.Numbers, err = countAll(ctx, in.Tx, tenant); err != nil {
		return fastness.View[AdminPage]{}, err
	}
	page.Numbers.Users = len(users)
	if page.Minutes, err = ordersByMinute(ctx, in.Tx, tenant, time.Now()); err != nil {
		return fastness.View[AdminPage]{}, err
	}
	if page.Reviews, err = latestReviews(ctx, in.Tx, tenant, 20); err != nil {
		return fastness.View[AdminPage]{}, err
	}
	entries, err := in.Events.List(ctx, auditlog.Query{Limit: 200})
	page.Events = eventsFor(entries, users, tenant.IsZero())
	return fastness.View[AdminPage]{Template: pages.Lookup("admin.html"), Body: page}, err
}

// eventsFor returns the latest events by or about users. Those about others are for
// administrators without a tenant: of a guess at a name, nobody knows whose it was.
func eventsFor(entries []auditlog.Entry, users []account.Account, all bool) []SeenEvent {
	names := make(map[string]string, len(users))
	for i := range users {
		names[users[i].ID] = users[i].Name
	}
	seen := []SeenEvent{}
	for i := range entries {
		e := &entries[i]
		actor, known := names[e.Actor]
		if !known {
			actor = e.Actor
		}
		if _, about := names[e.Subject]; (all || known || about) && len(seen) < 20 {
			seen = append(seen, SeenEvent{e.Time, e.Name, actor, e.Address, e.Refused})
		}
	}
	return seen
}

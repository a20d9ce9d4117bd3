package session

import (
	"context"
	"net/http"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/explore"
	"github.com/fastness/fastness/scan/internal/login"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/wire"
)

// overheard opens the WebSocket as nobody, as another user, and as a page of another site
// with the cookies of the owner. Then the owner makes something.
func (d *door) overheard(ctx context.Context, report check.Report) {
	users := d.t.Ordinary()
	if len(users) == 0 {
		return
	}
	owner := users[0]
	public, _ := d.open(ctx, nil, d.t.Origin())
	defer hangUp(public)
	var other, site *wire.Socket
	if len(users) > 1 {
		other, _ = d.open(ctx, users[1], d.t.Origin())
		defer hangUp(other)
	}
	browser := cookieUser(ctx, d.t, owner)
	if browser != nil {
		site, _ = d.open(ctx, browser, d.foreign())
		defer hangUp(site)
	}
	if public == nil && other == nil && site == nil {
		return
	}
	made := d.make(ctx, owner)
	hearing, cancel := context.WithTimeout(ctx, listenFor)
	defer cancel()
	if public != nil && d.strange(ctx, hearing, public, owner, nil, made, report) {
		return
	}
	if other != nil && d.strange(ctx, hearing, other, owner, users[1], made, report) {
		return
	}
	if site == nil || public != nil {
		return // Who lets everybody in does not do it for a cookie.
	}
	for _, o := range made {
		if heard, found := hears(hearing, site, listenFor, o.Marker); found {
			_, without := d.open(ctx, nil, d.foreign())
			report(d.claimCrossSite(owner, browser, heard, without))
			return
		}
	}
}

func hangUp(s *wire.Socket) {
	if s != nil {
		s.Close()
	}
}

// make makes things of some kinds that hold a text of their own.
func (d *door) make(ctx context.Context, owner *login.User) (made []*probe.Object) {
	kinds := map[string]bool{}
	for _, like := range d.t.Objects(owner) {
		if like.Made == nil || like.Marker == "" || kinds[like.Resource] || len(kinds) >= maxMade || ctx.Err() != nil {
			continue
		}
		kinds[like.Resource] = true
		if o, err := explore.For(d.t).Fresh(ctx, owner, like); err == nil && o.Marker != "" {
			made = append(made, o)
		}
	}
	return made
}

// strange reports what a stranger hears that the stranger may not read otherwise.
func (d *door) strange(ctx, hearing context.Context, s *wire.Socket, owner, stranger *login.User, made []*probe.Object, report check.Report) bool {
	for _, o := range made {
		heard, found := hears(hearing, s, listenFor, o.Marker)
		if !found {
			continue
		}
		mine, refused := d.closed(ctx, owner, stranger, o)
		if refused == nil {
			continue // It is for everybody, as far as one can tell.
		}
		report(check.Claim{
			Place: probe.PlaceOf(d.op, "", stranger.Called()), Cause: d.op.ID + " overheard",
			Says:     "whoever opens the WebSocket hears, as " + stranger.Called() + ", of the " + o.Resource + " that " + owner.Called() + " makes",
			Control:  "the text was made up, and sent by " + owner.Called() + " while the WebSocket was open; asked for by its name, the " + o.Resource + " is refused; an address beside it is no WebSocket",
			Evidence: []finding.Evidence{evidence(owner.Called()+" reads what was made", mine), evidence(stranger.Called()+" hears of it", heard), evidence(stranger.Called()+" may not read it", refused)},
		})
		return true
	}
	return false
}

// closed returns how the owner reads a thing and a stranger is refused, or nil: if there is
// nothing to read it with, or one way at which the stranger sees it.
func (d *door) closed(ctx context.Context, owner, stranger *login.User, o *probe.Object) (mine, refused *wire.Exchange) {
	x := explore.For(d.t)
	for _, to := range x.Consumers(o) {
		if to.Op.Method != http.MethodGet || explore.Acts(to.Op) || d.t.Held(to.Op) != "" || to.In != "path" && to.In != "query" {
			continue
		}
		c := x.Aim(to, o, owner)
		ex := d.t.Send(ctx, owner, c, d.why)
		if !probe.Granted(ex) || !probe.Holds(ex, o.Marker) {
			continue
		}
		r := c.Request()
		r.Why = d.why
		theirs := d.t.Once(ctx, stranger, r)
		if probe.Holds(theirs, o.Marker) {
			if stranger == nil && to.Op.Found != "" {
				continue // An old copy that is open does not say that it is meant to be.
			}
			return nil, nil
		}
		if probe.Refused(theirs) && theirs.Status != 0 && theirs.Status < 500 && theirs.Status != http.StatusTooManyRequests {
			mine, refused = ex, theirs
		}
	}
	for _, list := range x.Lists(o.Resource) {
		if s := d.t.Sample(list, owner); s != nil && refused != nil && (stranger != nil || list.Found == "") {
			r := s.Case.Request()
			r.Why = d.why
			if probe.Holds(d.t.Once(ctx, stranger, r), o.Marker) {
				return nil, nil
			}
		}
	}
	return mine, refused
}

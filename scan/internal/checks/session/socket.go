package session

import (
	"context"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/explore"
	"github.com/fastness/fastness/scan/internal/login"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/internal/spec"
	"github.com/fastness/fastness/scan/wire"
)

const (
	// listenFor is how long a WebSocket is listened to.
	listenFor = 1200 * time.Millisecond
	// maxSockets is how many operations are asked for one, maxMade how many kinds of
	// things are made while somebody listens.
	maxSockets, maxMade = 5, 8
)

// sockets looks for WebSockets that pages of other sites may open with the cookies of a
// user, and for such that tell strangers what is others'.
func sockets() check.Check {
	kind := kindSockets()
	return check.Check{
		Kind: kind, Phase: check.Read,
		Run: func(ctx context.Context, t *probe.Target, report check.Report) error {
			doors := doorsOf(t)
			if t.Origin() == "" && len(doors) > 0 {
				return wire.ErrNoUpgrade
			}
			return eachDoor(ctx, t, doors, kind.ID, func(d *door) { d.crossSite(ctx, report) })
		},
		Also: []check.Part{{Phase: check.Write, Run: func(ctx context.Context, t *probe.Target, report check.Report) error {
			return eachDoor(ctx, t, doorsOf(t), kind.ID, func(d *door) { d.overheard(ctx, report) })
		}}},
	}
}

// door is an operation that may answer with a WebSocket.
type door struct {
	t    *probe.Target
	op   *spec.Operation
	path string
	why  string
}

var (
	namesSocket = regexp.MustCompile(`(?i)\bweb-?sockets?\b`)
	socketPath  = regexp.MustCompile(`(?i)/(wss?|web-?sockets?|socket|cable)/?$`)
)

// doorsOf returns the operations that say, or whose answers or names say, that they are
// WebSockets.
func doorsOf(t *probe.Target) (doors []*spec.Operation) {
	for _, op := range t.API.Operations {
		if op.Method == http.MethodGet && explore.Dangerous(op) == "" && len(doors) < maxSockets && isSocket(t, op) {
			doors = append(doors, op)
		}
	}
	return doors
}

func isSocket(t *probe.Target, op *spec.Operation) bool {
	if op.Socket || namesSocket.MatchString(op.Summary+" "+op.Describes) || socketPath.MatchString(op.Path) {
		return true
	}
	answers := t.Seen(op)
	if proof, ok := t.Proofs[op.ID]; ok && proof.Answer != nil {
		answers = append(answers, proof.Answer)
	}
	return slices.ContainsFunc(answers, func(ex *wire.Exchange) bool {
		return ex.Header.Get("Sec-WebSocket-Version") != "" || strings.EqualFold(ex.Header.Get("Upgrade"), "websocket") ||
			(ex.Status == http.StatusUpgradeRequired || ex.Status == http.StatusBadRequest) && len(ex.Body) < 2000 && namesSocket.Match(ex.Body)
	})
}

func eachDoor(ctx context.Context, t *probe.Target, doors []*spec.Operation, why string, look func(*door)) error {
	if t.Origin() == "" {
		return nil
	}
	for _, op := range doors {
		if ctx.Err() != nil {
			break
		}
		var user *login.User
		if users := t.Ordinary(); len(users) > 0 {
			user = users[0]
		}
		r := explore.For(t).Case(op, user).Request()
		look(&door{t: t, op: op, path: r.Target(), why: why})
	}
	return ctx.Err()
}

// open asks for the WebSocket as a page of an origin does. Nil is that there is none, or
// one at any address: then it is not the one of this operation.
func (d *door) open(ctx context.Context, u *login.User, origin string) (*wire.Socket, *wire.Exchange) {
	at, query, _ := strings.Cut(d.path, "?")
	r := wire.Request{Path: at, Query: query, Operation: d.op.ID, Why: d.why, Header: http.Header{"Origin": {origin}}}
	socket, ex := d.t.Socket(ctx, u, r)
	if socket == nil {
		return nil, ex
	}
	r.Operation, r.Path = "", strings.TrimRight(at, "/")+d.t.Marker()+"/"+d.t.Marker()
	if absent, _ := d.t.Socket(ctx, u, r); absent != nil {
		absent.Close()
		socket.Close()
		return nil, ex
	}
	return socket, ex
}

// foreign returns an origin that nobody has.
func (d *door) foreign() string { return "https://" + d.t.Marker() + ".example" }

// hears returns what a WebSocket says within the time for it, and whether that holds one of
// some texts.
func hears(ctx context.Context, s *wire.Socket, wait time.Duration, texts ...string) (*wire.Exchange, bool) {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	return s.Heard(ctx, func(text string) bool {
		return slices.ContainsFunc(texts, func(wanted string) bool { return strings.Contains(text, wanted) })
	})
}

// crossSite opens the WebSocket as a page of another site makes a browser do it: with the
// cookies of the user. What tells the user apart from nobody is what arrives.
func (d *door) crossSite(ctx context.Context, report check.Report) {
	for _, u := range d.t.Ordinary() {
		browser, own := cookieUser(ctx, d.t, u), known(u)
		if browser == nil || len(own) == 0 {
			continue
		}
		socket, _ := d.open(ctx, browser, d.foreign())
		if socket == nil {
			return
		}
		defer socket.Close()
		heard, found := hears(ctx, socket, listenFor/2, own...)
		if !found { // Some speak only when they are spoken to.
			_ = socket.Say(ctx, `{"type":"subscribe"}`) // If it is over, nothing more is heard.
			heard, found = hears(ctx, socket, listenFor/2, own...)
		}
		if !found {
			return
		}
		nobody, without := d.nobody(ctx, own)
		if nobody {
			return // Everybody is told: the cookie has no part in it.
		}
		report(d.claimCrossSite(u, browser, heard, without))
		return
	}
}

// nobody reports whether some texts arrive without any cookie, and what came instead.
func (d *door) nobody(ctx context.Context, texts []string) (bool, *wire.Exchange) {
	socket, ex := d.open(ctx, nil, d.foreign())
	if socket == nil {
		return false, ex
	}
	defer socket.Close()
	_ = socket.Say(ctx, `{"type":"subscribe"}`)
	heard, found := hears(ctx, socket, listenFor/2, texts...)
	return found, heard
}

func (d *door) claimCrossSite(u, browser *login.User, heard, without *wire.Exchange) check.Claim {
	return check.Claim{
		Place: probe.PlaceOf(d.op, "cookie "+browser.Credentials()[0].Name, u.Called()), Cause: d.op.ID + " cross-site",
		Says:     "a page of another site opens the WebSocket in the browser of " + u.Called() + ", and reads what is " + u.Called() + "'s: the cookie is enough, from any origin",
		Control:  "without the cookie it does not arrive; SameSite does not keep the cookie from being sent; an address beside it is no WebSocket",
		Evidence: []finding.Evidence{evidence("with the cookie and a foreign origin", heard), evidence("with the foreign origin alone", without)},
	}
}

// known returns texts that name a user and nobody else.
func known(u *login.User) (texts []string) {
	for _, kind := range []string{"email", "phone", "username"} {
		if v := u.Known[kind]; len(v) >= 5 {
			texts = append(texts, v)
		}
	}
	return texts
}

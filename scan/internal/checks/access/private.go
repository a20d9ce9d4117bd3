package access

import (
	"context"
	"strings"

	"github.com/fastness/fastness/scan/internal/login"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/internal/spec"
	"github.com/fastness/fastness/scan/wire"
)

// Whether an object belongs to one user only is not written anywhere. It is weighed: what
// lists show to whom, what the object is called, what it holds, where it is.

// privacy weighs whether what the owner reads by an operation is theirs alone. Above zero
// it is; below, everybody may see it.
func privacy(ctx context.Context, t *probe.Target, op *spec.Operation, refs []reference, owner, stranger *login.User, mine *wire.Exchange, why string) int {
	score := 0
	texts := secrets(t, mine, owner)
	switch inLists(ctx, t, owner, stranger, texts, why) {
	case hidden:
		score += 3
	case shared:
		score -= 4
	}
	private := sensitive(mine)
	for _, r := range refs {
		noun := ""
		switch {
		case r.object == nil:
			score += 2 // It is below the user.
		default:
			noun = r.object.Resource
			score += weight(r.object, private || isPrivate(noun) || isPrivatePath(op))
		}
		private = private || isPrivate(noun)
		if isPublic(noun) && len(refs) == 1 {
			score -= 2
		}
	}
	if private || isPrivatePath(op) {
		score += 5
	}
	if ownedBy(mine, owner) {
		score++
	}
	return score
}

// weight is what the exploration saw of who sees an object.
func weight(o *probe.Object, private bool) (score int) {
	e := o.Evidence
	if (e.Public || len(e.PublicLists) > 0) && !private {
		score -= 5
	}
	if len(e.Hidden) > 0 && len(e.OtherLists) == 0 {
		score++
	}
	if e.Mine {
		score++
	}
	return score
}

// visibility of an object in lists.
type visibility int

const (
	unknown visibility = iota
	hidden             // a list shows it to the owner and not to the stranger
	shared             // a list shows it to the stranger
)

// inLists looks for texts of the owner in what both read without naming anything of the
// owner's.
func inLists(ctx context.Context, t *probe.Target, owner, stranger *login.User, texts []string, why string) visibility {
	v := unknown
	for _, op := range t.API.Operations {
		if op.Method != "GET" {
			continue
		}
		mine, theirs := t.Sample(op, owner), t.Sample(op, stranger)
		if mine == nil || theirs == nil || mine.Exchange.Took > slow {
			continue
		}
		c := unnamed(t, theirs.Case, owner, stranger)
		if c == nil || len(references(t, mine.Case, owner)) > 0 && shows(mine.Exchange, texts) == "" {
			continue
		}
		ex := t.Send(ctx, stranger, c, why)
		switch {
		case probe.Refused(ex):
		case shows(ex, texts) != "":
			return shared
		case shows(mine.Exchange, texts) != "" && unnamed(t, mine.Case, owner, owner) == mine.Case:
			v = hidden
		}
	}
	return v
}

// unnamed returns a case without the parameters that name anybody; or nil if it cannot be
// sent without.
func unnamed(t *probe.Target, c *probe.Case, users ...*login.User) *probe.Case {
	for _, user := range users {
		for _, r := range references(t, c, user) {
			if p := c.Op.Param(r.point.In, r.point.Name); r.point.In != "query" && r.point.In != "header" || p != nil && p.Required {
				return nil
			}
			c = c.Without(r.point.In, r.point.Name)
		}
	}
	return c
}

// ownedBy reports whether an answer has a member that names the owner as such.
func ownedBy(ex *wire.Exchange, owner *login.User) bool {
	for _, leaf := range probe.Leaves(ex) {
		if !userLike(leaf.Name()) {
			continue
		}
		for kind, v := range owner.Known {
			if kind != "password" && v != "" && leaf.Text() == v {
				return true
			}
		}
	}
	return false
}

// userLike reports whether a name is that of whose something is.
func userLike(name string) bool {
	name = plain(name)
	for _, part := range []string{"user", "owner", "customer", "account", "author", "createdby", "member", "patient", "client", "holder", "buyer", "seller", "employee", "student", "profile", "username", "login", "email"} {
		if strings.Contains(name, part) {
			return true
		}
	}
	return false
}

// isPrivate reports whether a noun is that of something that people have for themselves.
func isPrivate(noun string) bool {
	noun = plain(noun)
	for _, part := range []string{"order", "invoice", "payment", "transaction", "transfer", "wallet", "cart", "basket", "inbox", "address", "creditcard", "paymentmethod", "profile", "preference", "credential", "apikey", "secret", "medical", "prescription", "patient", "salary", "payslip", "subscription", "balance", "statement", "receipt", "booking", "reservation", "appointment", "loan", "deposit", "purchase", "refund", "checkout", "passport", "bankaccount", "privatemessage"} {
		if strings.Contains(noun, part) {
			return true
		}
	}
	return false
}

// isPublic reports whether a noun is that of something that is made to be seen by others.
func isPublic(noun string) bool {
	noun = plain(noun)
	for _, part := range []string{"item", "product", "article", "post", "comment", "review", "rating", "category", "tag", "book", "movie", "film", "song", "album", "recipe", "menu", "dish", "event", "topic", "thread", "question", "answer", "news", "page", "catalog", "offer", "listing", "listings", "job", "course", "city", "country", "team", "channel", "room", "forum", "blog", "poll", "quote", "joke", "restaurant", "store", "shop", "seller", "brand", "pet"} {
		if noun == part || noun == part+"s" || strings.HasSuffix(noun, part) {
			return true
		}
	}
	return false
}

// sensitive reports whether an answer holds what nobody shows to everybody.
func sensitive(ex *wire.Exchange) bool {
	for _, leaf := range probe.Leaves(ex) {
		if leaf.Value == nil || leaf.Text() == "" {
			continue
		}
		name := plain(leaf.Name())
		for _, part := range []string{"email", "phone", "mobile", "address", "street", "ssn", "socialsecurity", "password", "secret", "token", "apikey", "iban", "cardnumber", "creditcard", "cvv", "cvc", "salary", "income", "balance", "birth", "dob", "passport", "license", "diagnosis", "medical", "pin", "vin", "latitude", "private"} {
			if strings.Contains(name, part) && !strings.Contains(name, "ping") && !strings.Contains(name, "spin") && !strings.Contains(name, "shipping") {
				return true
			}
		}
	}
	return false
}

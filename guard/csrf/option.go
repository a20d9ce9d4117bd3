package csrf

import (
	"errors"
	"strings"

	"github.com/fastness/fastness/internal/operation"
)

// What follows are options of an app's operations, which has the guard in its
// chain: it checks the origin of every request that may change something, and asks
// for a token where a cookie says who is calling.

// RequireToken asks for a token whoever calls: for a log-in form, where nobody is
// known by a cookie yet.
func RequireToken() operation.Option {
	return operation.Func(func(s *operation.Spec) { s.CrossSite.Token = true })
}

// OneTimeToken is RequireToken with tokens that are good for one request. The app
// needs Config.Replay if it has several processes.
func OneTimeToken() operation.Option {
	return operation.Func(func(s *operation.Spec) { s.CrossSite.Token, s.CrossSite.Once = true, true })
}

// Effects says that an operation has an effect though its method is safe. Its
// requests are checked as [Guard.CheckEffects] does, and for a token where a cookie
// says who is calling. Without it an app does not start where such an operation gets
// a transaction that writes.
func Effects() operation.Option {
	return operation.Func(func(s *operation.Spec) { s.CrossSite.Effects = true })
}

// InsecureNoToken says why an operation needs no token where a cookie says who is
// calling. The origin is still checked.
func InsecureNoToken(reason string) operation.Option {
	return optOut("InsecureNoToken", reason, func(c *operation.CrossSite) { c.InsecureNoToken = reason })
}

// InsecureAnyOrigin says why pages of any site may send requests to an operation.
// What browsers add by themselves, a cookie for instance, still says nothing about
// who is calling there.
func InsecureAnyOrigin(reason string) operation.Option {
	return optOut("InsecureAnyOrigin", reason, func(c *operation.CrossSite) { c.InsecureAnyOrigin = reason })
}

func optOut(name, reason string, set func(*operation.CrossSite)) operation.Option {
	return operation.Func(func(s *operation.Spec) {
		if strings.TrimSpace(reason) == "" {
			s.Mistakes = append(s.Mistakes, errors.New("csrf."+name+": the reason is empty, want why that is right"))
			return
		}
		set(&s.CrossSite)
		s.OptOuts = append(s.OptOuts, operation.OptOut{Name: "csrf." + name, Reason: reason})
	})
}

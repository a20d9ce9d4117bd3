package account

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/login"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/internal/spec"
)

// weakPassword registers users with passwords that nobody should have.
func weakPassword(*lab) check.Check {
	kind := kindWeakPassword()
	return check.Check{Kind: kind, Phase: check.Session, Run: func(ctx context.Context, t *probe.Target, report check.Report) error {
		op := login.Registration(t.API)
		if op == nil {
			return nil
		}
		for _, password := range []string{"1", "123456", "password"} {
			u, err := t.RegisterWith(ctx, "weak", password)
			if err != nil || u.Known["password"] != password || ctx.Err() != nil {
				continue
			}
			c := check.Claim{
				Place: probe.PlaceOf(op, "body password", ""), Hint: password == "password",
				Says:    fmt.Sprintf("a user may have the password %q, and logs in with it", password),
				Control: "the user was registered with it just now",
			}
			if seen := t.Seen(op); len(seen) > 0 {
				c.Evidence = []finding.Evidence{evidence("a registration", seen[len(seen)-1])}
			}
			report(c)
			return nil
		}
		return ctx.Err()
	}}
}

// defaults are names and passwords that programs are delivered with.
var defaults = [...][2]string{
	{"admin", "admin"}, {"admin", "password"}, {"admin", "123456"}, {"admin", "admin123"}, {"admin", "changeme"}, {"administrator", "administrator"}, {"root", "root"}, {"root", "toor"},
	{"test", "test"}, {"user", "user"}, {"user", "password"}, {"guest", "guest"}, {"demo", "demo"}, {"manager", "manager"}, {"superadmin", "superadmin"}, {"support", "support"},
}

// maxDefaults bounds how many log-ins are tried, and perName how many of a user: fewer
// than lock anybody.
const (
	maxDefaults = 30
	perName     = 3
)

// defaultPassword tries passwords that are known to be used. It stops when the target says
// that it is enough.
func defaultPassword(*lab) check.Check {
	kind := kindDefaultPassword()
	return check.Check{Kind: kind, Phase: check.Session, Run: func(ctx context.Context, t *probe.Target, report check.Report) error {
		tried, of := 0, map[string]int{}
		for _, pair := range slices.Concat(defaults[:], seenNames(t)) {
			name, password := pair[0], pair[1]
			if tried >= maxDefaults || of[name] >= perName || ctx.Err() != nil || isOurs(t, name) {
				continue
			}
			tried++
			of[name]++
			values := nobody(t)
			values["username"], values["password"] = name, password
			values["email"] = emailOf(t, name)
			if strings.Contains(nobody(t)["username"], "@") {
				values["username"] = values["email"]
			}
			try, err := t.Try(ctx, firstUser(t), values, nil)
			if err != nil || try.Limited || stops(try.Exchange) {
				return ctx.Err()
			}
			if try.User == nil {
				continue
			}
			values["password"] = "Wrong-" + t.Marker()[2:12]
			wrong, err := t.Try(ctx, firstUser(t), values, nil)
			if err != nil || wrong.User != nil || wrong.Limited {
				return nil // It lets everybody in, or nobody any more.
			}
			op := t.OperationOf(try.Exchange.Request)
			if op == nil {
				op = &spec.Operation{Method: try.Exchange.Request.Method, Path: try.Exchange.Request.Path}
			}
			report(check.Claim{
				Place:    probe.PlaceOf(op, "body password", ""),
				Says:     fmt.Sprintf("%s logs in with a password that everybody would try first", name),
				Control:  "with another password, the same user is refused",
				Evidence: []finding.Evidence{evidence("the log-in", try.Exchange), evidence("with another password", wrong.Exchange)},
			})
		}
		return ctx.Err()
	}}
}

func firstUser(t *probe.Target) *login.User {
	if len(t.Users) == 0 {
		return nil
	}
	return t.Users[0]
}

// isOurs reports whether a name is that of a user of the scan.
func isOurs(t *probe.Target, name string) bool {
	return slices.ContainsFunc(t.Users, func(u *login.User) bool {
		return strings.EqualFold(u.Known["username"], name) || strings.HasPrefix(strings.ToLower(u.Known["email"]), strings.ToLower(name)+"@") || strings.EqualFold(u.Name, name)
	})
}

// seenNames returns the names of users that answers showed, each with itself and with
// the first password of all lists.
func seenNames(t *probe.Target) (out [][2]string) {
	for _, field := range []string{"username", "login", "email"} {
		for _, o := range t.Values("", field, nil) {
			name, ok := o.Value.(string)
			if !ok || len(name) < 3 || len(name) > 64 || strings.HasPrefix(name, "fz") || len(out) >= 16 {
				continue
			}
			local, _, _ := strings.Cut(name, "@")
			out = append(out, [2]string{name, local}, [2]string{name, "password"})
		}
	}
	return out
}

// emailOf returns the address of a user by the domain that others have.
func emailOf(t *probe.Target, name string) string {
	if strings.Contains(name, "@") {
		return name
	}
	for _, u := range t.Users {
		if _, domain, ok := strings.Cut(u.Known["email"], "@"); ok {
			return name + "@" + domain
		}
	}
	for _, server := range t.API.Servers {
		if u, err := url.Parse(server); err == nil && u.Hostname() != "" {
			return name + "@" + u.Hostname()
		}
	}
	return name + "@example.com"
}

// Statuses that say that something was done.
func done(status int) bool {
	return status >= 200 && status < 300 || status == http.StatusFound || status == http.StatusSeeOther
}

package access_test

import (
	"slices"
	"strings"
	"testing"
)

// Each defence that is taken out is found, where it is, and nothing else is.
func TestWhatIsTakenOutIsFound(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*desk)
		want   []string
		also   []string // true, and not always found
	}{
		"nothing":             {func(*desk) {}, nil, nil},
		"read":                {func(d *desk) { d.readAny = true }, []string{"AZ-01 GET /tickets/{id}"}, nil},
		"change":              {func(d *desk) { d.writeAny = true }, []string{"AZ-02 PATCH /tickets/{id}"}, nil},
		"remove":              {func(d *desk) { d.deleteAny = true }, []string{"AZ-03 DELETE /tickets/{id}"}, nil},
		"list":                {func(d *desk) { d.listAll = true }, []string{"AZ-08 GET /tickets"}, nil},
		"a filter":            {func(d *desk) { d.filter = true }, []string{"AZ-01 GET /tickets"}, nil},
		"below one's own":     {func(d *desk) { d.crossed = true }, []string{"AZ-01 GET /users/{username}/tickets/{id}"}, nil},
		"owner from the body": {func(d *desk) { d.ownerFromBody = true }, []string{"AZ-04 POST /tickets"}, []string{"BP-01 POST /tickets"}},
		"a switch when made":  {func(d *desk) { d.mass = true }, []string{"BP-01 POST /tickets"}, nil},
		"a switch later":      {func(d *desk) { d.massUpdate = true }, []string{"BP-02 PATCH /tickets/{id}"}, nil},
		"role of a new user":  {func(d *desk) { d.roleInSignUp = true }, []string{"BP-01 POST /register"}, nil},
		"role of oneself":     {func(d *desk) { d.roleInProfile = true }, []string{"AZ-07 PATCH /me", "BP-02 PATCH /me"}, nil},
		"password of others":  {func(d *desk) { d.passwordOfOthers = true }, []string{"AZ-05 PUT /users/{username}/password"}, nil},
		"admins":              {func(d *desk) { d.adminOpen = true }, []string{"AZ-06 GET /admin/users"}, nil},
		"nobody writes":       {func(d *desk) { d.anonymousWrite = true }, []string{"AU-11 POST /tickets"}, nil},
		"nobody reads": {func(d *desk) { d.anonymous = true }, []string{"AU-01 GET /announcements", "AU-01 GET /tickets/{id}"},
			[]string{"AU-01 GET /me", "AU-01 GET /tickets", "AU-01 GET /admin/users"}},
		"errors as 200, read": {func(d *desk) { d.errors200, d.readAny = true, true }, []string{"AZ-01 GET /tickets/{id}"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			got := found(t, newDesk(c.change))
			for _, w := range c.want {
				if !slices.Contains(got, w) {
					t.Errorf("not found: %s", w)
				}
			}
			for _, g := range got {
				if !slices.Contains(c.want, g) && !slices.Contains(c.also, g) {
					t.Errorf("found %s, which is not so", g)
				}
			}
		})
	}
}

// What is meant to be seen by others is no finding.
func TestWhatIsMeantToBeSoIsNotFound(t *testing.T) {
	for name, change := range map[string]func(*desk){
		"a feed of all members":       func(d *desk) { d.feed = true },
		"errors with the status 200":  func(d *desk) { d.errors200 = true },
		"a public catalogue":          func(d *desk) { d.catalogue = true },
		"a public one, errors as 200": func(d *desk) { d.catalogue, d.errors200 = true, true },
	} {
		t.Run(name, func(t *testing.T) {
			for _, g := range found(t, newDesk(change)) {
				if strings.HasPrefix(g, "AU-01 GET /tickets") && strings.Contains(name, "public") { // The document says that it is not public.
					continue
				}
				t.Errorf("found %s, which is not so", g)
			}
		})
	}
}

package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"

	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/account"
	"github.com/fastness/fastness/auth/apikey"
	"github.com/fastness/fastness/sqldb"
)

// The table of who may do what: every operation that the shop serves, by every
// kind of caller, with real credentials. It is checked in, so a change of access
// shows up in the review of a change, and an operation that nobody thought of
// fails the test.

const accessTable = "testdata/access.golden"

var update = flag.Bool("update", false, "write the table of access")

const accessHead = `# Who may do what: the status that each caller gets, for a request that is good
# but for the caller. A 422 passed all rules about access, too: its body is wrong on
# purpose, because the right one would change the caller. Or it has a member that
# is read-only for the caller.
#
# customer   owns the order, the session and the API key that the rows are about
# customer2  another customer of the same tenant
# seller     sells the item that the rows are about, and seller2 does not
# admin      administrator of the tenant castle, as all before
# keep-…     of another tenant
# operator   administrator without a tenant
# disabled   has a token from before they were disabled
# scopeless  admin, with a token that is for no scope
# apikey     customer, with an API key for everything
# cookie     admin, with the cookie of a session and a CSRF token, on a page of the shop
# tokenless  such a cookie without a token, on a page of the shop
# forged     such a cookie, on a page of another site, which has no token either
#
# All but the last two have a token where a form of nobody wants one, too.
#
# The document and its page are 404: they are shown in development only.
#
# Made by go test -run TestAccessMatrix -update: look at what differs.
`

// columns are the callers and their credentials.
type column struct {
	name   string
	header []string
	fresh  func() []string // another credential of the same kind, for who spends theirs
}

// hasToken reports whether the caller sends a CSRF token: a browser on a page of the
// shop with whatever changes something, others where everybody has to.
func (c *column) hasToken(r route, a attempt) bool {
	switch c.name {
	case "tokenless", "forged":
		return false
	case "cookie":
		return r.Method != http.MethodGet && r.Method != http.MethodHead
	}
	return a.token
}

// attempt is a request that is good but for its caller. What is in braces stands
// for something fresh that belongs to somebody: see bazaar.fill.
type attempt struct {
	what   string // what is special, "" for the plain case
	target string // instead of the path of the route
	body   string // JSON
	form   string
	spends bool // the credential is of no use afterwards
	token  bool // a CSRF token is wanted of everybody
}

// attempts returns what to send, by operation id, or by path for what is no
// operation. What is missing here has neither a body nor a second case.
func attempts() map[string][]attempt {
	credentials := `"username":"customer","password":` + quote(password)
	form := url.Values{"username": {"customer"}, "password": {password}}.Encode()
	return map[string][]attempt{
		"logIn":        {{form: form}},
		"refreshToken": {{form: "refresh_token={refresh_token}"}},
		"revokeToken":  {{form: "token={refresh_token}"}},
		"submitLogin":  {{form: form, spends: true, token: true}}, // A log-in replaces the session of the cookie.
		"beginSession": {{body: `{` + credentials + `}`, spends: true}},
		"logOut":       {{spends: true}},

		"changePassword":      {{body: `{}`}},
		"enrolSecondFactor":   {{body: `{"password":` + quote(password) + `}`}},
		"confirmSecondFactor": {{body: `{}`}},
		"removeSecondFactor":  {{body: `{}`}},
		"renewRecoveryCodes":  {{body: `{}`}},
		"createAPIKey":        {{body: `{"name":"key","scopes":["orders"]}`}},

		"beginPasskey":        {{}},
		"addPasskey":          {{body: `{}`}},
		"beginPasskeyLogin":   {{}},
		"beginPasskeySession": {{body: `{}`}},

		// Of a flow that nobody began: it is refused for what it is, to everybody.
		"post_oauth_authorize": {{form: "client_id=nobody"}},
		"exchange":             {{form: "grant_type=authorization_code&client_id=nobody&code=x"}},
		"post_oauth_userinfo":  {{}},
		"decide":               {{form: "consent=x", token: true}},

		"createUser": {
			{body: `{"name":"{new_name}","password":` + quote(password) + `,"roles":["customer"]}`},
			{what: "for the tenant castle", body: `{"name":"{new_name}","password":` + quote(password) + `,"roles":["admin"],"tenant":"castle"}`},
		},
		"changeUser":      {{body: `{"disabled":true}`}, {what: "roles", body: `{"roles":["admin"]}`}, {what: "password", body: `{"password":` + quote(password) + `}`}},
		"createFirstUser": {{body: `{}`}},
		"signUp":          {{body: `{}`}},

		"createItem":  {{body: `{"name":"Lamp","price":1}`}},
		"readItem":    {{}, {what: "a draft", target: "/items/{draft_id}"}},
		"replaceItem": {{body: `{"name":"Lamp","price":1}`}, {what: "a draft", target: "/items/{draft_id}", body: `{"name":"Lamp","price":1}`}},
		"changeItem":  {{body: `{"price":2}`}, {what: "a draft", target: "/items/{draft_id}", body: `{"price":2}`}},
		"deleteItem":  {{}, {what: "a draft", target: "/items/{draft_id}"}},

		"createReview":  {{body: goodReview}, {what: "of a draft", target: "/items/{draft_id}/reviews", body: goodReview}},
		"submitReview":  {{form: "stars=4&title=x&text=x"}},
		"listReviews":   {{}, {what: "of a draft", target: "/items/{draft_id}/reviews"}},
		"deleteReview":  {{}, {what: "of another item", target: "/items/1/reviews/{review_id}"}},
		"submitRemoval": {{form: "next=/"}},
		"showItem":      {{}, {what: "a draft", target: "/items/{draft_id}/page"}},
		"logOutForm":    {{form: "next=/", spends: true, token: true}},

		"buy": {{form: "quantity=1"}},

		// The form has no picture: see TestPictureOfAnItem.
		"replacePicture": {{}},
		"submitPicture":  {{form: "x=1"}},
		"/static/*":      {{target: "/static/shop.css"}},
		"createOrder":    {{body: `{"item_id":{item_id}}`}, {what: "of a draft", body: `{"item_id":{draft_id}}`}},
		"changeOrder":    {{what: "note", body: `{"note":"x"}`}, {what: "status", body: `{"status":"sent"}`}},
		"wrapItem":       {{body: `{"name":"Lamp"}`}},
		"secure":         {{token: true}},

		"/csp-reports":     {{body: `[]`}},
		"/docs/{asset...}": {{target: "/docs/app.js"}},
	}
}

// route is a line of the command routes.
type route struct{ Kind, Method, Path, ID string }

// routes returns all that the shop serves.
func routes(t *testing.T) (list []route) {
	t.Helper()
	var out, log bytes.Buffer
	if exit := newApp(unlimited()).Run(t.Context(), []string{"shop", "routes", "--json"}, &out, &log); exit != 0 {
		t.Fatalf("routes ended with status %d: %s", exit, &log)
	}
	if err := json.Unmarshal(out.Bytes(), &list); err != nil || len(list) < 40 {
		t.Fatalf("%d routes: %v", len(list), err)
	}
	return list
}

func TestAccessMatrix(t *testing.T) {
	b := newBazaar(t)
	columns := b.columns()
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprint(w, "METHOD\tPATH")
	for _, c := range columns {
		fmt.Fprint(w, "\t", c.name)
	}
	fmt.Fprintln(w)
	for _, r := range routes(t) {
		for _, a := range b.attemptsOf(r) {
			fmt.Fprintf(w, "%s\t%s", r.Method, r.Path)
			if a.what != "" {
				fmt.Fprintf(w, " (%s)", a.what)
			}
			b.made = nil // Every row begins with objects of its own.
			for _, c := range columns {
				fmt.Fprint(w, "\t", b.try(r, a, c))
			}
			fmt.Fprintln(w)
		}
	}
	_ = w.Flush() // To memory.
	compareTable(t, accessHead+"\n"+table.String())
}

func compareTable(t *testing.T, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(accessTable, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	data, err := os.ReadFile(accessTable)
	if err != nil {
		t.Fatal(err)
	}
	old, now := strings.Split(string(data), "\n"), strings.Split(got, "\n")
	for _, line := range now {
		if !slices.Contains(old, line) {
			t.Errorf("is, and is not in %s:\n%s", accessTable, line)
		}
	}
	for _, line := range old {
		if !slices.Contains(now, line) {
			t.Errorf("is in %s, and is not so:\n%s", accessTable, line)
		}
	}
	if !t.Failed() && string(data) != got {
		t.Errorf("%s has another order", accessTable)
	}
}

// Every operation of the document is in the table, under the path that it has
// there.
func TestDocumentHasNoOperationBesideTheTable(t *testing.T) {
	var out, log bytes.Buffer
	if exit := newApp(unlimited()).Run(t.Context(), []string{"shop", "openapi"}, &out, &log); exit != 0 {
		t.Fatalf("openapi ended with status %d: %s", exit, &log)
	}
	var document struct {
		Paths map[string]map[string]any
	}
	if err := json.Unmarshal(out.Bytes(), &document); err != nil || len(document.Paths) == 0 {
		t.Fatalf("the document has %d paths: %v", len(document.Paths), err)
	}
	known := routes(t)
	for path, operations := range document.Paths {
		for method := range operations {
			if !slices.ContainsFunc(known, func(r route) bool {
				return r.Path == path && strings.EqualFold(r.Method, method)
			}) {
				t.Errorf("%s %s is in the document and not among the routes", method, path)
			}
		}
	}
}

// bazaar is a shop with people in it.
type bazaar struct {
	*shop
	accounts *sqldb.DB // the database of the users
	users    map[string]user
	attempts map[string][]attempt
	names    int
	made     map[string]string // what the placeholders of this row stand for
}

func newBazaar(t *testing.T) *bazaar {
	dir := t.TempDir()
	b := &bazaar{shop: openShop(t, dir).as(nil), accounts: openUsersOf(t, dir), users: make(map[string]user), attempts: attempts()}
	for _, u := range []struct{ name, tenant, role string }{
		{"customer", "castle", "customer"}, {"customer2", "castle", "customer"}, {"seller", "castle", "seller"}, {"seller2", "castle", "seller"},
		{"admin", "castle", "admin"}, {"keep-customer", "keep", "customer"}, {"keep-admin", "keep", "admin"}, {"operator", "", "admin"},
		{"disabled", "castle", "admin"},
	} {
		b.users[u.name] = b.newUser(u.name, u.tenant, u.role)
	}
	by := account.By{Address: "test"}
	if err := b.core.Accounts.Disable(t.Context(), by, b.users["disabled"].id); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *bazaar) columns() (list []column) {
	anonymous := func() []string { return nil }
	list = append(list, column{"anonymous", nil, anonymous})
	for _, name := range []string{"customer", "customer2", "seller", "seller2", "admin", "keep-customer", "keep-admin", "operator"} {
		u := b.users[name]
		list = append(list, column{name, u.header, func() []string { return bearer(b.refreshed(u.id, "items", "orders", "reviews", "account", "users")) }})
	}
	old := b.users["disabled"].header
	list = append(list, column{"disabled", old, func() []string { return old }})
	for _, c := range []struct {
		name  string
		fresh func() []string
	}{
		{"scopeless", func() []string { return bearer(b.refreshed(b.users["admin"].id)) }},
		{"apikey", func() []string { return []string{"X-API-Key", b.key("customer")} }},
		{"cookie", func() []string { return []string{"Cookie", b.cookie("admin"), "Sec-Fetch-Site", "same-origin"} }},
		{"tokenless", func() []string { return []string{"Cookie", b.cookie("admin"), "Sec-Fetch-Site", "same-origin"} }},
		{"forged", func() []string { return []string{"Cookie", b.cookie("admin"), "Sec-Fetch-Site", "cross-site"} }},
	} {
		list = append(list, column{c.name, c.fresh(), c.fresh})
	}
	return list
}

// key makes an API key of a user for everything.
func (b *bazaar) key(name string) string {
	_, text := b.newKey(name)
	return text
}

func (b *bazaar) newKey(name string) (id, text string) {
	k, text, err := b.core.APIKeys.Create(b.t.Context(), apikey.Request{Owner: b.users[name].id, Name: "key", AllScopes: true})
	if err != nil {
		b.t.Fatal(err)
	}
	return k.ID, text
}

// cookie logs a user in as a browser does.
func (b *bazaar) cookie(name string) string {
	got := b.call(http.MethodPost, "/session", `{"username":`+quote(name)+`,"password":`+quote(password)+`}`, "Sec-Fetch-Site", "same-origin")
	for _, c := range (&http.Response{Header: got.header}).Cookies() {
		if c.Name == "__Host-session" {
			return c.Name + "=" + c.Value
		}
	}
	b.t.Fatalf("no cookie at log-in: %d %s", got.status, got.body)
	return ""
}

// attemptsOf returns what to send to a route.
func (b *bazaar) attemptsOf(r route) []attempt {
	key := r.ID
	if key == "" {
		key = r.Path
	}
	list := b.attempts[key]
	if list == nil {
		list = []attempt{{}}
		if slices.Contains([]string{http.MethodPost, http.MethodPut, http.MethodPatch, "*"}, r.Method) {
			b.t.Errorf("%s %s is new: say in attempts what a good request is", r.Method, r.Path)
		}
	}
	for i := range list {
		if list[i].target == "" {
			list[i].target = r.Path
		}
	}
	return list
}

// try sends an attempt of a caller and returns the status.
func (b *bazaar) try(r route, a attempt, c column) string {
	header := c.header
	if a.spends {
		header = c.fresh()
	}
	if !slices.Contains(header, "Sec-Fetch-Site") { // What a browser says of a page of the shop.
		header = append(slices.Clone(header), "Sec-Fetch-Site", "same-origin")
	}
	if c.hasToken(r, a) {
		header = b.withToken(header...)
	}
	if r.Method == "*" { // Mounted: any method, and the handler judges.
		r.Method = http.MethodGet
	}
	if r.ID == "changeOrder" {
		header = append(slices.Clone(header), "If-Match", "*")
	}
	target := b.fill(a.target)
	var got reply
	if a.form != "" {
		form, err := url.ParseQuery(b.fill(a.form))
		if err != nil {
			b.t.Fatal(err)
		}
		got = b.form(target, form, header...)
	} else {
		got = b.call(r.Method, target, b.fill(a.body), header...)
	}
	if r.Method == http.MethodGet && !strings.HasPrefix(r.Path, "/ws/") { // HEAD opens no WebSocket.
		if head := b.call(http.MethodHead, target, "", header...); head.status != got.status {
			b.t.Errorf("%s by %s: HEAD is %d and GET %d", target, c.name, head.status, got.status)
		}
	} else if got.status < 400 {
		b.made = nil // It may be gone.
	}
	if got.status == http.StatusUnauthorized && got.header.Get("WWW-Authenticate") == "" {
		b.t.Errorf("%s %s by %s: 401 without a challenge", r.Method, target, c.name)
	}
	return strconv.Itoa(got.status)
}

var placeholder = regexp.MustCompile(`\{[a-z_]+\}`)

// fill puts something that belongs to the first customer or seller where a
// placeholder is.
func (b *bazaar) fill(text string) string {
	return placeholder.ReplaceAllStringFunc(text, func(name string) string {
		if b.made == nil {
			b.made = make(map[string]string)
		}
		value, ok := b.made[name]
		if !ok {
			value = b.make(name)
			b.made[name] = value
		}
		return value
	})
}

func (b *bazaar) make(name string) string {
	switch name {
	case "{item_id}":
		return b.object("seller", "/items/", `{"name":"Lamp","price":1}`)
	case "{draft_id}":
		return b.object("seller", "/items/", draftLamp)
	case "{order_id}":
		return b.object("customer", "/orders", `{"item_id":1}`)
	case "{review_id}":
		item := b.fill("{item_id}")
		got := b.as(&auth.User{ID: b.users["customer"].id, Roles: auth.SetOf("customer"), AllScopes: true}).call(http.MethodPost, "/items/"+item+"/reviews", goodReview)
		return fmt.Sprint(got.decode(b.t)["review_id"])
	case "{user_id}":
		b.names++
		return newAccount(b.t, b.core, "victim"+strconv.Itoa(b.names), "castle", "customer")
	case "{new_name}":
		b.names++
		return "new" + strconv.Itoa(b.names)
	case "{session_id}":
		refresh := b.begin(b.users["customer"].id, "orders")
		s, _, err := b.core.Sessions.ByRefreshToken(b.t.Context(), refresh)
		if err != nil {
			b.t.Fatal(err)
		}
		return s.ID
	case "{refresh_token}":
		return b.begin(b.users["customer"].id, "orders")
	case "{passkey_id}":
		b.names++
		id := fmt.Appendf(nil, "passkey %d", b.names)
		_, err := b.accounts.Write.ExecContext(b.t.Context(), b.accounts.Dialect.Rebind("INSERT INTO fastness_passkeys VALUES (?, ?, 'key', ?, 0, '', ?, 0, 0, 0, 0)"), id, b.users["customer"].id, []byte{0}, []byte{0})
		if err != nil {
			b.t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(id)
	case "{key_id}":
		id, _ := b.newKey("customer")
		return id
	}
	b.t.Fatalf("what is %s?", name)
	return ""
}

// object makes one and returns its id.
func (b *bazaar) object(owner, where, body string) (id string) {
	u := b.users[owner]
	got := b.as(&auth.User{ID: u.id, Roles: auth.SetOf(owner), AllScopes: true, Tenant: auth.NewTenant("castle")}).call(http.MethodPost, where, body)
	if got.status != http.StatusCreated {
		b.t.Fatalf("POST %s: %d %s", where, got.status, got.body)
	}
	return filepath.Base(got.header.Get("Location"))
}

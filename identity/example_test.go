package identity_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/identity"
	"github.com/fastness/fastness/sqldb"
)

type item struct {
	Seller string `json:"seller"`
}

func createItem(_ context.Context, in struct{ Seller auth.User }) (item, error) {
	return item{in.Seller.Name}, nil
}

// openUsers opens a database of its own for the accounts.
func openUsers(_ context.Context, settings fastness.Settings) (*sqldb.DB, error) {
	path := filepath.Join(settings.DataDir, "users.db")
	write, err := sql.Open("sqlite", "file:"+path+"?_txlock=immediate&_journal_mode=WAL")
	if err != nil {
		return nil, err
	}
	write.SetMaxOpenConns(1)
	read, err := sql.Open("sqlite", "file:"+path)
	return &sqldb.DB{Write: write, Read: read}, err
}

// One declaration gives an app its users. Which operations it gets, and who may
// call each, the command routes tells.
func Example() {
	app := fastness.New(fastness.Config{Title: "Shop", Version: "1.0.0", Roles: []string{"admin", "seller"}})
	identity.New(identity.Config{
		Open:    openUsers,
		Roles:   []string{"admin", "seller"},
		Clients: []identity.Client{{ID: "shop", FirstParty: true}},
	}).Declare(app)
	fastness.Post(app, "/items", createItem, access.Role("seller"))

	var routes bytes.Buffer
	app.Run(context.Background(), []string{"shop", "routes"}, &routes, os.Stderr)
	for line := range strings.Lines(routes.String()) {
		if words := strings.Fields(line); words[1] == "/token" || words[1] == "/logout" || words[1] == "/users" || words[1] == "/items" {
			method, path, who := words[0], words[1], strings.Split(line, "30s")[0]
			fmt.Println(method, path, "-", strings.TrimSpace(strings.SplitN(who, path, 2)[1]))
		}
	}
	// Output:
	// POST /token - public
	// POST /logout - by oauth2 or session
	// GET /users - (by oauth2 or session) and role admin and scope users
	// POST /users - (by oauth2 or session) and role admin and scope users
	// POST /items - role seller
}

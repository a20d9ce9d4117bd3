package login_test

import (
	"context"
	"fmt"
	"net/http"

	"github.com/fastness/fastness/scan/internal/login"
)

func Example() {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		if m := readJSON(r); passwords()[m["login"].(string)] == m["password"] {
			writeJSON(w, 200, object{"token": m["login"].(string) + "-token-1"})
			return
		}
		writeJSON(w, 401, object{"error": "wrong"})
	})
	mux.HandleFunc("GET /me", whoami(bearer("Bearer ")))

	keeper, err := login.New(login.Config{
		Client:   &target{Handler: mux},
		API:      api(op("GET", "/me")),
		Accounts: []login.Account{{Username: "alice", Password: "alice-secret-1"}},
		LogIn: &login.Method{Request: &login.Step{
			Path: "/login", JSON: map[string]any{"login": "{{username}}", "password": "{{password}}"},
		}},
		NoRegister: true,
	})
	if err != nil {
		panic(err)
	}
	users, err := keeper.Start(context.Background())
	fmt.Println(users[0].Name, err)
	for _, i := range keeper.Identities() {
		fmt.Println(i.How)
		fmt.Println("proven by", i.By)
	}
	// Output:
	// alice <nil>
	// POST /login, then header Authorization Bearer, with the token from body:/token
	// proven by GET /me
}

package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"

	"github.com/fastness/fastness/database"
	"github.com/fastness/fastness/secret"
)

// serveInjectable serves what no app may be: handlers that write what they are sent
// into statements, one for each place of a request. A tool that does not find them
// finds nothing anywhere.
func serveInjectable(ctx context.Context, url string) error {
	db, err := database.Open(ctx, secret.New(url), database.Config{Schema: "injectable"})
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	for _, statement := range []string{"CREATE TABLE lamps (id INTEGER, name TEXT)", "INSERT INTO lamps VALUES (1, 'Lamp'), (2, 'Candle')"} {
		if _, err := db.Write.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	mux := http.NewServeMux()
	for pattern, value := range map[string]func(*http.Request) string{
		"GET /query":     func(r *http.Request) string { return r.URL.Query().Get("name") },
		"GET /path/{id}": func(r *http.Request) string { return r.PathValue("id") },
		"POST /form":     func(r *http.Request) string { return r.PostFormValue("name") },
		"POST /json": func(r *http.Request) string {
			var body struct{ Name string }
			_ = json.NewDecoder(r.Body).Decode(&body)
			return body.Name
		},
		"GET /header": func(r *http.Request) string { return r.Header.Get("X-Name") },
		"GET /cookie": func(r *http.Request) string {
			_, value, _ := strings.Cut(r.Header.Get("Cookie"), "name=")
			return value
		},
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			look(w, db.Read.QueryRowContext(r.Context(), "SELECT name FROM lamps WHERE name = '"+value(r)+"'"))
		})
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	slog.New(slog.NewJSONHandler(os.Stderr, nil)).Info("serving", "addr", listener.Addr().String())
	server := &http.Server{Handler: mux}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func look(w http.ResponseWriter, row *sql.Row) {
	var name string
	switch err := row.Scan(&name); {
	case errors.Is(err, sql.ErrNoRows):
		http.Error(w, "there is no such lamp", http.StatusNotFound)
	case err != nil:
		http.Error(w, err.Error(), http.StatusInternalServerError)
	default:
		_, _ = fmt.Fprintf(w, "<html><body>There is a lamp: %s</body></html>", name)
	}
}

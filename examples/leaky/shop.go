package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"
)

// shop is all that the program has.
type shop struct {
	db    *sql.DB
	dir   string // files, keys and pictures
	cache *cache
	tries *tries
	live  *live
}

// open makes the folder and the database, and fills them.
func open(dir, db string) (*shop, error) {
	if err := makeFiles(dir); err != nil {
		return nil, err
	}
	opened, err := openDatabase(dir, db)
	if err != nil {
		return nil, err
	}
	return &shop{opened, dir, newCache(), newTries(), newLive()}, nil
}

// handler is what the server serves.
func (s *shop) handler() http.Handler {
	mux := http.NewServeMux()
	s.routes(mux)
	return fence(recovered(headers(s.cache.handler(methodOverride(s.vhost(mux))))))
}

// headers are on every answer.
func headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// FLAW LK-01 (HT-01, API8:2023, CWE-200): the answers name the software and its version
		w.Header().Set("Server", "leaky/0.9.2")
		w.Header().Set("X-Powered-By", "Go/1.26 net/http")
		// FLAW LK-02 (HT-01, API8:2023, CWE-693): no nosniff, no policy against framing or scripts, no Cache-Control on private answers
		// FLAW LK-03 (CO-01, API8:2023, CWE-942): any origin may read answers, with the cookies of the user
		if origin := r.Header.Get("Origin"); origin != "" {
			w.Header().Set("Access-Control-Allow-Origin", origin)
			w.Header().Set("Access-Control-Allow-Credentials", "true")
			w.Header().Set("Access-Control-Allow-Headers", "Authorization, Content-Type")
			w.Header().Set("Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE")
		}
		if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" && !isOpenData(r) {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// recovered makes an answer of a panic.
func recovered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if why := recover(); why != nil && why != http.ErrAbortHandler {
				// FLAW LK-04 (SC-02, API8:2023, CWE-209): the caller gets the stack of a panic
				reply(w, 500, map[string]any{"error": fmt.Sprint(why), "trace": string(debug.Stack())})
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// methodOverride is for a proxy of the office that only lets GET and POST pass.
func methodOverride(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// FLAW LK-05 (IV-05, API9:2023, CWE-650): a GET becomes any other method by a header
		if m := r.Header.Get("X-HTTP-Method-Override"); m != "" {
			r.Method = m
		}
		next.ServeHTTP(w, r)
	})
}

// reply sends v as JSON.
func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func fail(w http.ResponseWriter, status int, why string) {
	reply(w, status, map[string]any{"error": why})
}

// decode reads the body, whatever its Content-Type is. It answers what is no JSON.
func decode(w http.ResponseWriter, r *http.Request, v any) bool {
	// FLAW LK-06 (RC-02, API4:2023, CWE-770): a body may be as long as the caller likes
	if err := json.NewDecoder(r.Body).Decode(v); err != nil {
		fail(w, 400, "the body is not what is wanted: "+err.Error())
		return false
	}
	return true
}

// number returns a number of the path, or -1, which nothing has.
func number(r *http.Request, name string) int64 {
	n, err := strconv.ParseInt(r.PathValue(name), 10, 64)
	if err != nil {
		return -1
	}
	return n
}

// queryInt returns a number of the query, or what it is without one.
func queryInt(r *http.Request, name string, otherwise int) int {
	n, err := strconv.Atoi(r.URL.Query().Get(name))
	if err != nil {
		return otherwise
	}
	return n
}

// must is for errors that do not happen.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

// exec changes the database, and returns the new id and how many rows it was about.
func (s *shop) exec(query string, args ...any) (id, rows int64) {
	result, err := s.db.Exec(query, args...)
	must(err)
	id, _ = result.LastInsertId()
	rows, _ = result.RowsAffected()
	return id, rows
}

// rows returns the rows of a query, each as column and value. The time limit is for the
// machine that this runs on: a statement of an attacker need not end.
func (s *shop) rows(query string, args ...any) ([]map[string]any, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	found, err := s.db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = found.Close() }()
	columns, err := found.Columns()
	if err != nil {
		return nil, err
	}
	list := []map[string]any{}
	for found.Next() {
		values := make([]any, len(columns))
		into := make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := found.Scan(into...); err != nil {
			return nil, err
		}
		row := make(map[string]any, len(columns))
		for i, name := range columns {
			if text, ok := values[i].([]byte); ok {
				values[i] = string(text)
			}
			row[name] = values[i]
		}
		list = append(list, row)
	}
	return list, found.Err()
}

// row returns the first row, or nil.
func (s *shop) row(query string, args ...any) map[string]any {
	list, err := s.rows(query, args...)
	must(err)
	if len(list) == 0 {
		return nil
	}
	return list[0]
}

// all returns the rows of a query that is never wrong.
func (s *shop) all(query string, args ...any) []map[string]any {
	list, err := s.rows(query, args...)
	must(err)
	return list
}

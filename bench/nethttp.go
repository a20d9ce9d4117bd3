package main

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"

	"github.com/fastness/fastness/bench/work"
)

// maxBody is the limit of the strict form, and of what the benchmark reads.
const maxBody = 1 << 20

// NewByHand is the baseline: what an author writes with the standard library
// alone in an afternoon.
func NewByHand(t Terms) (http.Handler, error) {
	return byHand(t, func(_ http.ResponseWriter, r *http.Request, o *work.Order) error {
		return json.NewDecoder(r.Body).Decode(o)
	}), nil
}

// NewByHandStrict is the baseline of an author who also refuses another media
// type, a body over the limit, unknown members, and bytes after the value.
func NewByHandStrict(t Terms) (http.Handler, error) {
	return byHand(t, func(w http.ResponseWriter, r *http.Request, o *work.Order) error {
		if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
			return errors.New("want application/json")
		}
		decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(o); err != nil {
			return err
		}
		if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
			return errors.New("want nothing after the value")
		}
		return nil
	}), nil
}

func byHand(t Terms, read func(http.ResponseWriter, *http.Request, *work.Order) error) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /items/{id}", func(w http.ResponseWriter, r *http.Request) {
		id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
		if err != nil {
			refuse(w, http.StatusBadRequest, work.Violation{Path: "/id", Rule: "integer"})
			return
		}
		answer(w, http.StatusOK, work.Find(id, r.URL.Query().Get("q")))
	})
	place := func(w http.ResponseWriter, r *http.Request, seller string) {
		var o work.Order
		if err := read(w, r, &o); err != nil {
			refuse(w, http.StatusBadRequest, work.Violation{Path: "", Rule: "body"})
			return
		}
		if bad := o.Check(); bad != nil {
			refuse(w, http.StatusUnprocessableEntity, bad...)
			return
		}
		answer(w, http.StatusOK, work.PlaceFor(seller, &o))
	}
	mux.HandleFunc("POST /orders", func(w http.ResponseWriter, r *http.Request) { place(w, r, "") })
	mux.Handle("POST /seller/orders", newGuard(t).Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		place(w, r, sellerOf(r.Context()))
	})))
	return mux
}

type pathErrors struct {
	Errors []work.Violation `json:"errors"`
}

func refuse(w http.ResponseWriter, status int, bad ...work.Violation) {
	answer(w, status, pathErrors{bad})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // The client is gone: nobody is left to tell.
}

// PathList reads what refuse wrote.
func PathList(body []byte) ([]string, error) {
	var list pathErrors
	if err := json.Unmarshal(body, &list); err != nil {
		return nil, err
	}
	paths := make([]string, len(list.Errors))
	for i, v := range list.Errors {
		paths[i] = v.Path
	}
	return paths, nil
}

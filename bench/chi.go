package main

import (
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/go-chi/chi/v5"

	"github.com/fastness/fastness/bench/work"
)

// NewChi is chi with encoding/json and go-playground/validator, which is how
// its users most often read a body.
func NewChi(t Terms) (http.Handler, error) {
	v, err := newValidator()
	if err != nil {
		return nil, err
	}
	router := chi.NewRouter()
	router.Get("/items/{id}", func(w http.ResponseWriter, r *http.Request) {
		id, err := strconv.ParseInt(chi.URLParam(r, "id"), 10, 64)
		if err != nil {
			answer(w, http.StatusBadRequest, listed(err))
			return
		}
		answer(w, http.StatusOK, work.Find(id, r.URL.Query().Get("q")))
	})
	place := func(w http.ResponseWriter, r *http.Request, seller string) {
		var o work.Order
		if err := json.NewDecoder(r.Body).Decode(&o); err != nil {
			answer(w, http.StatusBadRequest, listed(err))
			return
		}
		if err := v.Struct(&o); err != nil {
			answer(w, http.StatusUnprocessableEntity, listed(err))
			return
		}
		answer(w, http.StatusOK, work.PlaceFor(seller, &o))
	}
	router.Post("/orders", func(w http.ResponseWriter, r *http.Request) { place(w, r, "") })
	router.With(newGuard(t).Handler).Post("/seller/orders", func(w http.ResponseWriter, r *http.Request) {
		place(w, r, sellerOf(r.Context()))
	})
	return router, nil
}

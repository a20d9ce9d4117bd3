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
func NewChi() (http.Handler, error) {
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
	router.Post("/orders", func(w http.ResponseWriter, r *http.Request) {
		var o work.Order
		if err := json.NewDecoder(r.Body).Decode(&o); err != nil {
			answer(w, http.StatusBadRequest, listed(err))
			return
		}
		if err := v.Struct(&o); err != nil {
			answer(w, http.StatusUnprocessableEntity, listed(err))
			return
		}
		answer(w, http.StatusOK, work.Place(&o))
	})
	return router, nil
}

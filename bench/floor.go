package main

import (
	"encoding/json"
	"io"
	"net/http"

	"github.com/fastness/fastness/bench/work"
)

// NewFloor is what nothing on net/http can go below: it reads the body and
// writes a constant. Its answers are right for the one request of each work
// and for no other.
func NewFloor(Terms) (http.Handler, error) {
	item, err := json.Marshal(work.Find(work.ItemID, work.ItemQuery))
	if err != nil {
		return nil, err
	}
	o, err := validOrder()
	if err != nil {
		return nil, err
	}
	receipt, err := json.Marshal(work.Place(&o))
	if err != nil {
		return nil, err
	}
	sold, err := json.Marshal(work.PlaceFor(tokenSubject, &o))
	if err != nil {
		return nil, err
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		constant := item
		if r.Method == http.MethodPost {
			constant = receipt
			if r.URL.Path == work.SellerPath {
				constant = sold
			}
			if _, err := io.Copy(io.Discard, r.Body); err != nil {
				w.WriteHeader(http.StatusBadRequest)
				return
			}
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(constant) // The client is gone: nobody is left to tell.
	}), nil
}

// validOrder is the valid body, decoded.
func validOrder() (o work.Order, err error) {
	body, err := work.Body()
	if err != nil {
		return o, err
	}
	return o, json.Unmarshal(body, &o)
}

package login

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/fastness/fastness/scan/internal/spec"
	"github.com/fastness/fastness/scan/wire"
)

// sampleRequest returns a request of an operation without a body, with what its required
// parameters may be, and how many of them are guessed.
func sampleRequest(op *spec.Operation, known map[string]string) (wire.Request, int) {
	r := wire.Request{Method: op.Method, Path: op.Path, Operation: op.ID, Header: http.Header{"Accept": {"application/json, */*;q=0.5"}}}
	guessed := 0
	query := url.Values{}
	value := func(p *spec.Param) string {
		if v := known[p.Name]; v != "" {
			return v
		}
		v, sure := sampleValue(p)
		if !sure {
			guessed++
		}
		return v
	}
	for _, p := range op.Params {
		switch {
		case p.In == "path":
			r.Path = strings.ReplaceAll(r.Path, "{"+p.Name+"}", url.PathEscape(value(p)))
		case !p.Required:
		case p.In == "query":
			query.Set(p.Name, value(p))
		case p.In == "header" && !strings.EqualFold(p.Name, "Authorization"):
			r.Header.Set(p.Name, value(p))
		}
	}
	for strings.Contains(r.Path, "{") { // A parameter that the document forgot.
		before, rest, _ := strings.Cut(r.Path, "{")
		_, after, ok := strings.Cut(rest, "}")
		if !ok {
			break
		}
		r.Path, guessed = before+"1"+after, guessed+1
	}
	r.Query = query.Encode()
	return r, guessed
}

// sampleValue returns a value of a parameter, and whether the document gives it.
func sampleValue(p *spec.Param) (string, bool) {
	lists := [][]any{p.Examples}
	if p.Schema != nil {
		if p.Schema.Default != nil {
			return fmt.Sprint(p.Schema.Default), true
		}
		lists = append(lists, p.Schema.Enum, p.Schema.Examples)
	}
	for _, list := range lists {
		if len(list) > 0 {
			return fmt.Sprint(list[0]), true
		}
	}
	switch {
	case p.Schema.Is("string") && p.Schema.Format == "uuid":
		return "00000000-0000-4000-8000-000000000001", false
	case p.Schema.Is("boolean"):
		return "true", false
	}
	return "1", false
}

package main

import (
	"net/http"
	"regexp"
	"strings"
)

// graphql answers the one or two questions that the partner's app asks. It knows no
// variables, fragments or mutations.
func (s *shop) graphql(w http.ResponseWriter, r *http.Request) {
	in := struct{ Query string }{}
	if !decode(w, r, &in) {
		return
	}
	data := map[string]any{}
	if strings.Contains(in.Query, "__schema") {
		// FLAW LK-85 (GQ-01, API8:2023, CWE-200): anybody reads the schema
		data["__schema"] = graphqlSchema()
	}
	if strings.Contains(in.Query, "__typename") {
		data["__typename"] = "Query"
	}
	for _, match := range selection.FindAllStringSubmatch(in.Query, -1) {
		alias, field := strings.TrimSuffix(match[1], ":"), match[2]
		if alias == "" {
			alias = field
		}
		// FLAW LK-86 (GQ-01, API4:2023, CWE-770): strangers ask for all users, and as often in one request as they like
		data[strings.TrimSpace(alias)] = s.graphqlList(field, strings.Fields(strings.ReplaceAll(match[3], ",", " ")))
	}
	if len(data) == 0 {
		reply(w, 400, map[string]any{"errors": []any{map[string]any{"message": "Cannot query this field on type \"Query\"."}}})
		return
	}
	reply(w, 200, map[string]any{"data": data})
}

// selection is one field with an alias or without, and what of it is wanted.
var selection = regexp.MustCompile(`(\w+\s*:)?\s*\b(users|items)\s*\{([\w\s,]*)\}`)

func (s *shop) graphqlList(field string, wanted []string) []map[string]any {
	query := "SELECT id, username, email, role FROM users ORDER BY id LIMIT 100"
	if field == "items" {
		query = "SELECT id, name, price FROM items WHERE draft = 0 ORDER BY id LIMIT 100"
	}
	list := s.all(query)
	for _, row := range list {
		for name := range row {
			if !strings.Contains(" "+strings.Join(wanted, " ")+" ", " "+name+" ") {
				delete(row, name)
			}
		}
	}
	return list
}

func graphqlSchema() map[string]any {
	object := func(name string, fields ...string) map[string]any {
		list := []any{}
		for _, field := range fields {
			list = append(list, map[string]any{"name": field, "args": []any{}, "type": map[string]any{"kind": "SCALAR", "name": "String"}})
		}
		return map[string]any{"kind": "OBJECT", "name": name, "fields": list}
	}
	return map[string]any{
		"queryType": map[string]any{"name": "Query"}, "mutationType": nil,
		"types": []any{object("Query", "users", "items"), object("User", "id", "username", "email", "role"), object("Item", "id", "name", "price")},
	}
}

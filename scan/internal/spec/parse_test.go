package spec

import (
	"encoding/json"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func parsed(t *testing.T, text string, config ParseConfig) *API {
	t.Helper()
	api, err := Parse([]byte(text), config)
	if err != nil {
		t.Fatal(err)
	}
	return api
}

func parsedFile(t *testing.T, name string) *API {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return parsed(t, string(data), ParseConfig{Source: name})
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s is %#v, not %#v", what, got, want)
	}
}

func complains(t *testing.T, api *API, where, what string) {
	t.Helper()
	if !slices.ContainsFunc(api.Complaints, func(c Complaint) bool { return c.Where == where && strings.Contains(c.What, what) }) {
		t.Errorf("no complaint of %q at %q in %q", what, where, api.Complaints)
	}
}

func TestASloppyDocumentIsUnderstood(t *testing.T) {
	api := parsedFile(t, "sloppy.yaml")
	var list []string
	for _, o := range api.Operations {
		list = append(list, o.ID+" "+o.String())
	}
	equal(t, "the operations", list, []string{
		"get_users_userId GET /api/v2/users/{userId}",
		"saveUser PUT /api/v2/users/{userId}",
		"saveUser_2 DELETE /api/v2/users/{userId}",
		"get_users_id_cars_car GET /api/v2/users/{id}/cars/{car}",
		"post_users_userId_cars_car_keys POST /api/v2/users/{userId}/cars/{car}/keys",
		"get_users_userId_cars_car_keys GET /api/v2/users/{userId}/cars/{car}/keys",
		"a POST /api/v2/search", "b POST /api/v2/search",
	})
	equal(t, "the version", api.Version, "2")
	get, put, del, car, key := api.Operations[0], api.Operations[1], api.Operations[2], api.Operations[3], api.Operations[4]
	equal(t, "the renamed parameter", get.Param("path", "userId").Schema.Types, []string{"integer"})
	equal(t, "the overridden parameter", get.Param("query", "verbose").Schema.Enum, []any{"all", "none"})
	equal(t, "the parameters", len(get.Params), 2)
	equal(t, "the answer by default", get.Answer(500).Media[0].Schema.Name, "Problem")
	equal(t, "the answer of a class", get.Answer(404), get.Answers["4XX"])
	equal(t, "NeedsLogIn", []bool{get.NeedsLogIn(), del.NeedsLogIn(), del.Secured, car.NeedsLogIn()}, []bool{true, false, true, true})
	var media []string
	for _, m := range put.Body.Media {
		media = append(media, m.Type)
	}
	equal(t, "the order of media", media, []string{"application/json", "application/x-www-form-urlencoded", "multipart/form-data", "text/plain"})
	equal(t, "the example", put.Body.Media[0].Examples, []any{map[string]any{"id": json.Number("7"), "name": "Ann"}})
	equal(t, "parameters", []bool{car.Param("path", "id") != nil, car.Param("path", "car") != nil, car.Param("path", "extra") == nil, car.Param("header", "Authorization") == nil, car.Param("query", "unplaced") != nil}, []bool{true, true, true, true, true})
	equal(t, "the query of the path", key.Param("query", "format").Examples, []any{"json"})
	equal(t, "the body without a type", []any{key.Body.Media[0].Type, key.Body.Media[0].Schema.Nullable, *key.Body.Media[0].Schema.Minimum}, []any{"application/json", true, 3.0})
	equal(t, "schemes", []any{*api.Schemes["bearer"], *api.Schemes["key"], api.Schemes["login"].TokenURL}, []any{Scheme{Type: "http", Scheme: "bearer"}, Scheme{Type: "apiKey", In: "header", Name: "X-Key"}, "/token"})
	complains(t, api, "/paths/~1users~1{userId}/delete", "saveUser is there twice")
	complains(t, api, "/paths/users~1<int:id>~1cars~1:car/get", "no parameter extra")
	complains(t, api, "/paths/~1users~1{userId}/put/responses/200", "leads nowhere")
	complains(t, api, "/components/schemas/User Full/allOf/1/properties/near", "/components/schemas/Problem is used")
}

func TestSchemasAreMerged(t *testing.T) {
	s := parsedFile(t, "sloppy.yaml").Schemas["User Full"]
	equal(t, "names", s.Names, []string{"id", "name", "boss", "friends", "role", "lost", "near", "any", "maybe"})
	equal(t, "required", s.Required, []string{"id", "name"})
	id := s.Properties["id"]
	equal(t, "id", []any{id.Types, *id.Minimum, id.ExclusiveMin, s.Closed}, []any{[]string{"integer"}, 1.0, true, true})
	equal(t, "name", []any{s.Properties["name"].Nullable, *s.Properties["name"].MaxLength}, []any{true, 10})
	if s.Properties["boss"] != s {
		t.Error("a reference is not the schema itself")
	}
	friend := s.Properties["friends"].Items
	equal(t, "a reference with nullable beside it", []any{friend.Nullable, friend.Properties["boss"] == s, s.Nullable}, []any{true, true, false})
	equal(t, "role", []any{s.Properties["role"].Enum, s.Properties["role"].Nullable}, []any{[]any{"user", "admin"}, true})
	equal(t, "maybe", []any{s.Properties["maybe"].Types, s.Properties["maybe"].Nullable, len(s.Properties["maybe"].AnyOf)}, []any{[]string{"integer"}, true, 0})
}

func TestSwagger2IsUnderstood(t *testing.T) {
	api := parsedFile(t, "swagger.json")
	list, post, picture, login := api.Operations[0], api.Operations[1], api.Operations[2], api.Operations[3]
	equal(t, "the base", api.Bases, []string{"/v1", ""})
	equal(t, "paths", []string{list.String(), picture.String()}, []string{"GET /v1/pets", "POST /v1/pets/{id}/picture"})
	equal(t, "limit", *list.Param("query", "limit").Schema.Maximum, 100.0)
	equal(t, "explode", []bool{list.Param("query", "tags").Explode, list.Param("query", "ids").Explode}, []bool{true, false})
	equal(t, "the answer", []any{list.Result().Items.Name, list.Answer(200).Media[0].Examples}, []any{"Pet", []any{[]any{map[string]any{"id": json.Number("1")}}}})
	equal(t, "the body", []any{post.Body.Required, post.Body.Media[0].Type, post.Body.Media[0].Schema.Name, post.NeedsLogIn()}, []any{true, "application/json", "Pet", false})
	file := picture.Body.Of("multipart/form-data").Schema
	equal(t, "the form", []any{file.Names, file.Required, file.Properties["file"].Format}, []any{[]string{"file", "title"}, []string{"file"}, "binary"})
	equal(t, "the other form", login.Body.Media[0].Type, "application/x-www-form-urlencoded")
	equal(t, "password grant", api.Schemes["login"].TokenURL, "https://other.example/token")
	equal(t, "nullable", []any{api.Schemas["Pet"].Properties["owner"].Nullable, api.Schemas["Pet"].Discriminator}, []any{true, "kind"})
	complains(t, api, "", "it is not JSON")
}

func TestLinksAndAnchors(t *testing.T) {
	api := parsedFile(t, "links.json")
	links := api.Operations[0].Answer(201).Links
	equal(t, "links", links, []Link{
		{Operation: "get_orders_id", Parameters: map[string]string{"id": "$response.body#/id"}},
		{Operation: "pay", Parameters: map[string]string{"id": "$response.body#/id"}},
	})
	get := api.Operations[1]
	equal(t, "the anchor", get.Param("path", "id").Schema.Format, "uuid")
	pointer, element := get.Result().List()
	equal(t, "the list", []any{pointer, element.Names}, []any{"/items", []string{"sku"}})
	var fields []string
	for _, f := range get.Result().Fields() {
		fields = append(fields, f.Pointer)
	}
	equal(t, "fields", fields, []string{"/items", "/items/0/sku", "/next"})
}

func TestBasesAreGuessed(t *testing.T) {
	for _, test := range []struct {
		name, source, head string
		want               []string
	}{
		{"none", "", "", []string{""}},
		{"a slash", "", "servers: [{url: /}]", []string{""}},
		{"relative to the document", "http://h/app/docs/openapi.json", "servers: [{url: ../v1}]", []string{"/app/v1", "", "/app/docs"}},
		{"only the document", "http://h/app/openapi.json", "", []string{"", "/app"}},
		{"our host first", "http://h/openapi.json", "servers: [{url: 'https://prod/a'}, {url: 'http://h/b'}]", []string{"/b", "/a", ""}},
		{"already in the paths", "", "servers: [{url: /x}]", []string{"", "/x"}},
		{"a variable in the path", "", "servers: [{url: 'https://{h}/{v}/q', variables: {v: {default: one, enum: [two]}}}]", []string{"/one/q", "/two/q", ""}},
		{"no default", "", "servers: [{url: '/{tenant}/q'}]", []string{""}},
		{"one server, not a list", "", "servers: {url: /y}", []string{"/y", ""}},
		{"Swagger", "", "swagger: 2.0\nbasePath: y/", []string{"/y", ""}},
	} {
		t.Run(test.name, func(t *testing.T) {
			api := parsed(t, test.head+"\npaths: {/x/a: {get: {}}}", ParseConfig{Source: test.source})
			equal(t, "the bases", api.Bases, test.want)
			equal(t, "the path", api.Operations[0].Path, test.want[0]+"/x/a")
		})
	}
}

func TestRebase(t *testing.T) {
	api := parsed(t, "servers: [{url: /v1}]\npaths: {/a: {get: {}}, /b: {servers: [{url: /own}], get: {}}}", ParseConfig{})
	api.Operations = append(api.Operations, &Operation{Method: "GET", Path: "/v1/found", Found: "by a link"})
	api.Rebase("/")
	var got []string
	for _, o := range api.Operations {
		got = append(got, o.Path)
	}
	equal(t, "the paths", got, []string{"/a", "/own/b", "/v1/found"})
}

func TestNoDocumentIsAnError(t *testing.T) {
	for _, text := range []string{"", "hello", "<html></html>", "[1]", "{}", `{"a":`, "name: workflow", "\x00"} {
		if api, err := Parse([]byte(text), ParseConfig{}); err == nil {
			t.Errorf("%q is a document: %+v", text, api)
		}
	}
}

func TestBrokenSyntaxIsForgiven(t *testing.T) {
	for name, text := range map[string]string{
		"a byte order mark":      "\xef\xbb\xbf{\"paths\":{\"/a\":{\"get\":{}}}}",
		"a trailing comma":       "{\"paths\":{\"/a\":{\"get\":{},},},}",
		"tabs":                   "paths:\n\t/a:\n\t\tget:\n\t\t\tsummary: x\n",
		"it ends in the middle":  "{\"paths\":{\"/a\":{\"get\":{}, \"put\":{\"summ",
		"bytes of Latin-1":       "paths:\n  /a:\n    get: {summary: caf\xe9}\n",
		"an envelope":            "{\"data\":{\"openapi\":\"3.0.0\",\"paths\":{\"/a\":{\"get\":{}}}}}",
		"the path is there once": "{\"paths\":{\"/a\":{\"get\":{}},\"/a\":{\"summary\":\"x\"}}}",
		"anchors and merge keys": "x: &x {get: {summary: y}}\npaths: {/a: {<<: *x}}",
	} {
		t.Run(name, func(t *testing.T) {
			api := parsed(t, text, ParseConfig{})
			if api.Find("GET", "/a") == nil {
				t.Errorf("no operation in %+v", api)
			}
		})
	}
}

func TestFilesAndTheirTypesAreSeen(t *testing.T) {
	api := parsed(t, `{"openapi":"3.1.0","info":{"title":"t","version":"1"},"paths":{"/p":{"put":{"requestBody":{"content":{"multipart/form-data":{
		"schema":{"type":"object","properties":{
			"a":{"type":"string","contentMediaType":"application/octet-stream"},"b":{"type":"string","contentMediaType":"image/png","contentEncoding":"base64"},
			"c":{"type":"string","contentMediaType":"application/json"},"d":{"type":"string"}}},
		"encoding":{"a":{"contentType":"image/png, image/gif"}}}}},"responses":{"204":{"description":"done"}}}}}}`, ParseConfig{})
	m := api.Operations[0].Body.Media[0]
	equal(t, "the types of parts", m.Encoding, map[string]string{"a": "image/png, image/gif"})
	for name, want := range map[string]string{"a": "binary", "b": "byte", "c": "", "d": ""} {
		equal(t, "the format of "+name, m.Schema.Properties[name].Format, want)
	}
}

package discover

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/fastness/fastness/scan/wire"
)

const document = `{"openapi":"3.0.3","info":{"title":"t","version":"1"},"paths":{"/a":{"get":{"responses":{"200":{"description":"ok"}}}}}}`

func TestTheDocumentIsFoundWhereItIs(t *testing.T) {
	for name, c := range map[string]struct {
		base, want string
		serve      map[string]string // by path; those that begin with < are pages
	}{
		"at the usual place":    {want: "/openapi.json", serve: map[string]string{"/openapi.json": document}},
		"under the base":        {base: "/api/v3", want: "/api/v3/swagger.json", serve: map[string]string{"/api/v3/swagger.json": document}},
		"as YAML":               {want: "/openapi.yaml", serve: map[string]string{"/openapi.yaml": "openapi: 3.1.0\ninfo: {title: t}\npaths:\n  /a: {get: {}}\n"}},
		"named by Swagger UI":   {want: "/hidden/doc", serve: map[string]string{"/docs": `<script>SwaggerUIBundle({url: "/hidden/doc", dom_id: '#x'})</script>`, "/hidden/doc": document}},
		"named by ReDoc":        {want: "/hidden/doc", serve: map[string]string{"/redoc": `<redoc spec-url='/hidden/doc'></redoc>`, "/hidden/doc": document}},
		"named by Scalar":       {want: "/hidden/doc", serve: map[string]string{"/docs": `<script id="api-reference" data-url="hidden/doc"></script>`, "/hidden/doc": document}},
		"in the initializer":    {want: "/swagger/x.json", serve: map[string]string{"/swagger/index.html": `<script src="./swagger-initializer.js"></script>`, "/swagger/swagger-initializer.js": `ui({"urls":[{"url":"x.json"}]})`, "/swagger/x.json": document}},
		"inside of the script":  {want: "/api-docs/swagger-ui-init.js", serve: map[string]string{"/api-docs/": `<script src="./swagger-ui-init.js"></script>`, "/api-docs/swagger-ui-init.js": `var options = {"swaggerDoc": ` + document + `, "customOptions": {}};`}},
		"in the catalogue":      {want: "/x/doc", serve: map[string]string{"/.well-known/api-catalog": `{"linkset":[{"anchor":"/","service-desc":[{"href":"/x/doc","type":"application/json"}]}]}`, "/x/doc": document}},
		"not on another host":   {want: "", serve: map[string]string{"/docs": `<redoc spec-url='http://127.0.0.2:1/doc'></redoc>`}},
		"not a page that names": {want: "", serve: map[string]string{"/openapi.json": `<p>openapi swagger</p>`}},
	} {
		t.Run(name, func(t *testing.T) {
			send := target(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				text, ok := c.serve[r.URL.Path]
				if !ok {
					http.NotFound(w, r)
					return
				}
				if strings.HasPrefix(text, "<") {
					w.Header().Set("Content-Type", "text/html")
				}
				fmt.Fprint(w, text)
			}))
			got := Documents(t.Context(), send, c.base)
			if c.want == "" && len(got) == 0 {
				return
			}
			if len(got) != 1 || got[0].Path != c.want || got[0].Paths != 1 {
				t.Errorf("found %+v, want %s", got, c.want)
			}
		})
	}
}

func TestMissingFieldsAreReadFromErrors(t *testing.T) {
	for body, want := range map[string]string{
		`{"detail":[{"type":"missing","loc":["query","q"],"msg":"Field required"},{"type":"missing","loc":["body","user","name"],"msg":"Field required"}]}`: "query:q body:user.name",
		`{"email":["This field is required."],"age":["A valid integer is required."]}`:                                                                      ":age :email",
		`{"errors":[{"type":"field","msg":"is required","path":"email","location":"body"}]}`:                                                                "body:email",
		`{"errors":[{"field":"name","defaultMessage":"must not be blank"}]}`:                                                                                ":name",
		`{"title":"Bad Request","errors":[{"pointer":"#/email","detail":"is required"}]}`:                                                                   ":email",
		`{"message":"Required request parameter 'page' for method parameter type int is not present"}`:                                                      "request:page",
		`{"error":"username is required"}`:                ":username",
		`{"message":"'password' is a required property"}`: ":password",
		`missing query parameter "token"`:                 "query:token",
		`{"error":"invalid JSON"}`:                        "",
		`{"message":"Authentication is required"}`:        "",
		`[{"instancePath":"","keyword":"required","message":"must have required property 'sku'"}]`: ":sku",
	} {
		ex := &wire.Exchange{Status: 422, Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(body)}
		if !strings.HasPrefix(body, "{") && !strings.HasPrefix(body, "[") {
			ex.Header = http.Header{}
		}
		var got []string
		for _, f := range Missing(ex) {
			in := f.In
			if strings.Contains(body, "request parameter") {
				in = "request"
			}
			got = append(got, in+":"+f.Name)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s\ngave %q, want %q", body, got, want)
		}
	}
}

func TestScriptsNameWhatTheyCall(t *testing.T) {
	for text, want := range map[string]string{
		"fetch('/api/items')":                            "GET /api/items",
		"fetch(`/api/items/${id}?x=${y}`)":               "GET /api/items/{id}",
		`axios.put("/api/users/" + userId + "/mail", d)`: "PUT /api/users/{userId}/mail",
		`$.ajax({url: '/api/x', type: 'POST'})`:          "POST /api/x",
		`x.open("DELETE", "/api/y/" + id)`:               "DELETE /api/y/{id}",
		`const route = "/api/orders/:orderId"`:           "GET /api/orders/{orderId}",
		`http.get("https://elsewhere.example/api/x")`:    "",
		`const css = "/static/v1/app.css"`:               "",
		`fetch(base + "/x")`:                             "GET /x",
		`let u = "/v2/x", m = 1/2/3`:                     "GET /v2/x",
	} {
		f := newFinder(Config{})
		f.origin = "http://127.0.0.1"
		f.fromScript(text, "/", "/app.js")
		var got []string
		for _, r := range f.refs {
			got = append(got, r.method+" "+r.path)
		}
		slices.Sort(got)
		if want == "" && len(got) == 0 {
			continue
		}
		if !slices.Contains(got, want) {
			t.Errorf("%s\nnames %q, want %q", text, got, want)
		}
	}
}

// FuzzHarvest reads answers of a hostile target.
func FuzzHarvest(f *testing.F) {
	f.Add("text/html", page)
	f.Add("text/javascript", app)
	f.Add("application/json", `{"next":"/x?y=1","a":[{"href":"//b/{?c}"}]}`)
	f.Add("text/plain", "missing field 'x' is required")
	f.Fuzz(func(t *testing.T, media, text string) {
		d := newFinder(Config{})
		d.origin = "http://127.0.0.1"
		ex := &wire.Exchange{Status: 400, Request: wire.Request{Method: "GET", Path: "/robots.txt"}, Header: http.Header{"Content-Type": {media}, "Link": {text}}, Body: []byte(text)}
		d.harvest(ex)
		Missing(ex)
		lookOf(ex)
		for _, r := range d.refs {
			if !strings.HasPrefix(r.path, "/") || strings.HasPrefix(r.path, "//") {
				t.Fatalf("leads to %q", r.path)
			}
		}
		for _, g := range d.groups() {
			completePath(g.operation())
		}
	})
}

package discover

import (
	"slices"
	"strings"
	"testing"
)

func scriptRefs(text string) (out []string) {
	f := newFinder(Config{})
	f.origin = "http://127.0.0.1"
	f.fromScript(text, "/", "/app.js")
	for _, r := range f.refs {
		line := r.method + " " + r.path
		if r.query != "" {
			line += "?" + r.query
		}
		var fields []string
		for _, one := range r.fields {
			fields = append(fields, one.name)
		}
		if len(fields) > 0 {
			line += " " + r.media + " " + strings.Join(fields, ",")
		}
		out = append(out, line)
	}
	slices.Sort(out)
	return out
}

func TestCallsThroughFunctionsOfAScriptAreNamed(t *testing.T) {
	for text, want := range map[string][]string{
		"const api = (path, opts) => fetch('/api/' + path, opts);\napi('boats'); api(`boats/${b.id}`); api('boat.php?id=' + b.id)": {
			"GET /api/boat.php?id=1", "GET /api/boats", "GET /api/boats/{id}"},
		"const BASE = '/rest/v3';\nasync function send(method, url, data) {\n  return fetch(`${BASE}${url}`, { method, body: JSON.stringify(data) });\n}\nsend('PUT', '/boats/' + id, { name: n, sails: 2 });": {
			"PUT /rest/v3/boats/{id} application/json name,sails"},
		"const api = (p, o) => fetch('/api/' + p, Object.assign({}, o));\nconst form = data => ({ method: 'POST', body: new URLSearchParams(data) });\nfunction sail(id) { return api('sail.php', form({ id: id, to: 'x' })); }": {
			"POST /api/sail.php application/x-www-form-urlencoded id,to"},
		"const client = axios.create({ timeout: 5000, baseURL: '/api/v1/' });\nclient.get('boats'); client.post('/boats', { name: x });": {
			"GET /api/v1/boats", "POST /api/v1/boats application/json name"},
		"axios.defaults.baseURL = '/backend';\naxios.delete('/boats/' + id)": {"DELETE /backend/boats/{id}"},
		"class Api {\n  request(method, path) { return fetch('/v2' + path, { method: method }); }\n  get(path) { return this.request('GET', path); }\n}\nnew Api().get('/boats')": {
			"GET /v2/boats"},
		"function call(verb, path, done) {\n var x = new XMLHttpRequest(); x.open(verb, '/svc/' + path); x.send();\n}\ncall('DELETE', 'boats/' + id, f)": {
			"DELETE /svc/boats/{id}"},
	} {
		got := scriptRefs(text)
		for _, w := range want {
			if !slices.Contains(got, w) {
				t.Errorf("%s\nnames %q, want %q", text, got, w)
			}
		}
	}
}

func TestWhatOnlyLooksLikeACallOfTheAPIIsNotNamed(t *testing.T) {
	for _, text := range []string{
		"const cache = new Map(); cache.get('boats'); form.get('name')",
		"function show(path) { console.log('/api/' + path) }\nshow('boats')",
		"const client = axios.create({ baseURL: '/api' }); client.post('/boats')\nif (x) { y('boats') }",
		"const t = key => table[key]; t('boats')",
	} {
		for _, r := range scriptRefs(text) {
			if !strings.HasPrefix(r, "POST /api/boats") && r != "GET /api/" && r != "GET /api" {
				t.Errorf("%s\nnames %s", text, r)
			}
		}
	}
}

func FuzzScript(f *testing.F) {
	f.Add("const api = (path, o) => fetch('/api/' + path, o); api('x/' + y, { method: 'POST' })")
	f.Add("function a(m,p){return fetch(`${B}${p}`,{method:m})} const b = p => a('GET', p); b(`/x/${y}?z=${q}`)")
	f.Add("x = axios.create({baseURL: '/v1'}); x.get(((((\"")
	f.Fuzz(func(_ *testing.T, text string) { scriptRefs(text) })
}

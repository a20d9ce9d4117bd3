package probe

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strings"

	"github.com/fastness/fastness/scan/wire"
)

// Request returns the case as it is sent, without credentials.
func (c *Case) Request() wire.Request {
	r := wire.Request{Method: c.Op.Method, Operation: c.Op.ID, Header: http.Header{"Accept": {"application/json, */*;q=0.5"}}}
	r.Path = c.path()
	r.Query = c.query()
	for _, name := range slices.Sorted(maps.Keys(c.Header)) {
		r.Header.Set(name, Text(c.Header[name]))
	}
	var cookies []string
	for _, name := range slices.Sorted(maps.Keys(c.Cookie)) {
		cookies = append(cookies, name+"="+Text(c.Cookie[name]))
	}
	if len(cookies) > 0 {
		r.Header.Set("Cookie", strings.Join(cookies, "; "))
	}
	if c.Media != "" {
		body, media := c.encode()
		r.Body = body
		r.Header.Set("Content-Type", media)
	}
	return r
}

// Raw is a value of a path or query that is sent without being escaped.
type Raw string

// Text returns a value as parameters write it.
func Text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case Raw:
		return string(v)
	case json.Number:
		return v.String()
	case float64:
		return strings.TrimSuffix(fmt.Sprintf("%.10g", v), ".0")
	case []any:
		parts := make([]string, len(v))
		for i, e := range v {
			parts[i] = Text(e)
		}
		return strings.Join(parts, ",")
	case map[string]any:
		text, _ := json.Marshal(v) // Values of a case are those of JSON.
		return string(text)
	}
	return fmt.Sprint(v)
}

func (c *Case) path() string {
	var b strings.Builder
	rest := c.Op.Path
	for {
		before, after, found := strings.Cut(rest, "{")
		name, tail, closed := strings.Cut(after, "}")
		if !found || !closed {
			b.WriteString(rest)
			return b.String()
		}
		b.WriteString(before)
		name, _, _ = strings.Cut(strings.TrimSuffix(name, "..."), ":")
		switch v, ok := c.Path[name]; v := v.(type) {
		case Raw:
			b.WriteString(string(v))
		default:
			text := Text(v)
			if !ok || text == "" {
				text = "1"
			}
			b.WriteString(url.PathEscape(text))
		}
		rest = tail
	}
}

func (c *Case) query() string {
	var parts []string
	add := func(name, value string) { parts = append(parts, url.QueryEscape(name)+"="+value) }
	for _, name := range slices.Sorted(maps.Keys(c.Query)) {
		p := c.Op.Param("query", name)
		switch v := c.Query[name].(type) {
		case Raw:
			add(name, string(v))
		case []any:
			if p != nil && !p.Explode {
				add(name, url.QueryEscape(Text(v)))
				continue
			}
			for _, e := range v {
				add(name, url.QueryEscape(Text(e)))
			}
		case map[string]any:
			for _, key := range slices.Sorted(maps.Keys(v)) {
				if p == nil || p.Style == "deepObject" {
					add(name+"["+key+"]", url.QueryEscape(Text(v[key])))
				} else {
					add(key, url.QueryEscape(Text(v[key])))
				}
			}
		default:
			add(name, url.QueryEscape(Text(v)))
		}
	}
	return strings.Join(parts, "&")
}

func (c *Case) encode() (body []byte, media string) {
	fields, _ := c.Body.(map[string]any)
	switch {
	case c.Media == "application/x-www-form-urlencoded":
		form := url.Values{}
		for name, v := range fields {
			if list, ok := v.([]any); ok {
				for _, e := range list {
					form.Add(name, Text(e))
				}
				continue
			}
			form.Set(name, Text(v))
		}
		return []byte(form.Encode()), c.Media
	case c.Media == "multipart/form-data":
		return encodeParts(fields)
	case strings.HasSuffix(c.Media, "json"):
		return EncodeJSON(c.Body), c.Media
	}
	switch v := c.Body.(type) {
	case []byte:
		return v, c.Media
	case File:
		return v.Content, c.Media
	case string:
		return []byte(v), c.Media
	}
	return EncodeJSON(c.Body), c.Media
}

// EncodeJSON returns a value as JSON, without escaping what is harmless in JSON.
func EncodeJSON(v any) []byte {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// boundary stands between parts. It is the same in each request, so that a scan repeats
// itself.
const boundary = "fastness-scan-a6f2d5c1b8e94703"

func encodeParts(fields map[string]any) (body []byte, media string) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	_ = w.SetBoundary(boundary) // It is a valid one.
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		values, ok := fields[name].([]any)
		if !ok {
			values = []any{fields[name]}
		}
		for _, v := range values {
			writePart(w, name, v)
		}
	}
	_ = w.Close() // It writes to memory, as all before.
	return b.Bytes(), w.FormDataContentType()
}

func writePart(w *multipart.Writer, name string, v any) {
	head := textproto.MIMEHeader{}
	disposition := `form-data; name="` + name + `"`
	content := []byte(Text(v))
	if file, ok := v.(File); ok {
		disposition += `; filename="` + file.Name + `"`
		head.Set("Content-Type", file.Type)
		content = file.Content
	}
	head.Set("Content-Disposition", disposition)
	if part, err := w.CreatePart(head); err == nil {
		_, _ = part.Write(content)
	}
}

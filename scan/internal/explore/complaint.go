package explore

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/internal/value"
	"github.com/fastness/fastness/scan/wire"
)

// complaint is what an answer says is wrong with a place of the request.
type complaint struct {
	in      string // path, query, header, cookie, body, or empty
	name    string // names from the outside in, with slashes between; empty if unknown
	message string
}

// maxComplaints of an answer that are heeded.
const maxComplaints = 40

// complaints reads what an answer says is wrong, in the forms of common frameworks:
// lists of objects with a place and a message, objects of messages by field, and text.
func complaints(ex *wire.Exchange) []complaint {
	var out []complaint
	v, ok := probe.Decode(ex)
	if !ok {
		text := ex.Text()
		if strings.Contains(ex.Media(), "html") {
			text = tag.ReplaceAllString(text, " ")
		}
		return fromText(text)
	}
	out = appendComplaints(out, v, "", false, 0)
	if len(out) == 0 {
		if text, ok := v.(string); ok {
			out = fromText(text)
		}
	}
	return out[:min(len(out), maxComplaints)]
}

// tag is a tag of HTML.
var tag = regexp.MustCompile(`<[^>]*>`)

// isPlace reports whether a member of an error says where it is.
func isPlace(name string) bool {
	switch strings.ToLower(name) {
	case "loc", "field", "path", "param", "name", "property", "location", "instancepath", "datapath", "pointer", "key", "attribute", "fieldname", "field_name", "propertypath", "property_path", "parameter", "source", "instancelocation", "argument", "member", "propertyname":
		return true
	}
	return false
}

// isMessage reports whether a member of an error says what is wrong.
func isMessage(name string) bool {
	switch strings.ToLower(name) {
	case "msg", "message", "defaultmessage", "reason", "detail", "error", "description", "title", "messages", "constraint", "errormessage", "error_message", "constraints", "what", "code", "keyword", "type", "rule", "expected", "errors":
		return true
	}
	return false
}

// isGeneral reports whether a member of an answer is about all of it, and no field.
func isGeneral(name string) bool {
	if isMessage(name) {
		return true
	}
	switch strings.ToLower(name) {
	case "error", "errors", "message", "messages", "detail", "details", "title", "status", "statuscode", "status_code", "code", "type", "instance", "timestamp", "path", "success", "data", "violations", "invalid-params", "invalid_params", "invalidparams", "fielderrors", "field_errors", "validation_errors", "validationerrors", "non_field_errors", "trace", "traceid", "requestid", "method", "ok", "result", "body", "json", "query", "issues", "problems", "name", "formerrors", "fault", "exception", "validation":
		return true
	}
	return false
}

// appendComplaints adds those below v. Field is what they are about; fields reports whether
// the members of v are fields, as those of "errors" are.
func appendComplaints(out []complaint, v any, field string, fields bool, depth int) []complaint {
	if depth > 6 || len(out) > maxComplaints {
		return out
	}
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			out = appendComplaints(out, e, field, false, depth+1)
		}
	case map[string]any:
		if c, ok := placed(v); ok {
			return append(out, c)
		}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if name == "input" || name == "url" || name == "stack" || name == "rejectedValue" {
				continue
			}
			inner, below := field, holdsFields(name)
			if !below && (fields || !isGeneral(name) || isTexts(v[name]) && !strings.HasPrefix(name, "non_field")) {
				inner = strings.TrimPrefix(field+"/"+name, "/")
			}
			out = appendComplaints(out, v[name], inner, below && !isScalar(v[name]), depth+1)
		}
	case string:
		if field != "" {
			return append(out, complaint{name: strings.ReplaceAll(field, ".", "/"), message: v})
		}
		return append(out, fromText(v)...)
	}
	return out
}

// holdsFields reports whether the members of a member of an error are fields.
func holdsFields(name string) bool {
	switch strings.ToLower(name) {
	case "error", "errors", "fields", "fielderrors", "field_errors", "validation_errors", "validationerrors", "detail", "details", "message", "messages", "violations", "invalid_params":
		return true
	}
	return false
}

// isTexts reports whether a value is a list of texts, and nothing else.
func isTexts(v any) bool {
	l, ok := v.([]any)
	return ok && len(l) > 0 && !slices.ContainsFunc(l, func(e any) bool { _, text := e.(string); return !text })
}

// placed reads an error that says where it is, and what.
func placed(m map[string]any) (complaint, bool) {
	var c complaint
	for _, name := range slices.Sorted(maps.Keys(m)) {
		switch v := m[name].(type) {
		case []any:
			if isPlace(name) && strings.ToLower(name) != "source" && c.name == "" {
				var parts []string
				for _, e := range v {
					if !isScalar(e) {
						return c, false
					}
					parts = append(parts, probe.Text(e))
				}
				c.in, c.name = cutPlace(strings.Join(parts, "/"))
			}
		case map[string]any:
			if inner := probe.Lookup(v, "/pointer"); strings.EqualFold(name, "source") && inner != nil {
				c.in, c.name = cutPlace(probe.Text(inner))
			} else if inner := probe.Lookup(v, "/parameter"); strings.EqualFold(name, "source") && inner != nil {
				c.in, c.name = "query", probe.Text(inner)
			} else if isMessage(name) {
				for _, e := range sortedValues(v) {
					c.message += " " + probe.Text(e)
				}
			}
			if name == "ctx" || name == "params" || name == "constraints" {
				for _, key := range slices.Sorted(maps.Keys(v)) {
					c.message += " " + key + " " + probe.Text(v[key])
				}
				if missing := v["missingProperty"]; missing != nil {
					c.name = strings.Trim(c.name+"/"+probe.Text(missing), "/")
				}
			}
		case string:
			switch {
			case isPlace(name) && v != "" && len(v) < 100 && !strings.Contains(v, " "):
				if strings.EqualFold(name, "location") && slices.Contains([]string{"body", "query", "params", "headers", "cookies"}, v) {
					c.in = map[string]string{"params": "path", "headers": "header", "cookies": "cookie", "body": "body", "query": "query"}[v]
				} else if c.name == "" || !strings.EqualFold(name, "name") {
					in, at := cutPlace(v)
					c.name = at
					if in != "" {
						c.in = in
					}
				}
			case isMessage(name):
				c.message += " " + v
			}
		}
	}
	c.message = strings.TrimSpace(c.message)
	if c.name == "" && c.message != "" && c.in == "body" { // FastAPI: all of the body is missing.
		return c, true
	}
	return c, c.name != "" && c.message != ""
}

func sortedValues(m map[string]any) []any {
	var out []any
	for _, name := range slices.Sorted(maps.Keys(m)) {
		out = append(out, m[name])
	}
	return out
}

// cutPlace splits the kind of place from the front of a name.
func cutPlace(at string) (in, name string) {
	at = strings.TrimPrefix(strings.TrimPrefix(at, "#"), "$")
	at = strings.ReplaceAll(strings.ReplaceAll(strings.ReplaceAll(at, "[", "/"), "]", ""), ".", "/")
	at = strings.Trim(at, "/")
	first, rest, _ := strings.Cut(at, "/")
	switch strings.ToLower(first) {
	case "body", "query", "path", "header", "cookie":
		return strings.ToLower(first), rest
	case "params":
		return "path", rest
	case "data": // JSON:API
		if cut, ok := strings.CutPrefix(rest, "attributes/"); ok {
			return "body", cut
		}
	}
	return "", at
}

// sentences finds the fields that a sentence is about. What stands in quotes is one, or what
// stands where such sentences have it.
var sentences = [...]*regexp.Regexp{
	regexp.MustCompile("(?i)(?:field|parameter|param|property|key|attribute|member|argument|value for|column|header)s?:? [\"'`“‘]?([A-Za-z_][\\w.\\[\\]-]*)[\"'`”’]?"),
	regexp.MustCompile("[\"'`“‘]([A-Za-z_][\\w.\\[\\]-]*)[\"'`”’] (?:is|are|must|should|cannot|can't|may|was|has|field|parameter|property|does)"),
	regexp.MustCompile("(?i)(?:missing|require[sd]?|invalid|provide(?: an?| the)?|unknown|unexpected|unrecognized|enter(?: an?| the)?|specify(?: an?| the)?|no)(?: field| parameter| value| key| property|s| for)*:? [\"'`“‘]?([A-Za-z_][\\w.\\[\\]-]*)[\"'`”’]?"),
	regexp.MustCompile(`([A-Za-z_][\w.\[\]-]*) (?:is|are|must|should|cannot|can't|may not|has to|was not|not|needs|required|missing|field|too|length|does)\b`),
}

// list is an enumeration of fields: "a, b and c are required".
var list = regexp.MustCompile("(?i)((?:[\"'`]?[A-Za-z_][\\w.-]*[\"'`]?,? ?(?:and |or |& )?)+)(?:is|are|were|must|fields|not)?\\s*(?:is |are |be )?(?:required|missing|mandatory|provided)")

// fromText reads complaints out of sentences.
func fromText(text string) []complaint {
	var out []complaint
	for sentence := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == '\n' || r == ';' }) {
		sentence = strings.TrimSpace(sentence)
		if len(sentence) < 4 || len(sentence) > 600 {
			continue
		}
		found := map[string]bool{}
		add := func(name string) {
			if name = strings.Trim(name, ".-[]"); !found[name] && !isFiller(name) {
				found[name] = true
				out = append(out, complaint{name: strings.ReplaceAll(name, ".", "/"), message: sentence})
			}
		}
		for _, m := range list.FindAllStringSubmatch(sentence, -1) {
			for _, word := range strings.FieldsFunc(m[1], func(r rune) bool { return strings.ContainsRune(" ,\"'`&", r) }) {
				add(word)
			}
		}
		if len(found) > 0 {
			continue
		}
		for _, re := range sentences {
			for _, m := range re.FindAllStringSubmatch(sentence, -1) {
				add(m[1])
			}
			if len(found) > 0 {
				break
			}
		}
		if len(found) == 0 {
			out = append(out, complaint{message: sentence})
		}
	}
	return out
}

// isFiller reports whether a word in a sentence is no name of a field.
func isFiller(word string) bool {
	switch strings.ToLower(word) {
	case "", "a", "an", "the", "is", "are", "be", "it", "this", "that", "and", "or", "of", "in", "to", "for", "field", "fields", "parameter", "parameters", "property", "value", "values", "request", "body", "input", "data", "json",
		"missing", "required", "invalid", "must", "should", "not", "all", "please", "bad", "validation", "failed", "error", "errors", "payload", "object", "string", "integer", "number", "valid", "you", "your", "we", "has", "have", "following", "key", "which", "with", "format", "type", "content-type", "content", "provided", "one", "least", "at", "mandatory", "schema", "found", "does", "than", "no", "such", "argument", "arguments", "params", "param", "form", "here", "there", "instance", "present", "were", "header", "was", "only", "cannot":
		return true
	}
	return false
}

// number is a number in a sentence.
var number = regexp.MustCompile(`-?\d+(?:\.\d+)?`)

// numbersIn returns the numbers of a sentence.
func numbersIn(text string) []float64 {
	var out []float64
	for _, m := range number.FindAllString(text, 8) {
		if f, err := strconv.ParseFloat(m, 64); err == nil {
			out = append(out, f)
		}
	}
	return out
}

// choice finds the list after "one of", "allowed values" and the like.
var choice = regexp.MustCompile(`(?i)^.*(?:one of|allowed values?|valid (?:choices|values|options)|accepted(?: values?)?|expected(?: one of)?|choose from|permitted(?: values?)?|either|options(?: are)?|possible values?|enum(?:eration)?(?: values?| member)?|input should be|allowedValues|(?:no such|unknown|invalid) .*the [a-z]+s are)(?: are| is| the| following| values| allowed)*[:=]?\s*(.+)$`)

// word is a value in a list.
var word = regexp.MustCompile("[\"'`“‘]([^\"'`”’]{1,60})[\"'`”’]")

// choicesIn returns the values that a message allows.
func choicesIn(message string) []string {
	m := choice.FindStringSubmatch(message)
	if m == nil {
		return nil
	}
	var out []string
	for _, w := range word.FindAllStringSubmatch(m[1], 20) {
		out = append(out, w[1])
	}
	if len(out) > 0 {
		return out
	}
	inner := strings.Trim(m[1], " []().{}")
	if i := strings.IndexAny(inner, "])}"); i > 0 {
		inner = inner[:i]
	}
	if !strings.ContainsAny(inner, ",|/") && !strings.Contains(inner, " or ") {
		return nil
	}
	for part := range strings.FieldsFuncSeq(strings.ReplaceAll(inner, " or ", ","), func(r rune) bool { return r == ',' || r == '|' || r == '/' }) {
		part = strings.Trim(part, " .\"'[]")
		if part != "" && len(value.Words(part)) <= 3 && !strings.Contains(part, " be ") && !strings.HasPrefix(part, "a ") && !strings.HasPrefix(part, "an ") {
			out = append(out, part)
		}
	}
	if len(out) < 2 {
		return nil
	}
	return out
}

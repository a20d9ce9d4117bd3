package explore

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/internal/spec"
	"github.com/fastness/fastness/scan/internal/value"
)

// mend changes a request so that a complaint no longer holds. It reports whether it did.
func (r *repair) mend(t *try, c complaint) bool {
	in, name := r.place(t, c)
	if name == "" {
		return false
	}
	have := r.valueAt(t.c, in, name)
	last := probe.Point{Name: name}.Last()
	message := strings.ToLower(c.message)
	schema := r.schemaAt(t.c, in, name)
	set := func(v any) bool {
		if v == nil || have != nil && probe.Text(v) == probe.Text(have) && typeOfAny(v) == typeOfAny(have) {
			return false
		}
		*t = try{t.c.With(in, name, v), withoutMark(t.marks, name, v)}
		return true
	}
	says := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(message, w) })
	}
	switch {
	case have != nil && says("not allowed", "unknown", "unexpected", "extra", "additional", "unrecognized", "should not exist", "not permitted", "not declared", "read-only", "read only", "must not be present", "is forbidden", "not accepted") && !says("allowed values", "value is not allowed", "not allowed value"):
		if in == "path" {
			return false
		}
		*t = try{t.c.Without(in, name), withoutMark(t.marks, name, nil)}
		return true
	case len(choicesIn(c.message)) > 0 && (have != nil || says("one of", "allowed")):
		return set(r.chosen(choicesIn(c.message), have))
	case have == nil:
		return r.add(t, in, name, schema, message)
	}
	return set(r.better(t, last, in, message, have))
}

// better returns another value for a place, by what a message says, or nil.
func (r *repair) better(t *try, name, in, message string, have any) any {
	has := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(message, w) })
	}
	text, isText := have.(string)
	numbers := numbersIn(message)
	if pattern := patternIn(message); pattern != "" {
		if made, ok := value.Matching(r.x.t.Rand(message), pattern, 0, -1); ok {
			return made
		}
	}
	switch {
	case has("already", "taken", "unique", "exists", "duplicate", "in use") && !has("not exist", "does not", "doesn't"):
		return r.sensed("", name, have)
	case has("not found", "not exist", "does not", "doesn't exist", "no such", "object_id", "unknown "):
		return r.otherReference(name, in, have)
	case has("email", "e-mail") && isText && !strings.Contains(text, "@"):
		return r.x.t.Marker() + "@example.com"
	case has("uuid", "guid"):
		return r.sensed("uuid", name, have)
	case has("url", "uri", "http") && isText && !strings.Contains(text, "://"):
		return "https://example.com/"
	case has("datetime", "date-time", "timestamp", "iso 8601", "iso8601", "rfc3339", "rfc 3339") && isText && !strings.Contains(text, "T"):
		return "2030-06-15T10:00:00Z"
	case has("yyyy-mm-dd", "date") && !has("update", "candidate", "validated") && (!isText || !strings.HasPrefix(text, "20")):
		return "2030-06-15"
	case has("in the past", "before"):
		return strings.Replace(text, "2030", "1990", 1)
	case has("in the future", "after"):
		return strings.Replace(text, "1990", "2035", 1)
	case has("characters", "length", "too long", "too short", "chars", "letters long", "digits", "size must", "string_too", "minlength", "maxlength") && isText:
		return r.resized(text, message, numbers)
	case has("boolean", "bool ", "true or false", "a bool"):
		return false
	case has("array", "list", "sequence") && !has("not a list") && have != nil:
		if _, ok := have.([]any); !ok {
			return []any{have}
		}
	case has("dictionary", "object", "mapping", "map[") && !has("objectid"):
		if _, ok := have.(map[string]any); !ok {
			return map[string]any{}
		}
	case has("integer", "whole number", "int ", "int64", "int32", "an int", "int_parsing", "int_type"):
		return numberFor(have, numbers, true)
	case has("number", "numeric", "float", "decimal", "double"):
		return numberFor(have, numbers, false)
	case has("string", "text") && !isText:
		return probe.Text(have)
	case has("alphabetic", "only letters", "letters only", "alpha "):
		return value.Letters(r.x.t.Marker())
	case has("positive", "greater", "at least", "less", "at most", "minimum", "maximum", "min ", "max ", "between", "more than", "range", "no more", "exceed"):
		return inRange(have, message, numbers)
	case has("phone", "mobile"):
		return r.sensed("phone", name, have)
	case has("uppercase") && isText:
		return strings.ToUpper(text)
	case has("lowercase") && isText:
		return strings.ToLower(text)
	case has("password"):
		return "Aa1!" + r.x.t.Marker()[2:14]
	}
	return nil
}

// sensed makes a value of a sense, or anew of a name.
func (r *repair) sensed(sense, name string, have any) any {
	m := r.x.maker(r.op, r.user, false)
	m.Known = nil
	s := &spec.Schema{Types: []string{typeOf(have)}}
	if sense != "" {
		s, name = &spec.Schema{Types: []string{"string"}}, sense
	}
	return m.Make("", name, s, nil)
}

// patternIn returns the regular expression that a message quotes, or "".
func patternIn(message string) string {
	for _, re := range quotedPattern {
		if m := re.FindStringSubmatch(message); m != nil {
			return m[1]
		}
	}
	return ""
}

var quotedPattern = [...]*regexp.Regexp{
	regexp.MustCompile(`(?:pattern|match(?:es)?|regex|regexp|regular expression)[^^/]{0,30}["'/]?(\^[^"']+\$)["'/]?`),
	regexp.MustCompile(`pattern:? ["'/]([^"'/]+)["'/]`),
}

func (r *repair) resized(text, message string, numbers []float64) any {
	if len(numbers) == 0 {
		if strings.Contains(message, "long") {
			return text[:len(text)/2]
		}
		return text + "Aa1xxxxxxx"
	}
	low, high := 0, -1
	n := int(numbers[0])
	switch {
	case len(numbers) > 1 && (strings.Contains(message, "between") || strings.Contains(message, "from") || strings.Contains(message, "-")):
		low, high = n, int(numbers[1])
	case strings.Contains(message, "at least") || strings.Contains(message, "min") || strings.Contains(message, "short") || strings.Contains(message, "more than") || strings.Contains(message, "greater"):
		low = n + 1
	case strings.Contains(message, "exact") || strings.Contains(message, "must be "+strconv.Itoa(n)):
		low, high = n, n
	default:
		high = n
	}
	if strings.Contains(message, "digits") && !strings.Contains(message, "characters") {
		return strings.Repeat("1234567890", 10)[:min(max(low, n), 100)]
	}
	if high >= 0 && len(text) > high {
		return text[:max(high, 0)]
	}
	for len(text) < min(low, 10000) {
		text += "x"
	}
	return text
}

func numberFor(have any, numbers []float64, whole bool) any {
	if text, ok := have.(string); ok {
		if f, err := strconv.ParseFloat(text, 64); err == nil && (!whole || f == float64(int64(f))) {
			return json.Number(text)
		}
	}
	if n, ok := have.(json.Number); ok && whole {
		before, _, _ := strings.Cut(n.String(), ".")
		if before != n.String() {
			return json.Number(before)
		}
	}
	if _, ok := have.(json.Number); ok {
		return inRange(have, "", numbers)
	}
	return json.Number("1")
}

// inRange returns a number that a message allows.
func inRange(have any, message string, numbers []float64) any {
	n := 1.0
	switch {
	case len(numbers) > 1:
		n = float64(int64((numbers[0] + numbers[1]) / 2))
	case len(numbers) == 1 && (strings.Contains(message, "less") || strings.Contains(message, "max") || strings.Contains(message, "most") || strings.Contains(message, "exceed") || strings.Contains(message, "no more")):
		n = numbers[0] - 1
		if strings.Contains(message, "or equal") || strings.Contains(message, "most") || strings.Contains(message, "max") {
			n = numbers[0]
		}
	case len(numbers) == 1:
		n = numbers[0] + 1
	}
	text := strconv.FormatFloat(n, 'f', -1, 64)
	if _, ok := have.(string); ok {
		return text
	}
	return json.Number(text)
}

// chosen returns a value of a list in the type of the one that was there: an innocent one.
func (r *repair) chosen(choices []string, have any) any {
	pick := choices[0]
	for _, c := range choices {
		if !value.Privileged(c) {
			pick = c
			break
		}
	}
	if _, ok := have.([]any); ok {
		return []any{pick}
	}
	if _, ok := have.(json.Number); ok {
		if _, err := strconv.ParseFloat(pick, 64); err == nil {
			return json.Number(pick)
		}
	}
	return pick
}

// otherReference returns another value for what names something, or nil.
func (r *repair) otherReference(name, in string, have any) any {
	resource, key, ok := r.x.refer(name, nil)
	if !ok {
		return nil
	}
	found := r.x.candidates(Reference{In: in, Name: name, Resource: resource, Key: key}, r.op, r.user)
	at := slices.IndexFunc(found, func(v any) bool { return probe.Text(v) == probe.Text(have) })
	if at+1 < len(found) {
		return found[at+1]
	}
	return nil
}

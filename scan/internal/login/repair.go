package login

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/fastness/fastness/scan/wire"
)

// complaint is what a target says is wrong with a field.
type complaint struct{ field, text string }

var (
	atLeast      = regexp.MustCompile(`(?i)(?:at least|min(?:imum)?(?: length)?(?: is| of|:)?|>=|longer than|greater than or equal to|more than)\D{0,12}(\d{1,3})`)
	atMost       = regexp.MustCompile(`(?i)(?:at most|max(?:imum)?(?: length)?(?: is| of|:)?|<=|no more than|not exceed|less than|up to|shorter than)\D{0,12}(\d{1,3})`)
	between      = regexp.MustCompile(`(?i)between (\d{1,3})\D{1,12}(\d{1,3})`)
	exactly      = regexp.MustCompile(`(?i)(?:exactly|must be) (\d{1,2})[- ](?:digit|char)`)
	oneOf        = regexp.MustCompile(`(?i)(?:one of|allowed values?(?: are)?|expected|choices?(?: are)?|enum)[:\s\[({]*((?:["']?[\w-]+["']?(?:\s*(?:,|\||or|and)\s*)?)+)`)
	extraText    = regexp.MustCompile(`(?i)unknown|unexpected|unrecogni[sz]ed|extra|not (allowed|permitted|expected)|additional|should not exist|forbidden`)
	requiredText = regexp.MustCompile(`(?i)required|missing|blank|empty|not be null|must (be )?(provided|present|given)|undefined|is needed|please (provide|enter)|can't be|cannot be`)
	matchText    = regexp.MustCompile(`(?i)(do(es)? ?n.t|do not|does not|must) match|not the same|mismatch|confirm`)
	onlyText     = regexp.MustCompile(`(?i)alphanumeric|only (contain )?(letters|digits|numbers|alpha)|letters and (digits|numbers)|special characters? (are |is )?not|no special`)
	onlyDigits   = regexp.MustCompile(`(?i)only (contain )?(digits|numbers)|numeric|must be (a )?number|digits only`)
	notDigit     = regexp.MustCompile(`[^0-9]`)
	notAlnum     = regexp.MustCompile(`[^A-Za-z0-9]`)
	quoted       = regexp.MustCompile("[\"'`]([A-Za-z_][\\w.-]{1,40})[\"'`]")
	namedFirst   = regexp.MustCompile(`(?i)(?:^|field |parameter |property |attribute |member |key )([A-Za-z_][\w.-]{1,40}):? (?:is|are|must|should|cannot|can't|may|field|has|not|too|required|missing|already)`)
	nameOnly     = regexp.MustCompile(`(?i)(?:missing|required|needed|provide|enter):?(?: (?:required|field|fields|parameter|property|key|a|an|the|your|valid|request))*:? ([A-Za-z_][\w-]{1,40})`)
)

// complaintsOf reads what an answer says is wrong.
func complaintsOf(ex *wire.Exchange) (list []complaint) {
	doc := decoded(ex)
	if doc == nil {
		return fromText(ex.Text()[:min(len(ex.Body), 400)])
	}
	walkComplaints(doc, "", &list, 0)
	return list
}

// placeNames are members that name a field; textNames those that say what is wrong.
var (
	placeNames = [...]string{"loc", "field", "fieldName", "path", "param", "parameter", "property", "propertyPath", "pointer", "name", "key", "instancePath", "attribute", "source", "dataPath"}
	textNames  = [...]string{"msg", "message", "detail", "error", "defaultMessage", "description", "reason", "title", "code", "rule", "errors", "constraints", "messages", "type"}
)

// walkComplaints walks an answer. At is the name under which a value stands.
func walkComplaints(v any, at string, list *[]complaint, depth int) {
	if depth > 6 || len(*list) > 40 {
		return
	}
	switch v := v.(type) {
	case string:
		if slices.Contains(textNames[:], at) || at == "" {
			*list = append(*list, fromText(v)...)
		} else {
			*list = append(*list, complaint{at, v})
		}
	case []any:
		for _, e := range v {
			walkComplaints(e, at, list, depth+1)
		}
	case map[string]any:
		if place := placeOf(v); place != "" {
			text, _ := json.Marshal(v)
			*list = append(*list, complaint{place, string(text)})
			return
		}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			inner := name
			if slices.Contains(textNames[:], name) && at != "" && !slices.Contains(textNames[:], at) {
				inner = at // the field stands above
			}
			walkComplaints(v[name], inner, list, depth+1)
		}
	}
}

// placeOf returns the field that an entry of a list of errors is about.
func placeOf(m map[string]any) string {
	for _, name := range placeNames {
		switch v := m[name].(type) {
		case string:
			parts := strings.FieldsFunc(v, func(r rune) bool { return r == '/' || r == '.' || r == '$' || r == '#' })
			if len(parts) > 0 && hasText(m) {
				return parts[len(parts)-1]
			}
		case []any:
			if len(v) > 0 && hasText(m) {
				return scalar(v[len(v)-1])
			}
		case map[string]any:
			if p := scalar(v["pointer"]); p != "" {
				return p[strings.LastIndexByte(p, '/')+1:]
			}
		}
	}
	return ""
}

func hasText(m map[string]any) bool {
	return slices.ContainsFunc(textNames[:], func(name string) bool { return m[name] != nil })
}

// noField are words of sentences about fields: "field missing: email" is about email.
var noField = [...]string{"body", "request", "field", "fields", "data", "value", "json", "parameter", "property", "attribute", "input"}

// fromText finds the fields that a sentence names.
func fromText(text string) (list []complaint) {
	for part := range strings.SplitSeq(text, "; ") {
		var names []string
		for _, expr := range []*regexp.Regexp{quoted, namedFirst, nameOnly} {
			for _, m := range expr.FindAllStringSubmatch(part, -1) {
				if name := m[1]; !slices.Contains(names, name) && !slices.Contains(noField[:], plain(name)) {
					names = append(names, name)
				}
			}
			if len(names) > 0 {
				break
			}
		}
		for _, name := range names {
			list = append(list, complaint{name[strings.LastIndexByte(name, '.')+1:], part})
		}
	}
	return list
}

// repair changes what the target complains about. It reports whether there was anything.
func (f *filler) repair(ex *wire.Exchange) bool {
	changed := false
	for _, c := range complaintsOf(ex) {
		if f.repairField(c) {
			changed = true
		}
	}
	return changed
}

func (f *filler) repairField(c complaint) bool {
	i := slices.IndexFunc(f.fields, func(one field) bool { return plain(one.name()) == plain(c.field) })
	isName := regexp.MustCompile(`^[A-Za-z_][\w-]{0,40}$`).MatchString(c.field)
	switch {
	case i < 0 && matchText.MatchString(c.text) && strings.Contains(plain(c.text), "pass") && isName:
		f.add(c.field)
		return true
	case i < 0 && isName && requiredText.MatchString(c.text) && !slices.Contains(noField[:], plain(c.field)):
		f.add(c.field)
		return true
	case i < 0:
		return false
	}
	r := f.rule(c.field)
	if r.tries++; r.tries > 4 {
		return false
	}
	switch {
	case extraText.MatchString(c.text) && !requiredText.MatchString(c.text):
		r.drop = true
	case f.bounds(r, c.text):
	case oneOf.MatchString(c.text):
		r.value = f.choice(oneOf.FindStringSubmatch(c.text)[1])
	case onlyDigits.MatchString(c.text):
		r.charset = notDigit
	case onlyText.MatchString(c.text):
		r.charset = notAlnum
	default:
		return f.retype(r, &f.fields[i], c.text)
	}
	return true
}

// bounds reads how long a value must be.
func (f *filler) bounds(r *rule, text string) bool {
	if m := between.FindStringSubmatch(text); m != nil {
		r.min, _ = strconv.Atoi(m[1])
		r.max, _ = strconv.Atoi(m[2])
		return true
	}
	if m := exactly.FindStringSubmatch(text); m != nil {
		r.min, _ = strconv.Atoi(m[1])
		r.max, r.charset = r.min, notDigit
		return true
	}
	found := false
	if m := atLeast.FindStringSubmatch(text); m != nil {
		r.min, _ = strconv.Atoi(m[1])
		found = true
	}
	if m := atMost.FindStringSubmatch(text); m != nil {
		r.max, _ = strconv.Atoi(m[1])
		found = true
	}
	return found
}

// choice returns one of the values that a text lists.
func (f *filler) choice(text string) any {
	words := regexp.MustCompile(`[\w-]+`).FindAllString(text, -1)
	var values []any
	for _, w := range words {
		if w != "or" && w != "and" {
			values = append(values, w)
		}
	}
	if len(values) == 0 {
		return nil
	}
	return harmless(values)
}

// retype gives a field a value of another type or form, as a text names it.
func (f *filler) retype(r *rule, one *field, text string) bool {
	lower := strings.ToLower(text)
	for _, kind := range [...]struct {
		word  string
		value any
	}{
		{"bool", true}, {"accept", true}, {"integer", 30}, {"number", 30}, {"email", f.person.email}, {"e-mail", f.person.email}, {"phone", "15551234567"}, {"date", "1990-01-15"},
		{"uuid", "6f1d3c52-9a77-4e0b-8f3e-0b9d2c4a7e11"}, {"url", "https://example.com/"}, {"array", []any{}}, {"list", []any{}}, {"object", map[string]any{}}, {"string", f.person.name},
	} {
		if strings.Contains(lower, kind.word) && !strings.Contains(plain(one.name()), kind.word) {
			if _, isIdentity := f.identity(one); isIdentity && kind.word == "string" {
				return false
			}
			r.value = kind.value
			return true
		}
	}
	return takenText.MatchString(text)
}

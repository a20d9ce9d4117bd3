package locale

import (
	"fmt"
	"iter"
	"net/http"
	"strings"

	"github.com/fastness/fastness/problem"
)

// fill puts the limits into a text, in one walk: a pattern that is put in may look like
// a placeholder itself.
func fill(text string, limits []problem.Limit) string {
	if !strings.Contains(text, "{") {
		return text
	}
	var b strings.Builder
	for {
		before, name, after, found := cutPlaceholder(text)
		b.WriteString(before)
		if !found {
			return b.String()
		}
		value := "{" + name + "}"
		for _, l := range limits {
			if l.Name == name {
				value = fmt.Sprint(l.Value)
				break
			}
		}
		b.WriteString(value)
		text = after
	}
}

// placeholders are the names in braces.
func placeholders(text string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for {
			_, name, after, found := cutPlaceholder(text)
			if !found || !yield(name) {
				return
			}
			text = after
		}
	}
}

func cutPlaceholder(text string) (before, name, after string, found bool) {
	before, rest, found := strings.Cut(text, "{")
	name, after, closed := strings.Cut(rest, "}")
	if !found || !closed {
		return text, "", "", false
	}
	return before, name, after, true
}

// rules are the codes of violations, each with its limits.
func rules() map[string][]string {
	return map[string][]string{
		"missing": nil, "extra_forbidden": nil, "read_only": nil, "json_invalid": {"error", "offset"}, "model_attributes_type": nil,
		"string_type": nil, "string_too_short": {"min_length"}, "string_too_long": {"max_length"}, "string_pattern_mismatch": {"pattern"},
		"bytes_type": nil, "bytes_invalid_encoding": {"encoding"}, "bytes_too_short": {"min_length"}, "bytes_too_long": {"max_length"},
		"enum": {"expected"}, "literal_error": {"expected"},
		"int_type": nil, "int_from_float": nil, "int_parsing": nil, "int_parsing_size": nil,
		"float_type": nil, "float_parsing": nil, "float_precision": nil, "finite_number": nil,
		"decimal_parsing": nil, "decimal_max_digits": {"max_digits"}, "decimal_max_places": {"decimal_places"},
		"bool_type": nil, "bool_parsing": nil,
		"greater_than": {"gt"}, "greater_than_equal": {"ge"}, "less_than": {"lt"}, "less_than_equal": {"le"}, "multiple_of": {"multiple_of"},
		"list_type": nil, "dict_type": nil, "too_short": {"field_type", "min_length", "actual_length"},
		"too_long": {"field_type", "max_length", "actual_length"}, "unique_items": nil,
		"union_tag_invalid": {"discriminator", "expected_tags"}, "union_tag_not_found": {"discriminator"},
		"too_complex": nil, "duplicate_parameter": nil, "datetime_type": nil, "time_delta_type": nil,
		"none_forbidden": nil, "none_required": nil,
		"date_from_datetime_parsing": {"error"}, "datetime_parsing": {"error"}, "datetime_from_date_parsing": {"error"}, "time_parsing": {"error"},
		"time_delta_parsing": {"error"}, "timezone_aware": nil, "uuid_parsing": {"error"}, "base64_decode": nil, "pattern_regex": nil,
		"ip_v4_address": nil, "ip_v6_address": nil, "ip_any_address": nil, "ip_any_network": nil,
		"url_parsing": {"error"}, "url_scheme": {"expected_schemes"}, "url_too_long": {"max_length"},
	}
}

// titles are the statuses that have one: those by which a chain refuses, and what
// operations answer with most.
func titles() []int {
	return []int{
		http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed,
		http.StatusNotAcceptable, http.StatusRequestTimeout, http.StatusConflict, http.StatusGone, http.StatusPreconditionFailed,
		http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusRequestedRangeNotSatisfiable,
		http.StatusMisdirectedRequest, http.StatusUnprocessableEntity, http.StatusUpgradeRequired, http.StatusPreconditionRequired,
		http.StatusTooManyRequests, http.StatusRequestHeaderFieldsTooLarge, http.StatusInternalServerError,
		http.StatusServiceUnavailable, http.StatusInsufficientStorage,
	}
}

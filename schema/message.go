package schema

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/fastness/fastness/problem"
)

// sentence returns the sentence of a rule, in the words that FastAPI uses, so
// that clients that come from there need not learn new ones.
func sentence(code string) string {
	switch code {
	case "missing":
		return "Field required"
	case "extra_forbidden":
		return "Extra inputs are not permitted"
	case "read_only":
		return "Field is read-only"
	case "json_invalid":
		return "JSON decode error"
	case "model_attributes_type":
		return "Input should be a valid dictionary or object to extract fields from"
	case "string_type":
		return "Input should be a valid string"
	case "string_too_short":
		return "String should have at least {min_length} character{s}"
	case "string_too_long":
		return "String should have at most {max_length} character{s}"
	case "string_pattern_mismatch":
		return "String should match pattern '{pattern}'"
	case "bytes_type":
		return "Input should be a valid bytes"
	case "bytes_invalid_encoding":
		return "Data should be valid {encoding}"
	case "bytes_too_short":
		return "Data should have at least {min_length} byte{s}"
	case "bytes_too_long":
		return "Data should have at most {max_length} byte{s}"
	case "enum", "literal_error":
		return "Input should be {expected}"
	case "int_type":
		return "Input should be a valid integer"
	case "int_from_float":
		return "Input should be a valid integer, got a number with a fractional part"
	case "int_parsing":
		return "Input should be a valid integer, unable to parse string as an integer"
	case "int_parsing_size":
		return "Unable to parse input string as an integer, exceeded maximum size"
	case "float_type":
		return "Input should be a valid number"
	case "float_parsing":
		return "Input should be a valid number, unable to parse string as a number"
	case "float_precision":
		return "Number has more digits than can be kept"
	case "finite_number":
		return "Input should be a finite number"
	case "decimal_parsing":
		return "Input should be a valid decimal"
	case "decimal_max_digits":
		return "Decimal input should have no more than {max_digits} digit{s} in total"
	case "decimal_max_places":
		return "Decimal input should have no more than {decimal_places} decimal place{s}"
	case "bool_type":
		return "Input should be a valid boolean"
	case "bool_parsing":
		return "Input should be a valid boolean, unable to interpret input"
	case "greater_than":
		return "Input should be greater than {gt}"
	case "greater_than_equal":
		return "Input should be greater than or equal to {ge}"
	case "less_than":
		return "Input should be less than {lt}"
	case "less_than_equal":
		return "Input should be less than or equal to {le}"
	case "multiple_of":
		return "Input should be a multiple of {multiple_of}"
	case "list_type":
		return "Input should be a valid list"
	case "dict_type":
		return "Input should be a valid dictionary"
	case "too_short":
		return "{field_type} should have at least {min_length} item{s} after validation, not {actual_length}"
	case "too_long":
		return "{field_type} should have at most {max_length} item{s} after validation, not {actual_length}"
	case "unique_items":
		return "Items should be unique"
	case "union_tag_invalid":
		return "Input tag does not match any of the expected tags: {expected_tags}"
	case "union_tag_not_found":
		return "Unable to extract tag using discriminator {discriminator}"
	case "too_complex":
		return "Input holds more items than can be kept"
	case "duplicate_parameter":
		return "Parameter should be given once"
	case "datetime_type":
		return "Input should be a valid datetime"
	case "time_delta_type":
		return "Input should be a valid timedelta"
	case "none_forbidden":
		return "Input should not be None"
	case "none_required":
		return "Input should be None"
	default:
		return "Value error"
	}
}

// message fills the rule's sentence with its limits.
func message(code string, limits []problem.Limit) string {
	text := sentence(code)
	if !strings.Contains(text, "{") {
		return text
	}
	plural := "s"
	for _, l := range limits {
		if l.Value == 1 && l.Name != "actual_length" {
			plural = ""
		}
	}
	text = strings.Replace(text, "{s}", plural, 1) // First: a pattern may hold "{s}", too.
	for _, l := range limits {
		text = strings.Replace(text, "{"+l.Name+"}", fmt.Sprint(l.Value), 1)
	}
	return text
}

func limit(name string, value any) problem.Limit {
	return problem.Limit{Name: name, Value: value}
}

func numberLimit(name string, value json.Number) problem.Limit {
	return problem.Limit{Name: name, Value: value}
}

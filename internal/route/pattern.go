package route

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// A step is one segment of a pattern.
type step struct {
	kind kind
	text string // the literal, or the parameter's name
}

type kind uint8

const (
	literal kind = iota
	param
	catchAll
)

// Names returns the names of a pattern's parameters in order, or an error that
// names every mistake of the pattern.
func Names(pattern string) ([]string, error) {
	steps, _, err := parse(pattern)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, s := range steps {
		if s.kind != literal {
			names = append(names, s.text)
		}
	}
	return names, nil
}

// parse splits a pattern; slash tells whether it ends with one. The pattern of
// the root is no step and a slash.
func parse(pattern string) (steps []step, slash bool, err error) {
	rest, ok := strings.CutPrefix(pattern, "/")
	if !ok {
		return nil, false, fmt.Errorf("pattern %q does not start with a slash", pattern)
	}
	if rest == "" {
		return nil, true, nil
	}
	rest, slash = strings.CutSuffix(rest, "/")
	var mistakes []error
	var names []string
	segments := strings.Split(rest, "/")
	for i, segment := range segments {
		s, err := parseStep(segment)
		switch {
		case err != nil:
			mistakes = append(mistakes, err)
		case s.kind == catchAll && (slash || i < len(segments)-1):
			mistakes = append(mistakes, fmt.Errorf("%s is not last", segment))
		}
		if s.kind != literal {
			if slices.Contains(names, s.text) {
				mistakes = append(mistakes, fmt.Errorf("parameter %q occurs twice", s.text))
			}
			names = append(names, s.text)
		}
		steps = append(steps, s)
	}
	if len(names) > MaxParams {
		mistakes = append(mistakes, fmt.Errorf("%d parameters, want at most %d", len(names), MaxParams))
	}
	if len(mistakes) > 0 {
		return nil, false, fmt.Errorf("pattern %q: %w", pattern, errors.Join(mistakes...))
	}
	return steps, slash, nil
}

func parseStep(segment string) (step, error) {
	name, ok := strings.CutPrefix(segment, "{")
	if !ok {
		return step{literal, segment}, checkLiteral(segment)
	}
	if segment == "{$}" {
		return step{}, errors.New(`{$} is not needed: "/items/" matches only itself`)
	}
	name, ok = strings.CutSuffix(name, "}")
	if !ok {
		return step{}, fmt.Errorf("segment %q is neither literal nor one {parameter}", segment)
	}
	s := step{kind: param}
	if s.text, ok = strings.CutSuffix(name, "..."); ok {
		s.kind = catchAll
	}
	if !isName(s.text) {
		return step{}, fmt.Errorf("parameter name %q is not made of ASCII letters, digits, _ and -", s.text)
	}
	return s, nil
}

// checkLiteral refuses what no request could match, or what reads as if it
// meant something else: a literal is the decoded text.
func checkLiteral(segment string) error {
	switch {
	case segment == "":
		return errors.New("a segment is empty")
	case isDots(segment):
		return fmt.Errorf("segment %q can never match", segment)
	case strings.HasPrefix(segment, ":") || strings.HasPrefix(segment, "<") && strings.HasSuffix(segment, ">"):
		return fmt.Errorf("segment %q is a parameter elsewhere; here it is written {%s}", segment, strings.Trim(segment, ":<>"))
	case !utf8.ValidString(segment) || strings.ContainsFunc(segment, isControl):
		return fmt.Errorf("segment %q holds bytes that are not text", segment)
	case strings.ContainsAny(segment, "{}"):
		return fmt.Errorf("segment %q is neither literal nor one {parameter}", segment)
	case strings.ContainsAny(segment, `%?#*\ `):
		return fmt.Errorf(`segment %q holds one of %% ? # * \ or a space; write the decoded text`, segment)
	}
	return nil
}

func isName(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '_', c == '-':
		default:
			return false
		}
	}
	return s != ""
}

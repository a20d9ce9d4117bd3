// Package locale tells callers what is wrong in their language: the sentences of
// violations, the titles of problems, and the application's own messages. What
// programs read stays as it is: codes, pointers, limits.
//
//	l, err := locale.New(locale.Config{Catalogues: []locale.Catalogue{locale.German(), locale.French()}})
//	…
//	language := l.Of(r) // by Accept-Language (RFC 9110 section 12.5.4, RFC 4647 section 3.4)
//	shown := language.Problem(p)
//	w.Header().Set("Content-Language", language.Tag())
//	w.Header().Add("Vary", "Accept-Language")
//
// An app does so by itself: see Locales in the Config of package fastness.
//
// A [Catalogue] is a Go value. It must have every sentence and title that Fastness
// uses, or [New] names all that are missing; English is the default, and needs no
// catalogue. What an application says by codes of its own is in the same catalogues:
//
//	german := locale.German()
//	german.Sentences["sold_out"] = "Es sind nur noch {left} da"
//
//	schema.Invalid("only 3 are left").Named("sold_out").With("left", 3)
package locale

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/fastness/fastness/internal/negotiate"
	"github.com/fastness/fastness/problem"
)

// Catalogue is what is said in one language.
type Catalogue struct {
	// Tag is the language: "de", "pt-BR" (BCP 47).
	Tag string
	// Sentences are those of violations, by their code. {min_length} stands for the
	// limit of this name. Where a number changes the words, "too_short.one" is the
	// sentence for the form that Plural returns, and "too_short" that of all others.
	Sentences map[string]string
	// Titles are those of problems that have none but their status's.
	Titles map[int]string
	// Details are the explanations of problems, by their code. One that is not here is
	// told as it was made.
	Details map[string]string
	// Plural returns the form for a number, such as "one" or "few". The default is "one"
	// for 1. The number is the first limit that is one, other than actual_length.
	Plural func(n int) string
}

// Config says which languages there are.
type Config struct {
	// Catalogues are those besides English. One with the tag "en" adds to it, and need
	// not be complete.
	Catalogues []Catalogue
	// Codes are those of the application, which all catalogues must have.
	Codes []string
}

// Locales are the languages of an application. They are safe for concurrent use.
type Locales struct {
	tags      []string // the first is English
	languages []Language
}

// New returns the languages, or an error that names everything that is missing.
func New(cfg Config) (*Locales, error) {
	l := &Locales{tags: []string{"en"}, languages: []Language{{&Catalogue{Tag: "en"}}}}
	var errs []error
	for i := range cfg.Catalogues {
		c := cfg.Catalogues[i].clone()
		for _, why := range c.mistakes(cfg.Codes) {
			errs = append(errs, fmt.Errorf("locale config: %s: %s", c.Tag, why))
		}
		at := slices.IndexFunc(l.tags, func(tag string) bool { return strings.EqualFold(tag, c.Tag) })
		switch {
		case at == 0 && l.languages[0].Sentences == nil:
			l.languages[0] = Language{c}
		case at >= 0:
			errs = append(errs, fmt.Errorf("locale config: %s is there twice", c.Tag))
		default:
			l.tags, l.languages = append(l.tags, c.Tag), append(l.languages, Language{c})
		}
	}
	return l, errors.Join(errs...)
}

// clone returns a copy that nobody else can change, and which has its maps.
func (c Catalogue) clone() *Catalogue {
	c.Sentences, c.Titles, c.Details = maps.Clone(c.Sentences), maps.Clone(c.Titles), maps.Clone(c.Details)
	if c.Sentences == nil {
		c.Sentences = map[string]string{}
	}
	return &c
}

// mistakes returns what is missing, and placeholders that would stay in the text.
func (c *Catalogue) mistakes(codes []string) (why []string) {
	if !negotiate.IsLanguageTag(c.Tag) {
		why = append(why, "the tag is none of a language, want one such as de or pt-BR")
	}
	known := rules()
	if !strings.EqualFold(c.Tag, "en") {
		for _, code := range slices.Sorted(maps.Keys(known)) {
			if c.Sentences[code] == "" {
				why = append(why, "the sentence of "+code+" is missing")
			}
		}
		for _, status := range titles() {
			if c.Titles[status] == "" {
				why = append(why, fmt.Sprintf("the title of %d is missing", status))
			}
		}
	}
	for _, code := range codes {
		if c.Sentences[code] == "" && c.Details[code] == "" {
			why = append(why, "the sentence of the application's "+code+" is missing")
		}
	}
	for _, key := range slices.Sorted(maps.Keys(c.Sentences)) {
		code, _, _ := strings.Cut(key, ".")
		limits, ours := known[code]
		for name := range placeholders(c.Sentences[key]) {
			if ours && !slices.Contains(limits, name) {
				why = append(why, "the sentence of "+key+" has {"+name+"}, which that rule does not have")
			}
		}
	}
	return why
}

// Of returns the language that the request asks for, or English. Nil locales have
// English only.
func (l *Locales) Of(r *http.Request) Language {
	if l == nil {
		return Language{}
	}
	return l.languages[negotiate.Language(r.Header["Accept-Language"], l.tags...)]
}

// Language is one that answers can be in. The zero value is English.
type Language struct{ *Catalogue }

// Tag returns the language's, for Content-Language.
func (l Language) Tag() string {
	if l.Catalogue == nil {
		return "en"
	}
	return l.Catalogue.Tag
}

// Text returns the sentence of a code, with its limits filled in, or "" if the
// catalogue has none. It is text, and not HTML.
func (l Language) Text(code string, limits ...problem.Limit) string {
	if l.Catalogue == nil {
		return ""
	}
	text := l.Sentences[code]
	for _, limit := range limits {
		n, ok := limit.Value.(int)
		if !ok || limit.Name == "actual_length" {
			continue
		}
		if form := l.Sentences[code+"."+l.form(n)]; form != "" {
			text = form
		}
		break
	}
	return fill(text, limits)
}

func (l Language) form(n int) string {
	switch {
	case l.Plural != nil:
		return l.Plural(n)
	case n == 1:
		return "one"
	}
	return "other"
}

// Problem returns a copy of p in the language. Its codes, pointers and limits are those
// of p, and so is every text that the catalogue does not have.
func (l Language) Problem(p *problem.Problem) problem.Problem {
	shown := *p
	if l.Catalogue == nil {
		return shown
	}
	if shown.Title == "" {
		shown.Title = l.Titles[p.Status]
	}
	if detail := l.Details[p.Code]; detail != "" && p.Detail != "" {
		shown.Detail = detail
	}
	shown.Errors = slices.Clone(p.Errors)
	for i := range shown.Errors {
		v := &shown.Errors[i]
		if v.Code == "value_error" && len(v.Limits) == 0 { // It is all in the words of the application.
			continue
		}
		if text := l.Text(v.Code, v.Limits...); text != "" {
			v.Detail = text
		}
	}
	return shown
}

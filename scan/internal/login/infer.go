package login

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/fastness/fastness/scan/internal/spec"
)

// How much is tried to find out how somebody logs in. Refused log-ins may lock a user, so
// there are few.
const (
	maxVariants = 40
	maxRefused  = 4
)

// infer finds out how an account logs in. It settles for the method that is proven to work,
// else one whose log-in at least succeeded. What is given of the method, holds.
func (k *Keeper) infer(ctx context.Context, e *entry, given *Method) error {
	var (
		best     func()
		bestBy   *proof
		problems []error
		refused  int
	)
	gates := k.gatesFor(ctx, e, given)
	tried := 0
	for m := range k.variants(ctx, e.user.Known, gates) {
		if tried++; tried <= e.tried {
			continue
		}
		if tried > maxVariants || refused >= maxRefused || ctx.Err() != nil {
			break
		}
		m.Token, m.Send, m.Check = given.Token, given.Send, given.Check
		a := &attempt{client: k.config.Client, user: e.user.Name, values: maps.Clone(e.user.Known)}
		if err := a.logIn(ctx, m); err != nil {
			if errors.Is(err, errLimited) {
				return err
			}
			e.tried = tried
			if last := a.last(); last != nil && (last.Status == http.StatusUnauthorized || last.Status == http.StatusForbidden || last.Status < 400) {
				refused++
			}
			problems = append(problems, err)
			continue
		}
		candidates := m.candidates(a, k.config.API)
		if len(candidates) == 0 {
			problems = append(problems, fmt.Errorf("%s%w", m.describe(), errNoToken))
			continue
		}
		way, p := k.choose(ctx, e, m, candidates)
		if p != nil && !p.weak {
			k.settle(ctx, e, m, way, p, a)
			return nil
		}
		if best == nil && way.token != nil || bestBy == nil && p != nil {
			best, bestBy = func() { k.settle(ctx, e, m, way, p, a) }, p
		}
		if m.Basic {
			refused++
		}
	}
	if best == nil {
		if len(problems) == 0 {
			problems = append(problems, errors.New("no operation looks like a log-in"))
		}
		return fmt.Errorf("no log-in was found: %w", errors.Join(problems[:min(len(problems), 4)]...))
	}
	best()
	return nil
}

// variants yields the ways to log in, the likely ones first.
func (k *Keeper) variants(ctx context.Context, known map[string]string, gates []*gate) func(func(*Method) bool) {
	return func(yield func(*Method) bool) {
		api := k.config.API
		declaredBasic, others := basicDeclared(api)
		asked := slices.ContainsFunc(gates, asksBasic)
		if (declaredBasic && !others || asked) && !yield(&Method{Basic: true}) {
			return
		}
		for _, m := range documented(api, known) {
			if !yield(m) {
				return
			}
		}
		for _, path := range k.pages(ctx, gates) {
			if !yield(&Method{Page: &Page{Path: path}}) {
				return
			}
		}
		if declaredBasic && others && !asked && !yield(&Method{Basic: true}) {
			return
		}
		k.guesses(ctx, known, yield)
	}
}

// basicDeclared reports whether the document declares HTTP Basic, and anything else.
func basicDeclared(api *spec.API) (basic, others bool) {
	for _, s := range api.Schemes {
		if strings.EqualFold(s.Type, "http") && strings.EqualFold(s.Scheme, "basic") || strings.EqualFold(s.Type, "basic") {
			basic = true
		} else {
			others = true
		}
	}
	return basic, others
}

func asksBasic(g *gate) bool {
	return g.nobody != nil && slices.ContainsFunc(g.nobody.Header.Values("WWW-Authenticate"), func(v string) bool {
		return len(v) >= 5 && strings.EqualFold(v[:5], "basic")
	})
}

// documented returns the log-ins that the document has.
func documented(api *spec.API, known map[string]string) (methods []*Method) {
	type ranked struct {
		method *Method
		rank   int
	}
	var list []ranked
	for _, name := range slices.Sorted(maps.Keys(api.Schemes)) {
		if s := api.Schemes[name]; s.TokenURL != "" {
			for _, path := range tokenPaths(api, s.TokenURL) {
				list = append(list, ranked{&Method{OAuth2: &OAuth2{URL: path}}, 150})
			}
		}
	}
	for _, op := range api.Operations {
		if rank := logInRank(op); rank > 0 {
			for i, step := range stepsOf(op, known) {
				list = append(list, ranked{&Method{Request: &step}, rank - 20*i})
			}
		}
	}
	slices.SortStableFunc(list, func(a, b ranked) int { return cmp.Compare(b.rank, a.rank) })
	for _, r := range list {
		methods = append(methods, r.method)
	}
	return methods
}

// tokenPaths returns where a token URL may lead: as it is, and below the base, as
// documents have it that give it relative to themselves.
func tokenPaths(api *spec.API, address string) []string {
	path := pathOf(address)
	if api.Base == "" || strings.HasPrefix(path, api.Base+"/") || strings.Contains(address, "://") {
		return []string{path}
	}
	if strings.HasPrefix(address, "/") {
		return []string{path, api.Base + path}
	}
	return []string{api.Base + path, path}
}

// logInRank says how much an operation looks like a log-in, 0 if it does not.
func logInRank(op *spec.Operation) int {
	if strings.Contains(op.Path, "{") && !strings.Contains(logInText.FindString(op.Path), "login") || op.Method == "DELETE" {
		return 0
	}
	text := textOf(op)
	rank := 0
	if logInText.MatchString(op.Path) || logInText.MatchString(op.ID) {
		rank += 60
	} else if logInText.MatchString(op.Summary) || slices.ContainsFunc(op.Tags, logInText.MatchString) {
		rank += 25
	}
	fields, _, _ := inputsOf(op)
	user, password := chosen(fields, userField), chosen(fields, passwordField)
	switch {
	case user != nil && password != nil:
		rank += 60
	case password != nil:
		rank += 30
	case len(fields) > 0:
		rank -= 40
	}
	if op.Method == "GET" && password == nil && !strings.Contains(strings.ToLower(op.Path), "login") {
		rank -= 60
	}
	if registerText.MatchString(op.Path) || registerText.MatchString(op.ID) {
		rank -= 100
	}
	if otherText.MatchString(op.Path) || otherText.MatchString(op.ID) {
		rank -= 70
	} else if otherText.MatchString(text) {
		rank -= 10
	}
	if op.Method == "PUT" || op.Method == "PATCH" {
		rank -= 10
	}
	if answersToken(op) {
		rank += 30
	}
	if rank < 40 {
		return 0
	}
	return rank
}

// answersToken reports whether a declared answer of success has a member that is called
// like a token.
func answersToken(op *spec.Operation) bool {
	for status, a := range op.Answers {
		if !strings.HasPrefix(status, "2") || a == nil {
			continue
		}
		for _, m := range a.Media {
			for _, f := range fieldsOf(m.Schema) {
				if slices.Contains(tokenNames[:10], plain(f.name())) {
					return true
				}
			}
		}
	}
	return false
}

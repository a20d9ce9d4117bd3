package login

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/fastness/fastness/scan/internal/spec"
	"github.com/fastness/fastness/scan/wire"
)

// maxTries is how often a registration is repaired by what the target says is wrong.
const maxTries = 10

var (
	takenText   = regexp.MustCompile(`(?i)taken|exists|already|duplicate|in use|not unique|unique constraint`)
	confirmText = regexp.MustCompile(`(?i)(confirm|verif|activat)[a-z]* .{0,40}(e-?mail|phone|account|link|code)|(e-?mail|phone|account) .{0,30}(not |un)(been )?(confirm|verif|activat)|check your (e-?mail|inbox)`)
)

// Register makes a user that nobody will miss, or returns an error if the target does not
// let it. The purpose is part of its name.
func (k *Keeper) Register(ctx context.Context, purpose string) (*User, error) {
	if k.config.NoRegister {
		return nil, errNoRegister
	}
	ops := registrations(k.config.API)
	if k.config.Register != nil {
		return k.registerBy(ctx, purpose, nil, "")
	}
	if len(ops) == 0 {
		return nil, errNoRegistration
	}
	var problems []error
	for _, op := range ops[:min(len(ops), 3)] {
		u, err := k.registerBy(ctx, purpose, op, "")
		if err == nil {
			return u, nil
		}
		problems = append(problems, fmt.Errorf("%s: %w", op, err))
		if errors.Is(err, errLimited) || errors.Is(err, errUnconfirmed) {
			break
		}
	}
	return nil, fmt.Errorf("login: register: %w", errors.Join(problems...))
}

var (
	errNoRegister     = errors.New("login: the configuration forbids to register users")
	errNoRegistration = errors.New("login: no operation looks like a registration")
)

var errUnconfirmed = errors.New("the target wants the e-mail address or phone to be confirmed, which a scan cannot do")

// registrations returns the operations that make users, the likely ones first.
func registrations(api *spec.API) (ops []*spec.Operation) {
	for _, op := range api.Operations {
		if registerRank(op) > 0 {
			ops = append(ops, op)
		}
	}
	slices.SortStableFunc(ops, func(a, b *spec.Operation) int { return cmp.Compare(registerRank(b), registerRank(a)) })
	return ops
}

// registerBy registers a user at an operation, or as the configuration says for nil. A
// password that is given stays as it is, whatever the target says of it.
func (k *Keeper) registerBy(ctx context.Context, purpose string, op *spec.Operation, password string) (*User, error) {
	k.registering.Lock()
	defer k.registering.Unlock()
	var media []string
	var fields []field
	if op != nil {
		fields, _, media = inputsOf(op)
	}
	f := newFiller(fields, k.person(purpose, 0))
	f.forced = password
	timesTaken := 0
	for try := range maxTries {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		ex := k.config.Client.Do(ctx, k.registration(op, media, f))
		text := reason(ex)
		switch {
		case ex.Status == 0:
			return nil, fmt.Errorf("%w: %w", errNothing, ex.Err)
		case limited(ex):
			return nil, limitedBy(ex)
		case ex.Status < 400 && !refusedPolitely(ex):
			return k.registered(ctx, f.person, ex)
		case ex.Status == http.StatusUnsupportedMediaType && len(media) > 1:
			media = media[1:]
			continue
		case ex.Status == http.StatusUnauthorized || ex.Status == http.StatusForbidden || ex.Status == http.StatusNotFound || ex.Status == http.StatusMethodNotAllowed:
			return nil, fmt.Errorf("%w: %d%s", errRefused, ex.Status, text)
		}
		taken := ex.Status == http.StatusConflict || takenText.Match(ex.Body)
		if taken {
			timesTaken++
			f.person = k.person(purpose, timesTaken)
		}
		if !f.repair(ex) && !taken || try == maxTries-1 || password != "" && try == 3 {
			return nil, fmt.Errorf("%w: %d%s", errRefused, ex.Status, text)
		}
	}
	return nil, errRefused
}

// registration returns the request that registers.
func (k *Keeper) registration(op *spec.Operation, media []string, f *filler) wire.Request {
	var step Step
	var values = f.person.values()
	if op == nil {
		step = *k.config.Register
		f.person.extra["email"], f.person.extra["phone"] = f.person.email, f.person.phone
	} else {
		step = Step{Method: op.Method, Path: op.Path}
		doc := f.body()
		_, in, _ := inputsOf(op)
		switch {
		case in == "params":
			var query []string
			for _, name := range slices.Sorted(maps.Keys(doc)) {
				query = append(query, queryPair(name, fmt.Sprint(doc[name])))
			}
			step.Path += "?" + strings.Join(query, "&")
		case len(media) > 0 && !strings.Contains(media[0], "json") && media[0] != "*/*":
			step.Form = map[string]string{}
			for name, v := range doc {
				step.Form[name] = fmt.Sprint(v)
			}
		default:
			step.JSON = doc
		}
	}
	r := step.request(values)
	r.Header.Set("Accept", "application/json, */*;q=0.5")
	r.Why = "register"
	if op != nil {
		r.Operation = op.ID
	}
	return r
}

// registered logs a new user in.
func (k *Keeper) registered(ctx context.Context, p *person, ex *wire.Exchange) (*User, error) {
	account := Account{Name: p.username, Username: p.username, Password: p.password, Known: p.known()}
	e := newEntry(account)
	e.user.Registered = true
	err := k.patiently(ctx, e, func() error { return k.first(ctx, e) })
	if err != nil && !errors.Is(err, errLimited) {
		if byAnswer := k.firstByAnswer(ctx, e, ex); byAnswer == nil {
			err = nil
		} else if confirmText.Match(ex.Body) || confirmText.MatchString(err.Error()) {
			err = errUnconfirmed
		}
	}
	if err != nil {
		return nil, fmt.Errorf("registered %s, who then could not log in: %w", p.username, err)
	}
	e.knowOf(decoded(ex), true, 0)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.entries[e.user] = e
	k.order = append(k.order, e)
	if k.shared == nil && !e.recipe.method.isStatic() {
		k.shared = e.recipe
	}
	return e.user, nil
}

// firstByAnswer takes the token, key or cookie of the answer to the registration.
func (k *Keeper) firstByAnswer(ctx context.Context, e *entry, ex *wire.Exchange) error {
	m := &Method{}
	a := &attempt{client: k.config.Client, user: e.user.Name, values: maps.Clone(e.user.Known), pages: []*wire.Exchange{ex}}
	a.jar.take(ex)
	candidates := m.candidates(a, k.config.API)
	if len(candidates) == 0 {
		return errNoToken
	}
	chosen, p := k.choose(ctx, e, m, candidates)
	if p == nil || p.weak {
		return errNoToken
	}
	chosen.how = "what the registration answered: " + chosen.how
	k.settle(ctx, e, m, chosen, p, a)
	return nil
}

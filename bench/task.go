package main

import (
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/fastness/fastness/bench/work"
)

// A Task is one kind of request that every peer answers.
type Task struct {
	Name, Title string
	// Method, Target and Payload are the request.
	Method, Target string
	Payload        []byte
	// Want is the value that the answer must decode to. It is nil for the
	// invalid body, whose answer must list Pointers instead.
	Want     any
	Pointers []string
	// Terms are those of work c, Authorizations makes the tokens that the requests
	// have in turn, and Refusals are what must not get in.
	Terms          Terms
	Authorizations func() ([]string, error)
	Refusals       []Refusal
}

// Tasks lists the work. A task is added here and nowhere else.
func Tasks() ([]Task, error) {
	valid, err := work.Body()
	if err != nil {
		return nil, err
	}
	invalid, err := work.Body(work.Breaks()...)
	if err != nil {
		return nil, err
	}
	o, err := validOrder()
	if err != nil {
		return nil, err
	}
	item, err := meaning(work.Find(work.ItemID, work.ItemQuery))
	if err != nil {
		return nil, err
	}
	receipt, err := meaning(work.Place(&o))
	if err != nil {
		return nil, err
	}
	sellers, err := sellerTasks(valid, &o)
	if err != nil {
		return nil, err
	}
	unused := Terms{SigningHS256(), noHindrance} // The others have no tokens.
	return slices.Concat([]Task{{
		Name: "a", Title: "a: `GET /items/{id}?q=…`, small JSON answer",
		Method: http.MethodGet, Target: work.ItemPath, Want: item, Terms: unused,
	}, {
		Name: "b", Title: "b: `POST /orders`, 1 KB of JSON, rules of each kind, JSON answer",
		Method: http.MethodPost, Target: work.OrderPath, Payload: valid, Want: receipt, Terms: unused,
	}}, sellers, []Task{{
		Name: "d", Title: "d: b with an invalid body, every violation listed",
		Method: http.MethodPost, Target: work.OrderPath, Payload: invalid, Pointers: work.Pointers(work.Breaks()), Terms: unused,
	}}), nil
}

// newSuffix ends the names of works whose tokens are new.
const newSuffix = "-new"

// newTokens is how many tokens take turns where none may have been seen before:
// more than anybody remembers.
const newTokens = 1 << 15

// sellerTasks is work c: for each signature with one token, and with tokens that
// nobody has seen.
func sellerTasks(valid []byte, o *work.Order) (tasks []Task, err error) {
	sold, err := meaning(work.PlaceFor(tokenSubject, o))
	if err != nil {
		return nil, err
	}
	for _, s := range []Signing{SigningHS256(), SigningEdDSA()} {
		refusals, err := s.refusals()
		if err != nil {
			return nil, err
		}
		seen := Task{
			Name:   "c-" + strings.ToLower(s.Algorithm),
			Title:  "c: b with a limit per client, a Bearer JWT (" + s.Algorithm + ") and a role, token seen before",
			Method: http.MethodPost, Target: work.SellerPath, Payload: valid, Want: sold,
			Terms: Terms{s, noHindrance}, Authorizations: s.authorizations(1), Refusals: refusals,
		}
		fresh := seen
		fresh.Name += newSuffix
		fresh.Title = strings.Replace(seen.Title, "token seen before", "token never seen before", 1)
		fresh.Authorizations = s.authorizations(newTokens)
		tasks = append(tasks, seen, fresh)
	}
	return tasks, nil
}

// fits tells whether p takes part in t: a floor validates nothing.
func (t Task) fits(p Peer) bool { return t.Want != nil || p.Violations != nil }

// exchange returns the exchange of the task.
func (t Task) exchange() (*exchange, error) {
	var tokens []string
	if t.Authorizations != nil {
		var err error
		if tokens, err = t.Authorizations(); err != nil {
			return nil, err
		}
	}
	return newExchange(t.Method, t.Target, t.Payload, tokens...)
}

// refusedBy checks that h lets nobody in who must not get in. A floor lets
// everybody in.
func (t Task) refusedBy(p Peer, h http.Handler) error {
	if p.Violations == nil {
		return nil
	}
	for _, r := range t.Refusals {
		var credentials []string
		if r.Authorization != "" {
			credentials = []string{r.Authorization}
		}
		e, err := newExchange(t.Method, t.Target, t.Payload, credentials...)
		if err != nil {
			return err
		}
		if status := e.send(h); status != r.Status {
			return fmt.Errorf("%s, %s: %s gets %d, want %d", p.Name, t.Name, r.Name, status, r.Status)
		}
	}
	return nil
}

// limitedBy checks that p limits each client, whatever its port, and no other
// with it.
func (t Task) limitedBy(p Peer) error {
	if p.Violations == nil || t.Refusals == nil {
		return nil
	}
	h, err := p.New(Terms{t.Terms.Signing, 2})
	if err != nil {
		return fmt.Errorf("%s: %w", p.Name, err)
	}
	e, err := t.exchange()
	if err != nil {
		return err
	}
	for _, request := range []struct {
		name, from string
		want       int
	}{
		{"the first request", "192.0.2.2:40000", http.StatusOK},
		{"the second request", "192.0.2.2:40001", http.StatusOK},
		{"a request over the limit", "192.0.2.2:40002", http.StatusTooManyRequests},
		{"another client", "192.0.2.3:40000", http.StatusOK},
	} {
		e.template.RemoteAddr = request.from
		if status := e.send(h); status != request.want {
			return fmt.Errorf("%s, %s: %s gets %d, want %d", p.Name, t.Name, request.name, status, request.want)
		}
	}
	return nil
}

// accept compares one answer of p with the right one. It returns a word for
// the table on what the answer was, or an error for an answer that must not be
// timed. A list of violations may be incomplete, which the word says, but it
// may name no member that is valid.
func (t Task) accept(p Peer, status int, header http.Header, content []byte) (word string, err error) {
	media, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil || media != "application/json" && !strings.HasSuffix(media, "+json") {
		return "", fmt.Errorf("%s, %s: Content-Type is %q, want JSON", p.Name, t.Name, header.Get("Content-Type"))
	}
	if t.Want != nil {
		return t.acceptSuccess(p, status, content)
	}
	if status/100 != 4 {
		return "", fmt.Errorf("%s, %s: status is %d, want 4xx", p.Name, t.Name, status)
	}
	listed, err := p.Violations(content)
	if err != nil {
		return "", fmt.Errorf("%s, %s: list of violations: %w", p.Name, t.Name, err)
	}
	slices.Sort(listed)
	listed = slices.Compact(listed)
	for _, pointer := range listed {
		if !slices.Contains(t.Pointers, pointer) {
			return "", fmt.Errorf("%s, %s: lists %q, which is valid", p.Name, t.Name, pointer)
		}
	}
	return fmt.Sprintf("%d, lists %d of %d", status, len(listed), len(t.Pointers)), nil
}

func (t Task) acceptSuccess(p Peer, status int, content []byte) (word string, err error) {
	if status/100 != 2 {
		return "", fmt.Errorf("%s, %s: status is %d, want 2xx", p.Name, t.Name, status)
	}
	var got any
	if err := json.Unmarshal(content, &got); err != nil {
		return "", fmt.Errorf("%s, %s: answer: %w", p.Name, t.Name, err)
	}
	if !reflect.DeepEqual(got, t.Want) {
		return "", fmt.Errorf("%s, %s: the answer is %s, want %v", p.Name, t.Name, content, t.Want)
	}
	return fmt.Sprintf("%d, %d B", status, len(content)), nil
}

// meaning is v as JSON decodes it, so that the order of members, white space
// and the spelling of numbers do not matter.
func meaning(v any) (decoded any, err error) {
	encoded, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return decoded, json.Unmarshal(encoded, &decoded)
}

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
	return []Task{
		{"a", "a: `GET /items/{id}?q=…`, small JSON answer", http.MethodGet, work.ItemPath, nil, item, nil},
		{"b", "b: `POST /orders`, 1 KB of JSON, rules of each kind, JSON answer", http.MethodPost, work.OrderPath, valid, receipt, nil},
		{"d", "d: b with an invalid body, every violation listed", http.MethodPost, work.OrderPath, invalid, nil, work.Pointers(work.Breaks())},
	}, nil
}

// fits tells whether p takes part in t: a floor validates nothing.
func (t Task) fits(p Peer) bool { return t.Want != nil || p.Violations != nil }

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

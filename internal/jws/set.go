package jws

import (
	"errors"
	"fmt"
)

// ErrSet says that a text is not a JWK set at all.
var ErrSet = errors.New("not a jwk set")

// maxKeys is how many keys a set may have.
const maxKeys = 100

// ParseSet reads a JWK set (RFC 7517, section 5). Keys that [ParseJWK] refuses,
// that have no id, or whose id occurs twice are left out and reported; a set in
// which only some keys can be used is normal. If no key is returned, the errors
// say why: [ErrSet] if the text is something else.
func ParseSet(data []byte) ([]*Key, []error) {
	var keys []*Key
	var problems []error
	found, n := false, 0
	o := Object{Data: data}
	for o.Next() {
		if string(o.Name()) != "keys" {
			continue
		}
		found = o.Value().Elements(func(v Value) bool {
			key, err := ParseJWK(v)
			if err == nil && key.ID() == "" {
				err = fmt.Errorf("%w: no kid", errJWK)
			}
			if err != nil {
				problems = append(problems, fmt.Errorf("key %d: %w", n, err))
			} else {
				keys = append(keys, key)
			}
			n++
			return n < maxKeys
		})
	}
	if o.Err() != nil || !found {
		return nil, []error{fmt.Errorf("%w of fewer than %d keys", ErrSet, maxKeys)}
	}
	keys, ambiguous := unambiguous(keys)
	problems = append(problems, ambiguous...)
	if len(keys) == 0 && len(problems) == 0 {
		problems = append(problems, errors.New("the jwk set is empty"))
	}
	return keys, problems
}

// unambiguous leaves out all keys of an id that occurs twice: which of them a
// header means would be anybody's choice.
func unambiguous(keys []*Key) (kept []*Key, problems []error) {
	count := make(map[string]int, len(keys))
	for _, k := range keys {
		count[k.id]++
	}
	for _, k := range keys {
		if count[k.id] == 1 {
			kept = append(kept, k)
		}
	}
	if len(kept) < len(keys) {
		problems = append(problems, fmt.Errorf("%w: a kid occurs twice", errJWK))
	}
	return kept, problems
}

package openapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"iter"
	"reflect"
)

// Map is a JSON object that keeps the order in which its members were set, so
// that a document reads as it was written and is the same each time.
type Map[V any] struct {
	names  []string
	values map[string]V
}

// IsZero reports whether the map has no members.
func (m Map[V]) IsZero() bool { return len(m.names) == 0 }

// Len returns the number of members.
func (m Map[V]) Len() int { return len(m.names) }

// Get returns the member called name.
func (m Map[V]) Get(name string) (V, bool) {
	v, ok := m.values[name]
	return v, ok
}

// Set adds a member at the end, or replaces it in its place.
func (m *Map[V]) Set(name string, value V) {
	if m.values == nil {
		m.values = make(map[string]V)
	}
	if _, ok := m.values[name]; !ok {
		m.names = append(m.names, name)
	}
	m.values[name] = value
}

// All yields the members in order.
func (m Map[V]) All() iter.Seq2[string, V] {
	return func(yield func(string, V) bool) {
		for _, name := range m.names {
			if !yield(name, m.values[name]) {
				return
			}
		}
	}
}

// MarshalJSON writes the members in order.
func (m Map[V]) MarshalJSON() ([]byte, error) {
	var buf bytes.Buffer
	buf.WriteByte('{')
	for i, name := range m.names {
		if i > 0 {
			buf.WriteByte(',')
		}
		key, err := marshal(name)
		if err != nil {
			return nil, err
		}
		value, err := marshal(m.values[name])
		if err != nil {
			return nil, err
		}
		buf.Write(key)
		buf.WriteByte(':')
		buf.Write(value)
	}
	buf.WriteByte('}')
	return buf.Bytes(), nil
}

// UnmarshalJSON reads an object and keeps the order of its members. It reads
// null as the empty map, and leaves out members that would be nil pointers.
func (m *Map[V]) UnmarshalJSON(data []byte) error {
	*m = Map[V]{}
	if isNull(data) {
		return nil
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	open, err := dec.Token()
	if err != nil {
		return err
	}
	if open != json.Delim('{') {
		return fmt.Errorf("want an object, have %v", open)
	}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return err
		}
		var value V
		if err := dec.Decode(&value); err != nil {
			return fmt.Errorf("%q: %w", name, err)
		}
		if v := reflect.ValueOf(value); v.Kind() == reflect.Pointer && v.IsNil() {
			continue
		}
		m.Set(name.(string), value)
	}
	_, err = dec.Token()
	return err
}

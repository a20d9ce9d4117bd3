package openapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

const extensionPrefix = "x-"

// marshal is json.Marshal without the escaping of < > and &, which would make
// patterns unreadable. The document is served with nosniff.
func marshal(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(buf.Bytes(), "\n"), nil
}

// unmarshal is json.Unmarshal that keeps numbers as they are written: as a
// float64, 9007199254740993 would become another number.
func unmarshal(data []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	if err := dec.Decode(v); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("want one JSON value, have more after it")
	}
	return nil
}

// marshalExtended marshals the struct v and appends extensions, sorted by name,
// to its members.
func marshalExtended(v any, extensions map[string]any) ([]byte, error) {
	out, err := marshal(v)
	if err != nil || len(extensions) == 0 {
		return out, err
	}
	var ordered Map[any]
	for _, name := range slices.Sorted(maps.Keys(extensions)) {
		if !strings.HasPrefix(name, extensionPrefix) {
			return nil, fmt.Errorf("extension %q: want a name that begins with %q", name, extensionPrefix)
		}
		ordered.Set(name, extensions[name])
	}
	members, err := ordered.MarshalJSON()
	if err != nil {
		return nil, err
	}
	if len(out) == len("{}") {
		return members, nil
	}
	out[len(out)-1] = ','
	return append(out, members[1:]...), nil
}

// unmarshalExtended reads the struct v and the extensions beside its members.
func unmarshalExtended(data []byte, v any, extensions *map[string]any) error {
	if err := unmarshal(data, v); err != nil {
		return err
	}
	*extensions = nil
	// Few objects have extensions. The second reading is for those that may,
	// also with the name escaped.
	if !bytes.Contains(data, []byte(`"`+extensionPrefix)) && !bytes.Contains(data, []byte(`\u`)) {
		return nil
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		return err
	}
	for name, raw := range members {
		if !strings.HasPrefix(name, extensionPrefix) {
			continue
		}
		var value any
		if err := unmarshal(raw, &value); err != nil {
			return err
		}
		if *extensions == nil {
			*extensions = make(map[string]any)
		}
		(*extensions)[name] = value
	}
	return nil
}

func isNull(data []byte) bool { return string(bytes.TrimSpace(data)) == "null" }

// withoutNil drops the nulls of a list, so that readers of a document need not
// expect nil pointers in it.
func withoutNil[T any](list []*T) []*T {
	return slices.DeleteFunc(list, func(v *T) bool { return v == nil })
}

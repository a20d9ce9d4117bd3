package auditlog

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"time"

	"github.com/fastness/fastness/observe"
)

// The limits of details.
const (
	maxDetails     = 32   // attributes, groups included
	maxDepth       = 4    // of groups
	maxDetailsSize = 8192 // bytes of all names and values, before they are quoted
	maxKey         = 64
	maxValue       = 1024
)

// cutMark is the name of the attribute that says how many were left out. It
// cannot be the name of one that was given: "…" prints, but such an attribute
// loses to this one.
const cutMark = "…"

// encodeDetails returns attrs as a JSON object in one line, whose names are in
// order: the same facts are the same bytes.
func encodeDetails(attrs []slog.Attr) json.RawMessage {
	if len(attrs) == 0 {
		return json.RawMessage("{}")
	}
	e := &detailEncoder{attrs: maxDetails, bytes: maxDetailsSize}
	object := e.object(attrs, 1)
	if e.left > 0 {
		object[cutMark] = e.left
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b) // It sorts the names.
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(object); err != nil {
		panic(fmt.Sprintf("auditlog: %v", err)) // There is nothing in it but texts, numbers and booleans.
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// detailEncoder counts down what may still be kept.
type detailEncoder struct {
	attrs, bytes int
	left         int // attributes that were left out
}

func (e *detailEncoder) object(attrs []slog.Attr, depth int) map[string]any {
	object := make(map[string]any, min(len(attrs), maxDetails))
	e.add(object, attrs, depth)
	return object
}

func (e *detailEncoder) add(object map[string]any, attrs []slog.Attr, depth int) {
	for i, attr := range attrs {
		if e.attrs <= 0 || e.bytes <= 0 || depth > maxDepth {
			e.left += len(attrs) - i
			return
		}
		value := attr.Value.Resolve()
		switch {
		case value.Kind() != slog.KindGroup:
			if attr.Key == "" && value.Equal(slog.Value{}) { // As every handler of slog does.
				continue
			}
			e.attrs--
			object[e.text(attr.Key, maxKey)] = e.value(value)
		case attr.Key == "":
			e.add(object, value.Group(), depth+1)
		case len(value.Group()) > 0:
			e.attrs--
			key := e.text(attr.Key, maxKey)
			object[key] = e.object(value.Group(), depth+1)
		}
	}
}

// text cleans s and counts it.
func (e *detailEncoder) text(s string, limit int) string {
	clean := observe.Printable(s, max(0, min(limit, e.bytes)))
	e.bytes -= len(clean)
	return clean
}

// value returns v as one of the types that have one form in JSON.
func (e *detailEncoder) value(v slog.Value) any {
	const number = 8
	switch v.Kind() {
	case slog.KindBool:
		e.bytes -= number
		return v.Bool()
	case slog.KindInt64:
		e.bytes -= number
		return v.Int64()
	case slog.KindUint64:
		e.bytes -= number
		return v.Uint64()
	case slog.KindFloat64:
		if f := v.Float64(); !math.IsNaN(f) && !math.IsInf(f, 0) {
			e.bytes -= number
			return f
		}
		return e.text(v.String(), maxValue)
	case slog.KindTime:
		return e.text(v.Time().UTC().Format(time.RFC3339Nano), maxValue)
	case slog.KindString, slog.KindDuration:
		return e.text(v.String(), maxValue)
	}
	return e.any(v.Any())
}

// any prints what slog has no kind for. Package fmt asks for Error and String,
// and survives if they panic; a secret inside prints as ***.
func (e *detailEncoder) any(v any) any {
	switch v := v.(type) {
	case nil:
		return nil
	case []byte:
		return e.text(hex.EncodeToString(v[:min(len(v), maxValue)]), maxValue)
	case []string:
		list := make([]string, 0, min(len(v), maxDetails))
		for i, s := range v {
			if e.attrs <= 0 || e.bytes <= 0 {
				e.left += len(v) - i
				break
			}
			e.attrs--
			list = append(list, e.text(s, maxValue))
		}
		return list
	}
	return e.text(fmt.Sprintf("%+v", v), maxValue)
}

package page

import (
	"math"
	"reflect"
	"testing"
	"time"
)

func positions() []position {
	return []position{
		{expires: time.Unix(5, 0), values: []any{nil, int64(-1), 1.5, "Lämp", []byte{0, 1}, true, false, time.Date(2026, 1, 2, 3, 4, 5, 678, time.UTC)}},
		{back: true, expires: time.Unix(math.MaxInt32, 0), values: []any{int64(math.MinInt64), math.Inf(-1), "", []byte{}, time.Time{}}},
	}
}

func TestPositionsAreReadAsTheyWereWritten(t *testing.T) {
	for _, p := range positions() {
		b, err := p.append(nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := parsePosition(b)
		if err != nil || !got.expires.Equal(p.expires) || got.back != p.back || !reflect.DeepEqual(got.values, p.values) {
			t.Errorf("read %+v (%v), want %+v", got, err, p)
		}
		for i := range b {
			if b[i] != 0 || i < 11 { // What is cut off behind it is zeros.
				if _, err := parsePosition(b[:i]); err == nil {
					t.Errorf("%d of %d bytes are a position", i, len(b))
				}
			}
		}
	}
	for name, p := range map[string]position{"no values": {}, "too many": {values: make([]any, maxValues+1)}} {
		b, _ := p.append(nil)
		if _, err := parsePosition(b); err == nil {
			t.Errorf("%s are a position", name)
		}
	}
	b, _ := positions()[0].append(nil)
	if b[len(b)-1] = 1; b[len(b)-2] != 0 {
		t.Fatal("no room behind the position")
	}
	if _, err := parsePosition(b); err == nil {
		t.Error("what stands behind a position is passed over")
	}
	if _, err := (position{values: []any{struct{}{}}}).append(nil); err == nil {
		t.Error("a struct is a value")
	}
}

func FuzzPosition(f *testing.F) {
	for _, p := range positions() {
		b, _ := p.append(nil)
		f.Add(b)
	}
	f.Add([]byte{1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, isText, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := parsePosition(b)
		if err != nil {
			return
		}
		again, err := p.append(nil)
		if err != nil {
			t.Fatalf("%+v is read and cannot be written: %v", p, err)
		}
		if _, err := parsePosition(again); err != nil {
			t.Fatalf("%+v: %v", p, err)
		}
	})
}

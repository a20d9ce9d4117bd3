package seal_test

import (
	"bytes"
	"testing"

	"github.com/fastness/fastness/internal/seal"
)

func TestSaltedOpensWhatItSealedAndNothingElse(t *testing.T) {
	ctx, one, two := t.Context(), seal.Ephemeral(), seal.Ephemeral()
	sealed, err := one.Seal(ctx, []byte("a position"), []byte("a list"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := append(two, one...).Open(ctx, sealed, []byte("a list")); err != nil || string(got) != "a position" {
		t.Errorf("with an older root it opens to %q, %v", got, err)
	}
	if again, err := one.Seal(ctx, []byte("a position"), []byte("a list")); err != nil || bytes.Equal(again, sealed) {
		t.Errorf("the same twice is sealed alike (%v)", err)
	}
	for what, open := range map[string]func() ([]byte, error){
		"another root": func() ([]byte, error) { return two.Open(ctx, sealed, []byte("a list")) },
		"another list": func() ([]byte, error) { return one.Open(ctx, sealed, []byte("another")) },
		"a part of it": func() ([]byte, error) { return one.Open(ctx, sealed[:15], []byte("a list")) },
	} {
		if got, err := open(); err == nil {
			t.Errorf("%s opens it to %q", what, got)
		}
	}
	for i := range sealed {
		changed := bytes.Clone(sealed)
		changed[i] ^= 1
		if got, err := one.Open(ctx, changed, []byte("a list")); err == nil {
			t.Errorf("with byte %d changed it opens to %q", i, got)
		}
	}
}

package keyring_test

import (
	"log/slog"
	"testing"

	"github.com/fastness/fastness/keyring"
)

func BenchmarkReading(b *testing.B) {
	cfg := config(b, &keyring.Memory{}, newClock())
	cfg.Now, cfg.Logger = nil, slog.New(slog.DiscardHandler)
	ring := open(b, cfg)
	id := signing(b, ring, tokens).ID()
	b.Run("Signing", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = ring.Signing(b.Context(), tokens)
		}
	})
	b.Run("Verifying", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = ring.Verifying(b.Context(), tokens, id)
		}
	})
	b.Run("Generation", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			ring.Generation()
		}
	})
}

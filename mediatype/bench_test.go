package mediatype_test

import (
	"bytes"
	"crypto/rand"
	"image"
	"image/jpeg"
	"strings"
	"testing"
)

func BenchmarkDetectJPEG(b *testing.B) {
	m := image.NewRGBA(image.Rect(0, 0, 2000, 1500))
	rand.Read(m.Pix)
	var buf bytes.Buffer
	_ = jpeg.Encode(&buf, m, nil)
	b.SetBytes(int64(buf.Len()))
	text := buf.String()
	b.ReportAllocs()
	for b.Loop() {
		if c := detect(b, text); c.Width != 2000 {
			b.Fatal(c)
		}
	}
}

func BenchmarkDetectText(b *testing.B) {
	text := strings.Repeat("hello, wörld\n", 100_000)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		detect(b, text)
	}
}

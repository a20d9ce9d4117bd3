package main

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/png"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fastness/fastness/auth"
)

// aPNG is a picture, with a comment that says where it was taken.
func aPNG(t *testing.T, width, height int) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for x := range width {
		img.Set(x, x%height, color.RGBA{R: 200, G: uint8(x), A: 255})
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	const where = "GPS\x0051.5 N, 0.1 W"
	chunk := binary.BigEndian.AppendUint32(nil, uint32(len(where)))
	chunk = append(chunk, "tEXt"+where...)
	chunk = binary.BigEndian.AppendUint32(chunk, crc("tEXt"+where))
	data := b.Bytes()
	const head = 8 + 25 // the signature and the chunk IHDR
	return append(append(bytes.Clone(data[:head]), chunk...), data[head:]...)
}

// upload sends a file to the picture of an item.
func (s *shop) upload(path, name, contentType string, content []byte) reply {
	s.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {`form-data; name="picture"; filename="` + name + `"`}, "Content-Type": {contentType},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	_, _ = part.Write(content) // It is in memory.
	_ = form.Close()
	r := httptest.NewRequestWithContext(auth.With(s.t.Context(), s.caller), http.MethodPut, path+"/picture", &body)
	return s.send(r, "Content-Type", form.FormDataContentType())
}

// files returns how many pictures are kept.
func files(t *testing.T, dir string) (n int) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(dir, "pictures"), func(_ string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			n++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestPictureOfAnItem(t *testing.T) {
	dir := t.TempDir()
	s := openShop(t, dir)
	path, _ := s.create(`{"name":"Lamp","price":1}`)
	if got := s.get(path + "/picture"); got.status != http.StatusNotFound {
		t.Errorf("a picture that is not there = %d, want 404", got.status)
	}
	original := aPNG(t, 1600, 800)
	if got := s.upload(path, "lamp.png", "image/png", original); got.status != http.StatusNoContent {
		t.Fatalf("PUT of a picture = %d %s, want 204", got.status, got.body)
	}
	if at := s.get(path).decode(t)["picture"]; at != path+"/picture" {
		t.Errorf("the item says its picture is at %v", at)
	}
	got := s.as(nil).get(path + "/picture")
	made, err := png.DecodeConfig(strings.NewReader(got.body))
	if err != nil || got.header.Get("Content-Type") != "image/png" || made.Width != 1200 || made.Height != 600 || strings.Contains(got.body, "GPS") {
		t.Errorf("the picture is %s of %d × %d, tells where: %t, %v; want 1200 × 600 without", got.header.Get("Content-Type"), made.Width, made.Height, strings.Contains(got.body, "GPS"), err)
	}
	if csp := got.header.Get("Content-Security-Policy"); !strings.Contains(csp, "sandbox") || got.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("the picture is sent under %q", csp)
	}
	if again := s.get(path+"/picture", "If-None-Match", got.header.Get("ETag")); again.status != http.StatusNotModified {
		t.Errorf("the same picture again = %d, want 304", again.status)
	}
	if part := s.get(path+"/picture", "Range", "bytes=0-7"); part.status != http.StatusPartialContent || part.body != "\x89PNG\r\n\x1a\n" {
		t.Errorf("a part of it = %d %q", part.status, part.body)
	}

	if again := s.upload(path, "lamp.png", "image/png", aPNG(t, 10, 10)); again.status != http.StatusNoContent {
		t.Errorf("another picture = %d %s", again.status, again.body)
	}
	if got := s.call(http.MethodDelete, path+"/picture", ""); got.status != http.StatusNoContent || s.get(path+"/picture").status != http.StatusNotFound {
		t.Errorf("DELETE of the picture = %d, and it is there still", got.status)
	}
	s.stop() // Waits for what comes after the answers.
	if n := files(t, dir); n != 0 {
		t.Errorf("%d files of pictures are left that no item has", n)
	}
}

func TestPictureIsForThoseWhoMaySeeTheItem(t *testing.T) {
	s := openShop(t, t.TempDir())
	path, _ := s.create(draftLamp)
	if got := s.upload(path, "lamp.png", "image/png", aPNG(t, 10, 10)); got.status != http.StatusNoContent {
		t.Fatalf("PUT of a picture = %d %s", got.status, got.body)
	}
	if got := s.as(caller("s2", "castle", "seller")).get(path + "/picture"); got.status != http.StatusNotFound {
		t.Errorf("the picture of somebody else's draft = %d, want 404", got.status)
	}
	if got := s.as(caller("s2", "castle", "seller")).upload("/items/1", "x.png", "image/png", aPNG(t, 10, 10)); got.status != http.StatusForbidden {
		t.Errorf("a picture for somebody else's item = %d, want 403", got.status)
	}
}

func TestWhatIsNoPictureIsRefused(t *testing.T) {
	dir := t.TempDir()
	s := openShop(t, dir)
	path, _ := s.create(`{"name":"Lamp","price":1}`)
	huge := aPNG(t, 10, 10)
	binary.BigEndian.PutUint32(huge[16:], 100_000)
	binary.BigEndian.PutUint32(huge[20:], 100_000)
	binary.BigEndian.PutUint32(huge[29:], crc(string(huge[12:29])))
	for what, test := range map[string]struct {
		name, contentType, content string
	}{
		"a page as a picture": {"x.jpg", "image/jpeg", "<html><script>alert(1)</script>"},
		"an SVG":              {"x.svg", "image/svg+xml", `<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`},
		"a GIF that is a JAR": {"x.gif", "image/gif", "GIF89a\x01\x00\x01\x00\x00\x00\x00;PK\x03\x04"},
		"10,000,000,000 dots": {"x.png", "image/png", string(huge)},
		"a PNG called .html":  {"x.html", "image/png", string(aPNG(t, 10, 10))},
		"half of a picture":   {"x.png", "image/png", string(aPNG(t, 100, 100)[:200])},
		"nothing":             {"x.png", "image/png", ""},
	} {
		if got := s.upload(path, test.name, test.contentType, []byte(test.content)); got.status != http.StatusUnprocessableEntity {
			t.Errorf("%s = %d %s, want 422", what, got.status, got.body)
		}
	}
	if n := files(t, dir); n != 0 {
		t.Errorf("%d files are kept of what was refused", n)
	}
}

func crc(text string) uint32 { return crc32.ChecksumIEEE([]byte(text)) }

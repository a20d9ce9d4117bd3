//go:build linux

package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/internal/smalldisk"
)

// fill takes all that is left of a disk.
func fill(t *testing.T, dir string) (empty func()) {
	t.Helper()
	path := filepath.Join(dir, "filler")
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	for block := make([]byte, 4096); err == nil; _, err = file.Write(block) {
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}

// A disk that is full is told, as a failure of the server; nothing is half there,
// and all goes on when there is room again.
func TestFullDiskLosesNothing(t *testing.T) {
	onlyFiles(t)
	if !smalldisk.Alone(t) {
		return
	}
	data, uploads := smalldisk.Mount(t, "data", 8<<10), smalldisk.Mount(t, "uploads", 512)
	app, inside := testApp()
	other := fastness.New(fastness.Config{Title: "Album", Version: "1", UploadDir: uploads})
	fastness.Post(other, "/photos", func(_ context.Context, in struct {
		Photo fastness.File `form:"photo"`
	}) (Uploaded, error) {
		return Uploaded{Bytes: in.Photo.Size}, nil
	}, access.Public)
	album := &shop{t: t, app: other, parts: new(parts)}
	if err := other.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer album.stop()
	fastness.ProvideValue(app, inFolder(t, data))
	s := &shop{t: t, app: app, parts: inside}
	if err := app.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer s.stop()
	t.Run("uploads", func(t *testing.T) { fullOfUploads(t, album, uploads) })
	t.Run("items", func(t *testing.T) { fullOfItems(t, s, data) })
}

func fullOfUploads(t *testing.T, s *shop, dir string) {
	const size = 200 << 10 // More than is kept in memory.
	body := multipartBody(part(`name="photo"; filename="a.png"`, strings.Repeat("x", size)))
	send := func() reply {
		return s.send(httptest.NewRequest(http.MethodPost, "/photos", strings.NewReader(body)), "Content-Type", "multipart/form-data; boundary="+boundary)
	}
	empty := fill(t, dir)
	got := send()
	wantProblem(t, "an upload to a full disk", got, http.StatusInsufficientStorage)
	if code, _ := got.decode(t)["code"].(string); code != "upload_no_space" || strings.Contains(got.body, dir) {
		t.Errorf("the answer is %s, want upload_no_space and no path", got.body)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("%d files are in the folder (%v), want that of this test", len(left), err)
	}
	empty()
	for range 10 { // Were one kept, the next would find no room.
		if got := send(); got.status != http.StatusOK || !strings.Contains(got.body, `"bytes":204800`) {
			t.Fatalf("with room again: %d %s", got.status, got.body)
		}
	}
}

func fullOfItems(t *testing.T, s *shop, dir string) {
	body := `{"price":1,"name":"a lamp","description":"` + strings.Repeat("x", 9_000) + `"}`
	stored := func() int {
		n, err := strconv.Atoi(s.total())
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := stored()
	empty := fill(t, dir)
	created, refused := 0, 0
	for range 100 {
		switch got := s.call(http.MethodPost, "/test/items/", body); {
		case got.status == http.StatusCreated:
			created++
		default:
			refused++
			wantProblem(t, "an item on a full disk", got, http.StatusInternalServerError, http.StatusServiceUnavailable, http.StatusInsufficientStorage)
			if text := strings.ToLower(got.body); strings.Contains(text, "sql") || strings.Contains(text, "disk") || strings.Contains(text, dir) {
				t.Errorf("the answer tells what is inside: %s", got.body)
			}
		}
	}
	if refused == 0 {
		t.Fatal("the disk is not full: this test tests nothing")
	}
	if got := stored(); got != before+created {
		t.Errorf("%d items are stored, want %d and the %d that were created", got, before, created)
	}
	if got := s.get("/items/?limit=100"); got.status != http.StatusOK || !json.Valid([]byte(got.body)) {
		t.Errorf("the list on a full disk: %d", got.status)
	}
	empty()
	if got := s.call(http.MethodPost, "/test/items/", body); got.status != http.StatusCreated || s.get(got.header.Get("Location")).status != http.StatusOK || stored() != before+created+1 {
		t.Errorf("with room again: %d, and %d items are stored, want %d", got.status, stored(), before+created+1)
	}
	t.Logf("%d items were created on the full disk, and %d refused", created, refused)
}

package fastness_test

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/archive"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/fastnesstest"
	"github.com/fastness/fastness/filestore"
	"github.com/fastness/fastness/internal/guidetest"
	"github.com/fastness/fastness/mediatype"
	"github.com/fastness/fastness/picture"
	"github.com/fastness/fastness/problem"
)

// What follows is the code of docs/files.md.

type addPicture struct {
	Item    int64         `path:"item" minimum:"1"`
	Title   string        `form:"title" maxLength:"80"`
	Picture fastness.File `form:"picture" accept:"image/png,image/jpeg" maxLength:"8MiB" maxPixels:"25000000"`

	Pictures *picture.Maker
	Store    *filestore.Store
}

type savedPicture struct {
	Key    filestore.Key `json:"key"`
	Title  string        `json:"title"`
	Width  int           `json:"width"`
	Height int           `json:"height"`
}

func savePicture(ctx context.Context, in addPicture) (fastness.Created[savedPicture], error) {
	upload, err := in.Picture.Open()
	if err != nil {
		return fastness.Created[savedPicture]{}, err
	}
	defer upload.Close()
	made, err := in.Pictures.Make(ctx, upload, in.Picture.Size) // its pixels, and nothing else of it
	if err != nil {
		return fastness.Created[savedPicture]{}, err
	}
	info, err := in.Store.Save(ctx, bytes.NewReader(made.Data))
	// Here the row of the item gets info.Key.
	return fastness.Created[savedPicture]{Body: savedPicture{info.Key, in.Title, made.Width, made.Height}}, err
}

func readPicture(_ context.Context, in struct {
	Key   filestore.Key `path:"key"`
	Store *filestore.Store
}) (fastness.Download, error) {
	file, err := in.Store.Open(in.Key) // 404 if there is none
	if err != nil {
		return fastness.Download{}, err
	}
	return fastness.Download{Content: file, ContentType: file.Info.Type, Inline: true, Version: in.Key.String()}, nil
}

type importItems struct {
	Archive  fastness.File `form:"archive" accept:"application/zip" maxLength:"20MiB"`
	Archives *archive.Policy
}

func readArchive(_ context.Context, in importItems) (rows int, err error) {
	upload, err := in.Archive.Open()
	if err != nil {
		return 0, err
	}
	defer upload.Close()
	for entry, err := range in.Archives.Zip(upload, in.Archive.Size) {
		if err != nil {
			return 0, err // 422: a bomb, a link, a name such as ../../etc/passwd
		}
		text, err := io.ReadAll(entry)
		if err != nil {
			return 0, err
		}
		rows += strings.Count(string(text), "\n")
	}
	return rows, nil
}

func TestGuideToFilesShowsCodeThatRuns(t *testing.T) {
	guidetest.Shows(t, "docs/files.md", 4, "files_guide_test.go")
}

func TestGuideToFilesRuns(t *testing.T) {
	uploads, folder := t.TempDir(), filepath.Join(t.TempDir(), "pictures")
	app := fastness.New(fastness.Config{Title: "Shop", Version: "1.0.0", UploadDir: uploads})
	fastness.ProvideApp(app, func(context.Context, struct{}) (*filestore.Store, func(error) error, error) {
		store, err := filestore.Open(folder, filestore.Config{MaxBytes: 5 << 20})
		return store, func(error) error { return store.Close() }, err
	})
	pictures, err := picture.New(picture.Config{MaxSide: 1600})
	if err != nil {
		t.Fatal(err)
	}
	fastness.ProvideValue(app, pictures)
	archives, err := archive.New(archive.Config{Bytes: 100 << 20, Entries: 1000})
	if err != nil {
		t.Fatal(err)
	}
	fastness.ProvideValue(app, archives)
	fastness.Post(app, "/items/{item}/pictures", savePicture, access.Public, fastness.BodyLimit(10<<20))
	fastness.Get(app, "/pictures/{key}", readPicture, access.Public)
	fastness.Post(app, "/imports", readArchive, access.Public, fastness.BodyLimit(21<<20))
	api := fastnesstest.New(t, app)

	var photo bytes.Buffer
	if err := jpeg.Encode(&photo, image.NewGray(image.Rect(0, 0, 2000, 1000)), nil); err != nil {
		t.Fatal(err)
	}
	withGPS := append([]byte("\xff\xd8\xff\xe1\x00\x12Exif\x00\x00GPS 52.520"), photo.Bytes()[2:]...)
	var saved savedPicture
	api.Post("/items/7/pictures", fastnesstest.Multipart(fastnesstest.Field("title", "Lamp"), fastnesstest.File("picture", "a.jpg", withGPS))).Want(201).JSON(&saved)
	if saved.Title != "Lamp" || saved.Width != 1600 || saved.Height != 800 {
		t.Errorf("saved %+v", saved)
	}
	res := api.Get("/pictures/"+saved.Key.String()).Want(200).WantHeader("Content-Type", "image/jpeg").WantHeader("X-Content-Type-Options", "nosniff")
	if bytes.Contains(res.Body, []byte("GPS")) || mediatype.Unknown == res.Header.Get("Content-Type") {
		t.Error("the picture tells where it was taken")
	}
	api.Get("/pictures/"+strings.Repeat("a", 26)).WantProblem(404, "file_not_found")
	for _, key := range []string{"..%2f..%2fetc%2fpasswd", "x", strings.ToUpper(saved.Key.String())} {
		if res := api.Get("/pictures/" + key); res.Status != 404 && res.Status != 422 && res.Status != 400 {
			t.Errorf("%s is answered %d", key, res.Status)
		}
	}
	page := fastnesstest.Multipart(fastnesstest.Field("title", "Lamp"), fastnesstest.File("picture", "a.jpg", []byte("<html><script>alert(1)</script>")))
	api.Post("/items/7/pictures", page).Want(422).WantViolation("form", "/picture", "file_type")

	send := func(name string) *fastnesstest.Response {
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		f, err := w.Create(name)
		if err == nil {
			_, err = fmt.Fprint(f, "lamp;20\nsofa;300\n")
		}
		if err == nil {
			err = w.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		return api.Post("/imports", fastnesstest.Multipart(fastnesstest.File("archive", "a.zip", b.Bytes())))
	}
	send("items.csv").Want(200).WantJSON("2")
	send("../../etc/passwd").WantProblem(422, "archive_name")
}

func TestGuideToRoomsOfFilesRuns(t *testing.T) {
	ctx, size := t.Context(), int64(5)
	file := bytes.NewReader([]byte("hello"))
	texts, err := mediatype.New(mediatype.Config{Accept: []string{"text/plain", "text/csv"}})
	if err != nil {
		t.Fatal(err)
	}
	found, err := mediatype.Detect(file, size)
	if err != nil {
		t.Fatal(err)
	}
	found, err = texts.Check(found, mediatype.Claim{Name: "a.csv", Type: "text/csv"}) // 422 if it is not wanted
	if err != nil || found.Type != "text/csv; charset=utf-8" {
		t.Errorf("found %+v, %v", found, err)
	}
	store, err := filestore.Open(filepath.Join(t.TempDir(), "files"), filestore.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	inUse := func(context.Context, filestore.Key) (bool, error) { return false, nil }
	removed, err := store.Sweep(ctx, time.Now().Add(-time.Hour), inUse)
	if err != nil || removed != 0 {
		t.Errorf("removed %d, %v", removed, err)
	}
	archives, err := archive.New(archive.Config{Bytes: 100 << 20, Entries: 1000})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	err = archive.ExtractTo(ctx, root, "import", archives.Zip(file, size)) // all of it, or nothing
	if p := problem.From(err); p.Status != http.StatusUnprocessableEntity {
		t.Errorf("what is no archive: %v", err)
	}
}

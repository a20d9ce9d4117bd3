package fastness_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"hash/crc32"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"strings"
	"testing"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/fastnesstest"
)

type newPhotos struct {
	Title  string          `form:"title" maxLength:"20"`
	Photo  fastness.File   `form:"photo" accept:"image/png,image/jpeg" maxLength:"100KiB" maxPixels:"1000000" maxWidth:"2000"`
	Papers []fastness.File `form:"papers" accept:"application/pdf,text/csv" minLength:"4" maxItems:"2"`
	Any    *fastness.File  `form:"any"`
}

type photosSeen struct {
	Title, Photo, Any string
	Width, Height     int
	Papers            []string
}

func seePhotos(_ context.Context, in newPhotos) (photosSeen, error) {
	seen := photosSeen{Title: in.Title, Photo: in.Photo.ContentType, Width: in.Photo.Width, Height: in.Photo.Height, Papers: []string{}}
	for _, f := range in.Papers {
		seen.Papers = append(seen.Papers, f.ContentType)
	}
	if in.Any != nil {
		seen.Any = in.Any.ContentType
	}
	return seen, nil
}

func smallPNG() string {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 30, 20))); err != nil {
		panic(err)
	}
	return b.String()
}

func smallJPEG() string {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, 30, 20)), nil); err != nil {
		panic(err)
	}
	return b.String()
}

// pngOfSize is a PNG that says how large it is, and has nothing of that.
func pngOfSize(width, height uint32) string {
	data := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32([]byte("IHDR"), width), height)
	data = append(data, 8, 2, 0, 0, 0)
	data = binary.BigEndian.AppendUint32(data, crc32.ChecksumIEEE(data))
	return "\x89PNG\r\n\x1a\n\x00\x00\x00\x0d" + string(data) + "\x00\x00\x00\x00IEND\xaeB`\x82"
}

// sent is one file of a form.
type sent struct{ field, name, claimed, content string }

// uploadTo sends a form over a connection, as a browser does.
func uploadTo(t *testing.T, url string, files ...sent) (status int, body string) {
	t.Helper()
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	err := form.WriteField("title", "T")
	for _, f := range files {
		w, partErr := form.CreatePart(textproto.MIMEHeader{
			"Content-Disposition": {`form-data; name="` + f.field + `"; filename="` + f.name + `"`}, "Content-Type": {f.claimed},
		})
		if partErr != nil {
			t.Fatal(partErr)
		}
		_, _ = io.WriteString(w, f.content)
	}
	if err == nil {
		err = form.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.Post(url, form.FormDataContentType(), &b)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

func photoApp(t *testing.T) *httptest.Server {
	t.Helper()
	app := fastness.New(fastness.Config{Title: "Photos", Version: "1", UploadDir: t.TempDir()})
	fastness.Post(app, "/photos", seePhotos, access.Public)
	if err := app.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(app)
	t.Cleanup(server.Close)
	return server
}

func TestUploadIsHeldAgainstItsTags(t *testing.T) {
	url := photoApp(t).URL + "/photos"
	pdf := "%PDF-1.7\n%%EOF"
	status, body := uploadTo(t, url, sent{"photo", "a.png", "image/png", smallPNG()}, sent{"papers", "a.pdf", "application/pdf", pdf},
		sent{"papers", "a.csv", "application/vnd.ms-excel", "a;b\n"}, sent{"any", "a", "x/y", "\x00\x01"})
	want := `{"Title":"T","Photo":"image/png","Any":"application/octet-stream","Width":30,"Height":20,"Papers":["application/pdf","text/csv; charset=utf-8"]}`
	if status != 200 || strings.TrimSpace(body) != want {
		t.Fatalf("%d %s, want %s", status, body, want)
	}
	photo := func(name, claimed, content string) []sent { return []sent{{"photo", name, claimed, content}} }
	good := sent{"photo", "a.png", "image/png", smallPNG()}
	for name, tt := range map[string]struct {
		files         []sent
		status        int
		pointer, code string
	}{
		"HTML as jpg":              {photo("a.jpg", "image/jpeg", "<html><script>alert(1)</script>"), 422, "/photo", "file_type"},
		"SVG with a script":        {photo("a.png", "image/png", "<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"), 422, "/photo", "file_type"},
		"GIFAR":                    {photo("a.jpg", "image/jpeg", smallJPEG()+"PK\x05\x06"+strings.Repeat("\x00", 18)), 422, "/photo", "file_type"},
		"a page behind a picture":  {photo("a.png", "image/png", smallPNG()+"<script>alert(1)</script>"), 422, "/photo", "file_type"},
		"PNG called jpg":           {photo("a.jpg", "image/png", smallPNG()), 422, "/photo", "file_type_mismatch"},
		"PNG claimed to be a JPEG": {photo("a.png", "image/jpeg", smallPNG()), 422, "/photo", "file_type_mismatch"},
		"PNG called html":          {photo("a.html", "image/png", smallPNG()), 422, "/photo", "file_type_mismatch"},
		"100,000 x 100,000":        {photo("a.png", "image/png", pngOfSize(100_000, 100_000)), 422, "/photo", "image_too_large"},
		"2^31 x 2^31":              {photo("a.png", "image/png", pngOfSize(1<<31-1, 1<<31-1)), 422, "/photo", "image_too_large"},
		"2,001 wide":               {photo("a.png", "image/png", pngOfSize(2001, 1)), 422, "/photo", "image_too_large"},
		"too large":                {photo("a.png", "image/png", smallPNG()+strings.Repeat("\x00", 100<<10)), 413, "", "multipart_file_too_large"},
		"the second of a list":     {[]sent{good, {"papers", "a.pdf", "application/pdf", pdf}, {"papers", "b.pdf", "application/pdf", "MZ\x90\x00"}}, 422, "/papers/1", "file_type"},
		"too small":                {[]sent{good, {"papers", "a.csv", "text/csv", "a"}}, 422, "/papers/0", "file_too_short"},
		"too many":                 {[]sent{good, {"papers", "a.pdf", "application/pdf", pdf}, {"papers", "b.pdf", "application/pdf", pdf}, {"papers", "c.pdf", "application/pdf", pdf}}, 422, "/papers", "too_long"},
	} {
		status, body := uploadTo(t, url, tt.files...)
		var got struct {
			Code   string
			Errors []struct{ Pointer, Code string }
		}
		if err := json.Unmarshal([]byte(body), &got); err != nil {
			t.Errorf("%s: %s", name, body)
			continue
		}
		if tt.pointer != "" && len(got.Errors) == 1 && got.Errors[0].Pointer == tt.pointer {
			got.Code = got.Errors[0].Code
		}
		if status != tt.status || got.Code != tt.code {
			t.Errorf("%s: %d %s, want %d %s at %s", name, status, body, tt.status, tt.code, tt.pointer)
		}
	}
}

func TestRulesOfFilesThatCannotHoldAreMistakes(t *testing.T) {
	app := fastness.New(fastness.Config{Title: "Photos", Version: "1"})
	fastness.Post(app, "/photos", func(context.Context, struct {
		A fastness.File   `form:"a" accept:"image/svg+xml"`
		B fastness.File   `form:"b" accept:"x/y"`
		C fastness.File   `form:"c" maxLength:"2MiB"`
		D fastness.File   `form:"d" maxLength:"big"`
		E fastness.File   `form:"e" maxPixels:"100"`
		F fastness.File   `form:"f" accept:"image/*" maxWidth:"0"`
		G []fastness.File `form:"g" minItems:"3" maxItems:"2"`
		H fastness.File   `form:"h" maxItems:"2"`
	}) (string, error) {
		return "", nil
	}, access.Public)
	err := app.Start(t.Context())
	for _, want := range []string{
		"field A: accept: mediatype config: Accept: a browser runs the scripts in image/svg+xml", `field B: accept: mediatype config: Accept: "x/y" is not recognised`,
		"field C: maxLength is 2097152 bytes, and the whole body may have 1048576", `field D: maxLength is "big"`, "field E: a limit in pixels",
		`field F: maxWidth is "0"`, "field G: no file is between", "field H: rule maxItems does not fit a file",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Start() = %v, want %q in it", err, want)
		}
	}
}

func TestRulesOfFilesAreInTheDocument(t *testing.T) {
	app := fastness.New(fastness.Config{Title: "Photos", Version: "1"})
	fastness.Post(app, "/photos", seePhotos, access.Public)
	fastnesstest.New(t, app)
	doc, err := app.Document()
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"photo":{"type":"string","maxLength":102400,"contentMediaType":"application/octet-stream"}`,
		`"papers":{"type":"array","items":{"type":"string","minLength":4,"contentMediaType":"application/octet-stream"},"maxItems":2}`,
		`"encoding":{"photo":{"contentType":"image/png, image/jpeg"},"papers":{"contentType":"application/pdf, text/csv"}}`,
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the document has no %s: %s", want, text)
		}
	}
}

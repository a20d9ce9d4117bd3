package mediatype_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/fastness/fastness/mediatype"
	"github.com/fastness/fastness/problem"
)

func picture(width, height int) *image.Paletted {
	m := image.NewPaletted(image.Rect(0, 0, width, height), color.Palette{color.Black, color.White, color.RGBA{R: 200, A: 255}})
	for i := range m.Pix {
		m.Pix[i] = uint8(i * 7 % 3)
	}
	return m
}

func pngOf(width, height int) string {
	var b bytes.Buffer
	if err := png.Encode(&b, picture(width, height)); err != nil {
		panic(err)
	}
	return b.String()
}

func jpegOf(width, height int) string {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, picture(width, height), nil); err != nil {
		panic(err)
	}
	return b.String()
}

func gifOf(width, height int) string {
	var b bytes.Buffer
	if err := gif.Encode(&b, picture(width, height), nil); err != nil {
		panic(err)
	}
	return b.String()
}

// webpOf is a picture of the lossless format with no data worth showing.
func webpOf(width, height int) string {
	bits := binary.LittleEndian.AppendUint32(nil, uint32(width-1)|uint32(height-1)<<14)
	return riff("VP8L", "\x2f"+string(bits)+strings.Repeat("\x00", 9))
}

func riff(name, data string) string {
	chunk := name + string(binary.LittleEndian.AppendUint32(nil, uint32(len(data)))) + data
	return "RIFF" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(chunk)+4))) + "WEBP" + chunk
}

// chunk is one of a PNG.
func chunk(name, data string) string {
	sum := crc32.ChecksumIEEE([]byte(name + data))
	return string(binary.BigEndian.AppendUint32(nil, uint32(len(data)))) + name + data + string(binary.BigEndian.AppendUint32(nil, sum))
}

func header(width, height uint32) string {
	b := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, width), height)
	return "\x89PNG\r\n\x1a\n" + chunk("IHDR", string(b)+"\x08\x02\x00\x00\x00")
}

func zipOf(names ...string) string {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range names {
		f, err := w.Create(name)
		if err == nil {
			_, err = f.Write([]byte("content of " + name))
		}
		if err != nil {
			panic(err)
		}
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.String()
}

func detect(t testing.TB, content string) mediatype.Content {
	t.Helper()
	c, err := mediatype.Detect(strings.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestDetect(t *testing.T) {
	for _, tt := range []struct {
		name, content, want string
		width, height       int
	}{
		{"PNG", pngOf(30, 20), "image/png", 30, 20},
		{"JPEG", jpegOf(30, 20), "image/jpeg", 30, 20},
		{"JPEG with a smaller copy behind it", jpegOf(30, 20) + "\x00\x00" + jpegOf(3, 2), "image/jpeg", 30, 20},
		{"JPEG with a film behind it", jpegOf(30, 20) + "\x00\x00\x00\x18ftypmp42 and what a film has", "image/jpeg", 30, 20},
		{"GIF", gifOf(30, 20), "image/gif", 30, 20},
		{"GIF filled up with zeros", gifOf(30, 20) + "\x00\x00", "image/gif", 30, 20},
		{"WebP", webpOf(30, 20), "image/webp", 30, 20},
		{"WebP, extended", riff("VP8X", "\x10\x00\x00\x00\x1d\x00\x00\x13\x00\x00"), "image/webp", 30, 20},
		{"WebP, lossy", riff("VP8 ", "\x00\x00\x00\x9d\x01\x2a\x1e\x00\x14\x00"), "image/webp", 30, 20},
		{"PDF", "%PDF-1.7\n1 0 obj\nendobj\n%%EOF\n", "application/pdf", 0, 0},
		{"ZIP", zipOf("a.txt"), "application/zip", 0, 0},
		{"DOCX", zipOf("[Content_Types].xml", "word/document.xml"), "application/vnd.openxmlformats-officedocument.wordprocessingml.document", 0, 0},
		{"XLSX", zipOf("[Content_Types].xml", "xl/workbook.xml"), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", 0, 0},
		{"JAR", zipOf("META-INF/MANIFEST.MF", "a.class"), "application/java-archive", 0, 0},
		{"gzip", "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff", "application/gzip", 0, 0},
		{"MP4", "\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00", "video/mp4", 0, 0},
		{"text", "hello, wörld\n", "text/plain; charset=utf-8", 0, 0},
		{"a long text", strings.Repeat("wörld €", 20_000), "text/plain; charset=utf-8", 0, 0},
		{"nothing", "", "text/plain; charset=utf-8", 0, 0},
		{"HTML", " <p>hello", "text/html; charset=utf-8", 0, 0},
		{"XHTML", `<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml">`, "text/html; charset=utf-8", 0, 0},
		{"SVG", `<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>`, "image/svg+xml", 0, 0},
		{"XML", `<?xml version="1.0"?><a/>`, "application/xml", 0, 0},
		{"bytes", "\x00\x01\x02", mediatype.Unknown, 0, 0},
		{"latin1", "h\xe9llo", mediatype.Unknown, 0, 0},
		{"text with a NUL far behind", strings.Repeat("a", 100_000) + "\x00", mediatype.Unknown, 0, 0},
	} {
		if got := detect(t, tt.content); got.Type != tt.want || got.Width != tt.width || got.Height != tt.height || got.Why != "" {
			t.Errorf("%s: %+v, want %s of %d x %d", tt.name, got, tt.want, tt.width, tt.height)
		}
	}
}

// What net/http takes for an image, and is something else as well.
func TestPolyglotIsUnknown(t *testing.T) {
	const page = "<html><script>alert(1)</script></html>"
	comment := func(jpeg, text string) string {
		return jpeg[:2] + "\xff\xfe" + string(binary.BigEndian.AppendUint16(nil, uint16(len(text)+2))) + text + jpeg[2:]
	}
	pdf := "%PDF-1.4\n%%EOF"
	iend := chunk("IEND", "")
	for name, content := range map[string]string{
		"GIF and JAR":                         gifOf(3, 2) + zipOf("META-INF/MANIFEST.MF"),
		"GIF and ZIP in its comment":          strings.TrimSuffix(gifOf(3, 2), "\x3b") + "\x21\xfe\x16PK\x05\x06" + strings.Repeat("\x00", 18) + "\x00\x3b",
		"PNG and ZIP":                         pngOf(3, 2) + zipOf("a"),
		"PNG and a ZIP in a chunk":            strings.TrimSuffix(pngOf(3, 2), iend) + chunk("tEXt", zipOf("a")) + iend,
		"JPEG and ZIP":                        jpegOf(3, 2) + zipOf("a"),
		"JPEG and ZIP behind a film":          jpegOf(3, 2) + "\x00\x00\x00\x18ftypmp42" + zipOf("a"),
		"JPEG and PHP":                        jpegOf(3, 2) + "<?php system($_GET[0]);",
		"JPEG and a page in its comment":      comment(jpegOf(3, 2), page),
		"JPEG and a page in capitals":         comment(jpegOf(3, 2), "<SCRIPT\n>alert(1)"),
		"JPEG and a PDF in its comment":       comment(jpegOf(3, 2), pdf),
		"JPEG and PHAR":                       comment(jpegOf(3, 2), "<? __HALT_COMPILER(); ?>"),
		"PNG and a page in its text":          strings.TrimSuffix(pngOf(3, 2), iend) + chunk("tEXt", "Comment\x00"+page) + iend,
		"GIF and JavaScript":                  "GIF89a/*" + strings.Repeat("\x00", 20) + "*/=1;alert(1)",
		"PNG and a script without a tag":      pngOf(3, 2) + "/alert(1)",
		"GIF and a script without a tag":      gifOf(3, 2) + "=1;alert(1)",
		"JPEG and a script without a tag":     jpegOf(3, 2) + "=1;alert(1)",
		"WebP and a script without a tag":     webpOf(3, 2) + "=1;alert(1)",
		"WebP and a piece behind its length":  webpOf(3, 2) + "abcd\x02\x00\x00\x00xx",
		"GIF and a page":                      gifOf(3, 2) + page,
		"WebP and a page":                     webpOf(3, 2) + page,
		"WebP and a page within its length":   riff("VP8L", "\x2f\x00\x00\x00\x00"+strings.Repeat("\x00", 9)+page),
		"PDF and ZIP":                         "%PDF-1.7\n%%EOF\n" + zipOf("a"),
		"ZIP and a PDF before it":             "PK\x03\x04" + pdf + zipOf("a"),
		"ZIP and something behind it":         zipOf("a") + page,
		"a text and a PDF":                    "hello\n" + pdf,
		"a text and a ZIP":                    "hello PK\x05\x06",
		"a film and a ZIP":                    "\x00\x00\x00\x18ftypmp42" + zipOf("a"),
		"PNG that ends early":                 strings.TrimSuffix(pngOf(3, 2), iend),
		"PNG without a size":                  header(0, 5) + iend,
		"PNG whose chunk is larger than it":   header(3, 2) + "\x7f\xff\xff\xffIDAT",
		"PNG that begins with another chunk":  "\x89PNG\r\n\x1a\n" + chunk("tEXt", "x") + iend,
		"PNG with two headers":                header(3, 2) + chunk("IHDR", strings.Repeat("x", 13)) + iend,
		"JPEG that ends early":                strings.TrimSuffix(jpegOf(3, 2), "\xff\xd9"),
		"JPEG with two sizes":                 strings.Replace(jpegOf(3, 2), "\xff\xc0", "\xff\xc1\x00\x08\x08\x00\x01\x00\x01\x00\xff\xc0", 1),
		"JPEG of three bytes":                 "\xff\xd8\xff",
		"GIF whose picture is larger than it": strings.Replace(gifOf(3, 2), "\x2c\x00\x00\x00\x00\x03\x00", "\x2c\x00\x00\x00\x00\xff\xff", 1),
		"GIF without a picture":               "GIF89a\x03\x00\x02\x00\x00\x00\x00\x3b",
		"GIF of no version":                   strings.Replace(gifOf(3, 2), "GIF89a", "GIF80a", 1),
		"WebP that is shorter than it says":   webpOf(3, 2)[:20],
		"PDF of no version":                   "%PDF-<script>%%EOF",
		"PDF that ends early":                 "%PDF-1.7\n1 0 obj",
	} {
		if got := detect(t, content); got.Type != mediatype.Unknown {
			t.Errorf("%s: %+v, want %s", name, got, mediatype.Unknown)
		}
	}
	for n := range 10 { // Wherever the pieces begin in which it is read.
		before := strings.TrimSuffix(pngOf(3, 2), iend)
		text := strings.Repeat("x", 32<<10-len(before)-8-n) + "<script>alert(1)"
		if got := detect(t, before+chunk("tEXt", text)+iend); got.Type != mediatype.Unknown {
			t.Errorf("a page %d bytes before the end of a piece: %+v", n, got)
		}
	}
	if got := http.DetectContentType([]byte(gifOf(3, 2) + zipOf("META-INF/MANIFEST.MF"))); got != "image/gif" {
		t.Errorf("net/http finds %s: this test compares with nothing", got)
	}
}

func TestManyScansAreRefused(t *testing.T) {
	whole := jpegOf(8, 8)
	start := strings.Index(whole, "\xff\xda")
	scan := strings.TrimSuffix(whole[start:], "\xff\xd9")
	for n, want := range map[int]string{24: "image/jpeg", 25: mediatype.Unknown} {
		if got := detect(t, whole[:start]+strings.Repeat(scan, n)+"\xff\xd9"); got.Type != want {
			t.Errorf("%d scans: %+v, want %s", n, got, want)
		}
	}
}

func TestHugePictureIsRefusedByItsHeader(t *testing.T) {
	huge := header(100_000, 100_000) + chunk("IDAT", "x") + chunk("IEND", "")
	policy := policyOf(t, mediatype.Config{Accept: []string{"image/*"}})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	c := detect(t, huge)
	_, err := policy.Check(c, mediatype.Claim{Name: "a.png"})
	runtime.ReadMemStats(&after)
	wantRefused(t, "100,000 x 100,000", err, "image_too_large")
	if c.Pixels() != 10_000_000_000 {
		t.Errorf("the header says %d pixels", c.Pixels())
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 1<<20 {
		t.Errorf("%d bytes were allocated for it", used)
	}
	for _, content := range []string{jpegOf(101, 10), pngOf(101, 10), gifOf(101, 10), webpOf(101, 10), jpegOf(10, 101)} {
		narrow := policyOf(t, mediatype.Config{Accept: []string{"image/*"}, MaxWidth: 100, MaxHeight: 100})
		_, err := narrow.Check(detect(t, content), mediatype.Claim{})
		wantRefused(t, "101 wide", err, "image_too_large")
	}
}

func policyOf(t testing.TB, cfg mediatype.Config) *mediatype.Policy {
	t.Helper()
	p, err := mediatype.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func wantRefused(t *testing.T, name string, err error, code string) {
	t.Helper()
	if p, ok := errors.AsType[*problem.Problem](err); !ok || p.Status != http.StatusUnprocessableEntity || p.Code != code {
		t.Errorf("%s: %v, want 422 %s", name, err, code)
	}
}

func TestFileThatIsNotWhatItClaimsIsRefused(t *testing.T) {
	photos := policyOf(t, mediatype.Config{Accept: []string{"image/png", "image/jpeg", "text/csv", "text/plain", "application/json"}})
	jpg, txt := jpegOf(3, 2), "a;b\n1;2\n"
	for _, tt := range []struct {
		name, claimed, content, want string // the type, or the code of the refusal
	}{
		{"a.jpg", "image/jpeg", jpg, "image/jpeg"},
		{"a.JPEG", "image/jpg", jpg, "image/jpeg"},
		{"blob", "", jpg, "image/jpeg"},
		{"a.jpg", "application/octet-stream", jpg, "image/jpeg"},
		{"a.csv", "application/vnd.ms-excel", txt, "text/csv; charset=utf-8"},
		{"a.csv", "text/plain", txt, "text/csv; charset=utf-8"},
		{"a.txt", "text/plain; charset=utf-8", txt, "text/plain; charset=utf-8"},
		{"blob", "application/json", "{}", "application/json"},
		{"a.png", "image/jpeg", jpg, "file_type_mismatch"},
		{"a.jpg", "image/png", jpg, "file_type_mismatch"},
		{"a.jpg", "text/html", jpg, "file_type_mismatch"},
		{"a.jpg.html", "image/jpeg", jpg, "file_type_mismatch"},
		{"a.php", "image/jpeg", jpg, "file_type_mismatch"},
		{"a.html", "text/plain", txt, "file_type_mismatch"},
		{"a.csv", "text/html", txt, "file_type_mismatch"},
		{"a.jpg", "image/jpeg", "<html><script>alert(1)</script>", "file_type"},
		{"a.jpg", "image/jpeg", "<svg onload=alert(1)>", "file_type"},
		{"a.jpg", "image/jpeg", gifOf(3, 2), "file_type"},
		{"a.gif", "image/gif", gifOf(3, 2), "file_type"},
		{"a.csv", "text/csv", "\x00\x01", "file_type"},
		{"a.csv", "text/csv", "<script>alert(1)</script>", "file_type"},
		{"a.png", "image/png", "\x89PNG\r\n\x1a\n", "file_type"},
	} {
		got, err := photos.Check(detect(t, tt.content), mediatype.Claim{Name: tt.name, Type: tt.claimed})
		if strings.HasPrefix(tt.want, "file_") {
			wantRefused(t, fmt.Sprint(tt), err, tt.want)
		} else if err != nil || got.Type != tt.want {
			t.Errorf("%q, %q: %+v, %v, want %s", tt.name, tt.claimed, got, err, tt.want)
		}
	}
}

func TestNewNamesEveryMistake(t *testing.T) {
	_, err := mediatype.New(mediatype.Config{Accept: []string{"image/svg+xml", "image/avif", "x/y"}, MaxPixels: -1})
	for _, want := range []string{"mediatype config: ", "scripts in image/svg+xml", "image/avif is not read", `"x/y" is not recognised`, "MaxPixels"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("New() = %v, want %q", err, want)
		}
	}
	if _, err := mediatype.New(mediatype.Config{}); err == nil {
		t.Error("a policy that accepts nothing is made")
	}
	p := policyOf(t, mediatype.Config{Accept: []string{"image/svg+xml"}, InsecureActive: "test"})
	if _, err := p.Check(detect(t, "<svg/>"), mediatype.Claim{Name: "a.svg"}); err != nil {
		t.Error(err)
	}
}

func TestFailureOfReadingIsTold(t *testing.T) {
	broken := errors.New("broken")
	for _, content := range []string{"", pngOf(3, 2)[:20], "text"} {
		r := readerAt{content, broken}
		if _, err := mediatype.Detect(r, 100_000); !errors.Is(err, broken) {
			t.Errorf("after %d bytes: %v, want the error of the reader", len(content), err)
		}
	}
}

type readerAt struct {
	content string
	err     error
}

func (r readerAt) ReadAt(p []byte, at int64) (int, error) {
	n := 0
	if at < int64(len(r.content)) {
		n = copy(p, r.content[at:])
	}
	if n < len(p) {
		return n, r.err
	}
	return n, nil
}

// FuzzDetect holds the walk to the decoders of the standard library: the size that
// is found is the one that a decoder finds. Nothing else than a known type comes out.
func FuzzDetect(f *testing.F) {
	for _, s := range []string{pngOf(3, 2), jpegOf(3, 2), gifOf(3, 2), webpOf(3, 2), zipOf("a"), "%PDF-1.7 %%EOF", "<svg/>", "text", header(1<<31-1, 1), jpegOf(3, 2) + jpegOf(1, 1)} {
		f.Add([]byte(s))
	}
	known := append(mediatype.Types(), mediatype.Unknown)
	f.Fuzz(func(t *testing.T, content []byte) {
		c, err := mediatype.Detect(bytes.NewReader(content), int64(len(content)))
		name, _, _ := strings.Cut(c.Type, ";")
		if err != nil || !slices.Contains(known, name) || c.Width < 0 || c.Height < 0 || c.Pixels() < 0 {
			t.Fatalf("%+v, %v", c, err)
		}
		if name != "image/png" && name != "image/gif" && name != "image/jpeg" {
			return
		}
		if there, format, err := image.DecodeConfig(bytes.NewReader(content)); err == nil && (there.Width != c.Width || there.Height != c.Height || "image/"+format != name) {
			t.Errorf("%+v here, %s of %d x %d there", c, format, there.Width, there.Height)
		}
	})
}

func Example() {
	photos, err := mediatype.New(mediatype.Config{Accept: []string{"image/png", "image/jpeg"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	upload := "<html><script>alert(1)</script>"
	content, err := mediatype.Detect(strings.NewReader(upload), int64(len(upload)))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(content.Type)
	_, err = photos.Check(content, mediatype.Claim{Name: "cat.jpg", Type: "image/jpeg"})
	fmt.Println(problem.From(err).Status, problem.From(err).Detail)
	// Output:
	// text/html; charset=utf-8
	// 422 The file should be of a type that is accepted: image/png, image/jpeg
}

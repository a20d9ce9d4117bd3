package picture_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/fastness/fastness/mediatype"
	"github.com/fastness/fastness/picture"
	"github.com/fastness/fastness/problem"
)

// drawn is a picture with a red corner at the top left, and blue elsewhere.
func drawn(width, height int) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			c := color.NRGBA{B: 255, A: 255}
			if x < width/2 && y < height/2 {
				c = color.NRGBA{R: 255, A: 255}
			}
			m.SetNRGBA(x, y, c)
		}
	}
	return m
}

func asJPEG(m image.Image) string {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: 95}); err != nil {
		panic(err)
	}
	return b.String()
}

func asPNG(m image.Image) string {
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		panic(err)
	}
	return b.String()
}

func asGIF(m image.Image) string {
	var b bytes.Buffer
	if err := gif.Encode(&b, m, nil); err != nil {
		panic(err)
	}
	return b.String()
}

// withExif puts EXIF data with an orientation, and a text for GPS, into a JPEG.
func withExif(text string, orientation uint16, order binary.AppendByteOrder) string {
	tiff := []byte("MM\x00*")
	if order == binary.AppendByteOrder(binary.LittleEndian) {
		tiff = []byte("II*\x00")
	}
	tiff = order.AppendUint16(order.AppendUint32(tiff, 8), 2)
	for _, tag := range [][2]uint16{{271, 1}, {274, orientation}} {
		tiff = order.AppendUint32(order.AppendUint16(order.AppendUint16(tiff, tag[0]), 3), 1)
		tiff = order.AppendUint16(order.AppendUint16(tiff, tag[1]), 0)
	}
	segment := "Exif\x00\x00" + string(tiff) + "GPS 52.5200 N 13.4050 E"
	return text[:2] + "\xff\xe1" + string(binary.BigEndian.AppendUint16(nil, uint16(len(segment)+2))) + segment + text[2:]
}

func maker(t testing.TB, cfg picture.Config) *picture.Maker {
	t.Helper()
	m, err := picture.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func makeOf(m *picture.Maker, text string) (picture.Picture, error) {
	return m.Make(context.Background(), strings.NewReader(text), int64(len(text)))
}

func wantRefused(t *testing.T, name string, err error, code string) {
	t.Helper()
	if p, ok := errors.AsType[*problem.Problem](err); !ok || p.Status != http.StatusUnprocessableEntity || p.Code != code {
		t.Errorf("%s: %v, want 422 %s", name, err, code)
	}
}

func TestPictureIsScaledDown(t *testing.T) {
	for name, tt := range map[string]struct {
		text, want    string
		side          int
		width, height int
	}{
		"JPEG":               {asJPEG(drawn(300, 200)), "image/jpeg", 100, 100, 66},
		"PNG":                {asPNG(drawn(200, 300)), "image/png", 100, 66, 100},
		"GIF":                {asGIF(drawn(300, 200)), "image/png", 100, 100, 66},
		"small":              {asPNG(drawn(30, 20)), "image/png", 100, 30, 20},
		"thin":               {asPNG(drawn(1000, 1)), "image/png", 100, 100, 1},
		"a side that is odd": {asPNG(drawn(101, 67)), "image/png", 100, 100, 66},
	} {
		made, err := makeOf(maker(t, picture.Config{MaxSide: tt.side}), tt.text)
		if err != nil || made.Type != tt.want || made.Width != tt.width || made.Height != tt.height {
			t.Errorf("%s: %s %d x %d, %v", name, made.Type, made.Width, made.Height, err)
			continue
		}
		m, format, err := image.Decode(bytes.NewReader(made.Data))
		if err != nil || "image/"+format != tt.want || m.Bounds().Dx() != tt.width {
			t.Fatalf("%s: %v, %v", name, format, err)
		}
		if tt.height > 2 && (!isRed(m.At(2, 2)) || isRed(m.At(tt.width-3, tt.height-3))) {
			t.Errorf("%s: the corners are %v and %v", name, m.At(2, 2), m.At(tt.width-3, tt.height-3))
		}
	}
}

func isRed(c color.Color) bool {
	r, _, b, _ := c.RGBA()
	return r > 0xc000 && b < 0x4000
}

func TestTransparencyStays(t *testing.T) {
	m := drawn(20, 20)
	m.SetNRGBA(0, 0, color.NRGBA{})
	made, err := makeOf(maker(t, picture.Config{}), asPNG(m))
	if err != nil {
		t.Fatal(err)
	}
	got, err := png.Decode(bytes.NewReader(made.Data))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, _, a := got.At(0, 0).RGBA(); a != 0 {
		t.Errorf("the opacity is %d, want 0", a)
	}
}

func TestWhatTheCameraToldIsGone(t *testing.T) {
	m := drawn(40, 20)
	iend := "\x00\x00\x00\x00IEND\xaeB`\x82"
	text := "tEXtComment\x00GPS 52.5200 N"
	withText := strings.TrimSuffix(asPNG(m), iend) + string(binary.BigEndian.AppendUint32(nil, uint32(len(text)-4))) + text +
		string(binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE([]byte(text)))) + iend
	comment := asJPEG(m)
	comment = comment[:2] + "\xff\xfe\x00\x05GPS" + comment[2:]
	for name, text := range map[string]string{
		"EXIF": withExif(asJPEG(m), 1, binary.BigEndian), "text in a PNG": withText, "comment": comment, "behind its end": asJPEG(m) + withExif(asJPEG(m), 1, binary.LittleEndian),
	} {
		if !strings.Contains(text, "GPS") {
			t.Fatalf("%s: nothing to take away", name)
		}
		made, err := makeOf(maker(t, picture.Config{}), text)
		if err != nil || bytes.Contains(made.Data, []byte("GPS")) || bytes.Contains(made.Data, []byte("Exif")) || bytes.Contains(made.Data, []byte("tEXt")) {
			t.Errorf("%s: %q, %v", name, made.Data[:min(60, len(made.Data))], err)
		}
	}
}

func TestPictureIsTurnedUpright(t *testing.T) {
	// Where the corner at the top left is, once it is upright: left or right, top or bottom.
	corners := map[uint16][2]int{1: {0, 0}, 2: {1, 0}, 3: {1, 1}, 4: {0, 1}, 5: {0, 0}, 6: {1, 0}, 7: {1, 1}, 8: {0, 1}, 9: {0, 0}}
	for orientation, corner := range corners {
		for _, order := range []binary.AppendByteOrder{binary.BigEndian, binary.LittleEndian} {
			made, err := makeOf(maker(t, picture.Config{}), withExif(asJPEG(drawn(64, 32)), orientation, order))
			if err != nil {
				t.Fatal(err)
			}
			width, height := 64, 32
			if orientation >= 5 && orientation <= 8 {
				width, height = height, width
			}
			m, err := jpeg.Decode(bytes.NewReader(made.Data))
			if err != nil || made.Width != width || made.Height != height {
				t.Fatalf("%d: %d x %d, %v", orientation, made.Width, made.Height, err)
			}
			for i, c := range [][2]int{{0, 0}, {1, 0}, {0, 1}, {1, 1}} {
				if at := m.At(4+c[0]*(width-9), 4+c[1]*(height-9)); isRed(at) != (c == corner) {
					t.Errorf("orientation %d: corner %d is %v", orientation, i, at)
				}
			}
		}
	}
}

func TestDecompressionBombIsRefused(t *testing.T) {
	data := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32([]byte("IHDR"), 100_000), 100_000)
	data = append(data, 8, 2, 0, 0, 0)
	bomb := "\x89PNG\r\n\x1a\n\x00\x00\x00\x0d" + string(binary.BigEndian.AppendUint32(data, crc32.ChecksumIEEE(data))) + "\x00\x00\x00\x00IEND\xaeB`\x82"
	m := maker(t, picture.Config{})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := makeOf(m, bomb)
	runtime.ReadMemStats(&after)
	wantRefused(t, "100,000 x 100,000", err, "image_too_large")
	if used := after.TotalAlloc - before.TotalAlloc; used > 1<<20 {
		t.Errorf("%d bytes were allocated for it", used)
	}
	_, err = makeOf(maker(t, picture.Config{MaxPixels: 599}), asJPEG(drawn(30, 20)))
	wantRefused(t, "600 pixels where 599 may be", err, "image_too_large")
	if _, err := makeOf(maker(t, picture.Config{MaxPixels: 600}), asJPEG(drawn(30, 20))); err != nil {
		t.Errorf("600 pixels where 600 may be: %v", err)
	}
}

func TestWhatIsNoPictureIsRefused(t *testing.T) {
	whole := asPNG(drawn(20, 20))
	m := maker(t, picture.Config{})
	for name, text := range map[string]string{
		"a page": "<html><script>alert(1)</script>", "SVG": "<svg/>", "nothing": "", "cut": whole[:40], "a page behind it": whole + "<script>",
		"GIFAR": asGIF(drawn(3, 3)) + "PK\x05\x06" + strings.Repeat("\x00", 18),
	} {
		_, err := makeOf(m, text)
		wantRefused(t, name, err, "file_type")
	}
	broken := []byte(whole)
	broken[45] ^= 0xff
	_, err := makeOf(m, string(broken))
	wantRefused(t, "damaged", err, "image_invalid")
	lost := errors.New("the disk is gone")
	if _, err := m.Make(t.Context(), failing{lost}, 100); !errors.Is(err, lost) {
		t.Errorf("%v, want the error of the reader", err)
	}
}

func TestFailureOfTheDiskIsNoFaultOfThePicture(t *testing.T) {
	text, lost := asJPEG(drawn(300, 200)), errors.New("the disk is gone")
	looked := &slow{ReaderAt: strings.NewReader(text)}
	if _, err := mediatype.Detect(looked, int64(len(text))); err != nil {
		t.Fatal(err)
	}
	r := &failingLater{strings.NewReader(text), looked.reads, lost}
	if _, err := maker(t, picture.Config{}).Make(t.Context(), r, int64(len(text))); !errors.Is(err, lost) || problem.From(err).Status == http.StatusUnprocessableEntity {
		t.Errorf("%v, want the error of the reader", err)
	}
}

type failingLater struct {
	io.ReaderAt
	left int
	err  error
}

func (f *failingLater) ReadAt(p []byte, at int64) (int, error) {
	if f.left--; f.left < 0 {
		return 0, f.err
	}
	return f.ReaderAt.ReadAt(p, at)
}

type failing struct{ err error }

func (f failing) ReadAt([]byte, int64) (int, error) { return 0, f.err }

// slow is a picture that stops at one of its reads until it may go on.
type slow struct {
	io.ReaderAt
	stopAt  int
	reads   int
	reached chan struct{}
	goOn    chan struct{}
}

func (s *slow) ReadAt(p []byte, at int64) (int, error) {
	if s.reads++; s.reads == s.stopAt {
		close(s.reached)
		<-s.goOn
	}
	return s.ReaderAt.ReadAt(p, at)
}

// Many large pictures at once take no more memory than one: they wait, and give up
// with their context.
func TestPicturesShareOneBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		large, larger := asJPEG(drawn(300, 200)), asJPEG(drawn(400, 300))
		m := maker(t, picture.Config{MaxPixels: 120_000})
		looked := &slow{ReaderAt: strings.NewReader(large)}
		if _, err := mediatype.Detect(looked, int64(len(large))); err != nil {
			t.Fatal(err)
		}
		first := &slow{ReaderAt: strings.NewReader(large), stopAt: looked.reads + 1, reached: make(chan struct{}), goOn: make(chan struct{})}
		done := make(chan error, 2)
		go func() {
			_, err := m.Make(t.Context(), first, int64(len(large)))
			done <- err
		}()
		<-first.reached
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			_, err := m.Make(ctx, strings.NewReader(larger), int64(len(larger)))
			done <- err
		}()
		synctest.Wait()
		select {
		case err := <-done:
			t.Fatalf("it does not wait: %v", err)
		default:
		}
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("%v, want that of the context", err)
		}
		close(first.goOn)
		if err := <-done; err != nil {
			t.Error(err)
		}
		if _, err := makeOf(m, larger); err != nil { // Who gave up has given its share back.
			t.Errorf("afterwards: %v", err)
		}
	})
}

func TestNewNamesEveryMistake(t *testing.T) {
	_, err := picture.New(picture.Config{MaxPixels: -1, MaxSide: 1 << 20, Quality: 101})
	for _, want := range []string{"picture config: ", "MaxPixels is -1", "MaxSide is 1048576", "Quality is 101"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("New() = %v, want %q", err, want)
		}
	}
}

// FuzzMake looks that nothing but a picture within its bounds comes out.
func FuzzMake(f *testing.F) {
	for _, s := range []string{asJPEG(drawn(9, 8)), asPNG(drawn(9, 8)), asGIF(drawn(9, 8)), withExif(asJPEG(drawn(9, 8)), 6, binary.LittleEndian), withExif(asJPEG(drawn(9, 8)), 3, binary.BigEndian)} {
		f.Add([]byte(s))
	}
	m := maker(f, picture.Config{MaxPixels: 100_000, MaxSide: 8})
	f.Fuzz(func(t *testing.T, text []byte) {
		made, err := m.Make(context.Background(), bytes.NewReader(text), int64(len(text)))
		if err != nil {
			if p := problem.From(err); p.Status != http.StatusUnprocessableEntity {
				t.Fatal(err)
			}
			return
		}
		c, _, err := image.DecodeConfig(bytes.NewReader(made.Data))
		if err != nil || c.Width != made.Width || c.Height != made.Height || max(c.Width, c.Height) > 8 {
			t.Errorf("%d x %d, %v", c.Width, c.Height, err)
		}
	})
}

func Example() {
	pictures, err := picture.New(picture.Config{MaxSide: 320})
	if err != nil {
		fmt.Println(err)
		return
	}
	upload := asJPEG(image.NewGray(image.Rect(0, 0, 800, 600)))
	made, err := pictures.Make(context.Background(), strings.NewReader(upload), int64(len(upload)))
	fmt.Println(made.Type, made.Width, made.Height, err)
	// Output: image/jpeg 320 240 <nil>
}

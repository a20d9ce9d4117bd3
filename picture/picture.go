// Package picture makes pictures from strangers anew: smaller, and without what the
// camera told.
//
// A photo says where it was taken (GPS in EXIF), by whom and with what; it may hold a
// page in its comment, or what breaks the decoder of a browser. None of that is in a
// picture that was decoded here, scaled down, and encoded again: only its pixels are.
//
//	pictures, err := picture.New(picture.Config{MaxSide: 1600})
//	…
//	made, err := pictures.Make(ctx, upload, size)
//	info, err := store.Save(ctx, bytes.NewReader(made.Data))
//
// Decoding is what an attacker aims at: a file of a few bytes can say that it has a
// billion pixels. So the size is read from the header, before anything is allocated;
// the content has to be one picture and nothing else, as package mediatype finds it;
// and all pictures that are decoded at the same time share the budget of
// [Config.MaxPixels]. A picture waits for its share as long as its context lasts.
//
// JPEG, PNG and GIF are read, with the standard library only. Of an animation the
// first frame is kept. A JPEG that was taken with the camera on its side is turned
// upright, as its EXIF data says, which is gone afterwards. Colour profiles are gone
// as well: colours beyond sRGB look paler.
package picture

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"net/http"

	"github.com/fastness/fastness/mediatype"
	"github.com/fastness/fastness/problem"
)

// Config says what may come in, and what comes out. A zero field means its default.
type Config struct {
	// MaxPixels is how many pixels the pictures may have that are decoded at the same
	// time, and hence one of them. The default is 25 million. Each takes up to 16
	// bytes while it is decoded.
	MaxPixels int64
	// MaxSide is the longer side of what comes out, in pixels. Larger pictures are
	// scaled down, smaller ones stay as they are. The default is 2048, the most 16384.
	MaxSide int
	// Quality is that of a JPEG that comes out, 1 to 100. The default is 85.
	Quality int
}

// Picture is a picture that was made anew.
type Picture struct {
	// Type is image/jpeg if a JPEG came in, and image/png for PNG and GIF.
	Type string
	// Width and Height are in pixels.
	Width, Height int
	// Data is the file.
	Data []byte
}

// Maker makes pictures. It is safe for concurrent use.
type Maker struct {
	maxPixels int64
	maxSide   int
	quality   int
	budget    budget
}

// New returns a maker, or an error that names every mistake in cfg.
func New(cfg Config) (*Maker, error) {
	var mistakes []error
	if cfg.MaxPixels < 0 {
		mistakes = append(mistakes, fmt.Errorf("MaxPixels is %d, want at least 1", cfg.MaxPixels))
	}
	if cfg.MaxSide < 0 || cfg.MaxSide > 1<<14 {
		mistakes = append(mistakes, fmt.Errorf("MaxSide is %d, want 1 to 16384", cfg.MaxSide))
	}
	if cfg.Quality < 0 || cfg.Quality > 100 {
		mistakes = append(mistakes, fmt.Errorf("Quality is %d, want 1 to 100", cfg.Quality))
	}
	if len(mistakes) > 0 {
		return nil, fmt.Errorf("picture config: %w", errors.Join(mistakes...))
	}
	return &Maker{cmp.Or(cfg.MaxPixels, 25_000_000), cmp.Or(cfg.MaxSide, 2048), cmp.Or(cfg.Quality, 85), newBudget()}, nil
}

// Make makes the picture in the size bytes of r anew.
//
// Errors are problems with status 422 and the codes file_type, image_too_large and
// image_invalid. An error of r is returned as it is, and that of ctx if the budget was
// not free in time.
func (m *Maker) Make(ctx context.Context, r io.ReaderAt, size int64) (Picture, error) {
	found, err := mediatype.Detect(r, size)
	if err != nil {
		return Picture{}, err
	}
	kind := formatOf(found.Type)
	if kind.decode == nil {
		return Picture{}, refused("file_type", "The file should be a picture: JPEG, PNG or GIF")
	}
	if found.Pixels() > m.maxPixels {
		return Picture{}, refused("image_too_large", fmt.Sprintf("The picture should have at most %d pixels", m.maxPixels))
	}
	give, err := m.budget.take(ctx, found.Pixels(), m.maxPixels)
	if err != nil {
		return Picture{}, err
	}
	defer give()
	source := &tracked{r: r}
	decoded, err := kind.read(io.NewSectionReader(source, 0, size), found)
	switch {
	case source.err != nil:
		return Picture{}, source.err
	case err != nil:
		return Picture{}, refused("image_invalid", "The picture cannot be read").Wrap(err)
	}
	small := scale(decoded, m.maxSide)
	if found.Type == "image/jpeg" {
		small = turn(small, orientation(r, size))
	}
	return m.encode(small, found.Type)
}

// tracked keeps the error of a reader apart from those of the decoders.
type tracked struct {
	r   io.ReaderAt
	err error
}

func (t *tracked) ReadAt(p []byte, at int64) (int, error) {
	n, err := t.r.ReadAt(p, at)
	if err != nil && !errors.Is(err, io.EOF) {
		t.err = err
	}
	return n, err
}

// format is how a type of pictures is decoded.
type format struct {
	size   func(io.Reader) (image.Config, error)
	decode func(io.Reader) (image.Image, error)
}

// formatOf returns the format of a media type, or none.
func formatOf(mediaType string) format {
	switch mediaType {
	case "image/jpeg":
		return format{jpeg.DecodeConfig, jpeg.Decode}
	case "image/png":
		return format{png.DecodeConfig, png.Decode}
	case "image/gif":
		return format{gif.DecodeConfig, gif.Decode}
	}
	return format{}
}

// read decodes a picture, if the decoder finds it as large as was found before: that
// is what the budget was taken for.
func (f format) read(r io.ReadSeeker, found mediatype.Content) (image.Image, error) {
	size, err := f.size(r)
	if err != nil {
		return nil, err
	}
	if size.Width != found.Width || size.Height != found.Height {
		return nil, errors.New("the picture has two sizes")
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	m, err := f.decode(r)
	if err == nil && m.Bounds().Empty() {
		err = errors.New("the picture is empty")
	}
	return m, err
}

func (m *Maker) encode(small *image.RGBA, came string) (Picture, error) {
	out := Picture{Type: "image/png", Width: small.Rect.Dx(), Height: small.Rect.Dy()}
	var b bytes.Buffer
	var err error
	if came == "image/jpeg" {
		out.Type = came
		err = jpeg.Encode(&b, small, &jpeg.Options{Quality: m.quality})
	} else {
		err = png.Encode(&b, small)
	}
	out.Data = b.Bytes()
	return out, err
}

func refused(code, detail string) *problem.Problem {
	return problem.New(http.StatusUnprocessableEntity, detail).Named(code)
}

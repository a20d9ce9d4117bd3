package picture

import (
	"image"
	"image/draw"
)

// scale returns the picture with a longer side of at most maxSide. Each pixel is the
// average of those that it stands for. The source is converted a few rows at a time:
// a copy of all of it would take as much again.
func scale(from image.Image, maxSide int) *image.RGBA {
	b := from.Bounds()
	width, height := b.Dx(), b.Dy()
	if longer := max(width, height); longer > maxSide {
		width, height = max(1, width*maxSide/longer), max(1, height*maxSide/longer)
	}
	to := image.NewRGBA(image.Rect(0, 0, width, height))
	rows := (b.Dy() + height - 1) / height
	strip := image.NewRGBA(image.Rect(0, 0, b.Dx(), rows+1))
	for y := range height {
		top, bottom := y*b.Dy()/height, (y+1)*b.Dy()/height
		part := image.Rect(0, 0, b.Dx(), bottom-top)
		draw.Draw(strip, part, from, image.Pt(b.Min.X, b.Min.Y+top), draw.Src)
		for x := range width {
			left, right := x*b.Dx()/width, (x+1)*b.Dx()/width
			average(to.Pix[to.PixOffset(x, y):], strip, image.Rect(left, 0, right, bottom-top))
		}
	}
	return to
}

// average writes the average of a part, whose colours are multiplied with their
// opacity already.
func average(to []uint8, from *image.RGBA, part image.Rectangle) {
	var sum [4]uint64
	for y := part.Min.Y; y < part.Max.Y; y++ {
		row := from.Pix[from.PixOffset(part.Min.X, y):from.PixOffset(part.Max.X, y)]
		for ; len(row) >= 4; row = row[4:] {
			for i := range sum {
				sum[i] += uint64(row[i])
			}
		}
	}
	n := uint64(part.Dx() * part.Dy())
	for i := range sum {
		to[i] = uint8((sum[i] + n/2) / n)
	}
}

// turn turns and mirrors a picture as an orientation of EXIF wants it (1 to 8).
func turn(from *image.RGBA, orientation int) *image.RGBA {
	width, height := from.Rect.Dx(), from.Rect.Dy()
	if orientation < 2 || orientation > 8 {
		return from
	}
	size := image.Rect(0, 0, width, height)
	if orientation >= 5 {
		size = image.Rect(0, 0, height, width)
	}
	to := image.NewRGBA(size)
	for y := range height {
		for x := range width {
			p := image.Pt(x, y)
			switch orientation {
			case 2:
				p = image.Pt(width-1-x, y)
			case 3:
				p = image.Pt(width-1-x, height-1-y)
			case 4:
				p = image.Pt(x, height-1-y)
			case 5:
				p = image.Pt(y, x)
			case 6:
				p = image.Pt(height-1-y, x)
			case 7:
				p = image.Pt(height-1-y, width-1-x)
			case 8:
				p = image.Pt(y, width-1-x)
			}
			copy(to.Pix[to.PixOffset(p.X, p.Y):][:4], from.Pix[from.PixOffset(x, y):])
		}
	}
	return to
}

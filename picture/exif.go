package picture

import (
	"bytes"
	"encoding/binary"
	"io"
)

// orientation returns how a JPEG is to be turned (tag 274 of TIFF 6.0), or 1. It
// looks at the first segments only; what it cannot read says nothing.
func orientation(r io.ReaderAt, size int64) int {
	head := make([]byte, min(size, 256<<10))
	n, _ := r.ReadAt(head, 0)
	head = head[:n]
	for at := 2; at+4 <= len(head) && head[at] == 0xff; {
		marker, length := head[at+1], int(binary.BigEndian.Uint16(head[at+2:]))
		if marker == 0xda || length < 2 || at+2+length > len(head) {
			break
		}
		segment := head[at+4 : at+2+length]
		if tiff, found := bytes.CutPrefix(segment, []byte("Exif\x00\x00")); found && marker == 0xe1 {
			return orientationOf(tiff)
		}
		at += 2 + length
	}
	return 1
}

func orientationOf(tiff []byte) int {
	var order binary.ByteOrder = binary.BigEndian
	switch {
	case bytes.HasPrefix(tiff, []byte("II*\x00")):
		order = binary.LittleEndian
	case !bytes.HasPrefix(tiff, []byte("MM\x00*")):
		return 1
	}
	if len(tiff) < 8 {
		return 1
	}
	at := int64(order.Uint32(tiff[4:]))
	if at > int64(len(tiff))-2 {
		return 1
	}
	list := tiff[at+2:]
	for range order.Uint16(tiff[at:]) {
		if len(list) < 12 {
			break
		}
		// A SHORT stands at the beginning of the four bytes of its value.
		if order.Uint16(list) == 274 && order.Uint16(list[2:]) == 3 && order.Uint32(list[4:]) == 1 {
			if value := int(order.Uint16(list[8:])); value >= 1 && value <= 8 {
				return value
			}
			return 1
		}
		list = list[12:]
	}
	return 1
}

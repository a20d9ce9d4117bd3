package filestore

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// Info says what a file is.
type Info struct {
	Key Key
	// Type is the media type, as package mediatype finds it in the content.
	Type string
	// Size is the length of the content in bytes.
	Size int64
	// SHA256 is the hash of the content.
	SHA256 [sha256.Size]byte
	// Width and Height are the size in pixels of a PNG, JPEG, GIF or WebP; else 0.
	Width, Height int
	// Saved is when, to the second.
	Saved time.Time
}

// File is a file that is open for reading. It may be read at several places at
// once by ReadAt.
type File struct {
	*io.SectionReader
	Info Info
	file *os.File
}

// Close closes the file.
func (f *File) Close() error { return f.file.Close() }

// Verify reads all of the content and compares it with the hash that was made when
// it was saved.
func (f *File) Verify() error {
	hash := sha256.New()
	if _, err := io.Copy(hash, io.NewSectionReader(f, 0, f.Info.Size)); err != nil {
		return fmt.Errorf("filestore: %s: %w", f.Info.Key, err)
	}
	if !bytes.Equal(hash.Sum(nil), f.Info.SHA256[:]) {
		return fmt.Errorf("filestore: %s: the content is not what was saved", f.Info.Key)
	}
	return nil
}

// headerBytes is how much stands before the content.
const headerBytes = 512

// magic begins each file. It is no signature of any format.
const magic = "fastness file 1\n"

// onDisk is what the header says.
type onDisk struct {
	Type   string `json:"type"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
	Width  int    `json:"width"`
	Height int    `json:"height"`
	Saved  int64  `json:"saved"`
}

func (i Info) header() ([]byte, error) {
	text, err := json.Marshal(onDisk{i.Type, i.Size, hex.EncodeToString(i.SHA256[:]), i.Width, i.Height, i.Saved.Unix()})
	if err != nil {
		return nil, err
	}
	header := append([]byte(magic), text...)
	if len(header) >= headerBytes {
		return nil, errors.New("filestore: the header is too long")
	}
	header = append(header, bytes.Repeat([]byte(" "), headerBytes-1-len(header))...)
	return append(header, '\n'), nil
}

// open reads the header of a file and compares it with the file.
func open(f *os.File, key Key) (*File, error) {
	header := make([]byte, headerBytes)
	if _, err := f.ReadAt(header, 0); err != nil {
		return nil, err
	}
	text, found := bytes.CutPrefix(header, []byte(magic))
	if !found {
		return nil, errors.New("it is no file of a store")
	}
	var on onDisk
	if err := json.Unmarshal(text, &on); err != nil {
		return nil, err
	}
	stat, err := f.Stat()
	if err != nil {
		return nil, err
	}
	info := Info{Key: key, Type: on.Type, Size: on.Size, Width: on.Width, Height: on.Height, Saved: time.Unix(on.Saved, 0).UTC()}
	sum, err := hex.DecodeString(on.SHA256)
	if err != nil || len(sum) != len(info.SHA256) || stat.Size() != headerBytes+info.Size {
		return nil, errors.New("the file is damaged")
	}
	copy(info.SHA256[:], sum)
	return &File{SectionReader: io.NewSectionReader(f, headerBytes, info.Size), Info: info, file: f}, nil
}

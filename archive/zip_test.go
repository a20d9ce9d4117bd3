package archive_test

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"iter"
	"net/http"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/fastness/fastness/archive"
	"github.com/fastness/fastness/problem"
)

// raw is an entry of a ZIP, every byte of which a test can set.
type raw struct {
	name, content string
	local         string // the name in the local header, if it is another
	method, flags uint16
	packed        string // the content as it is packed, if not by method
	size          uint32 // if it is a lie
	sum           uint32 // if it is a lie
	mode          uint32
	extra         string // in the directory
	localExtra    string
	descriptor    string
	overlap       bool // the directory says that it is where the first one is
	edit          int  // the byte of the local header that is another
}

func deflate(text string) string {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, 9)
	if err == nil {
		_, err = io.WriteString(w, text)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		panic(err)
	}
	return b.String()
}

// ends is the end record of a ZIP, and what may be wrong with it.
type ends struct {
	count   int // added to what is true
	prefix  string
	between string // before the directory
	comment string
	locator string
	inside  string // at the end of the directory
}

func pack(end ends, entries ...raw) string {
	le := binary.LittleEndian
	out, directory := []byte(end.prefix), []byte(nil)
	for _, e := range entries {
		if e.packed == "" {
			if e.packed = e.content; e.method == zip.Deflate {
				e.packed = deflate(e.content)
			}
		}
		if e.size == 0 {
			e.size = uint32(len(e.content))
		}
		if e.sum == 0 {
			e.sum = crc32.ChecksumIEEE([]byte(e.content))
		}
		if e.local == "" {
			e.local = e.name
		}
		fields := func(name, extra string) []byte {
			b := le.AppendUint16(nil, 20)
			b = le.AppendUint16(le.AppendUint16(b, e.flags), e.method)
			b = le.AppendUint32(le.AppendUint32(b, 0), e.sum)
			b = le.AppendUint32(le.AppendUint32(b, uint32(len(e.packed))), e.size)
			return le.AppendUint16(le.AppendUint16(b, uint16(len(name))), uint16(len(extra)))
		}
		at := uint32(len(out))
		if e.overlap {
			at = 0
		} else {
			local := append([]byte("PK\x03\x04"), fields(e.local, e.localExtra)...)
			if e.edit > 0 {
				local[e.edit]++
			}
			out = append(append(out, local...), e.local+e.localExtra+e.packed+e.descriptor...)
		}
		directory = append(append(append(directory, "PK\x01\x02\x14\x03"...), fields(e.name, e.extra)...), 0, 0, 0, 0, 0, 0)
		directory = le.AppendUint32(le.AppendUint32(directory, e.mode<<16), at)
		directory = append(directory, e.name+e.extra...)
	}
	out = append(out, end.between...)
	directory = append(directory, end.inside...)
	start := uint32(len(out))
	out = append(append(out, directory...), end.locator...)
	n := uint16(len(entries) + end.count)
	out = le.AppendUint16(le.AppendUint16(append(out, "PK\x05\x06\x00\x00\x00\x00"...), n), n)
	out = le.AppendUint32(le.AppendUint32(out, uint32(len(directory))), start)
	return string(append(le.AppendUint16(out, uint16(len(end.comment))), end.comment...))
}

func policy(t testing.TB, cfg archive.Config) *archive.Policy {
	t.Helper()
	p, err := archive.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// readAll reads every entry to its end.
func readAll(entries iter.Seq2[archive.Entry, error]) (map[string]string, error) {
	got := make(map[string]string)
	for e, err := range entries {
		if err != nil {
			return got, err
		}
		text, err := io.ReadAll(e)
		if err != nil {
			return got, err
		}
		if int64(len(text)) != e.Size || e.IsDir && len(text) > 0 {
			return got, fmt.Errorf("%s has %d bytes, and says %d", e.Name, len(text), e.Size)
		}
		got[e.Name] = string(text)
	}
	return got, nil
}

func readZip(t testing.TB, cfg archive.Config, text string) (map[string]string, error) {
	t.Helper()
	return readAll(policy(t, cfg).Zip(strings.NewReader(text), int64(len(text))))
}

func wantRefused(t *testing.T, name string, err error, code string) {
	t.Helper()
	if p, ok := errors.AsType[*problem.Problem](err); !ok || p.Status != http.StatusUnprocessableEntity || p.Code != code {
		t.Errorf("%s: %v, want 422 %s", name, err, code)
	}
}

// descriptor is what stands behind a content, and what may be wrong with it.
func descriptor(content string, sum, packed, size uint32) string {
	le, n := binary.LittleEndian, uint32(len(content))
	return string(le.AppendUint32(le.AppendUint32(le.AppendUint32(nil, crc32.ChecksumIEEE([]byte(content))+sum), n+packed), n+size))
}

func TestZipOfOthersIsRead(t *testing.T) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	large := strings.Repeat("0123456789 and so on\n", 10_000)
	for _, e := range []struct {
		name, content string
		method        uint16
	}{{"a.txt", "hello", zip.Store}, {"folder/", "", zip.Store}, {"folder/ü b.txt", large, zip.Deflate}, {"other/.hidden", "", zip.Deflate}, {"__MACOSX/._a", "x", zip.Deflate}} {
		f, err := w.CreateHeader(&zip.FileHeader{Name: e.name, Method: e.method})
		if err == nil {
			_, err = io.WriteString(f, e.content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.SetComment("by a test"); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := readZip(t, archive.Config{}, b.String())
	if err != nil || len(got) != 5 || got["a.txt"] != "hello" || got["folder/ü b.txt"] != large || got["other/.hidden"] != "" {
		t.Errorf("%d entries, %v", len(got), err)
	}
	got, err = readZip(t, archive.Config{}, pack(ends{}, raw{name: "a", content: "hi", flags: 8, descriptor: descriptor("hi", 0, 0, 0)}, raw{name: "b", content: "hi", mode: 0o100755, extra: "\x55\x54\x00\x00"}))
	if err != nil || got["a"] != "hi" || got["b"] != "hi" {
		t.Errorf("with a descriptor: %v, %v", got, err)
	}
	if got, err := readZip(t, archive.Config{}, pack(ends{})); err != nil || len(got) != 0 {
		t.Errorf("nothing in it: %v, %v", got, err)
	}
}

func TestZipThatTwoProgramsReadInTwoWaysIsRefused(t *testing.T) {
	a := raw{name: "a", content: "hello"}
	whole := pack(ends{}, a)
	for name, text := range map[string]string{
		"nothing":                               "",
		"no ZIP":                                "hello",
		"cut":                                   whole[:len(whole)-1],
		"cut at the front":                      whole[1:],
		"something behind it":                   whole + "x",
		"something in front":                    "MZ" + whole,
		"something in front, offsets corrected": pack(ends{prefix: "MZ\x90\x00"}, a),
		"something before the directory":        pack(ends{between: "PK\x03\x04 an entry that no directory tells of"}, a),
		"a second end in the comment":           pack(ends{comment: pack(ends{})}, a),
		"an end of another length":              pack(ends{comment: "PK\x05\x06" + strings.Repeat("\x00", 18) + "xx"}, a),
		"fewer entries than in the directory":   pack(ends{count: -1}, a, raw{name: "b"}),
		"more entries than in the directory":    pack(ends{count: 1}, a),
		"ZIP64":                                 pack(ends{locator: "PK\x06\x07" + strings.Repeat("\x00", 16)}, a),
		"a ZIP64 entry":                         pack(ends{}, raw{name: "a", content: "x", extra: "\x01\x00\x08\x00\x01\x00\x00\x00\x00\x00\x00\x00"}),
		"a ZIP64 local header":                  pack(ends{}, raw{name: "a", content: "x", localExtra: "\x01\x00\x08\x00\x01\x00\x00\x00\x00\x00\x00\x00"}),
		"another name in the local header":      pack(ends{}, raw{name: "a.txt", local: "a.exe", content: "x"}),
		"another name in a field":               pack(ends{}, raw{name: "a", content: "x", extra: "\x75\x70\x09\x00\x01\x00\x00\x00\x00evil"}),
		"a field that is cut":                   pack(ends{}, raw{name: "a", content: "x", extra: "\x55\x54\xff\x00"}),
		"an encrypted entry":                    pack(ends{}, raw{name: "a", content: "x", flags: 1}),
		"an unknown method":                     pack(ends{}, raw{name: "a", content: "x", method: 14}),
		"a stored entry of another size":        pack(ends{}, raw{name: "a", content: "hello", size: 4}),
		"a packed entry that is longer":         pack(ends{}, raw{name: "a", content: "hello", packed: deflate("hello, more"), method: 8, size: 5}),
		"a packed entry that is shorter":        pack(ends{}, raw{name: "a", content: "hello", packed: deflate("hell"), method: 8, size: 5}),
		"a packed entry with a tail":            pack(ends{}, raw{name: "a", content: "hello", packed: deflate("hello") + "tail", method: 8}),
		"a packed entry that is damaged":        pack(ends{}, raw{name: "a", content: "hello", packed: "\xff\xff\xff", method: 8}),
		"a wrong sum":                           pack(ends{}, raw{name: "a", content: "hello", sum: 1}),
		"no descriptor":                         pack(ends{}, raw{name: "a", content: "hello", flags: 8, descriptor: "PK\x07\x08xxxxxxxxxxxx"}),
		"a descriptor that nobody announced":    pack(ends{}, raw{name: "a", content: "hello", descriptor: descriptor("hello", 0, 0, 0)}),
		"another sum in the descriptor":         pack(ends{}, raw{name: "a", content: "hello", flags: 8, descriptor: descriptor("hello", 1, 0, 0)}),
		"another packed size in it":             pack(ends{}, raw{name: "a", content: "hello", flags: 8, descriptor: descriptor("hello", 0, 1, 0)}),
		"another size in it":                    pack(ends{}, raw{name: "a", content: "hello", flags: 8, descriptor: descriptor("hello", 0, 0, 1)}),
		"other flags in the local header":       pack(ends{}, raw{name: "a", content: "hello", edit: 6}),
		"another method in the local header":    pack(ends{}, raw{name: "a", content: "hello", edit: 8}),
		"another sum in the local header":       pack(ends{}, raw{name: "a", content: "hello", edit: 14}),
		"another packed size there":             pack(ends{}, raw{name: "a", content: "hello", edit: 18}),
		"another size there":                    pack(ends{}, raw{name: "a", content: "hello", edit: 22}),
		"something at the end of the directory": pack(ends{inside: "hidden"}, a),
		"something before a directory of none":  pack(ends{between: "hidden"}),
		"a folder with content":                 pack(ends{}, raw{name: "a/", content: "hello"}),
		"a name of no character set":            pack(ends{}, raw{name: "\x81"}),
	} {
		_, err := readZip(t, archive.Config{}, text)
		wantRefused(t, name, err, "archive_invalid")
	}
}

// A bomb whose entries share their content: 10 MB that unpack to 281 TB.
func TestOverlappingEntriesAreRefused(t *testing.T) {
	kernel := raw{name: "a", content: strings.Repeat("\x00", 100_000), method: 8}
	same := kernel
	same.name, same.local, same.overlap = "b", "a", true
	_, err := readZip(t, archive.Config{}, pack(ends{}, kernel, same))
	wantRefused(t, "two entries, one content", err, "archive_invalid")

	// Each local header is content of the one before, quoted by a stored block.
	inner := raw{name: "b", content: "x"}
	text := pack(ends{}, raw{name: "a", content: pack(ends{}, inner)[:31+1]}, inner)
	start := strings.Index(text, "PK\x01\x02")
	second := start + strings.Index(text[start+4:], "PK\x01\x02") + 4
	edited := []byte(text)
	binary.LittleEndian.PutUint32(edited[second+42:], uint32(strings.Index(text[4:], "PK\x03\x04")+4))
	_, err = readZip(t, archive.Config{}, string(edited))
	wantRefused(t, "an entry within another", err, "archive_invalid")
}

func TestZipBombIsRefused(t *testing.T) {
	zeros := strings.Repeat("\x00", 10<<20)
	for name, tt := range map[string]struct {
		cfg  archive.Config
		text string
		code string
	}{
		"a thousand to one":     {archive.Config{}, pack(ends{}, raw{name: "a", content: zeros, method: 8}), "archive_too_large"},
		"too large for one":     {archive.Config{EntryBytes: 1000}, pack(ends{}, raw{name: "a", content: zeros[:1001]}), "archive_too_large"},
		"too large for all":     {archive.Config{Bytes: 1500}, pack(ends{}, raw{name: "a", content: zeros[:1000]}, raw{name: "b", content: zeros[:1000]}), "archive_too_large"},
		"says 4 GiB":            {archive.Config{}, pack(ends{}, raw{name: "a", packed: deflate("x"), method: 8, size: 1<<32 - 1}), "archive_too_large"},
		"says less than it has": {archive.Config{}, pack(ends{}, raw{name: "a", packed: deflate(zeros), method: 8, size: 10}), "archive_invalid"},
		"too many entries":      {archive.Config{Entries: 2}, pack(ends{}, raw{name: "a"}, raw{name: "b"}, raw{name: "c"}), "archive_too_many_entries"},
	} {
		_, err := readZip(t, tt.cfg, tt.text)
		wantRefused(t, name, err, tt.code)
	}
	lie := pack(ends{}, raw{name: "a", packed: deflate(zeros), method: 8, size: 10})
	for e, err := range policy(t, archive.Config{}).Zip(strings.NewReader(lie), int64(len(lie))) {
		if err != nil {
			t.Fatal(err)
		}
		if content, err := io.ReadAll(e); err == nil || len(content) > 10 {
			t.Errorf("%d bytes come out of an entry of 10 (%v)", len(content), err)
		}
	}
	if _, err := readZip(t, archive.Config{Ratio: 2000}, pack(ends{}, raw{name: "a", content: zeros, method: 8})); err != nil {
		t.Errorf("where the ratio is allowed: %v", err)
	}
	if _, err := readZip(t, archive.Config{}, pack(ends{}, raw{name: "a", content: zeros[:1<<20], method: 8})); err != nil {
		t.Errorf("a mebibyte of nothing: %v", err)
	}
}

// A million entries are refused by their number, without room being made for them.
func TestMillionEntriesAreRefusedBeforeTheyAreRead(t *testing.T) {
	many := make([]raw, 60_000)
	for i := range many {
		many[i].name = fmt.Sprint("a", i)
	}
	text := pack(ends{}, many...)
	p := policy(t, archive.Config{})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := readAll(p.Zip(strings.NewReader(text), int64(len(text))))
	runtime.ReadMemStats(&after)
	wantRefused(t, "60,000 entries", err, "archive_too_many_entries")
	if used := after.TotalAlloc - before.TotalAlloc; used > 1<<20 {
		t.Errorf("%d bytes were allocated for it", used)
	}
	// Beyond 65,535 the format says the number in a ZIP64 record, and here "many".
	_, err = readZip(t, archive.Config{Entries: 1 << 20}, pack(ends{count: 1<<16 - 2}, raw{name: "a"}))
	wantRefused(t, "a million entries", err, "archive_invalid")
}

func TestNameThatLeadsElsewhereIsRefused(t *testing.T) {
	for _, name := range []string{
		"../a", "a/../../b", "a/..", "..", ".", "./a", "a/./b", "a//b", "/etc/passwd", "//host/share", `..\a`, `a\b`, `\a`, `C:\a`, "C:/a", "c:a", "a:stream",
		"CON", "con.txt", "a/NUL", "aux.tar", "COM1", "LPT9.log", "a.", "a ", "a./b", " a", "a\x00b", "a\nb", "a\x1b[2J", "a\u202egpj.exe", "a\u200bb",
		`a"b`, "a<b", "a*b", "a?b", "a|b", strings.Repeat("a", 256), strings.Repeat("a/", 32) + "a", strings.Repeat(strings.Repeat("a", 200)+"/", 6) + "a",
		"~", "a/~", "a/-",
	} {
		_, err := readZip(t, archive.Config{}, pack(ends{}, raw{name: name, content: "x", flags: 0x800}))
		wantRefused(t, fmt.Sprintf("%q", name), err, "archive_name")
		if strings.Contains(fmt.Sprint(err), "passwd") {
			t.Errorf("%q: the error tells the name: %v", name, err)
		}
		if strings.ContainsRune(name, 0) || len(name) > 200 {
			continue // What the format of tar does not hold.
		}
		_, err = readTar(t, archive.Config{}, tarOf(entry{name: name, content: "x"}))
		if name != "./a" && name != "." {
			wantRefused(t, fmt.Sprintf("tar: %q", name), err, "archive_name")
		}
	}
	for _, name := range []string{"\xff\xfe", "a\xc3"} {
		_, err := readZip(t, archive.Config{}, pack(ends{}, raw{name: name, content: "x", flags: 0x800}))
		wantRefused(t, fmt.Sprintf("%q", name), err, "archive_name")
	}
}

func TestNamesThatAreOneFileAreRefused(t *testing.T) {
	for name, names := range map[string][]string{
		"the same":                       {"a", "a"},
		"another case":                   {"README", "readme"},
		"another case of a folder":       {"a/b", "A/c"},
		"another way to write an accent": {"caf\u00e9", "cafe\u0301"},
		"another letter of the case":     {"straße", "STRASSE"},
		"a file and a folder":            {"a", "a/b"},
		"a folder and a file":            {"a/b", "a"},
		"a folder and a file, spelt out": {"a/", "a"},
		"a folder twice":                 {"a/", "a/"},
	} {
		var entries []raw
		var others []entry
		for _, n := range names {
			entries = append(entries, raw{name: n, flags: 0x800})
			others = append(others, entry{name: n})
		}
		_, err := readZip(t, archive.Config{}, pack(ends{}, entries...))
		wantRefused(t, name, err, "archive_name")
		_, err = readTar(t, archive.Config{}, tarOf(others...))
		wantRefused(t, "tar: "+name, err, "archive_name")
	}
	if _, err := readZip(t, archive.Config{}, pack(ends{}, raw{name: "a/b/c"}, raw{name: "a/"}, raw{name: "a/b/d"})); err != nil {
		t.Errorf("a folder behind its file: %v", err)
	}
}

func TestLinkAndDeviceInZipAreRefused(t *testing.T) {
	for name, mode := range map[string]fs.FileMode{"symbolic link": 0o120777, "device": 0o060644, "terminal": 0o020644, "pipe": 0o010644, "socket": 0o140644, "folder without a slash": 0o040755} {
		_, err := readZip(t, archive.Config{}, pack(ends{}, raw{name: "a", content: "/etc/passwd", mode: uint32(mode)}))
		wantRefused(t, name, err, "archive_link")
	}
}

func TestFailureOfTheDiskIsNoFaultOfTheArchive(t *testing.T) {
	text := pack(ends{}, raw{name: "a", content: strings.Repeat("hello", 10_000), method: 8})
	broken := errors.New("broken")
	for after := range 6 {
		_, err := readAll(policy(t, archive.Config{}).Zip(&failingAt{strings.NewReader(text), after, broken}, int64(len(text))))
		if !errors.Is(err, broken) {
			t.Errorf("after %d reads: %v, want the error of the reader", after, err)
		}
	}
}

type failingAt struct {
	io.ReaderAt
	left int
	err  error
}

func (f *failingAt) ReadAt(p []byte, at int64) (int, error) {
	if f.left--; f.left < 0 {
		return 0, f.err
	}
	return f.ReaderAt.ReadAt(p, at)
}

// FuzzZip holds the reader to that of the standard library: what passes here has the
// same entries there, and only harmless names.
func FuzzZip(f *testing.F) {
	for _, s := range []string{
		pack(ends{}), pack(ends{comment: "c"}, raw{name: "a", content: "x"}), pack(ends{}, raw{name: "a/", mode: 0o040755}, raw{name: "a/b", content: strings.Repeat("x", 100), method: 8}),
		pack(ends{}, raw{name: "é", flags: 0x800, extra: "\x55\x54\x01\x00\x00"}), pack(ends{}, raw{name: "../a"}), "",
	} {
		f.Add([]byte(s))
	}
	p, err := archive.New(archive.Config{Bytes: 1 << 20, Entries: 100})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := readAll(p.Zip(bytes.NewReader(text), int64(len(text))))
		for name := range got {
			if !filepath.IsLocal(name) || !fs.ValidPath(name) || strings.ContainsAny(name, "\\:\x00") {
				t.Errorf("the name %q passes", name)
			}
		}
		if err != nil {
			if _, ok := errors.AsType[*problem.Problem](err); !ok {
				t.Errorf("%v is no problem", err)
			}
			return
		}
		there, err := zip.NewReader(bytes.NewReader(text), int64(len(text)))
		if err != nil || len(there.File) != len(got) {
			t.Fatalf("%d entries here, %v there", len(got), err)
		}
		for _, file := range there.File {
			r, err := file.Open()
			if err != nil {
				t.Fatal(err)
			}
			content, err := io.ReadAll(r)
			if err != nil || got[strings.TrimSuffix(file.Name, "/")] != string(content) {
				t.Errorf("%q is %q here, %q there (%v)", file.Name, got[file.Name], content, err)
			}
		}
	})
}

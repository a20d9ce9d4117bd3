package form_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"

	"github.com/fastness/fastness/internal/form"
)

const boundary = "b0"

// part writes one part with its header lines joined by "|".
func part(header, content string) string {
	return "--" + boundary + "\r\n" + strings.ReplaceAll(header, "|", "\r\n") + "\r\n\r\n" + content + "\r\n"
}

const last = "--" + boundary + "--\r\n"

func field(name, value string) string {
	return part(`Content-Disposition: form-data; name="`+name+`"`, value)
}

func file(name, fileName, content string) string {
	return part(`Content-Disposition: form-data; name="`+name+`"; filename="`+fileName+`"|Content-Type: application/octet-stream`, content)
}

func read(body string, limits form.Limits) (form.Parts, error) {
	return form.Multipart(strings.NewReader(body), boundary, limits)
}

func contentOf(t *testing.T, f *form.File) string {
	t.Helper()
	r, err := f.Open()
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(r)
	if err := errors.Join(err, r.Close()); err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestMultipart(t *testing.T) {
	large := strings.Repeat("0123456789abcdef\r\n-", 10_000)
	body := field("a", "1") + field("a", "zwei é\r\n") + file("f", "ä.pdf", "%PDF-1.7\n%%EOF") + file("g", "large.txt", large) +
		file("none", "", "") + field("empty", "") + last
	for name, r := range map[string]io.Reader{
		"at once":        strings.NewReader(body),
		"byte by byte":   iotest.OneByteReader(strings.NewReader(body)),
		"data with EOF":  iotest.DataErrReader(strings.NewReader(body)),
		"without a CRLF": strings.NewReader(strings.TrimSuffix(body, "\r\n")),
	} {
		t.Run(name, func(t *testing.T) {
			parts, err := form.Multipart(r, boundary, form.Limits{Dir: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			defer parts.Remove()
			if len(parts) != 6 || parts[0].Value != "1" || parts[1].Name != "a" || parts[1].Value != "zwei é\r\n" || parts[4].File != nil || parts[5].File != nil {
				t.Fatalf("got %+v", parts)
			}
			if f := parts[2].File; f.Name != "ä.pdf" || f.ContentType != "application/pdf" || f.Claimed != "application/octet-stream" || f.Size != 14 || contentOf(t, f) != "%PDF-1.7\n%%EOF" {
				t.Errorf("got %+v", f)
			}
			if f := parts[3].File; f.ContentType != "text/plain; charset=utf-8" || f.Size != int64(len(large)) || contentOf(t, f) != large {
				t.Errorf("got %+v", f)
			}
		})
	}
}

func TestFormWithoutFieldsIsRead(t *testing.T) {
	if parts, err := read(last, form.Limits{}); err != nil || len(parts) != 0 {
		t.Errorf("got %v, %v", parts, err)
	}
}

func TestBodiesOfOtherWritersAreRead(t *testing.T) {
	var buf bytes.Buffer
	w := multipart.NewWriter(&buf)
	_ = w.WriteField("a", "1")
	f, _ := w.CreateFormFile("f", "x.txt")
	_, _ = f.Write([]byte("hello"))
	_ = w.Close()
	parts, err := form.Multipart(&buf, w.Boundary(), form.Limits{})
	if err != nil || len(parts) != 2 || contentOf(t, parts[1].File) != "hello" {
		t.Errorf("Go: %+v, %v", parts, err)
	}
	dotnet := part(`Content-Type: text/plain; charset=utf-8|Content-Disposition: form-data; name=a`, "1") +
		part(`Content-Disposition: form-data; name=f; filename="=?utf-8?B?w6QudHh0?="; filename*=utf-8''%C3%A4.txt`, "x") +
		part(`Content-Disposition: form-data; name=g; filename=g.txt; filename*=utf-8''g.txt`, "x") + last
	parts, err = read(dotnet, form.Limits{})
	if err != nil || len(parts) != 3 || parts[1].File.Name != "ä.txt" || parts[2].File.Name != "g.txt" {
		t.Errorf(".NET: %+v, %v", parts, err)
	}
	okhttp := part(`Content-Disposition: form-data; name="a"|Content-Transfer-Encoding: binary|Content-Type: text/plain; charset=utf-8|Content-Length: 1`, "1") + last
	if parts, err = read(okhttp, form.Limits{}); err != nil || parts[0].Value != "1" {
		t.Errorf("OkHttp: %+v, %v", parts, err)
	}
}

func TestMalformedMultipartIsRefused(t *testing.T) {
	const disposition = `Content-Disposition: form-data; name="a"`
	for name, body := range map[string]string{
		"nothing":                         "",
		"no boundary":                     "hello",
		"another boundary":                strings.ReplaceAll(field("a", "1")+last, boundary, "b1"),
		"a longer boundary":               strings.ReplaceAll(field("a", "1")+last, boundary, boundary+"x"),
		"a preamble":                      "hello\r\n" + field("a", "1") + last,
		"a line before the boundary":      "\r\n" + field("a", "1") + last,
		"an epilogue":                     field("a", "1") + last + "hello",
		"a part after the last boundary":  field("a", "1") + last + field("b", "2") + last,
		"two line breaks at the end":      field("a", "1") + last + "\r\n",
		"half a line break at the end":    field("a", "1") + strings.TrimSuffix(last, "\n"),
		"no last boundary":                field("a", "1"),
		"an end within a part":            strings.TrimSuffix(field("a", "1"), "\r\n"),
		"an end within the header":        "--b0\r\n" + disposition,
		"an end after the header":         "--b0\r\n" + disposition + "\r\n\r\n",
		"an end within the boundary":      field("a", "1") + "--b0-",
		"bare LF":                         strings.ReplaceAll(field("a", "1")+last, "\r\n", "\n"),
		"bare LF in a header":             part("X: y\n"+disposition, "1") + last,
		"bare CR in a header":             part("X: y\r"+disposition, "1") + last,
		"spaces after a boundary":         strings.Replace(field("a", "1")+last, "b0\r", "b0 \r", 1),
		"a boundary with a tail":          field("a", "1\r\n--b0x") + last,
		"a folded header":                 part("Content-Disposition: form-data;| name=\"a\"", "1") + last,
		"a header without a colon":        part(disposition+"|X", "1") + last,
		"a space before a colon":          part("Content-Disposition : form-data; name=a", "1") + last,
		"an empty header name":            part(disposition+"|: x", "1") + last,
		"NUL in a header":                 part(disposition+"|X: \x00", "1") + last,
		"no header":                       "--b0\r\n\r\n1\r\n" + last,
		"no empty line after the header":  "--b0\r\n" + disposition + "\r\n--b0--\r\n",
		"a boundary after the header":     part(disposition, "--b0") + last,
		"no disposition":                  part("Content-Type: text/plain", "1") + last,
		"an empty disposition":            part("Content-Disposition:", "1") + last,
		"two dispositions":                part(disposition+"|"+disposition, "1") + last,
		"two content types":               part(disposition+"|Content-Type: a/b|content-type: a/b", "1") + last,
		"another disposition":             part(`Content-Disposition: attachment; name="a"`, "1") + last,
		"no name":                         part("Content-Disposition: form-data", "1") + last,
		"an empty name":                   field("", "1") + last,
		"two names":                       part(disposition+"; name=b", "1") + last,
		"two names in another case":       part(disposition+"; NAME=b", "1") + last,
		"an extended name":                part(disposition+"; name*=utf-8''b", "1") + last,
		"two file names":                  part(disposition+"; filename=a; filename=b", "1") + last,
		"file names that differ":          part(disposition+"; filename=a.txt; filename*=utf-8''a.exe", "1") + last,
		"a file name in pieces":           part(disposition+"; filename*0=a; filename*1=b", "1") + last,
		"a file name in latin1":           part(disposition+"; filename*=iso-8859-1''%e4", "1") + last,
		"CRLF in an extended file name":   part(disposition+"; filename*=utf-8''a%0d%0ab", "1") + last,
		"NUL in an extended file name":    part(disposition+"; filename*=utf-8''a.png%00.exe", "1") + last,
		"a bad escape in a file name":     part(disposition+"; filename*=utf-8''%zz", "1") + last,
		"invalid UTF-8 in a file name":    file("a", "\xff", "1") + last,
		"invalid UTF-8 escaped":           part(disposition+"; filename*=utf-8''%ff", "1") + last,
		"NUL in a file name":              file("a", "a\x00b", "1") + last,
		"a C1 control in a file name":     file("a", "a\u0085b", "1") + last,
		"a backslash in a file name":      file("a", `..\..\a`, "1") + last,
		"an escaped quote in a file name": file("a", `a\"; name=\"b`, "1") + last,
		"an open quote":                   part(`Content-Disposition: form-data; name="a`, "1") + last,
		"a control character in a name":   field("a\tb", "1") + last,
		"an empty parameter":              part(`Content-Disposition: form-data;; name="a"`, "1") + last,
		"an unknown parameter":            part(disposition+"; size=3", "1") + last,
		"a file without a name":           file("a", "", "1") + last,
		"quoted-printable":                part(disposition+"|Content-Transfer-Encoding: quoted-printable", "=41") + last,
		"base64":                          part(disposition+"|Content-Transfer-Encoding: base64", "QQ==") + last,
		"a nested multipart":              part(disposition+"|Content-Type: multipart/mixed; boundary=x", "--x--") + last,
		"a malformed type":                part(disposition+"|Content-Type: x", "1") + last,
		"a value that is not UTF-8":       field("a", "\xff") + last,
	} {
		t.Run(name, func(t *testing.T) {
			parts, err := read(body, form.Limits{})
			wantProblem(t, err, http.StatusBadRequest, "multipart_invalid", body)
			if parts != nil {
				t.Errorf("got %+v beside the error", parts)
			}
		})
	}
}

func TestFieldsInOtherCharsetsAreRefused(t *testing.T) {
	_, err := read(part(`Content-Disposition: form-data; name="a"|Content-Type: text/plain; charset=utf-7`, "+ADw-script")+last, form.Limits{})
	wantProblem(t, err, http.StatusUnsupportedMediaType, "charset_unsupported")
}

func TestOddBoundariesAreRefused(t *testing.T) {
	for _, b := range []string{"", " ", "a ", "a\r\nb", "a\"b", "ä", "a\x00", "a;b", strings.Repeat("a", 71)} {
		_, err := form.Multipart(strings.NewReader("--"+b+"--\r\n"), b, form.Limits{})
		wantProblem(t, err, http.StatusBadRequest, "multipart_invalid")
	}
	for _, b := range []string{"a", "a b", "----WebKitFormBoundary7MA4YWxkTrZu0gW", strings.Repeat("a", 70)} {
		if _, err := form.Multipart(strings.NewReader("--"+b+"--\r\n"), b, form.Limits{}); err != nil {
			t.Errorf("boundary %q: %v", b, err)
		}
	}
}

func TestMultipartLimits(t *testing.T) {
	x := func(n int) string { return strings.Repeat("x", n) }
	head := `X: ` + x(4096-len("X: \r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n")) + `|Content-Disposition: form-data; name="a"`
	tests := []struct {
		name   string
		fits   string
		over   string
		limits form.Limits
		code   string
	}{
		{"parts", strings.Repeat(field("a", "1"), 100), strings.Repeat(field("a", "1"), 101), form.Limits{}, "multipart_too_many_parts"},
		{"ten thousand parts", "", strings.Repeat(field("a", "1"), 10_000), form.Limits{Bytes: 1 << 30}, "multipart_too_many_parts"},
		{"a header", part(head, "1"), part("X"+head, "1"), form.Limits{}, "multipart_header_too_large"},
		{"a header line of 1 MB", "", part("X: "+x(1<<20), "1"), form.Limits{Bytes: 1 << 30}, "multipart_header_too_large"},
		{"a thousand headers", "", part(strings.Repeat("X: y|", 1000)+head, "1"), form.Limits{}, "multipart_header_too_large"},
		{"a header limit above the most", "", part("X"+head, "1"), form.Limits{HeaderBytes: 1 << 20}, "multipart_header_too_large"},
		{"a value", field("a", x(64<<10)), field("a", x(64<<10+1)), form.Limits{}, "multipart_value_too_large"},
		{"a file", file("a", "f", x(100_000)), file("a", "f", x(100_001)), form.Limits{FileBytes: 100_000}, "multipart_file_too_large"},
		{"the body", field("a", x(1000-len(field("a", "")))), field("a", x(1001-len(field("a", "")))), form.Limits{Bytes: 1000 + int64(len(last))}, "body_too_large"},
		{"a body of 1 MiB", "", file("a", "f", x(1<<20)), form.Limits{}, "body_too_large"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.limits.Dir = t.TempDir()
			parts, err := read(tt.fits+last, tt.limits)
			if err != nil {
				t.Errorf("within the limit: %v", err)
			}
			if err := parts.Remove(); err != nil {
				t.Error(err)
			}
			_, err = read(tt.over+last, tt.limits)
			wantProblem(t, err, http.StatusRequestEntityTooLarge, tt.code)
		})
	}
}

func TestBodyBeyondTheLimitIsNotRead(t *testing.T) {
	r := strings.NewReader(file("a", "f", strings.Repeat("x", 1<<20)) + last)
	_, err := form.Multipart(r, boundary, form.Limits{Bytes: 1000})
	wantProblem(t, err, http.StatusRequestEntityTooLarge, "body_too_large")
	if read := r.Size() - int64(r.Len()); read != 1001 {
		t.Errorf("%d bytes were read, want 1001", read)
	}
}

func TestMaxBytesReaderIsRecognised(t *testing.T) {
	r := http.MaxBytesReader(nil, io.NopCloser(strings.NewReader(field("a", "12345678")+last)), 40)
	_, err := form.Multipart(r, boundary, form.Limits{})
	wantProblem(t, err, http.StatusRequestEntityTooLarge, "body_too_large")
}

func TestBrokenConnectionIsNotTheEndOfTheBody(t *testing.T) {
	broken := errors.New("connection reset")
	for _, body := range []string{"", "--b0", field("a", "1"), field("a", "1") + "--b0--", field("a", "1") + last} {
		_, err := form.Multipart(io.MultiReader(strings.NewReader(body), iotest.ErrReader(broken)), boundary, form.Limits{})
		wantProblem(t, err, http.StatusBadRequest, "multipart_invalid")
		if !errors.Is(err, broken) {
			t.Errorf("after %q: %v does not wrap the cause", body, err)
		}
	}
}

func TestAcceptRefusesAPartBeforeItIsRead(t *testing.T) {
	refused := errors.New("refused")
	limits := form.Limits{Accept: func(name string, isFile bool) error {
		if name == "f" && isFile {
			return refused
		}
		return nil
	}}
	r := strings.NewReader(field("a", "1") + file("f", "x", strings.Repeat("x", 500_000)) + last)
	if _, err := form.Multipart(r, boundary, limits); err != refused {
		t.Errorf("got %v, want the error of Accept", err)
	}
	if read := r.Size() - int64(r.Len()); read > 10_000 {
		t.Errorf("%d bytes were read of a body that was refused at its start", read)
	}
}

// tempFile is a temporary file that counts and can run out of room.
type tempFile struct {
	*os.File
	room   int
	closed *int
}

func (f tempFile) Write(p []byte) (int, error) {
	if len(p) > f.room {
		return 0, &fs.PathError{Op: "write", Path: f.Name(), Err: syscall.ENOSPC}
	}
	return f.File.Write(p)
}

func (f tempFile) Close() error { *f.closed++; return f.File.Close() }

func TestFilesAreRemovedAfterAnyError(t *testing.T) {
	stored := file("a", "a", strings.Repeat("x", 40<<10)) + file("b", "b", strings.Repeat("y", 40<<10))
	refuse := errors.New("refused")
	tests := []struct {
		name, body string
		room       int
		limits     form.Limits
	}{
		{"a missing boundary", stored, 1 << 20, form.Limits{}},
		{"a malformed part", stored + part("X: y", "") + last, 1 << 20, form.Limits{}},
		{"a file that is too large", stored + file("c", "c", strings.Repeat("z", 50<<10)) + last, 1 << 20, form.Limits{FileBytes: 45 << 10}},
		{"a part that is not accepted", stored + field("c", "1") + last, 1 << 20, form.Limits{Accept: func(name string, _ bool) error {
			if name == "c" {
				return refuse
			}
			return nil
		}}},
		{"a full disk", stored + last, 30 << 10, form.Limits{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir, opened, closed := t.TempDir(), 0, 0
			limits := tt.limits.WithTemp(func(string) (form.TempFile, string, error) {
				f, err := os.CreateTemp(dir, "")
				opened++
				return tempFile{f, tt.room, &closed}, f.Name(), err
			})
			if parts, err := read(tt.body, limits); err == nil || parts != nil {
				t.Fatalf("got %v, %v, want an error", parts, err)
			}
			if left, _ := os.ReadDir(dir); opened == 0 || closed != opened || len(left) != 0 {
				t.Errorf("%d files opened, %d closed, %d left", opened, closed, len(left))
			}
		})
	}
}

func TestFullDiskIsTold(t *testing.T) {
	var closed int
	body := file("a", "a", strings.Repeat("x", 40<<10)) + last
	_, err := read(body, form.Limits{}.WithTemp(func(string) (form.TempFile, string, error) {
		f, err := os.CreateTemp(t.TempDir(), "")
		return tempFile{f, 0, &closed}, f.Name(), err
	}))
	wantProblem(t, err, http.StatusInsufficientStorage, "upload_no_space")
	_, err = read(body, form.Limits{Dir: filepath.Join(t.TempDir(), "missing")})
	wantProblem(t, err, http.StatusServiceUnavailable, "upload_not_kept", "missing")
}

func TestNothingIsVisibleOnDisk(t *testing.T) {
	dir := t.TempDir()
	parts, err := read(file("a", "a", strings.Repeat("x", 40<<10))+last, form.Limits{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 && os.PathSeparator == '/' {
		t.Errorf("%d files can be seen while the upload is used: a killed process would leave them", len(left))
	}
	if err := parts.Remove(); err != nil {
		t.Error(err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("%d files are left", len(left))
	}
}

func TestFileCannotBeReadAfterRemove(t *testing.T) {
	for name, size := range map[string]int{"in memory": 10, "on disk": 40 << 10} {
		t.Run(name, func(t *testing.T) {
			parts, err := read(file("a", "a", strings.Repeat("x", size))+last, form.Limits{Dir: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			f := *parts[0].File
			r1, _ := f.Open()
			r2, _ := f.Open()
			one, two := make([]byte, 4), make([]byte, 4)
			_, err1 := io.ReadFull(r1, one)
			_, err2 := r2.Seek(-4, io.SeekEnd)
			_, err3 := io.ReadFull(r2, two)
			if err := errors.Join(err1, err2, err3, r1.Close(), r2.Close()); err != nil || string(one) != "xxxx" || string(two) != "xxxx" {
				t.Errorf("two readers: %q, %q, %v", one, two, err)
			}
			if err := errors.Join(f.Remove(), f.Remove(), parts.Remove()); err != nil {
				t.Errorf("Remove: %v", err)
			}
			if _, err := f.Open(); !errors.Is(err, fs.ErrClosed) {
				t.Errorf("Open after Remove: %v, want fs.ErrClosed", err)
			}
		})
	}
	if _, err := (form.File{}).Open(); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("Open of no file: %v, want fs.ErrClosed", err)
	}
}

func TestClaimedTypeIsNotBelieved(t *testing.T) {
	parts, err := read(part(`Content-Disposition: form-data; name="f"; filename="cat.jpg"|Content-Type: image/jpeg`, "<html><script>alert(1)</script>")+last, form.Limits{})
	if err != nil || parts[0].File.ContentType != "text/html; charset=utf-8" {
		t.Errorf("got %+v, %v", parts, err)
	}
}

// FuzzMultipart holds the parser to mime/multipart: what passes here reads the
// same there.
func FuzzMultipart(f *testing.F) {
	f.Add(field("a", "1")+file("f", "x.txt", "hello")+last, 3)
	f.Add(file("f", "", "")+last, 1)
	f.Add(part(`Content-Disposition: form-data; name=f; filename=g; filename*=utf-8''g`, "x")+last, 100)
	f.Add(field("a", "1\r\n--b")+field("b", "\r\n\r\n--b\r\n")+last, 7)
	f.Add(last, 1)
	f.Add("--b0\r\n\r\n\r\n--b0--", 2)
	f.Add(part(`Content-Disposition: form-data;; name="a"`, "")+last, 1)    // mime loses the name.
	f.Add(part(`Content-Disposition: form-data; name="a"`, "--b0")+last, 1) // mime ends the part before its content.
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, body string, step int) {
		limits := form.Limits{Dir: dir, MemoryBytes: -1, Parts: 8}
		parts, err := form.Multipart(strings.NewReader(body), boundary, limits)
		slow, slowErr := form.Multipart(&stepReader{strings.NewReader(body), max(1, step%64)}, boundary, limits)
		defer func() { _ = errors.Join(parts.Remove(), slow.Remove()) }()
		if (err == nil) != (slowErr == nil) || len(parts) != len(slow) {
			t.Fatalf("%q: %v at once, %v in steps", body, err, slowErr)
		}
		if err != nil {
			return
		}
		there := multipart.NewReader(strings.NewReader(body), boundary)
		for _, p := range parts {
			if err := samePart(t, p, there); err != nil {
				t.Fatalf("%q: %v", body, err)
			}
		}
		if _, err := there.NextRawPart(); err != io.EOF {
			t.Fatalf("%q: another part there, or %v", body, err)
		}
	})
}

type stepReader struct {
	r    io.Reader
	step int
}

func (s *stepReader) Read(p []byte) (int, error) { return s.r.Read(p[:min(len(p), s.step)]) }

func samePart(t *testing.T, p form.Part, there *multipart.Reader) error {
	other, err := there.NextRawPart()
	if err != nil {
		return err
	}
	data, err := io.ReadAll(other)
	if err != nil {
		return err
	}
	content := p.Value
	if p.File != nil {
		content = contentOf(t, p.File)
	}
	if other.FormName() != p.Name || string(data) != content {
		return fmt.Errorf("%q = %q here, %q = %q there", p.Name, content, other.FormName(), data)
	}
	return nil
}

func ExampleMultipart() {
	body := "--x\r\nContent-Disposition: form-data; name=\"avatar\"; filename=\"../me.txt\"\r\n\r\nabout me\r\n--x--\r\n"
	parts, err := form.Multipart(strings.NewReader(body), "x", form.Limits{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer parts.Remove()
	f := parts[0].File
	fmt.Println(parts[0].Name, f.Name, f.ContentType, f.Size)
	// Output: avatar me.txt text/plain; charset=utf-8 8
}

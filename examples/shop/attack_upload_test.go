package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"unicode"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/problem"
)

type uploadInput struct {
	Title string          `form:"title" maxLength:"100"`
	Tags  []string        `form:"tags" maxItems:"200" required:"false"`
	Photo *fastness.File  `form:"photo"`
	Files []fastness.File `form:"files"`
}

// Uploaded is what an upload looked like from the inside.
type Uploaded struct {
	Names []string `json:"names"`
	Bytes int64    `json:"bytes"`
}

// album is an app that takes uploads, and where it keeps them.
type album struct {
	*stack
	dir     string
	handled atomic.Int64 // uploads that reached the handler
	spooled atomic.Int64 // files on disk that the last handler saw
}

func serveAlbum(t *testing.T, args ...string) *album {
	t.Helper()
	// The collector would close what is forgotten, and hide that it was.
	percent := debug.SetGCPercent(-1)
	t.Cleanup(func() { debug.SetGCPercent(percent) })
	a := &album{dir: t.TempDir()}
	app := fastness.New(fastness.Config{Title: "Album", Version: "1", UploadDir: a.dir})
	upload := func(_ context.Context, in uploadInput) (got Uploaded, err error) {
		a.handled.Add(1)
		a.spooled.Store(int64(a.onDisk(t)))
		if in.Photo != nil {
			in.Files = append(in.Files, *in.Photo)
		}
		for _, f := range in.Files {
			got.Names = append(got.Names, f.Name)
			got.Bytes += f.Size
		}
		switch in.Title {
		case "refuse":
			return got, problem.New(http.StatusConflict, "")
		case "abort":
			panic(http.ErrAbortHandler)
		}
		return got, nil
	}
	fastness.Post(app, "/photos", upload, access.Public)
	a.stack = serveApp(t, app, args...)
	return a
}

// onDisk counts the files of uploads. They have no names, so on Linux the open
// ones are asked for; elsewhere those in the folder.
func (a *album) onDisk(t *testing.T) (n int) {
	t.Helper()
	entries, err := os.ReadDir(a.dir)
	if err != nil {
		t.Error(err)
	}
	n = len(entries)
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return n
	}
	for _, fd := range open {
		if link, err := os.Readlink(filepath.Join("/proc/self/fd", fd.Name())); err == nil && strings.HasPrefix(link, a.dir) && strings.HasSuffix(link, "(deleted)") {
			n++
		}
	}
	return n
}

// wantRemoved waits until no upload is on disk any more.
func (a *album) wantRemoved(t *testing.T) {
	t.Helper()
	if !eventually(func() bool { return a.onDisk(t) == 0 }) {
		t.Errorf("%d files are left", a.onDisk(t))
	}
}

const boundary = "b0undary"

// part is a part with the parameters of its Content-Disposition.
func part(parameters, content string) string {
	return "--" + boundary + "\r\nContent-Disposition: form-data; " + parameters + "\r\n\r\n" + content + "\r\n"
}

const lastPart = "--" + boundary + "--\r\n"

func multipartBody(parts ...string) string { return strings.Join(parts, "") + lastPart }

func (c *client) upload(body string) reply {
	c.t.Helper()
	return c.post("/photos", body, "Content-Type", "multipart/form-data; boundary="+boundary)
}

func eachAlbum(t *testing.T, attack func(*testing.T, *album)) {
	t.Helper()
	t.Run("over TLS", func(t *testing.T) { attack(t, serveAlbum(t)) })
	t.Run("over plain HTTP", func(t *testing.T) { attack(t, serveAlbum(t, plainHTTP[:]...)) })
}

func TestMultipartBombIsRefused(t *testing.T) {
	title := part(`name="title"`, "t")
	file := part(`name="photo"; filename="a.png"`, "x")
	large := strings.Repeat("x", 200_000)
	eachAlbum(t, func(t *testing.T, a *album) {
		c := a.client(t)
		for name, tt := range map[string]struct {
			body   string
			status []int
		}{
			"10,000 parts":                {multipartBody(strings.Repeat(part(`name="tags"`, "t"), 10_000)), []int{413}},
			"101 parts":                   {multipartBody(strings.Repeat(part(`name="tags"`, "t"), 101)), []int{413}},
			"1,000 files":                 {multipartBody(strings.Repeat(part(`name="files"; filename="a"`, "x"), 1_000)), []int{413}},
			"a head of a megabyte":        {multipartBody("--" + boundary + "\r\nX: " + strings.Repeat("v", 1_000_000) + "\r\n\r\n\r\n"), []int{413}},
			"a megabyte of head lines":    {multipartBody("--" + boundary + "\r\n" + strings.Repeat("X: y\r\n", 150_000) + "\r\n\r\n"), []int{413}},
			"a megabyte of file name":     {multipartBody(part(`name="photo"; filename="`+strings.Repeat("a", 1_000_000)+`"`, "x")), []int{413}},
			"a megabyte of field":         {multipartBody(part(`name="title"`, strings.Repeat("t", 1_000_000))), []int{413}},
			"more than the body may be":   {multipartBody(title, part(`name="photo"; filename="a"`, strings.Repeat("x", 1<<20))), []int{413}},
			"no boundary in the body":     {"title=t", []int{400}},
			"another boundary":            {strings.ReplaceAll(multipartBody(title), boundary, "other"), []int{400}},
			"no last boundary":            {title, []int{400}},
			"an empty body":               {"", []int{422}},
			"text before the boundary":    {"preamble\r\n" + multipartBody(title), []int{400}},
			"text behind the boundary":    {multipartBody(title) + "epilogue", []int{400}},
			"bare line feeds":             {strings.ReplaceAll(multipartBody(title), "\r\n", "\n"), []int{400}},
			"no disposition":              {multipartBody("--" + boundary + "\r\nX: y\r\n\r\nt\r\n"), []int{400}},
			"two dispositions":            {multipartBody("--" + boundary + "\r\nContent-Disposition: form-data; name=\"title\"\r\nContent-Disposition: form-data; name=\"photo\"\r\n\r\nt\r\n"), []int{400}},
			"two names":                   {multipartBody(part(`name="title"; name="photo"`, "t")), []int{400}},
			"a folded disposition":        {multipartBody("--" + boundary + "\r\nContent-Disposition: form-data;\r\n name=\"title\"\r\n\r\nt\r\n"), []int{400}},
			"a transfer encoding":         {multipartBody("--" + boundary + "\r\nContent-Disposition: form-data; name=\"title\"\r\nContent-Transfer-Encoding: base64\r\n\r\ndA==\r\n"), []int{400}},
			"a multipart in a multipart":  {multipartBody("--" + boundary + "\r\nContent-Disposition: form-data; name=\"title\"\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x--\r\n"), []int{400}},
			"a field twice":               {multipartBody(title, title), []int{422}},
			"a file twice":                {multipartBody(title, file, file), []int{422}},
			"a text where a file is due":  {multipartBody(title, part(`name="photo"`, "x")), []int{422}},
			"a file where a text is due":  {multipartBody(part(`name="title"; filename="t"`, "x")), []int{422}},
			"a file that nobody wants":    {multipartBody(title, part(`name="other"; filename="a"`, large)), []int{422}},
			"a field that nobody wants":   {multipartBody(title, part(`name="__proto__"`, "x")), []int{422}},
			"a field that is no UTF-8":    {multipartBody(part(`name="title"`, "\xff")), []int{400}},
			"a NUL in a name":             {multipartBody(part("name=\"ti\x00tle\"", "t")), []int{400}},
			"large files, then an error":  {multipartBody(part(`name="files"; filename="a"`, large), part(`name="files"; filename="b"`, large), "--"+boundary+"\r\nbroken\r\n"), []int{400}},
			"a file that the type denies": {multipartBody(part(`name="files"; filename="a"`, large), part(`name="title"`, strings.Repeat("t", 101))), []int{422}},
		} {
			before := a.handled.Load()
			wantProblem(t, name, c.upload(tt.body), tt.status...)
			if a.handled.Load() != before {
				t.Errorf("%s reached the handler", name)
			}
			a.wantRemoved(t)
		}
		for _, media := range []string{
			"multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=" + strings.Repeat("b", 71), "multipart/form-data; boundary=a; boundary=b",
			`multipart/form-data; boundary="a` + "\t" + `"`, "multipart/mixed; boundary=" + boundary, "text/plain", "application/json",
		} {
			wantProblem(t, media, c.post("/photos", multipartBody(title), "Content-Type", media), http.StatusBadRequest, http.StatusUnsupportedMediaType)
		}
		wantProblem(t, "compressed", c.post("/photos", multipartBody(title), "Content-Type", "multipart/form-data; boundary="+boundary, "Content-Encoding", "gzip"), http.StatusUnsupportedMediaType)
		if got := c.upload(multipartBody(title, file)); got.status != http.StatusOK {
			t.Errorf("a fair upload: %d %s, want 200", got.status, got.body)
		}
	})
}

func TestHostileFileNameIsMadeHarmless(t *testing.T) {
	names := []string{
		"../../../../etc/passwd", `..\..\windows\system32\evil.dll`, "/etc/passwd", `C:\evil.exe`, `\\host\share\x`, "..", ".", "...", "a/..", ".htaccess", "~/.ssh/id_rsa",
		"CON", "con.txt", "NUL", "aux.tar.gz", "COM1", "LPT9.log", "COM¹", "CONIN$", "nul .txt", "a.txt:stream", "a.txt::$DATA", "a.exe.", "a.exe ", "a|b>c<d?e*f",
		"a\tb.txt", "evil\u202egpj.exe", "zero\u200bwidth.txt", "line\u2028break", "\ufeffbom.txt", strings.Repeat("a", 300) + ".png", strings.Repeat("é", 200) + ".txt",
		"<script>alert(1)</script>.png", "{{7*7}}.txt", "$(reboot).sh", "`id`", "; rm -rf", "a' OR '1'='1", "%2e%2e%2fpasswd", "．．／x", "-rf",
	}
	lax := map[string]string{"CON": "CON", `..\..\windows\system32\evil.dll`: `..\..\windows\system32\evil.dll`}
	for name, want := range lax {
		body := strings.NewReader(multipartBody(part(`name="photo"; filename="`+strings.ReplaceAll(name, `\`, `\\`)+`"`, "x")))
		p, err := multipart.NewReader(body, boundary).NextPart()
		if err != nil || p.FileName() != want {
			t.Errorf("mime/multipart: %q (%v), want it to pass %q on", p.FileName(), err, want)
		}
	}
	eachAlbum(t, func(t *testing.T, a *album) {
		c := a.client(t)
		for _, name := range names {
			for _, parameter := range []string{`filename="` + strings.ReplaceAll(name, `"`, "%22") + `"`, "filename*=UTF-8''" + escapeAll(name)} {
				got := c.upload(multipartBody(part(`name="title"`, "t"), part(`name="photo"; `+parameter, "x")))
				if got.status == http.StatusBadRequest {
					wantProblem(t, parameter, got, http.StatusBadRequest)
					continue
				}
				list, _ := got.decode(t)["names"].([]any)
				if len(list) != 1 {
					t.Errorf("%s: %d %s, want one name or 400", parameter, got.status, got.body)
					continue
				}
				if clean := list[0].(string); !isHarmless(clean) {
					t.Errorf("%s: the handler sees %q", parameter, clean)
				}
			}
		}
		for _, parameter := range []string{
			"filename*=UTF-8''a%0d%0aSet-Cookie:%20x=y", "filename*=UTF-8''a%00.png", "filename*=UTF-8''%ff", "filename*=ISO-8859-1''a", "filename*=UTF-8''%zz",
			"filename=\"a\r\nX: y\"", "filename=\"a\x00.png\"", "filename=\"a\xff\"", `filename="a"; filename="b"`, "filename*=UTF-8''a; filename*=UTF-8''b",
		} {
			wantProblem(t, parameter, c.upload(multipartBody(part(`name="title"`, "t"), part(`name="photo"; `+parameter, "x"))), http.StatusBadRequest)
		}
		a.wantRemoved(t)
	})
}

func escapeAll(s string) string {
	var out strings.Builder
	for i := range len(s) {
		fmt.Fprintf(&out, "%%%02x", s[i])
	}
	return out.String()
}

// isHarmless reports whether name is one element of a path on every system and
// reads as what it is.
func isHarmless(name string) bool {
	stem, _, _ := strings.Cut(strings.ToUpper(name), ".")
	switch strings.TrimSpace(stem) {
	case "CON", "NUL", "AUX", "PRN", "COM1", "LPT9", "COM¹", "CONIN$":
		return false
	}
	return name != "" && len(name) <= 255 && strings.Trim(name, ". ") == name &&
		!strings.ContainsAny(name, `/\:*?"<>|`) && !strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) })
}

func TestUploadsAreRemovedHoweverTheRequestEnds(t *testing.T) {
	large := strings.Repeat("x", 200_000)
	eachAlbum(t, func(t *testing.T, a *album) {
		c := a.client(t)
		body := func(title string) string {
			return multipartBody(part(`name="title"`, title), part(`name="files"; filename="a"`, large), part(`name="files"; filename="b"`, large))
		}
		for title, status := range map[string]int{"keep": 200, "refuse": 409} {
			if got := c.upload(body(title)); got.status != status || a.spooled.Load() != 2 {
				t.Errorf("%s: %d with %d files on disk, want %d with 2", title, got.status, a.spooled.Load(), status)
			}
			a.wantRemoved(t)
		}
		head := func(length int) string {
			return "POST /photos HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=" + boundary + "\r\nContent-Length: " + strconv.Itoa(length) + "\r\n\r\n"
		}
		text := body("abort")
		a.spooled.Store(0)
		if replies := a.send(t, head(len(text))+text); len(replies) != 0 || a.spooled.Load() != 2 {
			t.Errorf("a handler that gives up: %v with %d files on disk, want no answer and 2", replies, a.spooled.Load())
		}
		a.wantRemoved(t)

		handled := a.handled.Load()
		text = body("gone")
		conn := a.dial(t)
		_, _ = io.WriteString(conn, head(len(text))+text[:300_000])
		if !eventually(func() bool { return a.onDisk(t) == 2 }) {
			t.Errorf("half an upload: %d files on disk, want 2", a.onDisk(t))
		}
		_ = conn.Close()
		a.wantRemoved(t)
		if a.handled.Load() != handled {
			t.Error("half an upload reached the handler")
		}
	})
}

// A client cannot fill the disk by going away, nor leave files to a server that
// is killed: they have no names.
func TestUploadsHaveNoNames(t *testing.T) {
	a := serveAlbum(t, plainHTTP[:]...)
	head := "POST /photos HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=" + boundary + "\r\nContent-Length: 500000\r\n\r\n"
	conn := a.dial(t)
	_, err := io.WriteString(conn, head+part(`name="files"; filename="a"`, strings.Repeat("x", 200_000)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat("/proc/self/fd"); errors.Is(err, os.ErrNotExist) {
		t.Skip("this system does not list open files in /proc")
	}
	if !eventually(func() bool { return a.onDisk(t) == 1 }) {
		t.Fatalf("%d files on disk, want 1", a.onDisk(t))
	}
	if entries, err := os.ReadDir(a.dir); err != nil || len(entries) != 0 {
		t.Errorf("the folder holds %v (%v), want nothing", entries, err)
	}
	_ = conn.Close()
	a.wantRemoved(t)
}

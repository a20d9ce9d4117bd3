package fastness_test

import (
	"bytes"
	"context"
	"io"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/fastnesstest"
)

type address struct {
	City string `json:"city" minLength:"1"`
}

type typedForm struct {
	Name  string                  `form:"name" minLength:"2"`
	Age   int                     `form:"age" minimum:"18"`
	News  bool                    `form:"news" default:"true"`
	Tags  []string                `form:"tag" default:""`
	Nick  *string                 `form:"nick"`
	Shoe  fastness.Opt[float64]   `form:"shoe"`
	Where fastness.Opt[address]   `form:"where"`
	Rooms fastness.Opt[[]address] `form:"rooms"`
}

type typedFormOutput struct {
	Name  string
	Age   int
	News  bool
	Tags  []string
	Nick  *string
	Shoe  fastness.Opt[float64]
	Where fastness.Opt[address]
	Rooms fastness.Opt[[]address]
}

func TestFormFieldsAreTyped(t *testing.T) {
	app, public := open(fastness.Config{})
	fastness.Post(public, "/", func(_ context.Context, in typedForm) (typedFormOutput, error) { return typedFormOutput(in), nil })
	api := fastnesstest.New(t, app)
	for name, body := range map[string]func(pairs ...string) any{
		"urlencoded": func(pairs ...string) any {
			values := url.Values{}
			for i := 0; i < len(pairs); i += 2 {
				values.Add(pairs[i], pairs[i+1])
			}
			return values
		},
		"multipart": func(pairs ...string) any {
			var parts []fastnesstest.Part
			for i := 0; i < len(pairs); i += 2 {
				parts = append(parts, fastnesstest.Field(pairs[i], pairs[i+1]))
			}
			return fastnesstest.Multipart(parts...)
		},
	} {
		t.Run(name, func(t *testing.T) {
			api := api.With(t)
			api.Post("/", body("name", "Ada", "age", "36", "news", "off", "tag", "a", "tag", "b", "nick", "x", "shoe", "38.5", "where", `{"city":"London"}`)).
				Want(200).WantJSON(`{"Name":"Ada","Age":36,"News":false,"Tags":["a","b"],"Nick":"x","Shoe":38.5,"Where":{"city":"London"}}`)
			api.Post("/", body("name", "Ada", "age", "36", "nick", "")).Want(200).
				WantJSON(`{"Name":"Ada","Age":36,"News":true,"Tags":[],"Nick":null}`)
			api.Post("/", body("name", "A", "age", "x", "where", `{"city":""}`, "extra", "1")).Want(422).
				WantViolation("form", "/name", "string_too_short").WantViolation("form", "/age", "int_parsing").
				WantViolation("form", "/where/city", "string_too_short").WantViolation("form", "/extra", "extra_forbidden")
			api.Post("/", body("name", "Ada", "name", "Eve", "age", "36")).WantViolation("form", "/name", "duplicate_parameter")
		})
	}
	api.Post("/", nil).Want(422).WantViolation("form", "/name", "missing").WantViolation("form", "/age", "missing")
	api.Post("/", fastnesstest.JSON(`{}`)).WantProblem(415, "unsupported_media_type")
	api.Post("/", fastnesstest.Raw{ContentType: "application/x-www-form-urlencoded", Body: []byte("name=Ada;age=36")}).WantProblem(400, "")
}

type upload struct {
	Title string                      `form:"title"`
	Photo fastness.File               `form:"photo"`
	Cover *fastness.File              `form:"cover"`
	Icon  fastness.Opt[fastness.File] `form:"icon"`
	More  []fastness.File             `form:"more"`
}

type uploaded struct {
	Title, Photo, Type string
	Cover, Icon        bool
	More               []string
}

func read(f fastness.File) (string, error) {
	r, err := f.Open()
	if err != nil {
		return "", err
	}
	data, err := io.ReadAll(r)
	return f.Name + "=" + string(data), err
}

func receive(_ context.Context, in upload) (out uploaded, err error) {
	out.Title, out.Type, out.Cover, out.More = in.Title, in.Photo.ContentType, in.Cover != nil, []string{}
	_, out.Icon = in.Icon.Get()
	if out.Photo, err = read(in.Photo); err != nil {
		return out, err
	}
	for _, f := range in.More {
		text, err := read(f)
		if err != nil {
			return out, err
		}
		out.More = append(out.More, text)
	}
	return out, nil
}

func TestFilesComeWithTypedFields(t *testing.T) {
	app, public := open(fastness.Config{})
	fastness.Post(public, "/", receive)
	api := fastnesstest.New(t, app)
	field, file := fastnesstest.Field, fastnesstest.File
	api.Post("/", fastnesstest.Multipart(field("title", "T"), file("photo", "../../a.pdf", []byte("%PDF-1.7 %%EOF")),
		file("more", "1.txt", []byte("one")), file("more", "2.txt", []byte("two")), file("icon", "i", []byte("i")))).Want(200).
		WantJSON(`{"Title":"T","Photo":"a.pdf=%PDF-1.7 %%EOF","Type":"application/pdf","Cover":false,"Icon":true,"More":["1.txt=one","2.txt=two"]}`)
	api.Post("/", fastnesstest.Multipart(field("title", "T"), file("photo", "", nil))).Want(422).WantViolation("form", "/photo", "missing")
	api.Post("/", fastnesstest.Multipart(field("title", "T"), field("photo", "text"))).Want(422).WantViolation("form", "/photo", "value_error")
	two := fastnesstest.Multipart(field("title", "T"), file("photo", "a", []byte("a")), file("photo", "b", []byte("b")))
	api.Post("/", two).Want(422).WantViolation("form", "/photo", "duplicate_parameter")
	api.Post("/", fastnesstest.Multipart(file("title", "a", []byte("a")))).WantProblem(422, "unexpected_file")
	api.Post("/", url.Values{"title": {"T"}}).Want(422).WantViolation("form", "/photo", "missing")
}

// TestMultipartOfBrowsersIsRead: the boundary is a parameter of the media type
// and may be quoted.
func TestMultipartOfBrowsersIsRead(t *testing.T) {
	api := echoing[struct {
		A string `form:"a"`
	}](t, "POST", "/")
	body := []byte("--x y\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--x y--\r\n")
	api.Post("/", fastnesstest.Raw{ContentType: `multipart/form-data; boundary="x y"`, Body: body}).Want(200).WantJSON(`{"A":"1"}`)
	api.Post("/", fastnesstest.Raw{ContentType: `Multipart/Form-Data; charset=utf-8; boundary="x y"`, Body: body}).Want(200)
	api.Post("/", fastnesstest.Raw{ContentType: `multipart/form-data; boundary=other`, Body: body}).WantProblem(400, "")
	api.Post("/", fastnesstest.Raw{ContentType: `multipart/form-data`, Body: body}).WantProblem(400, "multipart_invalid")
}

// TestUploadsAreGoneAfterTheRequest: whatever happened to it.
func TestUploadsAreGoneAfterTheRequest(t *testing.T) {
	dir := t.TempDir()
	app, public := open(fastness.Config{UploadDir: dir, BodyLimit: 1 << 20})
	var kept fastness.File
	fastness.Post(public, "/{end}", func(_ context.Context, in struct {
		End  string        `path:"end"`
		File fastness.File `form:"file"`
	}) (string, error) {
		kept = in.File
		switch in.End {
		case "error":
			return "", os.ErrInvalid
		case "panic":
			panic("no")
		}
		return "ok", nil
	})
	api := fastnesstest.New(t, app)
	body := fastnesstest.Multipart(fastnesstest.File("file", "large", bytes.Repeat([]byte("x"), 200<<10)))
	for end, want := range map[string]int{"ok": 200, "error": 500, "panic": 500} {
		kept = fastness.File{}
		api.Post("/"+end, body).Want(want)
		if _, err := kept.Open(); kept.Size != 200<<10 || err == nil {
			t.Errorf("POST /%s: the file of %d bytes can still be opened (%v)", end, kept.Size, err)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("POST /%s: %v is left behind (%v)", end, left, err)
		}
	}
}

func TestFormPartsAreBounded(t *testing.T) {
	api := echoing[struct {
		A []string `form:"a"`
	}](t, "POST", "/")
	var parts []fastnesstest.Part
	for range 101 {
		parts = append(parts, fastnesstest.Field("a", "1"))
	}
	api.Post("/", fastnesstest.Multipart(parts...)).WantProblem(413, "multipart_too_many_parts")
	api.Post("/", fastnesstest.Raw{ContentType: "application/x-www-form-urlencoded", Body: []byte(strings.Repeat("a=1&", 257))}).WantProblem(413, "")
}

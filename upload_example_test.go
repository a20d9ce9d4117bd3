package fastness_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
)

type newReceipt struct {
	Title string        `form:"title" maxLength:"80"`
	File  fastness.File `form:"file" accept:"application/pdf,image/jpeg" maxLength:"500KiB"`
}

// Over a connection: a form with a text and a file, once with a PDF and once with a
// page that is called one.
func ExampleFile() {
	app := fastness.New(fastness.Config{Title: "Receipts", Version: "1.0.0"})
	fastness.Post(app, "/receipts", func(_ context.Context, in newReceipt) (string, error) {
		return fmt.Sprintf("%s: %s, %s, %d bytes", in.Title, in.File.Name, in.File.ContentType, in.File.Size), nil
	}, access.Public)
	server := httptest.NewServer(app)
	defer server.Close()

	for _, content := range []string{"%PDF-1.7\n%%EOF", "<html><script>alert(1)</script>"} {
		var body bytes.Buffer
		form := multipart.NewWriter(&body)
		_ = form.WriteField("title", "Lamp")
		file, _ := form.CreateFormFile("file", "../receipt.pdf")
		_, _ = io.WriteString(file, content)
		_ = form.Close()
		res, err := http.Post(server.URL+"/receipts", form.FormDataContentType(), &body)
		if err != nil {
			fmt.Println(err)
			return
		}
		text, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		var refusal struct {
			Errors []struct{ Pointer, Code string }
		}
		if res.StatusCode == http.StatusOK || json.Unmarshal(text, &refusal) != nil {
			fmt.Println(string(text))
			continue
		}
		fmt.Println(res.StatusCode, refusal.Errors)
	}
	// Output:
	// "Lamp: receipt.pdf, application/pdf, 14 bytes"
	// 422 [{/file file_type}]
}

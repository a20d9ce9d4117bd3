package webhook_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/fastness/fastness/secret"
	"github.com/fastness/fastness/webhook"
)

// A message arrives as it was signed; the same bytes again, or others, do not.
func Example() {
	text := webhook.NewSecret()
	signer, err := webhook.NewSigner(text)
	if err != nil {
		fmt.Println(err)
		return
	}
	verifier, err := webhook.NewVerifier(webhook.Config{Secrets: []secret.Text{text}})
	if err != nil {
		fmt.Println(err)
		return
	}
	receiver := verifier.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Printf("received %s\n", body)
		w.WriteHeader(http.StatusNoContent)
	}))

	fields := http.Header{}
	if err := signer.Sign(fields, "msg_1", time.Now(), []byte(`{"type":"invoice.paid"}`)); err != nil {
		fmt.Println(err)
		return
	}
	for _, body := range []string{`{"type":"invoice.paid"}`, `{"type":"invoice.paid"}`, `{"type":"invoice.void"}`} {
		r := httptest.NewRequest(http.MethodPost, "/hooks", strings.NewReader(body))
		r.Header = fields.Clone()
		w := httptest.NewRecorder()
		receiver.ServeHTTP(w, r)
		fmt.Println(w.Code)
	}
	// Output:
	// received {"type":"invoice.paid"}
	// 204
	// 401
	// 401
}

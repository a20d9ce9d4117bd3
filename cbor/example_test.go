package cbor_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/cbor"
)

type reading struct {
	Sensor string  `json:"sensor" minLength:"1" maxLength:"32"`
	Value  float64 `json:"value"`
}

type newReading struct {
	Body reading
}

func addReading(_ context.Context, in newReading) (fastness.Created[reading], error) {
	return fastness.Created[reading]{Body: in.Body}, nil
}

func Example() {
	app := fastness.New(fastness.Config{
		Title: "Sensors", Version: "1.0.0", Logger: slog.New(slog.DiscardHandler),
		Formats: []fastness.Format{cbor.New()},
	})
	fastness.Post(app, "/readings", addReading, access.Public)

	body, _ := cbor.New().FromJSON([]byte(`{"sensor": "roof", "value": 21.5}`))
	r := httptest.NewRequest("POST", "http://localhost/readings", strings.NewReader(string(body)))
	r.Header.Set("Content-Type", "application/cbor")
	r.Header.Set("Accept", "application/cbor")
	w := httptest.NewRecorder()
	app.ServeHTTP(w, r)
	fmt.Println(w.Code, w.Header().Get("Content-Type"), w.Header().Get("Vary"))
	fmt.Printf("%x\n", w.Body)
	// Output:
	// 201 application/cbor Accept
	// a26576616c7565f94d606673656e736f7264726f6f66
}

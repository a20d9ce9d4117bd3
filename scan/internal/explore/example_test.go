package explore_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"

	"github.com/fastness/fastness/scan/internal/explore"
	"github.com/fastness/fastness/scan/internal/login"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/internal/spec"
)

func Example() {
	notes := map[string]string{}
	target := http.NewServeMux()
	target.HandleFunc("POST /notes", func(w http.ResponseWriter, r *http.Request) {
		id := fmt.Sprint(len(notes) + 1)
		notes[id] = fmt.Sprint(read(r)["text"])
		answer(w, 201, map[string]any{"id": id})
	})
	target.HandleFunc("GET /notes/{id}", func(w http.ResponseWriter, r *http.Request) {
		answer(w, 200, map[string]any{"text": notes[r.PathValue("id")]})
	})

	alice := login.NewUser("alice")
	t := probe.NewTarget(probe.TargetConfig{
		World: probe.NewWorld(&spec.API{Operations: []*spec.Operation{
			op("GET", "/notes/{id}"), op("POST", "/notes", takes("application/json", object("text!"))),
		}}, []*login.User{alice}),
		Client: &direct{handler: target}, Limits: probe.Limits{Write: true}, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if _, err := explore.Run(context.Background(), t, explore.Config{}); err != nil {
		fmt.Println(err)
	}
	for _, o := range t.Objects(alice) {
		fmt.Println(o.Resource, o.ID, o.Field, strings.HasPrefix(o.Marker, "fz"))
	}
	// Output:
	// note 1 /text true
	// note 2 /text true
}

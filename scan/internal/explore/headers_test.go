package explore_test

import (
	"bytes"
	"fmt"
	"net/http"
	"testing"

	"github.com/fastness/fastness/scan/internal/explore"
	"github.com/fastness/fastness/scan/internal/spec"
)

func TestWhatOnlyOwnPagesMaySendIsSentAsTheySendIt(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /notes", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Origin") != "http://target" || r.Header.Get("Sec-Fetch-Site") != "same-origin" {
			answer(w, 403, map[string]any{"error": "requests of other sites are refused: cross-site"})
			return
		}
		answer(w, 201, map[string]any{"id": 7, "text": read(r)["text"]})
	})
	mux.HandleFunc("POST /staff", func(w http.ResponseWriter, r *http.Request) { answer(w, 403, map[string]any{"error": "for the staff"}) })
	l := explored(t, mux, op("POST", "/notes", takes("application/json", object("text!"))), op("POST", "/staff", takes("application/json", object("text!"))))
	l.wantReached(t, "alice", map[string]string{"POST /staff": explore.Forbidden})
	for _, ex := range l.client.sent {
		if ex.Request.Path == "/staff" && ex.Request.Header.Get("Origin") != "" {
			t.Errorf("an Origin is sent to who did not ask for it: %v", ex.Request.Header)
		}
	}
}

func TestChangesAreMadeUnderTheConditionThatIsWanted(t *testing.T) {
	for _, wants := range []string{"any version", "the version", "the header that the document has"} {
		t.Run(wants, func(t *testing.T) {
			revision := 3
			tag := func() string { return fmt.Sprintf(`"v%d"`, revision) }
			mux := http.NewServeMux()
			mux.HandleFunc("GET /settings", func(w http.ResponseWriter, r *http.Request) {
				if wants == "the version" {
					w.Header().Set("ETag", tag())
				}
				answer(w, 200, map[string]any{"text": "x"})
			})
			mux.HandleFunc("PUT /settings", func(w http.ResponseWriter, r *http.Request) {
				switch got := r.Header.Get("If-Match"); {
				case got == "" && wants == "the header that the document has":
					answer(w, 400, map[string]any{"error": "bad request"})
				case got == "":
					answer(w, 428, map[string]any{"error": "conditional requests only"})
				case got != tag() && (wants == "the version" || got != "*"):
					answer(w, 412, map[string]any{"error": "it has changed"})
				default:
					revision++
					answer(w, 200, read(r))
				}
			})
			put := op("PUT", "/settings", takes("application/json", object("text!")))
			if wants == "the header that the document has" {
				put.Params = append(put.Params, &spec.Param{Name: "If-Match", In: "header", Required: true, Schema: &spec.Schema{Types: []string{"string"}}})
			}
			explored(t, mux, op("GET", "/settings"), put).wantReached(t, "alice", nil)
		})
	}
}

func TestWhatNeedNotBeSentIsLeftOutWhereItIsForbidden(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /accounts", func(w http.ResponseWriter, r *http.Request) {
		if body := read(r); body["branch"] != nil {
			answer(w, 403, map[string]any{"error": "not permitted"})
		} else {
			answer(w, 201, map[string]any{"id": 1, "label": body["label"]})
		}
	})
	explored(t, mux, op("POST", "/accounts", takes("application/json", object("label!", "branch")))).wantReached(t, "alice", nil)
}

func TestAPictureIsSentAndThenRead(t *testing.T) {
	var picture []byte
	mux := http.NewServeMux()
	mux.HandleFunc("GET /lamp/scan", func(w http.ResponseWriter, r *http.Request) {
		if picture == nil {
			answer(w, 404, map[string]any{"error": "there is none"})
			return
		}
		w.Header().Set("Content-Type", "image/png")
		_, _ = w.Write(picture)
	})
	mux.HandleFunc("PUT /lamp/scan", func(w http.ResponseWriter, r *http.Request) {
		file, head, err := r.FormFile("content")
		var b bytes.Buffer
		if err == nil {
			_, _ = b.ReadFrom(file)
		}
		if err != nil || head.Header.Get("Content-Type") != "image/png" || !bytes.HasPrefix(b.Bytes(), []byte("\x89PNG")) {
			answer(w, 422, map[string]any{"error": "no picture"})
			return
		}
		picture = b.Bytes()
		w.WriteHeader(204)
	})
	put := op("PUT", "/lamp/scan", takes("multipart/form-data", object("content!")))
	put.Body.Media[0].Schema.Properties["content"].Format = "binary"
	put.Body.Media[0].Encoding = map[string]string{"content": "image/png, image/jpeg"}
	l := explored(t, mux, op("GET", "/lamp/scan"), put)
	l.wantReached(t, "alice", nil)
	for _, o := range l.API.Operations {
		if l.Sample(o, l.alice) == nil {
			t.Errorf("%s has no sample", o)
		}
	}
}

func TestOneOfAListIsCorrectedAsTheAnswerSays(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /people", func(w http.ResponseWriter, r *http.Request) {
		body := read(r)
		if list, _ := body["roles"].([]any); len(list) != 1 || list[0] != "customer" {
			answer(w, 422, map[string]any{"detail": "there is no such role: the roles are admin, customer, seller"})
			return
		}
		answer(w, 201, map[string]any{"id": 1, "label": body["label"]})
	})
	people := op("POST", "/people", takes("application/json", object("label!", "roles!:array")))
	people.Body.Media[0].Schema.Properties["roles"].Items = &spec.Schema{Types: []string{"string"}}
	explored(t, mux, people).wantReached(t, "alice", nil)
}

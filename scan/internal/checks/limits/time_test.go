package limits_test

import (
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"
)

const mails = `"/mails": {"post": {"requestBody": {"content": {"application/json": {"schema": {"type": "object",
	"required": ["email"], "properties": {"email": {"type": "string", "format": "email"}}}}}}, "responses": {"201": {"description": "noted"}}}},
"/find": {"get": {"parameters": [{"name": "slug", "in": "query", "required": true, "schema": {"type": "string"}}], "responses": {"200": {"description": "found"}}}}`

// slowly answers after as long as a rule says for a text.
func slowly(takes func(text string) time.Duration) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /mails", func(w http.ResponseWriter, r *http.Request) {
		in, ok := body(w, r, 1<<20)
		if !ok {
			return
		}
		text, _ := in["email"].(string)
		time.Sleep(takes(text))
		if !strings.Contains(text, "@") || strings.Contains(text, "!") {
			answer(w, 400, map[string]any{"error": "email is no address"})
			return
		}
		answer(w, 201, map[string]any{"email": text})
	})
	mux.HandleFunc("GET /find", func(w http.ResponseWriter, r *http.Request) {
		answer(w, 200, map[string]any{"slug": r.URL.Query().Get("slug")})
	})
	return locked(mux)
}

// doubling is how long an expression takes whose repetitions stand within each other: twice
// as long for each letter before what does not match.
func doubling(text string) time.Duration {
	head, _, bad := strings.Cut(text, "!")
	if !bad {
		return 0
	}
	return min(time.Microsecond<<min(len(head), 30)/64, 3*time.Second)
}

func TestTextThatTakesTwiceAsLongForEachLetterIsFound(t *testing.T) {
	found(t, scanned(t, "RC-03", slowly(doubling), mails), "POST /mails (body /email)")
}

func TestTextThatTakesTheSquareOfItsLengthIsFound(t *testing.T) {
	found(t, scanned(t, "RC-03", slowly(func(text string) time.Duration {
		n := time.Duration(strings.Count(text, " "))
		return n * n / 2
	}), mails), "POST /mails (body /email)")
}

func TestTextsThatTakeTheirTimeAreLeftAlone(t *testing.T) {
	for name, takes := range map[string]func(string) time.Duration{
		"always slow":            func(string) time.Duration { return 260 * time.Millisecond },
		"slow at times":          func(string) time.Duration { return rand.N(120 * time.Millisecond) },
		"as long as the text is": func(text string) time.Duration { return time.Duration(len(text)) * 5 * time.Microsecond },
		"slow if it is wrong": func(text string) time.Duration {
			if strings.Contains(text, "!") {
				return 80 * time.Millisecond
			}
			return 0
		},
		"fast": func(string) time.Duration { return 0 },
	} {
		t.Run(name, func(t *testing.T) { silent(t, scanned(t, "RC-03", slowly(takes), mails), "POST /mails") })
	}
}

package fastness_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
)

// What lies between the two lines of dashes is the example of README.md.
// --------
type NewReview struct {
	Stars int    `json:"stars" minimum:"1" maximum:"5"`
	Text  string `json:"text" minLength:"1" maxLength:"2000"`
}

type createReviewInput struct {
	Item    int64    `path:"item_id" minimum:"1"`
	Reviews *Reviews // made by openReviews when the app starts
	Body    NewReview
}

func createReview(ctx context.Context, in createReviewInput) (fastness.Created[Review], error) {
	review, err := in.Reviews.Add(ctx, in.Item, in.Body)
	return fastness.Created[Review]{Body: review}, err
}

func main() {
	app := fastness.New(fastness.Config{Title: "Reviews", Version: "1.0.0"})
	fastness.ProvideApp(app, openReviews)
	fastness.Post(app, "/items/{item_id}/reviews", createReview, access.Public)
	fastness.Main(app)
}

// --------

// Review is a review as callers see it.
type Review struct {
	ID int64 `json:"id"`
	NewReview
}

// Reviews stores nothing.
type Reviews struct{}

// Add returns the review as it was stored.
func (*Reviews) Add(_ context.Context, _ int64, r NewReview) (Review, error) {
	return Review{ID: 1, NewReview: r}, nil
}

func openReviews(context.Context, struct{}) (*Reviews, func(error) error, error) {
	return &Reviews{}, nil, nil
}

func TestReadmeShowsTheExampleThatIsCompiledHere(t *testing.T) {
	source, err := os.ReadFile("readme_test.go")
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(string(source), "// --------\n")
	if len(parts) != 3 {
		t.Fatalf("%d lines of dashes, want 2", len(parts)-1)
	}
	example := strings.TrimSpace(parts[1])
	if !strings.Contains(string(readme), "```go\n"+example+"\n```\n") {
		t.Error("README.md shows another example")
	}
	if n := strings.Count(example, "\n") + 1 - strings.Count(example, "\n\n"); n > 22 {
		t.Errorf("the example takes %d lines, want at most 22", n)
	}
	for _, command := range []string{"go run ./examples/shop", "make test"} {
		if !strings.Contains(string(readme), "\n    "+command) {
			t.Errorf("README.md does not show the command %q", command)
		}
	}
}

// TestReadmeExampleRuns runs the example's main in a process of its own, which
// is this test once more.
func TestReadmeExampleRuns(t *testing.T) {
	if os.Getenv("FASTNESS_README") != "" {
		os.Args = []string{"reviews", "routes"}
		main()
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(program, "-test.run=^TestReadmeExampleRuns$")
	command.Env = append(os.Environ(), "FASTNESS_README=1")
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if want := "/items/{item_id}/reviews"; !strings.Contains(string(out), want) {
		t.Errorf("routes are\n%s, want one with %s", out, want)
	}
}

func Example() {
	app := fastness.New(fastness.Config{
		Title: "Reviews", Version: "1.0.0",
		Logger: slog.New(slog.DiscardHandler),
	})
	fastness.ProvideApp(app, openReviews)
	fastness.Post(app, "/items/{item_id}/reviews", createReview, access.Public)

	for _, body := range []string{`{"stars": 5, "text": "Bright."}`, `{"stars": 6, "text": ""}`} {
		r := httptest.NewRequest("POST", "https://localhost/items/7/reviews", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		app.ServeHTTP(w, r)
		var answer struct {
			Errors []struct{ Pointer, Code string }
		}
		_ = json.Unmarshal(w.Body.Bytes(), &answer) // The output shows whether it worked.
		fmt.Println(w.Code, answer.Errors)
	}
	// Output:
	// 201 []
	// 422 [{/stars less_than_equal} {/text string_too_short}]
}

package fastness_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/openapi"
	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/schema"
)

type described struct {
	Token *string `header:"X-Token" enum:"a,b"`
	Limit *int8   `query:"limit"`
	ID    int     `path:"id"`
	Body  struct {
		Far   int64  `json:"far"`
		Near  int64  `json:"near" minimum:"1" maximum:"9"`
		Short uint16 `json:"short"`
		Wide  uint32 `json:"wide"`
		Huge  uint64 `json:"huge"`
		Pick  int    `json:"pick" enum:"1,2"`
	}
}

// describedApp has two operations to describe.
func describedApp(cfg fastness.Config) *fastness.App {
	cfg.Title, cfg.Version = "Described", "1"
	app := fastness.New(cfg)
	fastness.Post(app, "/things/{id}", func(context.Context, described) (fastness.Created[struct{}], error) {
		return fastness.Created[struct{}]{}, nil
	}, access.Public, fastness.Response[*problem.Problem](404, "No such thing."))
	fastness.Get(app, "/raw", func(context.Context, struct{}) (fastness.Raw, error) {
		return fastness.Raw{ContentType: "text/plain"}, nil
	}, access.Public)
	return app
}

// published returns the document as its readers get it.
func published(t *testing.T, app *fastness.App) *openapi.Document {
	t.Helper()
	document, err := app.Document()
	if err != nil {
		t.Fatal(err)
	}
	text, err := document.JSON()
	if err != nil {
		t.Fatal(err)
	}
	if document, err = openapi.Parse(text); err != nil {
		t.Fatal(err)
	}
	return document
}

func postOf(t *testing.T, document *openapi.Document) *openapi.Operation {
	t.Helper()
	item, ok := document.Paths.Get("/things/{id}")
	if !ok || item.Post == nil {
		t.Fatal("the document does not have POST /things/{id}")
	}
	return item.Post
}

func TestParametersAndResponsesAreListedInOrder(t *testing.T) {
	op := postOf(t, published(t, describedApp(fastness.Config{})))
	var parameters, responses []string
	for _, p := range op.Parameters {
		parameters = append(parameters, p.In+" "+p.Name)
	}
	for status := range op.Responses.All() {
		responses = append(responses, status)
	}
	if want := []string{"path id", "query limit", "header X-Token"}; !slices.Equal(parameters, want) {
		t.Errorf("parameters %q, want %q", parameters, want)
	}
	if !slices.IsSorted(responses) || len(responses) < 9 {
		t.Errorf("responses %q, want 201 and the refusals in order", responses)
	}
}

func TestParametersAreNeverNull(t *testing.T) {
	for _, p := range postOf(t, published(t, describedApp(fastness.Config{}))).Parameters {
		if text, err := json.Marshal(p.Schema); err != nil || strings.Contains(string(text), "null") {
			t.Errorf("parameter %s: %s (%v), want no null: it cannot be sent", p.Name, text, err)
		}
	}
}

func TestIntegersAreDescribedWithTheLimitsOfTheirType(t *testing.T) {
	document := published(t, describedApp(fastness.Config{}))
	media, _ := postOf(t, document).RequestBody.Content.Get("application/json")
	body, err := openapi.Resolve(document.Index(), media.Schema)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"far":   "int64 -9223372036854775808 9223372036854775807",
		"near":  "int64 1 9",
		"short": "int32 0 65535",
		"wide":  "int64 0 4294967295",
		"huge":  "uint64 0 18446744073709551615",
		"pick":  "int64  ", // The choices are limit enough.
	} {
		s, _ := body.Properties.Get(name)
		if got := strings.Join([]string{s.Format, s.Minimum.String(), s.Maximum.String()}, " "); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestBodiesThatAreNotJSONHaveNoSchema(t *testing.T) {
	item, _ := published(t, describedApp(fastness.Config{})).Paths.Get("/raw")
	response, _ := item.Get.Responses.Get("200")
	if media, ok := response.Content.Get("*/*"); !ok || media.Schema != nil {
		t.Errorf("the answer is %+v, want */* without a schema", media)
	}
}

func TestTheServerIsTheDocumentsOwnUnlessNamed(t *testing.T) {
	for _, tt := range []struct {
		name    string
		servers []openapi.Server
		want    string
	}{
		{"nobody names a server", nil, "/"},
		{"the app names one", []openapi.Server{{URL: "https://api.example.com"}}, "https://api.example.com"},
	} {
		document := published(t, describedApp(fastness.Config{Servers: tt.servers}))
		if len(document.Servers) != 1 || document.Servers[0].URL != tt.want {
			t.Errorf("%s: servers %+v, want %s alone", tt.name, document.Servers, tt.want)
		}
	}
}

// TestExampleOfAViolationHasWhatItsSchemaRequires asks it of both formats of
// errors, since each makes its own example.
func TestExampleOfAViolationHasWhatItsSchemaRequires(t *testing.T) {
	for name, format := range map[string]fastness.ErrorFormat{
		"problem documents": fastness.ProblemDocuments, "FastAPI's errors": fastness.FastAPIErrors,
	} {
		document := published(t, describedApp(fastness.Config{Errors: format}))
		response, _ := document.Components.Responses.Get("UnprocessableEntity")
		contentType, _ := format.Describe()
		media, ok := response.Content.Get(contentType)
		if !ok || !strings.Contains(string(media.Example), "string_too_short") {
			t.Fatalf("%s: no example of a violation in %s", name, contentType)
		}
		violation, ok := document.Components.Schemas.Get("ProblemViolation")
		if !ok {
			t.Fatalf("%s: violations are not a component", name)
		}
		for _, member := range violation.Required {
			if !strings.Contains(string(media.Example), `"`+member+`"`) {
				t.Errorf("%s: the example %s has no %s", name, media.Example, member)
			}
		}
		if whole, _ := document.Components.Schemas.Get("Problem"); whole.Defs.Len() != 0 {
			t.Errorf("%s: the schema of errors still has its parts in $defs", name)
		}
	}
}

func TestProblemsListNoMoreViolationsThanTheyMay(t *testing.T) {
	whole, _ := published(t, describedApp(fastness.Config{})).Components.Schemas.Get("Problem")
	list, _ := whole.Properties.Get("errors")
	if list.MaxItems == nil || *list.MaxItems != schema.DefaultMaxViolations {
		t.Errorf("errors: maxItems %v, want %d", list.MaxItems, schema.DefaultMaxViolations)
	}
}

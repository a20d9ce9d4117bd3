package fastness_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/fastnesstest"
	"github.com/fastness/fastness/schema"
)

// ware has a member of each way to be named.
type ware struct {
	ItemID    int64  `readOnly:"true"`
	UnitPrice int    `minimum:"0"`
	Discount  int    `json:"discount_in,omitzero" alias:"rebate" out:"discount" maximum:"50"`
	InStock   *int   `json:",omitzero"`
	OldName   string `json:"old-name,omitzero"`
	Secret    string `json:",omitzero" writeOnly:"true"`
}

type wareInput struct {
	ItemID  int64  `path:""`
	OnlyNew bool   `query:"" default:"false"`
	XTrace  string `header:"" default:"none"`
	Body    ware
}

func wares(names schema.Style) *fastness.App {
	app := fastness.New(fastness.Config{Title: "Wares", Version: "1", Names: names, Options: []fastness.Option{access.Public}})
	fastness.Put(app, "/wares/{itemId}", func(_ context.Context, in wareInput) (ware, error) {
		in.Body.ItemID = in.ItemID
		in.Body.OldName = in.XTrace
		return in.Body, nil
	}, fastness.Example("one", ware{ItemID: 7, UnitPrice: 5, Discount: 3, Secret: "s"}))
	fastness.Patch(app, "/wares", func(_ context.Context, in struct{ Body fastness.MergePatch[ware] }) (ware, error) {
		return in.Body.Apply(ware{ItemID: 7, UnitPrice: 5})
	})
	fastness.Get(app, "/wares.csv", func(context.Context, struct{}) (fastness.CSV[ware], error) {
		return fastness.CSV[ware]{Rows: []ware{{ItemID: 7, UnitPrice: 5, Discount: 3}}}, nil
	})
	fastness.Post(app, "/wares", func(_ context.Context, in struct {
		UnitPrice int    `form:"" minimum:"1"`
		SessionID string `cookie:"" default:"none"`
	}) (map[string]any, error) {
		return map[string]any{"got": ware{UnitPrice: in.UnitPrice, OldName: in.SessionID}}, nil
	})
	return app
}

// TestOneStyleNamesAllThatHasNoName: inputs, answers, violations and the document
// agree, and what is written down stays.
func TestOneStyleNamesAllThatHasNoName(t *testing.T) {
	api := fastnesstest.New(t, wares(schema.CamelCase))
	sent := fastnesstest.JSON(`{"unitPrice":5,"rebate":3,"inStock":2,"old-name":"x","secret":"s"}`)
	api.Put("/wares/7?onlyNew=true", sent, fastnesstest.Header("X-Trace", "t")).Want(200).
		WantJSON(`{"itemId":7,"unitPrice":5,"discount":3,"inStock":2,"old-name":"t"}`)
	wrong := api.Put("/wares/x?onlyNew=7", fastnesstest.JSON(`{"UnitPrice":5,"rebate":51,"discount":3,"itemId":1}`)).Want(422)
	for _, v := range [][3]string{
		{"path", "/itemId", "int_parsing"}, {"query", "/onlyNew", "bool_parsing"}, {"body", "/UnitPrice", "extra_forbidden"},
		{"body", "/rebate", "less_than_equal"}, {"body", "/discount", "extra_forbidden"}, {"body", "/itemId", "read_only"}, {"body", "/unitPrice", "missing"},
	} {
		wrong.WantViolation(v[0], v[1], v[2])
	}
	api.Patch("/wares", fastnesstest.JSON(`{"discount":4,"unitPrice":6}`)).Want(200).WantJSON(`{"itemId":7,"unitPrice":6,"discount":4}`)
	api.Patch("/wares", fastnesstest.JSON(`{"discount_in":4}`)).WantViolation("body", "/discount_in", "extra_forbidden")
	if got, want := string(api.Get("/wares.csv").Want(200).Body), `"itemId","unitPrice","discount","inStock","old-name"`+"\r\n7,5,3,,\r\n"; got != want {
		t.Errorf("the CSV is %q, want %q", got, want)
	}
	form := fastnesstest.Raw{ContentType: "application/x-www-form-urlencoded", Body: []byte("unitPrice=5")}
	api.Post("/wares", form, fastnesstest.Header("Cookie", "sessionId=abc")).Want(200).WantJSON(`{"got":{"itemId":0,"unitPrice":5,"old-name":"abc"}}`)
	form.Body = []byte("unitPrice=0")
	api.Post("/wares", form).WantViolation("form", "/unitPrice", "greater_than_equal")
	got := fastnesstest.Put[ware](api, "/wares/9", ware{UnitPrice: 1, Discount: 2})
	if got.ItemID != 9 || got.Discount != 2 {
		t.Errorf("a typed client gets %+v", got)
	}
}

func TestTheDocumentHasTheNamesOfBothSides(t *testing.T) {
	doc, err := wares(schema.CamelCase).Document()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"wareInput": "unitPrice discount_in inStock old-name secret",
		"ware":      "itemId unitPrice discount inStock old-name",
		"warePatch": "unitPrice discount inStock old-name secret",
	} {
		s, ok := doc.Components.Schemas.Get(name)
		if !ok {
			t.Errorf("there is no component %s", name)
			continue
		}
		var names []string
		for member := range s.Properties.All() {
			names = append(names, member)
		}
		if strings.Join(names, " ") != want {
			t.Errorf("%s has %q, want %q", name, names, want)
		}
	}
	path, _ := doc.Paths.Get("/wares/{itemId}")
	var names []string
	for _, p := range path.Put.Parameters {
		names = append(names, p.In+" "+p.Name)
	}
	if want := []string{"path itemId", "query onlyNew", "header X-Trace"}; !slices.Equal(names, want) {
		t.Errorf("the parameters are %q, want %q", names, want)
	}
	media, _ := path.Put.RequestBody.Content.Get("application/json")
	example, _ := media.Examples.Get("one")
	var sent map[string]any
	if err := json.Unmarshal(example.Value, &sent); err != nil || len(sent) != 3 || sent["discount_in"] != 3.0 || sent["secret"] != "s" {
		t.Errorf("the example of a request is %s (%v), want what a request may hold", example.Value, err)
	}
}

func TestNamesThatAreDeclaredWronglyDoNotStart(t *testing.T) {
	type twins struct {
		ItemID int
		ItemId int //nolint:revive // That is the mistake.
	}
	app := fastness.New(fastness.Config{Title: "Wares", Version: "1", Names: schema.SnakeCase, Options: []fastness.Option{access.Public}})
	fastness.Post(app, "/bodies", func(context.Context, struct{ Body twins }) (string, error) { return "", nil })
	fastness.Get(app, "/twins", func(context.Context, struct {
		ItemID int `query:""`
		ItemId int `query:""` //nolint:revive // That is the mistake.
	}) (string, error) {
		return "", nil
	})
	fastness.Get(app, "/wares/{itemId}", func(context.Context, struct {
		ItemID int `path:""`
	}) (string, error) {
		return "", nil
	})
	fastness.Get(app, "/alias", func(context.Context, struct {
		Q int `query:"q" alias:"query" out:"x"`
	}) (string, error) {
		return "", nil
	})
	err := app.Start(t.Context())
	for _, want := range []string{
		`ItemId: member "item_id" is declared twice: fastness_test.twins.ItemID has that name, too`,
		`fields ItemID and ItemId both read the query parameter "item_id"`,
		"field ItemID: the path has no {item_id}",
		"alias is for members of objects", "out is for members of objects",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the mistakes are %v, want %q", err, want)
		}
	}
	none := fastness.New(fastness.Config{Title: "Wares", Version: "1", Names: 9, Options: []fastness.Option{access.Public}})
	fastness.Get(none, "/twins", func(context.Context, struct {
		Q int `query:""`
	}) (string, error) {
		return "", nil
	})
	err = none.Start(t.Context())
	for _, want := range []string{"config: Names is 9, want schema.GoNames", "the tag query needs a name, or the app a style of Names"} {
		if err == nil || strings.Count(err.Error(), want) != 1 {
			t.Errorf("the mistakes are %v, want %q once", err, want)
		}
	}
}

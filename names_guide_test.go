package fastness_test

import (
	"context"
	"testing"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/fastnesstest"
	"github.com/fastness/fastness/schema"
)

// What follows is the code of docs/formats.md about names.

type Ware struct {
	ItemID    int64 `readOnly:"true"`                                         // itemId, by the style below
	UnitPrice int   `minimum:"0"`                                             // unitPrice
	Stock     int   `json:"stock,omitzero" alias:"qty,quantity"`              // a request may say qty or quantity
	Discount  int   `json:"discount_in,omitzero" out:"discount" maximum:"50"` // requests say discount_in, answers discount
}

type changeWare struct {
	ItemID int64  `path:""`                  // {itemId}
	DryRun bool   `query:"" default:"false"` // dryRun
	XTrace string `header:"" default:"none"` // X-Trace
	Body   fastness.MergePatch[Ware]
}

func TestGuideToNamesRuns(t *testing.T) {
	app := fastness.New(fastness.Config{Title: "Wares", Version: "1.0.0", Names: schema.CamelCase})
	fastness.Post(app, "/wares", func(_ context.Context, in struct{ Body Ware }) (Ware, error) { return in.Body, nil }, access.Public)
	fastness.Patch(app, "/wares/{itemId}", func(_ context.Context, in changeWare) (Ware, error) {
		return in.Body.Apply(Ware{ItemID: in.ItemID, UnitPrice: 9})
	}, access.Public)
	api := fastnesstest.New(t, app)
	api.Post("/wares", fastnesstest.JSON(`{"unitPrice":5,"qty":2,"discount_in":3}`)).Want(200).WantJSON(`{"itemId":0,"unitPrice":5,"stock":2,"discount":3}`)
	api.Post("/wares", fastnesstest.JSON(`{"unitPrice":5,"qty":"2"}`)).WantViolation("body", "/qty", "int_type")
	api.Patch("/wares/7?dryRun=true", fastnesstest.JSON(`{"discount":3}`)).Want(200).WantJSON(`{"itemId":7,"unitPrice":9,"discount":3}`)
	api.Patch("/wares/7", fastnesstest.JSON(`{"discount_in":3}`)).WantViolation("body", "/discount_in", "extra_forbidden")
	api.Patch("/wares/7?dryRun=perhaps", fastnesstest.JSON(`{}`)).WantViolation("query", "/dryRun", "bool_parsing")
}

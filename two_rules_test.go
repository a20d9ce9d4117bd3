package fastness_test

import (
	"context"
	"strings"
	"testing"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
)

func TestTwoRulesOfOneOperationAreAMistake(t *testing.T) {
	app := fastness.New(fastness.Config{Title: "Rules", Version: "1", Roles: []string{"admin"}})
	nothing := func(context.Context, struct{}) (fastness.NoContent, error) { return fastness.NoContent{}, nil }
	fastness.Get(app, "/both", nothing, access.Role("admin"), access.Public)
	near := app.Group("/near", access.Role("admin"))
	fastness.Get(near, "/own", nothing, access.Public) // The nearer one holds: that is no mistake.
	err := app.Start(t.Context())
	if err == nil || !strings.Contains(err.Error(), `GET /both: access rules "role admin" and "public"`) || strings.Contains(err.Error(), "/near") && strings.Contains(err.Error(), "/own: access rules") {
		t.Errorf("start: %v", err)
	}
}

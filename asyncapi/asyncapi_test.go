package asyncapi_test

import (
	"strings"
	"testing"

	"github.com/fastness/fastness/asyncapi"
	"github.com/fastness/fastness/openapi"
)

func TestValidateNamesEveryMistake(t *testing.T) {
	doc := &asyncapi.Document{}
	doc.Servers.Set("s", &asyncapi.Server{})
	c := &asyncapi.Channel{Address: "/ws"}
	c.Parameters.Set("room", &asyncapi.Parameter{})
	doc.Channels.Set("c", c)
	doc.Operations.Set("a", &asyncapi.Operation{Action: "shout", Channel: asyncapi.Reference{Ref: "#/channels/x"}})
	doc.Operations.Set("b", &asyncapi.Operation{
		Action: asyncapi.Send, Channel: asyncapi.Reference{Ref: "#/channels/c"},
		Messages: []asyncapi.Reference{{Ref: "#/channels/c/messages/m"}}, Security: []*asyncapi.SecurityScheme{asyncapi.SchemeRef("bearer")},
	})
	err := doc.Validate()
	for _, want := range []string{
		"no title", "server s", "a parameter room", `the action "shout"`, "which is no channel", "no message of its channel", "no security scheme",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Validate() = %v, want %q, too", err, want)
		}
	}
}

func TestSchemesOfOpenAPIAreTranslated(t *testing.T) {
	for from, to := range map[string]string{"apiKey": "httpApiKey", "mutualTLS": "X509", "http": "http", "oauth2": "oauth2", "openIdConnect": "openIdConnect"} {
		if got := asyncapi.SchemeOf(&openapi.SecurityScheme{Type: from}); got.Type != to {
			t.Errorf("%s becomes %s, want %s", from, got.Type, to)
		}
	}
	got := asyncapi.SchemeOf(&openapi.SecurityScheme{Type: "oauth2", Flows: &openapi.OAuthFlows{Password: &openapi.OAuthFlow{TokenURL: "/token"}}})
	if got.Flows == nil || got.Flows.Password == nil || got.Flows.Password.TokenURL != "/token" || got.Flows.Implicit != nil {
		t.Errorf("the flows become %+v", got.Flows)
	}
}

// A discriminator is an object in OpenAPI and a text in AsyncAPI.
func TestDiscriminatorsAreTakenOut(t *testing.T) {
	doc := &asyncapi.Document{Info: asyncapi.Info{Title: "t", Version: "1"}}
	union := &openapi.Schema{Items: &openapi.Schema{Discriminator: &openapi.Discriminator{PropertyName: "kind"}}}
	doc.Components.Schemas.Set("Union", union)
	text, err := doc.JSON()
	if err != nil || strings.Contains(string(text), `"discriminator"`) || !strings.Contains(string(text), `"x-discriminator": "kind"`) {
		t.Errorf("JSON() = %s, %v", text, err)
	}
	doc.Components.Schemas.Set("Tuple", &openapi.Schema{PrefixItems: []*openapi.Schema{{}}})
	if _, err := doc.JSON(); err == nil {
		t.Error("JSON() of a tuple = nil, want an error: draft 7 would read it otherwise")
	}
}

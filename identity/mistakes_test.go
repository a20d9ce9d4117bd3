package identity_test

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"testing"

	"github.com/fastness/fastness/identity"
)

// startsWith returns why an app with this configuration does not start. There is
// always a reason: it has no database.
func startsWith(t *testing.T, adjust func(*identity.Config)) string {
	t.Helper()
	err := declared(adjust).Start(t.Context())
	if err == nil {
		t.Fatal("an app without a database has started")
	}
	return err.Error()
}

// Codes are sent to a redirect URI. One that runs in the page, that anybody can
// answer at, or that names more than one place is as good as no login.
func TestOddRedirectURIsDoNotStart(t *testing.T) {
	for name, uri := range map[string]string{
		"a script":                   "javascript:alert(1)",
		"a script in capitals":       "JavaScript:alert(1)",
		"a document":                 "data:text/html,x",
		"a file":                     "file:///etc/passwd",
		"a scheme without a dot":     "shop:/back",
		"no host":                    "https:back",
		"an empty host":              "https:///back",
		"a port without a host":      "https://:443/back",
		"a user":                     "https://a@shop.example/back",
		"a user and a password":      "https://a:b@shop.example/back",
		"any host of a domain":       "https://*.example.com/back",
		"any host":                   "https://*/back",
		"a fragment":                 "https://shop.example/back#x",
		"an empty fragment":          "https://shop.example/back#",
		"without TLS":                "http://shop.example/back",
		"without TLS, in capitals":   "HTTP://shop.example/back",
		"a name of this machine":     "http://localhost/back",
		"what begins like this one":  "http://127.0.0.1.evil.example/back",
		"a path":                     "/back",
		"nothing":                    "",
		"a space":                    "https://shop.example /back",
		"a line":                     "https://shop.example/back\r\nX: y",
		"the scheme of a web socket": "wss://shop.example/back",
	} {
		text := startsWith(t, func(c *identity.Config) { c.Clients[0].RedirectURIs = []string{uri} })
		if !strings.Contains(text, "redirect URI "+strconv.Quote(uri)) {
			t.Errorf("%s, %q, is no mistake: %s", name, uri, text)
		}
	}
	for _, uri := range []string{
		"https://shop.example/back", "https://shop.example:8443/back?x=1", "https://[2001:db8::1]/back",
		"http://127.0.0.1/back", "http://127.0.0.1:4711/back", "http://[::1]:4711/back", "com.example.shop:/back", "com.example.shop://back",
	} {
		text := startsWith(t, func(c *identity.Config) { c.Clients[0].RedirectURIs = []string{uri} })
		if strings.Contains(text, "redirect URI") {
			t.Errorf("%q is good, and does not start: %s", uri, text)
		}
	}
}

func TestOddConfigurationsDoNotStart(t *testing.T) {
	none := sha256.Sum256(nil)
	for name, tt := range map[string]struct {
		adjust func(*identity.Config)
		want   string
	}{
		"an issuer that has a path":   {func(c *identity.Config) { c.Issuer = "https://shop.example/x" }, "Issuer is"},
		"an issuer that has a user":   {func(c *identity.Config) { c.Issuer = "https://u:p@shop.example" }, "Issuer is"},
		"an issuer that has a query":  {func(c *identity.Config) { c.Issuer = "https://shop.example?x" }, "Issuer is"},
		"an issuer without TLS":       {func(c *identity.Config) { c.Issuer = "http://shop.example" }, "Issuer is"},
		"a scope that ends its quote": {func(c *identity.Config) { c.Scopes = []identity.Scope{{Name: `a"b`}} }, "Scopes[0]"},
		"a scope with a backslash":    {func(c *identity.Config) { c.Scopes = []identity.Scope{{Name: `a\b`}} }, "Scopes[0]"},
		"a scope in another script":   {func(c *identity.Config) { c.Scopes = []identity.Scope{{Name: "ítems"}} }, "Scopes[0]"},
		"a scope twice":               {func(c *identity.Config) { c.Scopes = []identity.Scope{{Name: "a"}, {Name: "a"}} }, `Scopes has "a" twice`},
		"a scope of identity's own":   {func(c *identity.Config) { c.Scopes = []identity.Scope{{Name: "users"}} }, `Scopes has "users" twice`},
		"the hash of no secret":       {func(c *identity.Config) { c.Clients[0].SecretHash = hex.EncodeToString(none[:]) }, "that of no secret"},
		"a tenant that is blank":      {func(c *identity.Config) { c.SignUp = &identity.SignUp{Tenant: " \n"} }, "SignUp.Tenant"},
		"a tenant with a space":       {func(c *identity.Config) { c.SignUp = &identity.SignUp{Tenant: "castle "} }, "SignUp.Tenant"},
	} {
		if text := startsWith(t, tt.adjust); !strings.Contains(text, tt.want) {
			t.Errorf("%s is no mistake: %s", name, text)
		}
	}
}

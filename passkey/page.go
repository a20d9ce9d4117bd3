package passkey

import (
	"bytes"
	"context"
	"embed"
	"html/template"
	"net/http"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
)

//go:embed web
var web embed.FS

// pagePolicy lets the pages run the scripts of this site and talk to this site. The
// page at /login, where passwords are typed, runs none.
const pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"

// declarePage declares the pages to log in and to look after one's passkeys, and
// the scripts.
func declarePage(app *fastness.App) {
	page := template.Must(template.ParseFS(web, "web/*.html"))
	pages := app.Group("/passkeys", access.Public, fastness.Tags("log-in"))
	fastness.Get(pages, "/login", func(_ context.Context, in pageInput) (fastness.Raw, error) {
		return render(page.Lookup("login.html"), in)
	}, fastness.OperationID("passkeyLoginPage"), fastness.Summary("The page to log in by passkey"), fastness.ResponseDescription("The page."))
	fastness.Get(pages, "", func(_ context.Context, in pageInput) (fastness.Raw, error) {
		return render(page.Lookup("own.html"), in)
	}, fastness.OperationID("passkeysPage"), fastness.Summary("The page to add and remove passkeys"), fastness.ResponseDescription("The page."))
	for _, asset := range []struct{ name, contentType string }{ // In this order in the list of routes.
		{"passkey.js", "text/javascript"}, {"login.js", "text/javascript"}, {"own.js", "text/javascript"}, {"own.css", "text/css"},
	} {
		name, contentType := asset.name, asset.contentType
		fastness.Get(pages, "/"+name, func(context.Context, struct{}) (fastness.Raw, error) {
			data, err := web.ReadFile("web/" + name)
			return fastness.Raw{ContentType: contentType + "; charset=utf-8", Body: data}, err
		}, fastness.Hidden())
	}
}

type pageInput struct {
	Party *party
	Next  string `query:"next" default:"/" maxLength:"2048" doc:"A path of this site to go on to."`
}

// render writes a page, which has nothing in it that is not public. Where next
// leads is looked at by the script, with the browser's own eyes.
func render(page *template.Template, in pageInput) (fastness.Raw, error) {
	var out bytes.Buffer
	err := page.Execute(&out, struct{ App, Next string }{in.Party.core.Name(), in.Next})
	return fastness.Raw{
		ContentType: "text/html; charset=utf-8", Body: out.Bytes(),
		Header: http.Header{"Content-Security-Policy": {pagePolicy}},
	}, err
}

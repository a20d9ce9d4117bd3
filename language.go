package fastness

import (
	"context"

	"github.com/fastness/fastness/locale"
	"github.com/fastness/fastness/problem"
)

// Language returns the language that the request of ctx asks for, of those of
// [Config].Locales: for texts of the application's own. Once the request is over it is
// English. An answer that is in it says so by Content-Language; that it depends on
// Accept-Language is said of every answer of such an app.
//
//	text := fastness.Language(ctx).Text("sold_out", problem.Limit{Name: "left", Value: 3})
func Language(ctx context.Context) locale.Language {
	if x, _ := ctx.Value(exchangeKey{}).(*exchange); x != nil {
		return x.app.locales.Of(x.r)
	}
	return locale.Language{}
}

// compileLocales makes the languages, if there is one besides English.
func (a *App) compileLocales() (errs []error) {
	if len(a.cfg.Locales.Catalogues) == 0 {
		return nil
	}
	var err error
	if a.locales, err = locale.New(a.cfg.Locales); err != nil {
		errs = append(errs, err)
	}
	return errs
}

// translate puts what a problem says to people into their language.
func (x *exchange) translate(p *problem.Problem) {
	if x.app.locales != nil {
		*p = x.app.locales.Of(x.r).Problem(p)
	}
}

// tellLanguage says which language a problem is in.
func (x *exchange) tellLanguage() {
	if x.app.locales != nil {
		x.vary("Accept-Language")
		x.out.Header()["Content-Language"] = []string{x.app.locales.Of(x.r).Tag()}
	}
}

package fastness

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/fastness/fastness/secret"
)

// AddSettings adds settings of the application's own to those of [Settings]. T is a
// struct whose fields are flags in the manner of github.com/alecthomas/kong:
//
//	type shopSettings struct {
//		Currency string        `name:"currency" env:"SHOP_CURRENCY" enum:"EUR,CHF" default:"EUR" help:"What prices are in."`
//		SMTP     string        `name:"smtp" env:"SHOP_SMTP" required:"" placeholder:"HOST:PORT" help:"Server that takes mail."`
//		Password secret.Text   `name:"smtp-password" env:"SHOP_SMTP_PASSWORD" help:"Its password."`
//		Key      secret.Source `name:"signing-key" env:"SHOP_SIGNING_KEY" required:"" help:"Where the key is: file:/run/secrets/key."`
//	}
//
//	fastness.AddSettings[shopSettings](app)
//
// Each is a flag, a variable and a member of the config file, and is listed by the
// command settings. [Main] provides a T app-scoped. A program that is run with wrong
// ones names all of them and does not start; a method Validate() error of *T says what
// else is wrong. The commands routes and openapi get a T that is zero, and settings and
// audit need not have what is required.
//
// A [secret.Text] is the secret: nothing prints it, and it has no default. A
// [secret.Source] is named by a reference, and may be read again while the program
// runs: env:NAME, file:/path, or one of [Config].Secrets. What is given in its place is
// not shown, as it may be the secret.
//
// A field that weakens a defence is called Insecure…, is a string with the placeholder
// REASON, and is listed by the command audit.
//
// A test that does without Main provides its own T, with [ProvideValue].
func AddSettings[T any](app *App) {
	app.mustBeOpen("settings")
	t := reflect.TypeFor[T]()
	for _, err := range checkSettings(t) {
		app.mistakes = append(app.mistakes, fmt.Errorf("settings %s: %w", t, err))
	}
	if slices.ContainsFunc(app.ownSettings, func(o ownSettings) bool { return o.typ == t }) {
		app.mistakes = append(app.mistakes, fmt.Errorf("settings %s: they are there twice", t))
		return
	}
	app.ownSettings = append(app.ownSettings, ownSettings{
		typ: t, make: func() any { return new(T) },
		provide: func(app *App, filled any) { Override(app, *filled.(*T)) },
	})
}

// ownSettings are settings of the application's.
type ownSettings struct {
	typ     reflect.Type
	make    func() any // a pointer to the zero value
	provide func(app *App, filled any)
}

// checkSettings refuses fields that could not be settings, or that would leak.
func checkSettings(t reflect.Type) (errs []error) {
	if t.Kind() != reflect.Struct || t == reflect.TypeFor[Settings]() {
		return []error{errors.New("want a struct of the application's own")}
	}
	for _, field := range reflect.VisibleFields(t) {
		if !field.IsExported() || field.Anonymous {
			continue
		}
		wrong := func(text string) { errs = append(errs, fmt.Errorf("%s %s", field.Name, text)) }
		env := field.Tag.Get("env")
		_, preset := field.Tag.Lookup("default")
		switch {
		case env == "":
			wrong("has no tag env: it would be no setting")
		case strings.HasPrefix(env, "FASTNESS_"):
			wrong("has a variable that begins with FASTNESS_, want one of the application's own")
		}
		if preset && (field.Type == reflect.TypeFor[secret.Text]() || field.Type == reflect.TypeFor[secret.Source]()) {
			wrong("is a secret with a default, which everybody knows who has the program")
		}
		if strings.HasPrefix(field.Name, "Insecure") && (field.Type.Kind() != reflect.String || field.Tag.Get("placeholder") != reasonPlaceHolder) {
			wrong(`weakens a defence, want a string with placeholder:"REASON"`)
		}
	}
	return errs
}

// newOwn returns a place for the application's settings. A command line fills those of
// one command.
func (p *program) newOwn() (own kong.Plugins) {
	for _, o := range p.app.ownSettings {
		own = append(own, o.make())
	}
	return own
}

// provideOwn gives the app its settings, or zero ones.
func (p *program) provideOwn() {
	for i, o := range p.app.ownSettings {
		filled := o.make()
		if i < len(p.own) {
			filled = p.own[i]
		}
		o.provide(p.app, filled)
	}
}

// excuse lets commands that only look at settings do without what is required.
func excuse(model *kong.Application) {
	for _, node := range model.Children {
		if node.Name == "settings" || node.Name == "audit" {
			for _, flag := range node.Flags {
				flag.Required = false
			}
		}
	}
}

// wrongSource is what was given in the place of a reference. Kong prints the variable
// of what cannot be read, which may be the secret: so it is read, and refused later.
type wrongSource struct {
	secret.Source
	err error
}

// String says nothing of what was given.
func (wrongSource) String() string { return "***" }

// readSource reads the reference of a secret.
func (p *program) readSource(ctx *kong.DecodeContext, target reflect.Value) error {
	if err := wantValue(ctx); err != nil {
		return err
	}
	text, _ := ctx.Scan.Pop().Value.(string)
	source, err := p.app.cfg.Secrets.Parse(text)
	if err != nil {
		source = wrongSource{err: err}
	}
	target.Set(reflect.ValueOf(source))
	return nil
}

// wrongOwn are the mistakes that readSource has kept, and what the application finds.
func (f *settingsFlags) wrongOwn(ctx *kong.Context) (errs []error) {
	for _, own := range f.Own {
		if v, ok := own.(interface{ Validate() error }); ok {
			errs = append(errs, v.Validate())
		}
	}
	for _, flag := range ctx.Flags() {
		if wrong, ok := flag.Target.Interface().(wrongSource); ok {
			errs = append(errs, fmt.Errorf("--%s: %w", flag.Name, wrong.err))
		}
	}
	return errs
}

// ownOptOuts lists the settings of the application that weaken a defence.
func ownOptOuts(ctx *kong.Context) (out []OptOut) {
	for _, flag := range settingFlags(ctx.Model) {
		if flag.PlaceHolder != reasonPlaceHolder || strings.HasPrefix(flag.Tag.Envs[0], "FASTNESS_") {
			continue
		}
		for _, given := range ctx.Flags() {
			if given.Name == flag.Name && given.Target.String() != "" {
				out = append(out, OptOut{Where: "settings", Name: flag.Name, Reason: given.Target.String()})
			}
		}
	}
	return out
}

// wrongVariables are all variables of a command that cannot be read. Kong names the
// first.
func wrongVariables(command *kong.Node) (errs []error) {
	for _, flag := range slices.Concat(command.AllFlags(false)...) {
		name := fromEnvironment(flag)
		if name == "" || !isSetting(flag) {
			continue
		}
		scratch := reflect.New(flag.Target.Type()).Elem()
		if err := flag.Parse(kong.ScanFromTokens(kong.Token{Type: kong.FlagValueToken, Value: os.Getenv(name)}), scratch); err != nil {
			errs = append(errs, fmt.Errorf("%w (from %s)", err, name))
		}
	}
	return errs
}

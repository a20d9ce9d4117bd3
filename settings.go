package fastness

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/alecthomas/kong"
	"github.com/fastness/fastness/internal/operation"
	"github.com/fastness/fastness/observe"
	"github.com/fastness/fastness/secret"
)

// Settings are what whoever runs a program can decide, as opposed to [Config],
// which its author does. [Main] fills them and provides them app-scoped, so that
// other app-scoped providers can use them:
//
//	func openDB(ctx context.Context, in struct{ Settings fastness.Settings }) (*sql.DB, func(error) error, error)
//
// A test that does without Main provides its own, with [ProvideValue]; where
// Main runs, its settings replace them.
//
// Every setting is a flag, a variable and a member of the config file:
// --tls-cert, FASTNESS_TLS_CERT and "tls-cert". The flag wins over the variable,
// the variable over the file. A name in the file that is none is an error.
type Settings struct {
	// Addr is the TCP address to listen on.
	Addr string `env:"FASTNESS_ADDR" default:"127.0.0.1:8443" placeholder:"HOST:PORT" help:"Address to listen on, ${default} by default."`
	// HTTPAddr, if not empty, is the TCP address of a second listener, without TLS,
	// that leads browsers to HTTPS and refuses programs: usually port 80. It serves
	// nothing; see serve.Redirect. A redirect goes to the PublicURL, or else to the
	// host of the request if it is one of the app's, and to the port of Addr.
	HTTPAddr string `name:"http-addr" env:"FASTNESS_HTTP_ADDR" placeholder:"HOST:PORT" help:"Address that leads browsers from http:// to https:// and refuses all else, usually port 80; none by default."`
	// PublicURL is the URL under which the world reaches the app, without a path:
	// https://api.example.com. In development it is that of Addr.
	PublicURL string `name:"public-url" env:"FASTNESS_PUBLIC_URL" placeholder:"URL" help:"URL under which the world reaches the app, such as https://api.example.com; in development it is localhost."`
	// RootPath is what a proxy in front takes away from the paths of requests, such as
	// "/api"; see [Config].
	RootPath string `name:"root-path" env:"FASTNESS_ROOT_PATH" placeholder:"PATH" help:"What a proxy in front takes away from the paths of requests, such as /api."`
	// DataDir is the folder for what the program stores: the development
	// certificate, and whatever the app keeps in files. It is relative to the
	// working directory. The default is the program's name followed by "-data".
	DataDir string `name:"data" env:"FASTNESS_DATA" default:"${data}" placeholder:"DIR" help:"Folder for what the program stores, ${default} by default."`

	// TrustedProxies are the networks and addresses of the proxies that may say
	// whom they speak for, and ProxyField is the header field in which they do:
	// "x-forwarded-for" or "forwarded" (RFC 7239). See package guard/clientip.
	TrustedProxies []string `name:"trusted-proxy" env:"FASTNESS_TRUSTED_PROXY" placeholder:"NETWORK,..." help:"Networks or addresses of proxies that may say whom they speak for, such as 10.0.0.0/8; none by default."`
	ProxyField     string   `name:"proxy-field" env:"FASTNESS_PROXY_FIELD" enum:"x-forwarded-for,forwarded" default:"x-forwarded-for" placeholder:"x-forwarded-for|forwarded" help:"Header field in which trusted proxies name the client, ${default} by default."`

	// RateLimit is how much of everything one client may ask for, such as
	// "1000/minute"; see package guard/ratelimit. It replaces that of [Config].
	RateLimit string `name:"rate-limit" env:"FASTNESS_RATE_LIMIT" placeholder:"LIMIT" help:"How much of everything one client may ask for, such as 1000/minute."`

	// TLSCert and TLSKey are PEM files with the certificate chain and its key.
	// They are read again when they change. Without them the certificate is a
	// development certificate.
	TLSCert string `name:"tls-cert" aliases:"cert" env:"FASTNESS_TLS_CERT" placeholder:"FILE" help:"PEM file with the certificate chain. Without one, a development certificate is made."`
	TLSKey  string `name:"tls-key" aliases:"key" env:"FASTNESS_TLS_KEY" placeholder:"FILE" help:"PEM file with the private key."`
	// TLSClientCA is a PEM file with the authorities whose client certificates are
	// believed. With it every client is asked for one, and may have none; see
	// auth.ClientCertificate.
	TLSClientCA string `name:"tls-client-ca" env:"FASTNESS_TLS_CLIENT_CA" placeholder:"FILE" help:"PEM file with the authorities of client certificates. Without one, none are asked for."`
	// MasterKey is the file with the key that encrypts the keys of the app where
	// they are stored. The default is master.key in the DataDir, which is made in
	// development only: elsewhere it belongs to another place than what it opens.
	MasterKey string `name:"master-key" env:"FASTNESS_MASTER_KEY_FILE" placeholder:"FILE" help:"File with the key that encrypts stored keys; in development it is made in the data folder."`
	// DB is the URL of the database, for apps that have one: see package database,
	// and for what it may be the app. It may hold a password, and processes see the
	// command lines of others: DBFile is the file to read it from instead.
	DB     secret.Text `name:"db" env:"FASTNESS_DB" placeholder:"URL" help:"URL of the database, for apps that have one, such as postgres://user@host/name."`
	DBFile string      `name:"db-file" env:"FASTNESS_DB_FILE" placeholder:"FILE" help:"File to read that URL from: it may hold a password."`
	// InsecurePlainHTTP, if not empty, says why HTTP may be served without TLS.
	InsecurePlainHTTP string `name:"insecure-plain-http" env:"FASTNESS_INSECURE_PLAIN_HTTP" placeholder:"REASON" help:"Serve without TLS, and why that is right."`
	// InsecureDevelopmentCertificate, if not empty, says why the development
	// certificate may be served on an address that is not loopback.
	InsecureDevelopmentCertificate string `name:"insecure-development-certificate" env:"FASTNESS_INSECURE_DEVELOPMENT_CERTIFICATE" placeholder:"REASON" help:"Serve the development certificate beyond this machine, and why that is right."`

	// LogFormat is "text" or "json". The default is text on a terminal, JSON
	// otherwise.
	LogFormat string     `env:"FASTNESS_LOG_FORMAT" enum:"text,json" default:"${log_format}" placeholder:"text|json" help:"Format of the log; text on a terminal, json otherwise."`
	LogLevel  slog.Level `env:"FASTNESS_LOG_LEVEL" default:"info" placeholder:"LEVEL" help:"What is logged: debug, info, warn or error; ${default} by default."`

	// Grace is how long requests may take to finish after the program was told
	// to stop. The default is 15 seconds.
	Grace time.Duration `env:"FASTNESS_GRACE" default:"15s" placeholder:"TIME" help:"How long requests may take to finish at a stop, ${default} by default."`
	// DrainDelay is how long, as a part of Grace, connections are still accepted
	// after readiness turned 503: a load balancer needs time to notice. With the
	// development certificate the default is 0, otherwise 2 seconds or half of
	// Grace, whichever is less.
	DrainDelay time.Duration `env:"FASTNESS_DRAIN_DELAY" default:"2s" placeholder:"TIME" help:"How long to accept connections after readiness turned 503; by default 0s with the development certificate and ${default} otherwise."`
}

// settingsFlags are the flags of commands that look at the settings.
type settingsFlags struct {
	Config   kong.ConfigFlag `env:"FASTNESS_CONFIG" placeholder:"FILE" help:"JSON file with settings, named like the flags."`
	Settings `embed:""`
	Own      kong.Plugins `embed:""` // the application's

	// drainBecause says why the default of DrainDelay is another than usual.
	drainBecause string
}

// AfterApply fills in what depends on other settings.
func (f *settingsFlags) AfterApply(ctx *kong.Context, p *program) error {
	p.own = f.Own
	var mistakes []error
	for _, flag := range ctx.Flags() {
		from := source(ctx, flag)
		switch target := flag.Target.Addr().Interface(); {
		case target == &f.DrainDelay && from == fromDefault:
			f.defaultDrainDelay()
		case flag.PlaceHolder == reasonPlaceHolder && from != fromDefault && strings.TrimSpace(flag.Target.String()) == "":
			// Without a reason the defence stays on, which is not what was asked for.
			mistakes = append(mistakes, fmt.Errorf("--%s: the reason is empty, want why that is right", flag.Name))
		}
	}
	if u, err := url.Parse(f.PublicURL); f.PublicURL != "" && (err != nil || u.Scheme != "https" || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil) {
		mistakes = append(mistakes, errors.New("--public-url is not https:// and a host, want one such as https://api.example.com"))
	}
	if f.Grace <= 0 {
		mistakes = append(mistakes, fmt.Errorf("--grace: %v is not above 0, want a time such as 15s or 2m", f.Grace))
	}
	mistakes = append(mistakes, f.readDB())
	mistakes = append(mistakes, f.wrongOwn(ctx)...)
	// Whoever puts the key itself into the variable must not find it in a log.
	for _, file := range []struct{ flag, value string }{
		{"--tls-cert", f.TLSCert}, {"--tls-key", f.TLSKey}, {"--tls-client-ca", f.TLSClientCA}, {"--master-key", f.MasterKey},
	} {
		if isPEM(file.value) {
			mistakes = append(mistakes, fmt.Errorf("%s is the text of a PEM file, want the file's name", file.flag))
		}
	}
	return errors.Join(mistakes...)
}

func (f *settingsFlags) defaultDrainDelay() {
	switch half := f.Grace / 2; {
	case f.Development():
		f.DrainDelay, f.drainBecause = 0, ", with the development certificate"
	case half < f.DrainDelay:
		f.DrainDelay, f.drainBecause = half, ", half of grace"
	}
}

// Development reports whether a development certificate will be served.
func (s *Settings) Development() bool {
	return s.TLSCert == "" && s.TLSKey == "" && s.InsecurePlainHTTP == ""
}

func (s *Settings) logger(w io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: s.LogLevel}
	if s.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// logFormat returns "text" if people read w.
func logFormat(w io.Writer) string {
	if file, ok := w.(*os.File); ok {
		if info, err := file.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			return "text"
		}
	}
	return "json"
}

// optOuts lists the settings that weaken a defence.
func (s *Settings) optOuts() []OptOut {
	return slices.DeleteFunc([]OptOut{
		{Where: "settings", Name: "insecure-plain-http", Reason: s.InsecurePlainHTTP},
		{Where: "settings", Name: "insecure-development-certificate", Reason: s.InsecureDevelopmentCertificate},
	}, func(o operation.OptOut) bool { return o.Reason == "" })
}

// configFile resolves settings from a JSON object.
type configFile map[string]any

func readConfigFile(r io.Reader) (kong.Resolver, error) {
	data, err := io.ReadAll(io.LimitReader(r, 1<<20))
	if err != nil {
		return nil, fmt.Errorf("config file: %w", err)
	}
	var values configFile
	if err := json.Unmarshal(data, &values); err != nil {
		return nil, fmt.Errorf("config file: want a JSON object: %w", err)
	}
	return values, nil
}

// Validate refuses names that are no settings. A setting that is spelt wrongly
// would be left at its default without a word.
func (c configFile) Validate(app *kong.Application) error {
	var mistakes []error
	known := settingFlags(app)
	for name := range c {
		if !slices.ContainsFunc(known, func(f *kong.Flag) bool { return f.Name == name }) {
			mistakes = append(mistakes, fmt.Errorf("config file: there is no setting %q", name))
		}
	}
	slices.SortFunc(mistakes, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(mistakes...)
}

// Resolve returns the value of a flag that is given nowhere else. Kong lets
// resolvers win over the environment; a file that is shared must not.
func (c configFile) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	value, ok := c[flag.Name]
	if !ok || !isSetting(flag) || fromEnvironment(flag) != "" {
		return nil, nil
	}
	return value, nil
}

// fromEnvironment returns the name of the variable that sets flag, or "".
func fromEnvironment(flag *kong.Flag) string {
	for _, name := range flag.Tag.Envs {
		if _, ok := os.LookupEnv(name); ok {
			return name
		}
	}
	return ""
}

// settingFlags returns the flags that are settings, in the order of the struct.
func settingFlags(app *kong.Application) []*kong.Flag {
	for _, node := range app.Children {
		if node.Name == "settings" {
			return slices.DeleteFunc(slices.Clone(node.Flags), func(f *kong.Flag) bool { return !isSetting(f) })
		}
	}
	return nil
}

func isSetting(flag *kong.Flag) bool {
	return flag.Target.Type() != reflect.TypeFor[kong.ConfigFlag]() && len(flag.Tag.Envs) > 0
}

// settingsCommand prints the settings.
type settingsCommand struct {
	settingsFlags `embed:""`
}

// Run prints one line for each setting.
func (c *settingsCommand) Run(p *program, ctx *kong.Context) error {
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "SETTING\tVALUE\tFROM")
	for _, flag := range settingFlags(ctx.Model) {
		value := ""
		if flag.Target.Kind() != reflect.Interface || !flag.Target.IsNil() {
			value = fmt.Sprint(flag.Target.Interface())
		}
		if list, ok := flag.Target.Interface().([]string); ok {
			value = strings.Join(list, ",")
		}
		from := source(ctx, flag)
		if flag.Target.Addr().Interface() == &c.DrainDelay {
			from += c.drainBecause
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", flag.Name, shownValue(flag.Name, value), from)
	}
	return w.Flush()
}

// fromDefault is the source of what nobody set.
const fromDefault = "default"

// source says where the value of a flag comes from.
func source(ctx *kong.Context, flag *kong.Flag) string {
	for _, step := range slices.Backward(ctx.Path) {
		switch {
		case step.Flag != flag:
		case step.Resolved:
			return "config file"
		default:
			return "flag"
		}
	}
	if name := fromEnvironment(flag); name != "" {
		return name
	}
	return fromDefault
}

// shownValue returns what may be seen of the value of a setting.
func shownValue(name, value string) string {
	secret := isPEM(value)
	for _, word := range []string{"password", "secret", "token", "key-material", "credential"} {
		secret = secret || strings.Contains(name, word)
	}
	switch {
	case value == "":
		return "-"
	case secret:
		return "(redacted)"
	}
	return observe.Printable(value, 256)
}

func isPEM(text string) bool { return strings.Contains(text, "-----BEGIN") }

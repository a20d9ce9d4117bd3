package identity

import (
	"context"
	"embed"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"strings"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/auth/account"
	"github.com/fastness/fastness/guard/csrf"
	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/secret"
)

//go:embed web
var web embed.FS

// declareLogin declares how a browser logs in: its session is a cookie.
func (id *Identity) declareLogin(app *fastness.App) {
	page := template.Must(template.ParseFS(web, "web/login.html"))
	app.UseLogInPage("/login")
	login := app.Group("", access.Public, fastness.Tags("log-in"), fastness.BodyLimit(64<<10))
	fastness.Get(login, "/login", func(_ context.Context, in loginPageInput) (fastness.View[LoginPage], error) {
		return fastness.View[LoginPage]{Template: page, Body: in.page(id.ways)}, nil
	}, fastness.OperationID("loginPage"), fastness.Summary("The page to log in"), fastness.ResponseDescription("The page."))
	fastness.Post(login, "/login", submitLogin, id.LogInLimit(), csrf.OneTimeToken(), fastness.OperationID("submitLogin"),
		fastness.Hidden())
	fastness.Get(login, "/csrftoken/", fastness.NewCSRFToken, fastness.OperationID("csrfToken"), fastness.Summary("A token against cross-site requests"),
		fastness.Description("For pages that have no form to read it from: it goes into the header X-CSRF-Token of what changes something. It ends with the session."),
		fastness.ResponseDescription("The token; the cookie that belongs to it comes with it."))
	fastness.Get(login, "/login/style.css", loginStyle, fastness.Hidden())
	fastness.Post(login, "/session", beginSession, id.LogInLimit(), fastness.OperationID("beginSession"), fastness.Summary("Log in with a cookie"),
		fastness.Description("For pages of the same site: no script ever sees the credential. POST /logout ends the session."),
		fastness.ResponseDescription("Logged in; the session is in a cookie."),
		fastness.Response[*problem.Problem](401, "Name, password or code are wrong."),
		fastness.Response[*problem.Problem](403, "The request comes from another site, or does not say from which."),
		fastness.Response[*problem.Problem](429, "Too many attempts."))
}

// LoginPage is what the page to log in shows.
type LoginPage struct {
	fastness.Page
	App     string `json:"app" maxLength:"256"`
	Next    string `json:"next" maxLength:"2048" doc:"Where a log-in leads to."`
	Problem string `json:"problem" maxLength:"256"`
	Code    bool   `json:"code" doc:"A second factor is needed."`
	Ways    []Way  `json:"ways" maxItems:"20" doc:"Other ways to log in."`
}

type loginPageInput struct {
	Core    *Core
	Next    string `query:"next" default:"/" maxLength:"2048" doc:"A path of this site to go on to."`
	Problem string `query:"problem" default:"" enum:",credentials,code,busy" doc:"What was wrong with the last try."`
}

// page says what went wrong in words of its own: a text out of the address would
// let anybody put words into the page.
func (in loginPageInput) page(ways []Way) LoginPage {
	texts := map[string]string{
		"credentials": "Name, password or code are wrong.",
		"code":        "Please type in everything again, with a code of your authenticator app.",
		"busy":        "Too many attempts. Please try again later.",
	}
	return LoginPage{App: in.Core.Name(), Next: OwnPath(in.Next), Problem: texts[in.Problem], Code: in.Problem == "code", Ways: ways}
}

func loginStyle(context.Context, struct{}) (fastness.Raw, error) {
	data, err := web.ReadFile("web/login.css")
	return fastness.Raw{ContentType: "text/css; charset=utf-8", Body: data}, err
}

type submitInput struct {
	Core     *Core
	From     Origin
	Request  *http.Request
	Username string       `form:"username" default:"" maxLength:"256"`
	Password *secret.Text `form:"password" maxLength:"4096"`
	Code     string       `form:"otp" default:"" maxLength:"64"`
	Next     string       `form:"next" default:"/" maxLength:"2048"`
}

// LoggedIn is what programs get for the form of the page to log in.
type LoggedIn struct {
	Detail string `json:"detail" maxLength:"16"`
}

// submitLogin takes the form of the page and leads on, or back to it. A program,
// which does not ask for a page, gets an answer as of any operation.
func submitLogin(ctx context.Context, in submitInput) (fastness.Result[LoggedIn], error) {
	begun, err := in.Core.browserLogin(ctx, in.Request, in.From, account.Attempt{Name: in.Username, Password: revealed(in.Password), Code: in.Code})
	out := fastness.Result[LoggedIn]{Header: begun.Header, Cookies: begun.Cookies, Body: LoggedIn{"OK"}}
	if !strings.Contains(in.Request.Header.Get("Accept"), "text/html") {
		return out, err
	}
	next := OwnPath(in.Next)
	if why := reasonOf(err); why != "" {
		next, err = "/login?"+url.Values{"problem": {why}, "next": {next}}.Encode(), nil
	}
	if err != nil {
		return out, err
	}
	out.Status = http.StatusSeeOther
	out.Header.Set("Location", next)
	return out, nil
}

// reasonOf returns what the page says about an error, or "" for one that it has
// no words for.
func reasonOf(err error) string {
	switch {
	case errors.Is(err, account.ErrSecondFactor):
		return "code"
	case errors.Is(err, account.ErrCredentials):
		return "credentials"
	case errors.Is(err, account.ErrThrottled):
		return "busy"
	}
	return ""
}

type beginInput struct {
	Core    *Core
	From    Origin
	Request *http.Request
	Body    struct {
		Username string      `json:"username" minLength:"1" maxLength:"256"`
		Password secret.Text `json:"password" minLength:"1" maxLength:"4096"`
		Code     string      `json:"otp" default:"" maxLength:"64" doc:"The code of the second factor, or a recovery code, for users who have one."`
	}
}

func beginSession(ctx context.Context, in beginInput) (fastness.Result[fastness.NoContent], error) {
	return in.Core.browserLogin(ctx, in.Request, in.From, account.Attempt{Name: in.Body.Username, Password: in.Body.Password, Code: in.Body.Code})
}

// deviceCookie tells a browser that somebody logged in with before, and whose
// owner the guesses of others do not slow down.
const deviceCookie = "__Host-device"

// browserLogin logs in and sets the cookies. A page of another site must not: it
// would log its visitor in as somebody else, who then reads what they leave here.
func (c *Core) browserLogin(ctx context.Context, r *http.Request, from Origin, at account.Attempt) (fastness.Result[fastness.NoContent], error) {
	out := fastness.Result[fastness.NoContent]{Header: noStore()}
	if !auth.FromOwnPage(r) {
		if len(r.Header["Sec-Fetch-Site"]) == 0 && len(r.Header["Origin"]) == 0 {
			return out, problem.New(http.StatusForbidden, "the request does not say which page it comes from; programs use POST /token").Named("cross_site")
		}
		return out, auth.CrossSite()
	}
	at.Address, at.Request, at.Remember = from.Address, from.Request, true
	if cookies := r.CookiesNamed(deviceCookie); len(cookies) == 1 {
		at.Device = secret.New(cookies[0].Value)
	}
	login, err := c.Accounts.LogIn(ctx, at)
	if err != nil {
		return out, c.grantError(err)
	}
	if out.Cookies, err = c.EnterBrowser(ctx, r, from, login); err != nil {
		return out, refusedGrant(err)
	}
	out.Cookies = append(out.Cookies, &http.Cookie{
		Name: deviceCookie, Value: login.Device.Reveal(), Path: "/", MaxAge: 365 * 24 * 3600, SameSite: http.SameSiteStrictMode,
	})
	return out, nil
}

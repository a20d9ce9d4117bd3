package fastness_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/fastnesstest"
	"github.com/fastness/fastness/internal/guidetest"
	"github.com/fastness/fastness/jobs"
)

// What follows is the code of docs/background.md.

type mailer struct{ sent chan string }

func (m *mailer) send(_ context.Context, to string) error { m.sent <- to; return nil }

type signUp struct {
	Background *fastness.Background
	Mailer     *mailer
	Body       struct {
		Email string `json:"email" format:"email"`
	}
}

func (in signUp) welcome(ctx context.Context) error { return in.Mailer.send(ctx, in.Body.Email) }

type bookshelf struct{ books []string }

func (s *bookshelf) listBooks(context.Context, struct{}) ([]string, error) { return s.books, nil }

func TestGuideToBackgroundShowsCodeThatRuns(t *testing.T) {
	guidetest.Shows(t, "docs/background.md", 4, "background_guide_test.go")
}

func TestGuideToBackgroundRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		since, end := time.Now(), time.Now().Add(time.Hour)
		ran := make(chan string, 10)
		sweep := func(context.Context, struct{ Mailer *mailer }) error { ran <- "sweep"; return nil }
		report := func(context.Context, struct{ Mailer *mailer }) error { ran <- "report"; return nil }
		consume := func(ctx context.Context, _ none) error { <-ctx.Done(); return nil }
		warmUp := func(context.Context) error { return nil }
		flush := warmUp

		app, public := open(fastness.Config{})
		mails := &mailer{sent: make(chan string, 1)}
		fastness.ProvideValue(app, mails)
		fastness.Post(public, "/sign-up", func(_ context.Context, in signUp) (string, error) {
			in.Background.Add("welcome mail", in.welcome)
			return "", nil
		})
		fastness.Job(app, "sweep", jobs.Schedule{Every: time.Hour}, sweep)
		fastness.Job(app, "report", jobs.Schedule{DailyAt: "03:00", Timeout: 20 * time.Minute}, report)
		fastness.Worker(app, "consumer", consume)
		app.OnStart(warmUp)
		app.OnStop(flush)
		v1 := fastness.New(fastness.Config{Title: "Shop", Version: "1.9.0", Options: []fastness.Option{
			access.Public,
			fastness.Retire(fastness.Retirement{Since: since, Sunset: end, Link: "https://shop.example/v2", Gone: true}),
		}})
		fastness.Mount(app, "/v1", v1)
		s := &bookshelf{books: []string{"Walden"}}
		fastness.Get(v1, "/books", s.listBooks)
		paid := fastness.DeclareWebhook[orderPaid](app, "orderPaid", fastness.Summary("An order was paid"))

		api := fastnesstest.New(t, app)
		api.Post("/sign-up", map[string]string{"email": "ann@example.com"})
		if to := <-mails.sent; to != "ann@example.com" {
			t.Errorf("a mail to %q", to)
		}
		api.Get("/v1/books").WantJSON(`["Walden"]`).WantHeader("Link", `<https://shop.example/v2>; rel="deprecation"; type="text/html", <https://shop.example/v2>; rel="sunset"; type="text/html"`)
		if what := <-ran; what != "sweep" {
			t.Errorf("the first job is %q, want sweep, at once", what)
		}
		if _, err := paid.Message("msg_1", orderPaid{ID: 1}); err != nil {
			t.Error(err)
		}
		if err := app.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

package fastness

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/auth/access"
	"github.com/fastness/fastness/openapi"
	"github.com/fastness/fastness/problem"
)

// changingScheme knows one user, who changes.
type changingScheme struct {
	user atomic.Pointer[auth.User] // nil: they are logged out
	down atomic.Bool
}

func (s *changingScheme) Describe() auth.Description {
	return auth.Description{
		Name: "key", Challenge: "Key",
		Security: &openapi.SecurityScheme{Type: "apiKey", In: "header", Name: "X-Key"},
	}
}

func (s *changingScheme) Present(r *http.Request) bool { return r.Header.Get("X-Key") != "" }

func (s *changingScheme) Authenticate(context.Context, *http.Request) (*auth.User, error) {
	if s.down.Load() {
		return nil, errors.New("the database does not answer")
	}
	u := s.user.Load()
	if u == nil {
		return nil, &auth.Refusal{Reason: errors.New("the session has ended")}
	}
	return u, nil
}

// TestWhatLastsEndsWithTheRightToIt watches the right of one caller, and changes it
// after a minute.
func TestWhatLastsEndsWithTheRightToIt(t *testing.T) {
	clerk := auth.User{ID: "ada", Roles: auth.SetOf("clerk"), AllScopes: true}
	for _, tt := range []struct {
		name   string
		change func(*changingScheme)
		status int // 0: it goes on
		within time.Duration
	}{
		{"nothing changes", func(*changingScheme) {}, 0, time.Hour},
		{"log-out", func(s *changingScheme) { s.user.Store(nil) }, 401, 5 * time.Second},
		{"the user loses the role", func(s *changingScheme) {
			u := clerk
			u.Roles = auth.SetOf()
			s.user.Store(&u)
		}, 403, 5 * time.Second},
		{"the credential is another user's", func(s *changingScheme) {
			u := clerk
			u.ID = "eve"
			s.user.Store(&u)
		}, 401, 5 * time.Second},
		{"the token ends", func(s *changingScheme) {
			u := clerk
			u.Until = time.Now().Add(-time.Second)
			s.user.Store(&u)
		}, 401, 5 * time.Second},
		{"the database is away for a moment", func(s *changingScheme) {
			s.down.Store(true)
			time.AfterFunc(20*time.Second, func() { s.down.Store(false) })
		}, 0, time.Hour},
		{"the database stays away", func(s *changingScheme) { s.down.Store(true) }, 503, 35 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := new(changingScheme)
				s.user.Store(&clerk)
				a := New(Config{Title: "T", Version: "1", Roles: []string{"clerk"}, Logger: slog.New(slog.DiscardHandler)})
				a.Authenticate(s)
				var ctx context.Context
				var stop func()
				Get(a, "/", func(c context.Context, _ struct{}) (string, error) {
					ctx, stop = c.Value(exchangeKey{}).(*exchange).standing().watch(context.Background())
					return "", nil
				}, access.Role("clerk"))
				r := httptest.NewRequest("GET", "http://localhost/", nil)
				r.Header.Set("X-Key", "k")
				a.ServeHTTP(httptest.NewRecorder(), r)
				defer stop()
				time.Sleep(time.Minute)
				if ctx.Err() != nil {
					t.Fatalf("it ends before anything changes: %v", context.Cause(ctx))
				}
				tt.change(s)
				time.Sleep(tt.within)
				synctest.Wait()
				switch p := problem.From(context.Cause(ctx)); {
				case tt.status == 0 && ctx.Err() != nil:
					t.Errorf("it ends: %v", context.Cause(ctx))
				case tt.status != 0 && (ctx.Err() == nil || p.Status != tt.status):
					t.Errorf("after %v: %v, want %d", tt.within, context.Cause(ctx), tt.status)
				}
			})
		})
	}
}

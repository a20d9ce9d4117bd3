package storetest

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fastness/fastness/auditlog"
	"github.com/fastness/fastness/auth/account"
	"github.com/fastness/fastness/secret"
	"github.com/fastness/fastness/sqldb"
)

// app is an authenticator app.
type app struct {
	key   []byte
	clock *accountClock
}

func (p app) code() string { return p.codeAt(p.clock.Now()) }

func (p app) codeAt(now time.Time) string {
	mac := hmac.New(sha1.New, p.key)
	binary.Write(mac, binary.BigEndian, now.Unix()/30)
	sum := mac.Sum(nil)
	return fmt.Sprintf("%06d", binary.BigEndian.Uint32(sum[sum[19]&15:])&0x7fffffff%1e6)
}

// enrol gives an account a second factor.
func (a *accounts) enrol(t testing.TB, by account.By) (app, []secret.Text) {
	t.Helper()
	e, err := a.Enrol(t.Context(), by, secret.New(goodPassword))
	if err != nil {
		t.Fatal(err)
	}
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(e.Secret.Reveal())
	if err != nil || !strings.Contains(e.URI.Reveal(), e.Secret.Reveal()) {
		t.Fatal(e.URI.Reveal(), err)
	}
	p := app{key, a.clock}
	codes, err := a.ConfirmEnrolment(t.Context(), by, p.code())
	if err != nil {
		t.Fatal(err)
	}
	a.clock.add(30 * time.Second)
	return p, codes
}

func (a *accounts) tryCode(t testing.TB, code string) (*account.Login, error) {
	t.Helper()
	return a.LogIn(t.Context(), account.Attempt{Name: "alice", Password: secret.New(goodPassword), Code: code, Address: "192.0.2.1"})
}

func TestSecondFactor(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		a := openAccounts(t, db)
		u := a.add(t, "alice")
		p, codes := a.enrol(t, account.By{Actor: u.ID, Session: "mine"})
		if len(codes) != 10 || !slices.Equal(a.ended, []string{u.ID + " but mine"}) || !a.byName(t, "alice").SecondFactor {
			t.Errorf("%d recovery codes, ended %v", len(codes), a.ended)
		}
		if _, err := a.tryCode(t, ""); !errors.Is(err, account.ErrSecondFactor) || status(err) != 401 {
			t.Errorf("no code: %v", err)
		}
		if _, err := a.try(t, "alice", "guess", "192.0.2.1"); !errors.Is(err, account.ErrCredentials) || errors.Is(err, account.ErrSecondFactor) {
			t.Errorf("a wrong password: %v", err)
		}
		login, err := a.tryCode(t, p.code())
		if err != nil || login.Methods.String() != "mfa otp pwd" {
			t.Errorf("the code: %+v, %v", login, err)
		}
	})
}

func TestCodeWorksOnce(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		a := openAccounts(t, db)
		p, codes := a.enrol(t, account.By{Actor: a.add(t, "alice").ID})
		for _, tt := range []struct{ name, code string }{
			{"a code of the app", p.code()},
			{"a recovery code", codes[3].Reveal()},
			{"a recovery code in small letters without dashes", strings.ToLower(strings.ReplaceAll(codes[4].Reveal(), "-", ""))},
		} {
			for i, want := range []int{0, 401} {
				if _, err := a.tryCode(t, tt.code); status(err) != want {
					t.Errorf("%s, time %d: %v, want %d", tt.name, i+1, err, want)
				}
			}
		}
		if _, err := a.tryCode(t, p.codeAt(a.clock.Now().Add(-30*time.Second))); status(err) != 401 {
			t.Errorf("the code before the one that was used: %v", err)
		}
	})
}

func TestCodeThatIsUsedTwiceAtOnceWorksOnce(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		a := openAccounts(t, db)
		p, codes := a.enrol(t, account.By{Actor: a.add(t, "alice").ID})
		for _, code := range []string{p.code(), codes[0].Reveal()} {
			won := atOnce(4, func(int) bool {
				_, err := a.tryCode(t, code)
				return err == nil
			})
			if won != 1 {
				t.Errorf("%d log-ins with one code", won)
			}
			a.clock.add(time.Hour)
		}
	})
}

// Who has the password tries the codes.
func TestGuessingCodesIsBounded(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		a := openAccounts(t, db)
		a.enrol(t, account.By{Actor: a.add(t, "alice").ID})
		tried := 0
		for i := range 60 {
			_, err := a.LogIn(t.Context(), account.Attempt{
				Name: "alice", Password: secret.New(goodPassword), Code: fmt.Sprintf("%06d", i), Address: fmt.Sprintf("198.51.100.%d", i),
			})
			switch {
			case errors.Is(err, account.ErrCredentials):
				tried++
			case !errors.Is(err, account.ErrThrottled):
				t.Fatal(err)
			}
		}
		if tried != 10 {
			t.Errorf("%d codes tried from 60 addresses, want 10", tried)
		}
	})
}

func TestEnrolmentAsksForThePassword(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		a, ctx := openAccounts(t, db), t.Context()
		by := account.By{Actor: a.add(t, "alice").ID}
		if _, err := a.Enrol(ctx, by, secret.New("guess")); status(err) != 403 {
			t.Errorf("without the password: %v", err)
		}
		if _, err := a.ConfirmEnrolment(ctx, by, "123456"); status(err) != 409 {
			t.Errorf("nothing to confirm: %v", err)
		}
		e, err := a.Enrol(ctx, by, secret.New(goodPassword))
		if err != nil {
			t.Fatal(err)
		}
		key, _ := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(e.Secret.Reveal())
		p := app{key, a.clock}
		if _, err := a.ConfirmEnrolment(ctx, by, p.codeAt(a.clock.Now().Add(-time.Hour))); status(err) != 403 {
			t.Errorf("a wrong code: %v", err)
		}
		if _, err := a.try(t, "alice", goodPassword, "192.0.2.1"); err != nil {
			t.Errorf("a factor that is not confirmed counts: %v", err)
		}
		a.clock.add(10 * time.Minute)
		if _, err := a.ConfirmEnrolment(ctx, by, p.code()); status(err) != 409 {
			t.Errorf("after ten minutes: %v", err)
		}
	})
}

// What is confirmed is what the code was of, though another enrolment began
// meanwhile.
func TestEnrolmentThatIsOvertakenIsNotConfirmed(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		a := openAccounts(t, db)
		by := account.By{Actor: a.add(t, "alice").ID}
		begun := 0
		begin := func() *account.Enrolment {
			begun++
			e, err := a.Enrol(context.Background(), by, secret.New(goodPassword))
			if err != nil {
				t.Error(err)
			}
			return e
		}
		key, _ := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(begin().Secret.Reveal())
		a.events.on = func(auditlog.Event) {
			if begun == 1 { // The event of the confirmation, before it counts.
				begin()
			}
		}
		if _, err := a.ConfirmEnrolment(t.Context(), by, app{key, a.clock}.code()); status(err) != 409 {
			t.Errorf("%v, want a conflict", err)
		}
		if a.byName(t, "alice").SecondFactor {
			t.Error("a second factor counts that nobody has confirmed")
		}
	})
}

func TestRemovalOfTheSecondFactor(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		a, ctx := openAccounts(t, db), t.Context()
		by := account.By{Actor: a.add(t, "alice").ID}
		p, codes := a.enrol(t, by)
		pw := secret.New(goodPassword)
		if err := a.RemoveSecondFactor(ctx, by, pw, "000000"); status(err) != 403 {
			t.Errorf("without a code: %v", err)
		}
		if err := a.RemoveSecondFactor(ctx, by, secret.New("guess"), p.code()); status(err) != 403 {
			t.Errorf("without the password: %v", err)
		}
		renewed, err := a.RenewRecoveryCodes(ctx, by, pw, p.code())
		if err != nil || len(renewed) != 10 {
			t.Fatal(err)
		}
		if err := a.RemoveSecondFactor(ctx, by, pw, codes[0].Reveal()); status(err) != 403 {
			t.Errorf("with a recovery code that was replaced: %v", err)
		}
		if err := a.RemoveSecondFactor(ctx, by, pw, renewed[0].Reveal()); err != nil {
			t.Errorf("with both: %v", err)
		}
		if _, err := a.try(t, "alice", goodPassword, "192.0.2.1"); err != nil {
			t.Errorf("without a second factor: %v", err)
		}
		a.clock.add(time.Hour)
		a.enrol(t, by)
		if err := a.ResetSecondFactor(ctx, account.By{Actor: "root"}, by.Actor); err != nil {
			t.Fatal(err)
		}
		if _, err := a.try(t, "alice", goodPassword, "192.0.2.1"); err != nil {
			t.Errorf("after a reset: %v", err)
		}
	})
}

// Who can write rows gives a user the second factor of another.
func TestSecondFactorOfAnotherRowDoesNotOpen(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sqldb.DB) {
		a := openAccounts(t, db)
		mallory := a.add(t, "mallory").ID
		p, _ := a.enrol(t, account.By{Actor: mallory})
		a.add(t, "alice")
		_, err := db.Write.ExecContext(t.Context(),
			"UPDATE fastness_accounts SET totp = (SELECT totp FROM fastness_accounts WHERE fold = 'mallory') WHERE fold = 'alice'")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := a.tryCode(t, p.code()); err == nil || errors.Is(err, account.ErrCredentials) {
			t.Errorf("%v, want an error of the sealer", err)
		}
	})
}

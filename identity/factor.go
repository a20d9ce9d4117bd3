package identity

import (
	"context"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/secret"
)

type enrolInput struct {
	Core *Core
	From Origin
	Body struct {
		Password secret.Text `json:"password" minLength:"1" maxLength:"4096" doc:"The current password."`
	}
}

// EnrolmentView is what an authenticator app needs.
type EnrolmentView struct {
	Secret string `json:"secret" maxLength:"64" doc:"In base32, to be typed in."`
	URL    string `json:"url" maxLength:"512" doc:"An otpauth address, to be shown as a QR code."`
}

func enrol(ctx context.Context, in enrolInput) (EnrolmentView, error) {
	e, err := in.Core.Accounts.Enrol(ctx, in.From.By, in.Body.Password)
	if err != nil {
		return EnrolmentView{}, err
	}
	return EnrolmentView{Secret: e.Secret.Reveal(), URL: e.URI.Reveal()}, nil
}

type confirmInput struct {
	Core *Core
	User auth.User
	From Origin
	Body struct {
		Code string `json:"code" minLength:"6" maxLength:"16"`
	}
}

// RecoveryCodes let somebody in who has lost the authenticator app.
type RecoveryCodes struct {
	Codes []string `json:"recovery_codes" maxItems:"20" maxLength:"64" doc:"Each works once."`
}

func confirmEnrolment(ctx context.Context, in confirmInput) (out fastness.Result[RecoveryCodes], err error) {
	out.Header = noStore()
	if out.Body, err = viewOfCodes(in.Core.Accounts.ConfirmEnrolment(ctx, in.From.By, in.Body.Code)); err == nil {
		out.Cookies, err = in.Core.renewed(ctx, in.User)
	}
	return out, err
}

func viewOfCodes(codes []secret.Text, err error) (RecoveryCodes, error) {
	view := RecoveryCodes{Codes: make([]string, len(codes))}
	for i, code := range codes {
		view.Codes[i] = code.Reveal()
	}
	return view, err
}

// factorProof proves that it is the owner of an account who changes it.
type factorProof struct {
	Core *Core
	User auth.User
	From Origin
	Body struct {
		Password secret.Text `json:"password" minLength:"1" maxLength:"4096" doc:"The current password."`
		Code     string      `json:"code" minLength:"6" maxLength:"64" doc:"A code of the app, or a recovery code."`
	}
}

func renewCodes(ctx context.Context, in factorProof) (RecoveryCodes, error) {
	return viewOfCodes(in.Core.Accounts.RenewRecoveryCodes(ctx, in.From.By, in.Body.Password, in.Body.Code))
}

func removeFactor(ctx context.Context, in factorProof) (fastness.Result[fastness.NoContent], error) {
	if err := in.Core.Accounts.RemoveSecondFactor(ctx, in.From.By, in.Body.Password, in.Body.Code); err != nil {
		return fastness.Result[fastness.NoContent]{}, err
	}
	cookies, err := in.Core.renewed(ctx, in.User)
	return fastness.Result[fastness.NoContent]{Header: noStore(), Cookies: cookies}, err
}

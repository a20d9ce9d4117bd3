package identity

import (
	"cmp"

	"github.com/fastness/fastness/guard/ratelimit"
)

// Limits are how often one client, known by its address, may ask for what needs no
// credential, or proves one. They are written as package ratelimit has it. Beside
// them, guesses at one account are slowed down wherever they come from.
//
// They fail closed: while processes that share a store cannot reach it, nobody logs
// in, instead of everybody N times as often.
type Limits struct {
	// LogIn is of attempts to log in: by password, by code, by passkey. All ways
	// share it. The default is "30/minute; 300/hour".
	LogIn string
	// SignUp is of accounts that strangers make. The default is "10/hour".
	SignUp string
	// Tokens is of new tokens for old ones, of revocations and of questions what a
	// token is good for. The default is "120/minute".
	Tokens string
}

func (l *Limits) withDefaults() {
	l.LogIn = cmp.Or(l.LogIn, "30/minute; 300/hour")
	l.SignUp = cmp.Or(l.SignUp, "10/hour")
	l.Tokens = cmp.Or(l.Tokens, "120/minute")
}

// LogInLimit returns the limit of attempts to log in, for other ways to do it: they
// share its budget.
func (id *Identity) LogInLimit() ratelimit.Rule { return limitOf("log-in", id.cfg.Limits.LogIn) }

// TokenLimit returns the limit of requests for tokens, for others that give some.
func (id *Identity) TokenLimit() ratelimit.Rule { return limitOf("tokens", id.cfg.Limits.Tokens) }

func (id *Identity) signUpLimit() ratelimit.Rule { return limitOf("sign-up", id.cfg.Limits.SignUp) }

func limitOf(name, limit string) ratelimit.Rule {
	return ratelimit.Rule{Limit: limit, Key: ratelimit.ByClient, Name: name, Scope: "identity " + name, FailClosed: true}
}

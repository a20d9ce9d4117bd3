package account

import "github.com/fastness/fastness/scan/finding"

// limitRemedy says how log-ins are limited.
func limitRemedy(text string) finding.Remedy {
	return finding.Remedy{
		Text:     text,
		Fastness: `accounts, err := account.Open(ctx, account.Config{DB: db, Passwords: hasher, Policy: policy}) // log-ins are limited by account and by address`,
		FastAPI: `@limiter.limit("5/minute", key_func=lambda request: request.client.host)
async def login(request: Request, form: LogIn): …  # and count failures by account`,
		Express: `app.post("/login", rateLimit({ windowMs: 60_000, limit: 5 }), login); // app.set("trust proxy", …) only for your own proxy`,
		Spring: `if (!buckets.get(username).tryConsume(1) || !buckets.get(request.getRemoteAddr()).tryConsume(1))
    throw new ResponseStatusException(HttpStatus.TOO_MANY_REQUESTS);`,
	}
}

func kindNoLimit() finding.Kind {
	return finding.Kind{
		ID: "AU-02", Title: "Passwords or codes can be tried without a limit",
		Describe: "Nothing stops or slows down who guesses: lists of leaked passwords, or all codes of four digits, are through in minutes.",
		Severity: finding.Medium, OWASP: "API2:2023", CWE: 307, ASVS: []string{"6.3.1"},
		CVSS:   "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:L/VI:L/VA:N/SC:N/SI:N/SA:N",
		Remedy: limitRemedy("Count failures by account and by address, slow down after a few, and answer 429. Void a code after five wrong tries."),
	}
}

func kindLimitBypass() finding.Kind {
	return finding.Kind{
		ID: "AU-03", Title: "The limit of tries is by-passed with a header",
		Describe: "The address that tries are counted by is taken from a header that anybody can write: each try comes from somewhere else.",
		Severity: finding.Medium, OWASP: "API4:2023", CWE: 348, ASVS: []string{"6.3.1"},
		CVSS:   "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:L/VI:L/VA:N/SC:N/SI:N/SA:N",
		Remedy: limitRemedy("Take the address of the connection. Believe X-Forwarded-For only from a proxy of your own, and only the last entry, which it wrote itself; count by account, too."),
	}
}

// sessionRemedy says how log-ins end.
func sessionRemedy(text string) finding.Remedy {
	return finding.Remedy{
		Text:     text,
		Fastness: `sessions, err := session.Open(ctx, session.Config{DB: db, Accounts: accounts, Events: events}) // End, EndAll, Refresh: tokens are bound to them`,
		FastAPI:  `if claims["jti"] in revoked or claims["iat"] < user.password_changed_at: raise HTTPException(401)`,
		Express:  `if (await revoked.has(claims.jti) || claims.iat < user.passwordChangedAt) return res.sendStatus(401);`,
		Spring: `validator = new DelegatingOAuth2TokenValidator<>(JwtValidators.createDefault(),
    jwt -> revoked.contains(jwt.getId()) ? failure : OAuth2TokenValidatorResult.success());`,
	}
}

// passwordRemedy says which passwords are taken.
func passwordRemedy(text string) finding.Remedy {
	return finding.Remedy{
		Text:     text,
		Fastness: `policy, err := password.NewPolicy(password.PolicyConfig{}) // length, common passwords, names of the user`,
		FastAPI:  `password: Annotated[str, Field(min_length=12, max_length=128)]  # and a list of common ones`,
		Express:  `const schema = z.object({ password: z.string().min(12).max(128).refine(p => !common.has(p)) });`,
		Spring:   `@Size(min = 12, max = 128) String password; // and CompromisedPasswordChecker`,
	}
}

func kindEnumeration() finding.Kind {
	return finding.Kind{
		ID: "AU-04", Title: "The answer says which users exist",
		Describe: "Whoever asks about many names gets a list of users: for guessing their passwords, or for mail that deceives them.",
		Severity: finding.Low, OWASP: "API2:2023", CWE: 204, ASVS: []string{"6.3.8"},
		CVSS:   "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N",
		Remedy: limitRemedy("Give the same answer, after the same time, whether or not there is such a user: wrong name or password; if there is an account, a mail is on its way."),
	}
}

func kindWeakPassword() finding.Kind {
	return finding.Kind{
		ID: "AU-05", Title: "Weak passwords are accepted",
		Describe: "Users may have passwords that are among the first that anybody tries.",
		Severity: finding.Medium, OWASP: "API2:2023", CWE: 521, ASVS: []string{"6.2.1", "6.2.4"},
		CVSS:   "CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:N/VC:L/VI:L/VA:N/SC:N/SI:N/SA:N",
		Remedy: passwordRemedy("Want at least 8 characters, better 12, and refuse those that are on lists of common or leaked passwords. Ask for no special characters."),
	}
}

func kindDefaultPassword() finding.Kind {
	return finding.Kind{
		ID: "AU-06", Title: "A user has a password that everybody knows",
		Describe: "An account of the first days, or of a test, has a password that is on every list.",
		Severity: finding.High, OWASP: "API2:2023", CWE: 1392, ASVS: []string{"6.3.2"},
		CVSS:   "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:L/SC:N/SI:N/SA:N",
		Remedy: passwordRemedy("Remove the account, or give it a random password. Let the first administrator set a password when the program is installed."),
	}
}

func kindLasting() finding.Kind {
	return finding.Kind{
		ID: "AU-07", Title: "Tokens are good after the log-out, or after a change of the password",
		Describe: "Who was robbed of a token cannot end it: neither by logging out nor with a new password.",
		Severity: finding.Medium, OWASP: "API2:2023", CWE: 613, ASVS: []string{"7.4.1", "7.4.3"},
		CVSS:   "CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:N/VC:L/VI:L/VA:N/SC:N/SI:N/SA:N",
		Remedy: sessionRemedy("Bind tokens to a session at the server, and look at it: a log-out ends it, a new password ends all others. Or let access tokens live for minutes, and keep a list of those that were ended."),
	}
}

func kindRefresh() finding.Kind {
	return finding.Kind{
		ID: "AUTHN-10", Title: "A refresh token can be used again",
		Describe: "A refresh token that was copied is good beside the one of its owner, and nobody notices (RFC 9700, section 4.14).",
		Severity: finding.Medium, OWASP: "API2:2023", CWE: 613, ASVS: []string{"10.4.5"},
		CVSS:   "CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:N/VC:L/VI:L/VA:N/SC:N/SI:N/SA:N",
		Remedy: sessionRemedy("Replace the refresh token at each use, and end the whole session when one that was used comes again."),
	}
}

func kindResetTold() finding.Kind {
	return finding.Kind{
		ID: "AU-12", Title: "Whoever asks for a reset of a password gets the code",
		Describe: "The code that should go to the address of the user is in the answer: anybody takes over any account whose name they know.",
		Severity: finding.Critical, OWASP: "API2:2023", CWE: 640, ASVS: []string{"6.4.3"},
		CVSS:   "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:L/SC:N/SI:N/SA:N",
		Remedy: passwordRemedy("Send the code by mail only, and answer the same to everybody. Make it of 128 random bits, good once, for half an hour."),
	}
}

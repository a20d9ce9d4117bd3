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

package exposure

import "github.com/fastness/fastness/scan/finding"

// The entries of the catalogue.

const fewFields = "Answer with a type of its own that has only what this caller may see, never with the stored object; keep secrets in types that cannot be encoded."

func kindSecrets() finding.Kind {
	return finding.Kind{
		ID: "DE-01", Title: "An answer holds a secret",
		Describe: "Passwords, their hashes, private keys or keys of other services are in an answer. Whoever reads it can log in elsewhere, or guess passwords at leisure.",
		Severity: finding.High, OWASP: "API3:2023", CWE: 200, ASVS: []string{"15.3.1", "14.2.6"},
		CVSS: "CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N",
		Remedy: finding.Remedy{
			Text:     fewFields,
			Fastness: "Password secret.Text `json:\"password\" writeOnly:\"true\"` // cannot be encoded, printed or logged",
			FastAPI: `class UserOut(BaseModel):
    id: int
    name: str
@app.get("/me", response_model=UserOut)`,
			Express: `const { id, name } = user;
res.json({ id, name }); // never res.json(user)`,
			Spring: `record UserView(long id, String name) {} // or @JsonIgnore on the field`,
		},
	}
}

func kindTraces() finding.Kind {
	return finding.Kind{
		ID: "SC-02", Title: "An error shows the inside of the program",
		Describe: "Stack traces, statements of the database and debug pages tell an attacker which software runs, where its files are, and how to attack it. Some run code.",
		Severity: finding.Medium, OWASP: "API8:2023", CWE: 209, ASVS: []string{"16.5.1", "13.4.2"},
		CVSS: "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N",
		Remedy: finding.Remedy{
			Text:     "Answer errors that nobody expected with one opaque text and an id, and write the rest to the log. Turn debug modes off.",
			Fastness: "return problem.New(…)  // for what callers may know; any other error is an opaque 500, its cause is in the log",
			FastAPI: `app = FastAPI(debug=False)
@app.exception_handler(Exception)
async def failed(request, exc):
    log.exception("failed"); return JSONResponse({"detail": "internal error"}, 500)`,
			Express: `app.use((err, req, res, next) => { log.error(err); res.status(500).json({ error: 'internal error' }); });
// and NODE_ENV=production`,
			Spring: "server.error.include-stacktrace=never\nserver.error.include-message=never",
		},
	}
}

func kindCrash() finding.Kind {
	return finding.Kind{
		ID: "SC-01", Title: "Input makes the operation fail",
		Describe: "A value that callers can send leads to a failure that nobody handles. Failures cost more than refusals, may leave things half done, and show where checks are missing.",
		Severity: finding.Medium, OWASP: "API8:2023", CWE: 755, ASVS: []string{"16.5.4", "2.2.1"},
		CVSS: "CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:N/VI:N/VA:L/SC:N/SI:N/SA:N",
		Remedy: finding.Remedy{
			Text:     "Check input by its schema before it is used, and answer 422 or 400 to what does not fit; handle what is not found, empty or out of range.",
			Fastness: "Page int `query:\"page\" minimum:\"1\" maximum:\"1000\"` // refused with 422 before the handler",
			FastAPI:  "page: Annotated[int, Query(ge=1, le=1000)]",
			Express:  `const { page } = z.object({ page: z.coerce.number().int().min(1).max(1000) }).parse(req.query);`,
			Spring:   "@RequestParam @Min(1) @Max(1000) int page",
		},
	}
}

func kindHeaders() finding.Kind {
	return finding.Kind{
		ID: "HT-01", Title: "Header fields that protect are missing, or tell too much",
		Describe: "Browsers and caches do what header fields say. Without them they guess types, frame pages, keep private answers and hand cookies to scripts; banners tell which attacks fit.",
		Severity: finding.Low, OWASP: "API8:2023", CWE: 693, ASVS: []string{"3.4.1", "3.4.3", "3.4.4", "3.4.6", "14.3.2", "13.4.6"},
		CVSS: "CVSS:4.0/AV:N/AC:H/AT:P/PR:N/UI:A/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N",
		Remedy: finding.Remedy{
			Text:     "Set the fields on every answer, the errors too, at one place; no-store on what belongs to a user; no versions.",
			Fastness: "guard, err := headers.New(headers.Config{}) // in every app by default; so it works alone",
			FastAPI: `@app.middleware("http")
async def protect(request, call_next):
    r = await call_next(request)
    r.headers["X-Content-Type-Options"] = "nosniff"; r.headers["Cache-Control"] = "no-store"
    return r`,
			Express: "app.use(helmet()); app.disable('x-powered-by');",
			Spring:  "http.headers(Customizer.withDefaults()); // on by default with Spring Security",
		},
	}
}

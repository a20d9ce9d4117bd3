package exposure

import "github.com/fastness/fastness/scan/finding"

// More entries of the catalogue.

func kindPersonal() finding.Kind {
	return finding.Kind{
		ID: "DE-02", Title: "Personal data of users is shown to others",
		Describe: "Addresses, telephone numbers or payment cards of users are in answers to others, or to everybody. They are collected, sold, and used to deceive.",
		Severity: finding.High, OWASP: "API3:2023", CWE: 359, ASVS: []string{"15.3.1", "14.2.6"},
		CVSS: "CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N",
		Remedy: finding.Remedy{
			Text:     "Show others a type of its own without contact data, and strangers even less. Never keep the security code of a card.",
			Fastness: "Email string `json:\"email\" visibleTo:\"admin\"` // or a type for others that does not have it",
			FastAPI: `class PublicUser(BaseModel):  # no email here
    id: int
    name: str
@app.get("/users", response_model=list[PublicUser])`,
			Express: `res.json(users.map(({ id, name }) => ({ id, name })));`,
			Spring:  `record PublicUser(long id, String name) {}`,
		},
	}
}

func kindUndeclared() finding.Kind {
	return finding.Kind{
		ID: "DE-03", Title: "Answers have members that nobody declared",
		Describe: "The stored object is sent as it is. The app does not show all of it, and whoever looks at the answer sees it.",
		Severity: finding.Medium, OWASP: "API3:2023", CWE: 213, ASVS: []string{"15.3.1"},
		CVSS: "CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N",
		Remedy: finding.Remedy{
			Text:     "Encode answers by the type that the document is made of, so that nothing else can be in them.",
			Fastness: "fastness.Get(app, \"/items/{id}\", read, …) // the answer is encoded by the declared type: only its fields, only visible ones",
			FastAPI:  `@app.get("/items/{id}", response_model=ItemOut)  # filters what is not declared`,
			Express:  `res.json(ItemOut.parse(item)); // z.object({...}) strips the rest`,
			Spring:   `ItemView read(long id) // a record of what is shown, not the entity`,
		},
	}
}

func kindScripts() finding.Kind {
	return finding.Kind{
		ID: "INFO-02", Title: "A script, page or document holds a secret",
		Describe: "What browsers load is public. A key in it belongs to everybody.",
		Severity: finding.High, OWASP: "API8:2023", CWE: 540, ASVS: []string{"13.3.1", "13.4.7"},
		CVSS: "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:L/VA:N/SC:L/SI:L/SA:N",
		Remedy: finding.Remedy{
			Text:     "Revoke the key, then keep secrets on the server: let the page ask the API, and the API the other service. Search builds for secrets before they are published.",
			Fastness: `source := secret.Env("REPORT_TOKEN") // stays on the server, and is redacted wherever it is printed`,
			FastAPI:  `settings.report_token  # SecretStr, used by the server only`,
			Express:  `process.env.REPORT_TOKEN // on the server; nothing of it in the bundle`,
			Spring:   `@Value("${report.token}") String token; // on the server only`,
		},
	}
}

func kindTransport() finding.Kind {
	return finding.Kind{
		ID: "TLS-01", Title: "The connection is not protected",
		Describe: "Without TLS, or with a certificate that nobody can verify, whoever is on the way reads and changes everything.",
		Severity: finding.High, OWASP: "API8:2023", CWE: 319, ASVS: []string{"12.2.1", "12.2.2"},
		CVSS: "CVSS:4.0/AV:N/AC:H/AT:P/PR:N/UI:N/VC:H/VI:H/VA:N/SC:N/SI:N/SA:N",
		Remedy: finding.Remedy{
			Text:     "Serve TLS 1.2 and later with a certificate that clients can verify, and answer plain HTTP with a redirect at most.",
			Fastness: "fastness.Main(app) // TLS is the default; serve takes files or ACME",
			FastAPI:  "uvicorn app:app --ssl-keyfile key.pem --ssl-certfile cert.pem  # or a proxy that ends TLS",
			Express:  "https.createServer({ key, cert }, app).listen(443);",
			Spring:   "server.ssl.bundle=server",
		},
	}
}

func kindConformance() finding.Kind {
	return finding.Kind{
		ID: "SC-03", Title: "The target contradicts its document",
		Describe: "Clients, gateways and tests rely on the document. Where it is wrong, they refuse what is right, or let pass what is not; and where input is taken that it refuses, checks are missing.",
		Severity: finding.Low, OWASP: "API9:2023", CWE: 20, ASVS: []string{"2.2.1", "4.1.1"},
		CVSS: "CVSS:4.0/AV:N/AC:L/AT:P/PR:L/UI:N/VC:N/VI:L/VA:N/SC:N/SI:N/SA:N",
		Remedy: finding.Remedy{
			Text:     "Make the document and the checks of the same declaration, and test answers against it.",
			Fastness: "Stars int `json:\"stars\" minimum:\"1\" maximum:\"5\"` // checked, documented and tested by the one tag",
			FastAPI:  "stars: Annotated[int, Field(ge=1, le=5)]",
			Express:  "app.use(OpenApiValidator.middleware({ apiSpec, validateRequests: true, validateResponses: true }));",
			Spring:   "@Min(1) @Max(5) int stars // and @Valid at the controller",
		},
	}
}

func kindLint() finding.Kind {
	return finding.Kind{
		ID: "DOC-01", Title: "The document leaves out what protects",
		Describe: "The document says nothing of log-ins, bounds or refusals. That is no flaw of the target by itself; gateways and generated clients do not protect what is not written.",
		Severity: finding.Info, OWASP: "API9:2023", CWE: 1059, ASVS: []string{"2.1.1"},
		CVSS: "CVSS:4.0/AV:N/AC:H/AT:P/PR:H/UI:N/VC:N/VI:N/VA:N/SC:N/SI:N/SA:N",
		Remedy: finding.Remedy{
			Text:     "Declare how callers log in, what is refused, and how long texts and lists may be.",
			Fastness: "document, err := app.Document() // made of the program: schemes, 401, 403, 429 and bounds are in it",
			FastAPI:  `responses={401: {...}, 429: {...}}; Field(max_length=200)`,
			Express:  "// in the document: securitySchemes, maxLength, maxItems, and the answers 401, 403 and 429",
			Spring:   `@ApiResponse(responseCode = "401") @Size(max = 200)`,
		},
	}
}

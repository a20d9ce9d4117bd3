package inventory

import "github.com/fastness/fastness/scan/finding"

// More entries of the catalogue.

func kindHosts() finding.Kind {
	return finding.Kind{
		ID: "IV-03", Title: "Another name of the host leads to something else",
		Describe: "What is for the office, or for tests, is behind a name of the same machine. The name is no secret, and no log-in.",
		Severity: finding.Medium, OWASP: "API9:2023", CWE: 1059, ASVS: []string{"13.4.5"},
		CVSS: "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N",
		Remedy: finding.Remedy{
			Text:     "Answer only the names that are meant to be public, with a list; put what is internal on an address of the own network, behind a log-in.",
			Fastness: `fastness.Config{Hosts: []string{"api.example.com"}} // any other name is a 421`,
			FastAPI:  `app.add_middleware(TrustedHostMiddleware, allowed_hosts=["api.example.com"])`,
			Express:  "app.use((req, res, next) => req.hostname === 'api.example.com' ? next() : res.sendStatus(421));",
			Spring:   `httpFirewall.setAllowedHostnames("api.example.com"::equals); // StrictHttpFirewall`,
		},
	}
}

func kindLinks() finding.Kind {
	return finding.Kind{
		ID: "HTTP-01", Title: "Links lead to a host that the caller names",
		Describe: "The address of links is made of a header field of the request. In a mail that resets a password, the link leads to the attacker, with the token.",
		Severity: finding.Medium, OWASP: "API8:2023", CWE: 644, ASVS: []string{"4.1.3"},
		CVSS: "CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:A/VC:H/VI:H/VA:N/SC:N/SI:N/SA:N",
		Remedy: finding.Remedy{
			Text:     "Make links of an address that is configured, never of the request; take X-Forwarded-Host from known proxies only.",
			Fastness: `fastness.Config{Hosts: []string{"api.example.com"}, Proxies: …} // fields of forwarding count from known proxies only`,
			FastAPI:  `link = f"{settings.public_url}/reset?token={token}"  # not request.base_url`,
			Express:  "const link = `${process.env.PUBLIC_URL}/reset?token=${token}`; // not req.headers.host",
			Spring:   `String link = publicUrl + "/reset?token=" + token; // server.forward-headers-strategy=none`,
		},
	}
}

func kindCaches() finding.Kind {
	return finding.Kind{
		ID: "CA-01", Title: "A cache gives to others what is one caller's",
		Describe: "A cache keeps an answer by its address alone. What belongs to one user, or what one caller has made of it, goes to everybody who asks for the same address.",
		Severity: finding.High, OWASP: "API8:2023", CWE: 524, ASVS: []string{"14.2.5", "14.2.2"},
		CVSS: "CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:A/VC:H/VI:L/VA:N/SC:N/SI:N/SA:N",
		Remedy: finding.Remedy{
			Text:     "Answer 404 to paths below an operation that are not there; Cache-Control: no-store on what belongs to a user; let the cache keep by what answers say and not by endings, and make every field that counts part of the key.",
			Fastness: "fastness.Get(app, \"/me\", readMe, access.Authenticated) // paths are exact, and answers to a known caller are no-store",
			FastAPI:  `response.headers["Cache-Control"] = "no-store"`,
			Express:  "app.use('/api', (req, res, next) => { res.set('Cache-Control', 'no-store'); next(); });",
			Spring:   "http.headers(h -> h.cacheControl(Customizer.withDefaults())); // and no suffix patterns",
		},
	}
}

func kindMethods() finding.Kind {
	return finding.Kind{
		ID: "IV-05", Title: "A method that nobody declared does something",
		Describe: "The operation takes a method that is in no document, or a header field turns a GET into something else. Rules that look at the method do not see it.",
		Severity: finding.Medium, OWASP: "API9:2023", CWE: 650, ASVS: []string{"4.1.4"},
		CVSS: "CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:N/VI:L/VA:L/SC:N/SI:N/SA:N",
		Remedy: finding.Remedy{
			Text:     "Route by method, answer 405 to the others, and do not take the method from a field of the request.",
			Fastness: `fastness.Delete(app, "/items/{id}", remove, …) // what is not declared is a 405`,
			FastAPI:  `@app.api_route("/items/{id}", methods=["GET", "PUT"])`,
			Express:  "router.get('/items/:id', read); // not router.all, and no method-override for GET",
			Spring:   "@GetMapping(\"/items/{id}\") // not @RequestMapping; spring.mvc.hiddenmethod.filter.enabled=false",
		},
	}
}

func kindGraphQL() finding.Kind {
	return finding.Kind{
		ID: "GQ-01", Title: "GraphQL answers strangers too much",
		Describe: "The schema is shown to everybody, questions need no log-in, or one request does the work of hundreds.",
		Severity: finding.Medium, OWASP: "API8:2023", CWE: 200, ASVS: []string{"4.3.1", "4.3.2"},
		CVSS: "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:L/VI:N/VA:L/SC:N/SI:N/SA:N",
		Remedy: finding.Remedy{
			Text:     "Turn introspection off in production, ask for a log-in in each resolver that is not public, and bound depth, aliases, batches and cost.",
			Fastness: "fastness.Mount(app, \"/graphql\", handler, access.Authenticated) // depth and aliases are bounded by the handler itself",
			FastAPI:  `Schema(query=Query, extensions=[MaxAliasesLimiter(15), QueryDepthLimiter(10), DisableIntrospection()])`,
			Express:  `new ApolloServer({ introspection: false, allowBatchedHttpRequests: false, validationRules: [depthLimit(10)] })`,
			Spring:   "spring.graphql.schema.introspection.enabled=false // and MaxQueryComplexityInstrumentation",
		},
	}
}

package session

import "github.com/fastness/fastness/scan/finding"

func remedy(text string) finding.Remedy {
	return finding.Remedy{
		Text:     text,
		Fastness: `cookies, err := session.NewCookies(session.CookieConfig{Sessions: sessions}) // __Host-, HttpOnly, Secure, SameSite; the app refuses cross-site requests`,
		FastAPI:  `response.set_cookie("__Host-session", value, httponly=True, secure=True, samesite="lax", path="/")`,
		Express:  `app.use(session({ name: "__Host-session", cookie: { httpOnly: true, secure: true, sameSite: "lax" }, … }));`,
		Spring: `server.servlet.session.cookie.same-site=lax
server.servlet.session.cookie.secure=true // and do not switch csrf() off`,
	}
}

func kindCrossSite() finding.Kind {
	return finding.Kind{
		ID: "CS-01", Title: "Other sites change things in the name of a user",
		Describe: "A page that the user visits makes the browser send a request with the cookie of the log-in, and it counts (cross-site request forgery).",
		Severity: finding.Medium, OWASP: "API8:2023", CWE: 352, ASVS: []string{"3.5.1"},
		CVSS:   "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:A/VC:N/VI:L/VA:N/SC:N/SI:N/SA:N",
		Remedy: remedy("Refuse requests that change something and come from another origin: by Sec-Fetch-Site and Origin, and with a token for forms. Take JSON with its own Content-Type only."),
	}
}

func kindChangeByGet() finding.Kind {
	return finding.Kind{
		ID: "CSRF-03", Title: "A GET changes something",
		Describe: "Links are followed by whoever sees them: browsers that look ahead, caches, programs that make previews, images of other sites.",
		Severity: finding.Medium, OWASP: "API8:2023", CWE: 352, ASVS: []string{"3.5.3"},
		CVSS:   "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:P/VC:N/VI:L/VA:N/SC:N/SI:N/SA:N",
		Remedy: remedy("Let only POST, PUT, PATCH and DELETE change things."),
	}
}

func kindSockets() finding.Kind {
	return finding.Kind{
		ID: "WS-01", Title: "A WebSocket tells others what is a user's",
		Describe: "The handshake of a WebSocket carries cookies from any site, and no rule of browsers keeps a page from reading what comes (cross-site WebSocket hijacking). Who checks neither the origin nor the log-in tells everybody.",
		Severity: finding.High, OWASP: "API2:2023", CWE: 1385, ASVS: []string{"4.4.2", "4.4.4"},
		CVSS: "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N",
		Remedy: finding.Remedy{
			Text:     "Let only the own origins open it, ask for a log-in at the handshake, and send each caller what is theirs.",
			Fastness: `fastness.WebSocket(app, "/live", watch, access.Authenticated) // other origins are refused: the default`,
			FastAPI:  `if websocket.headers.get("origin") not in ORIGINS: raise WebSocketException(code=1008)`,
			Express:  `new WebSocketServer({ server, verifyClient: ({ origin, req }) => ORIGINS.has(origin) && known(req) });`,
			Spring:   `registry.addHandler(handler, "/live").setAllowedOrigins("https://app.example.com");`,
		},
	}
}

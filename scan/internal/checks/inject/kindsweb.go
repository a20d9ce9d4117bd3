package inject

import "github.com/fastness/fastness/scan/finding"

// The entries of the catalogue: what a browser, or another machine, is made to do.

func kindFilterBypass() finding.Kind {
	return finding.Kind{
		ID: "SS-02", Title: "Server-side request forgery past a filter",
		Describe: "Addresses inside are refused by how they are written, and other spellings of them are not. The target calls them for whoever asks.",
		Severity: finding.High, OWASP: "API7:2023", CWE: 918, ASVS: []string{"1.3.6"},
		CVSS: "CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:H/VI:L/VA:N/SC:H/SI:L/SA:N", Remedy: fetchOutside(),
	}
}

func escapeOutput() finding.Remedy {
	return finding.Remedy{
		Text:     "Let the template engine escape, by the place where a value stands; answer data as application/json with nosniff; send a Content-Security-Policy without unsafe-inline.",
		Fastness: `return fastness.View[found]{Template: pages.found, Body: found{Query: in.Query}} // html/template escapes; answers have nosniff and a policy`,
		FastAPI:  `templates.TemplateResponse(request, "find.html", {"q": q})  # not HTMLResponse(f"<p>{q}")`,
		Express:  `res.render('find', { q }) // <%= q %>, not <%- q %>; or res.json({ q })`,
		Spring:   `<p th:text="${q}"></p> <!-- not th:utext -->`,
	}
}

func kindReflected() finding.Kind {
	return finding.Kind{
		ID: "XS-01", Title: "Reflected cross-site scripting",
		Describe: "A value of the address is part of a page as it came. Whoever follows a link of an attacker runs the attacker's script in the name of the site.",
		Severity: finding.Medium, OWASP: "API8:2023", CWE: 79, ASVS: []string{"1.2.1"}, CVSS: browser, Remedy: escapeOutput(),
	}
}

func kindStored() finding.Kind {
	return finding.Kind{
		ID: "XS-02", Title: "Stored cross-site scripting",
		Describe: "What a caller wrote is part of a page as it was written. Whoever looks at the page runs the caller's script in the name of the site.",
		Severity: finding.High, OWASP: "API8:2023", CWE: 79, ASVS: []string{"1.2.1"},
		CVSS: "CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:P/VC:N/VI:N/VA:N/SC:H/SI:H/SA:N", Remedy: escapeOutput(),
	}
}

func kindRedirect() finding.Kind {
	return finding.Kind{
		ID: "RD-01", Title: "Open redirect",
		Describe: "An address of this site leads to any other. It makes links to a forgery look right, and hands codes and tokens of log-ins to strangers.",
		Severity: finding.Medium, OWASP: "API8:2023", CWE: 601, ASVS: []string{"3.7.2"}, CVSS: browser,
		Remedy: finding.Remedy{
			Text:     "Lead to paths of the site itself, or to hosts of a list. Parse the address; do not look at how it begins.",
			Fastness: `return fastness.Redirect{Path: in.Next} // within the site; URL leads to listed origins only`,
			FastAPI:  `if urlsplit(to).netloc or not to.startswith("/") or to.startswith(("//", "/\\")): to = "/"`,
			Express:  `const u = new URL(to, ORIGIN); res.redirect(u.origin === ORIGIN ? u.pathname : '/');`,
			Spring:   `if (!allowed.contains(UriComponentsBuilder.fromUriString(to).build().getHost())) to = "/";`,
		},
	}
}

func kindSplitting() finding.Kind {
	return finding.Kind{
		ID: "HD-01", Title: "Header injection (response splitting)",
		Describe: "A line break in a value ends a header of the answer. What follows is headers of the caller's choice: cookies for a victim, or a whole answer for a cache.",
		Severity: finding.Medium, OWASP: "API8:2023", CWE: 113, ASVS: []string{"1.2.2"}, CVSS: browser,
		Remedy: finding.Remedy{
			Text:     "Set headers by the functions of the server, which refuse line breaks; never write them to the connection as text. Check values against what they may be.",
			Fastness: `http.SetCookie(w, &http.Cookie{Name: "language", Value: in.Language}) // net/http drops line breaks`,
			FastAPI:  `response.set_cookie("language", language)  # language: Literal["de", "en"]`,
			Express:  `res.cookie('language', language); // refuses line breaks`,
			Spring:   `ResponseCookie.from("language", language).build()`,
		},
	}
}

func kindActiveUpload() finding.Kind {
	return finding.Kind{
		ID: "UP-01", Title: "Upload of active content",
		Describe: "A page with a script is taken as a file, and shown to browsers as a page of this site. Whoever opens it runs the script in the name of the site.",
		Severity: finding.High, OWASP: "API8:2023", CWE: 434, ASVS: []string{"5.2.2", "3.2.1"},
		CVSS: "CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:P/VC:N/VI:N/VA:N/SC:H/SI:H/SA:N",
		Remedy: finding.Remedy{
			Text:     "Look at what a file is, not at what it says; keep it under a name of the program's; send it as an attachment, with nosniff, best from a host of its own.",
			Fastness: `store, err := filestore.Open("pictures", filestore.Config{…}) // random keys; what is kept is sent as an attachment`,
			FastAPI:  `FileResponse(path, media_type="application/octet-stream", filename=name)  # an attachment`,
			Express:  `res.attachment(name).type('application/octet-stream').sendFile(id, { root });`,
			Spring:   `ResponseEntity.ok().header(CONTENT_DISPOSITION, "attachment").contentType(APPLICATION_OCTET_STREAM)`,
		},
	}
}

package inject

import "github.com/fastness/fastness/scan/finding"

// The entries of the catalogue: what becomes part of a statement.

// worst is the vector of what gives away or changes all that the target has.
const worst = "CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"

func bind() finding.Remedy {
	return finding.Remedy{
		Text:     "Never build a statement from text: bind each value as a parameter. Names of columns and directions of sorting cannot be bound: choose them from a fixed list.",
		Fastness: `rows, err := db.QueryContext(ctx, "SELECT id, name FROM items WHERE name = $1", in.Name)`,
		FastAPI:  `session.execute(text("SELECT id, name FROM items WHERE name = :name"), {"name": name})`,
		Express:  `await pool.query('SELECT id, name FROM items WHERE name = $1', [req.query.name])`,
		Spring:   `jdbc.query("SELECT id, name FROM items WHERE name = ?", mapper, name)`,
	}
}

func kindSQLTruth() finding.Kind {
	return finding.Kind{
		ID: "IN-01", Title: "SQL injection: a condition of the caller decides",
		Describe: "A value becomes part of a statement of SQL. Whoever asks yes-or-no questions by it reads the whole database, bit by bit, and may change it.",
		Severity: finding.Critical, OWASP: "API8:2023", CWE: 89, ASVS: []string{"1.2.4"}, CVSS: worst, Remedy: bind(),
	}
}

func kindSQLError() finding.Kind {
	return finding.Kind{
		ID: "IN-02", Title: "SQL injection: a quote breaks the statement",
		Describe: "A value becomes part of a statement of SQL, and the answer holds what the database says of the broken one. The caller can write the rest of the statement, and read tables through its errors.",
		Severity: finding.Critical, OWASP: "API8:2023", CWE: 89, ASVS: []string{"1.2.4"}, CVSS: worst, Remedy: bind(),
	}
}

func kindServerRequest() finding.Kind {
	return finding.Kind{
		ID: "SS-01", Title: "Server-side request forgery",
		Describe: "The target fetches an address that the caller names. From inside it reaches what strangers do not: the metadata service of the cloud with its credentials, databases, consoles.",
		Severity: finding.High, OWASP: "API7:2023", CWE: 918, ASVS: []string{"1.3.6"},
		CVSS: "CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:H/VI:L/VA:N/SC:H/SI:L/SA:N", Remedy: fetchOutside(),
	}
}

func fetchOutside() finding.Remedy {
	return finding.Remedy{
		Text: "Fetch only addresses of a list. Where any address has to be fetched, check the IP address between the answer of the DNS and the connection: refuse private, loopback and link-local ones, follow no redirect, and let a proxy without a way inside do it.",
		Fastness: `client, err := outbound.New(outbound.Config{}) // refuses inside addresses while it connects
res, err := client.Do(req)`,
		FastAPI: `if urlsplit(url).hostname not in ALLOWED: raise HTTPException(422)
httpx.get(url, follow_redirects=False) # and a proxy that does not reach inside`,
		Express: `if (!ALLOWED.has(new URL(url).hostname)) return res.sendStatus(422);
await fetch(url, { redirect: 'error' }); // and a proxy that does not reach inside`,
		Spring: `if (!allowed.contains(URI.create(url).getHost())) throw new ResponseStatusException(UNPROCESSABLE_ENTITY);`,
	}
}

package limits

import "github.com/fastness/fastness/scan/finding"

// The entries of the catalogue.

func kindPageSize() finding.Kind {
	return finding.Kind{
		ID: "RC-01", Title: "A page is as long as the caller says",
		Describe: "The size of a page has no upper bound. One request makes the target read, hold and send as many rows as there are, and a few at once take it down; and who wants to copy all of the data needs no second request.",
		Severity: finding.Medium, OWASP: "API4:2023", CWE: 770, ASVS: []string{"2.2.1", "15.2.2"},
		CVSS: "CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:N/VI:N/VA:L/SC:N/SI:N/SA:N",
		Remedy: finding.Remedy{
			Text:     "Refuse a page size above a bound, or cut it to that, whatever the caller sends; refuse what is below one. Declare the bound in the document.",
			Fastness: "type ListOrders struct {\n\tLimit int `query:\"limit\" minimum:\"1\" maximum:\"100\" default:\"20\"`\n}",
			FastAPI:  "limit: Annotated[int, Query(ge=1, le=100)] = 20",
			Express:  "const limit = Math.min(Math.max(parseInt(req.query.limit) || 20, 1), 100);",
			Spring:   "spring.data.web.pageable.max-page-size=100 # or: @Min(1) @Max(100) @RequestParam(defaultValue = \"20\") int limit",
		},
	}
}

func kindBodySize() finding.Kind {
	return finding.Kind{
		ID: "RC-02", Title: "A request body is read whatever its size",
		Describe: "The target reads a body of any length into its memory. A few requests with large bodies at the same time take it down.",
		Severity: finding.Medium, OWASP: "API4:2023", CWE: 770, ASVS: []string{"15.2.2"},
		CVSS: "CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:N/VI:N/VA:L/SC:N/SI:N/SA:N",
		Remedy: finding.Remedy{
			Text:     "Stop reading at a bound that fits what the operation needs, and answer 413; also where the length is not announced. A proxy in front may do it.",
			Fastness: `fastness.New(fastness.Config{BodyLimit: 1 << 20}) // the default; of one operation: fastness.BodyLimit(64 << 10)`,
			FastAPI:  "# uvicorn has no limit: set one in the proxy (nginx: client_max_body_size 1m), or count in request.stream()",
			Express:  "app.use(express.json({ limit: '100kb' }));",
			Spring:   "# JSON has no limit of its own: set one in the proxy, or wrap the request in a filter that counts",
		},
	}
}

func kindOnce() finding.Kind {
	return finding.Kind{
		ID: "BF-01", Title: "What may be done once counts again",
		Describe: "A coupon, a vote, a gift or a bonus is meant for one use. The target does not note that it was used, or looks and notes in two steps, between which other requests find it unused: money, points or votes come out of nothing.",
		Severity: finding.High, OWASP: "API6:2023", CWE: 799, ASVS: []string{"2.3.2", "2.3.4"},
		CVSS: "CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:N/VI:H/VA:N/SC:N/SI:N/SA:N",
		Remedy: finding.Remedy{
			Text:     "Keep who used what in a table with a unique key, and write it in the same transaction as the effect: the database decides who was first. Or change the row and its condition in one statement, and look at how many rows it changed.",
			Fastness: "// CREATE UNIQUE INDEX ON redemptions (coupon, user); in one transaction with the credit:\nINSERT INTO redemptions (coupon, user) VALUES (?, ?) // a conflict is answered 409",
			FastAPI:  "db.add(Redemption(coupon_id=c.id, user_id=user.id)); db.flush()  # unique constraint; IntegrityError: 409",
			Express:  "const { rowCount } = await tx.query('UPDATE cards SET used = true WHERE code = $1 AND NOT used', [code]);\nif (rowCount === 0) return res.sendStatus(409);",
			Spring:   "@Modifying @Query(\"update Card c set c.used = true where c.code = ?1 and c.used = false\")\nint use(String code); // 0: 409, in one @Transactional with the credit",
		},
	}
}

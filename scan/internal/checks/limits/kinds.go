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
			Fastness: "// CREATE UNIQUE INDEX ON redemptions (coupon, customer); in the transaction of the credit:\n_, err := tx.Exec(ctx, \"INSERT INTO redemptions (coupon, customer) VALUES (?, ?)\", in.Coupon, in.Caller.ID) // twice is a 409",
			FastAPI:  "db.add(Redemption(coupon_id=c.id, user_id=user.id)); db.flush()  # unique constraint; IntegrityError: 409",
			Express:  "const { rowCount } = await tx.query('UPDATE cards SET used = true WHERE code = $1 AND NOT used', [code]);\nif (rowCount === 0) return res.sendStatus(409);",
			Spring:   "@Modifying @Query(\"update Card c set c.used = true where c.code = ?1 and c.used = false\")\nint use(String code); // 0: 409, in one @Transactional with the credit",
		},
	}
}

func kindSuperlinear() finding.Kind {
	return finding.Kind{
		ID: "RC-03", Title: "A short text takes long",
		Describe: "The time to look at a text grows much faster than the text: a regular expression tries all ways to match what does not match. A few characters keep a processor busy for hours.",
		Severity: finding.High, OWASP: "API4:2023", CWE: 1333, ASVS: []string{"1.3.12", "15.2.2"},
		CVSS: "CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:N/VI:N/VA:H/SC:N/SI:N/SA:N",
		Remedy: finding.Remedy{
			Text:     "Bound the length before anything else looks at the text, and use an expression in which no repetition stands within another, or an engine that needs linear time (RE2).",
			Fastness: "Email string `json:\"email\" format:\"email\" maxLength:\"254\"` // patterns are those of RE2: linear",
			FastAPI:  "email: EmailStr = Field(max_length=254)  # pydantic's own patterns are linear; Python's re is not",
			Express:  "z.string().max(254).email() // and new RE2(…) instead of RegExp for patterns of your own",
			Spring:   "@Size(max = 254) @Email String email // of own patterns: possessive quantifiers, or com.google.re2j",
		},
	}
}

func kindRate() finding.Kind {
	return finding.Kind{
		ID: "RC-04", Title: "Nothing limits how often a caller asks",
		Describe: "A caller is answered as often as they ask. What they may ask for, they may ask for until the target has time for nobody else, or until all of the data is copied.",
		Severity: finding.Info, OWASP: "API4:2023", CWE: 770, ASVS: []string{"2.4.1"},
		Remedy: finding.Remedy{
			Text:     "Count requests by caller, and by address for strangers; answer 429 with Retry-After. Give what is costly a smaller limit of its own.",
			Fastness: `fastness.Post(app, "/reports/", makeReport, access.Role("staff"), ratelimit.Per("10/hour"))`,
			FastAPI:  `@limiter.limit("10/hour")  # slowapi`,
			Express:  "app.use(rateLimit({ windowMs: 60_000, limit: 300 })); // express-rate-limit",
			Spring:   "# a filter with bucket4j, or RequestRateLimiter of Spring Cloud Gateway",
		},
	}
}

func kindBelowZero() finding.Kind {
	return finding.Kind{
		ID: "FLOW-01", Title: "A quantity or a price may be below zero",
		Describe: "Less than none is taken and counted with: what should cost money gives money back, and what should empty a stock fills it.",
		Severity: finding.High, OWASP: "API6:2023", CWE: 840, ASVS: []string{"2.2.1", "2.3.2"},
		CVSS: "CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:N/VI:H/VA:N/SC:N/SI:N/SA:N",
		Remedy: finding.Remedy{
			Text:     "Declare the least and the most that makes sense for each number, and refuse others before anything counts with them; let the database refuse them as well.",
			Fastness: "Quantity int `json:\"quantity\" minimum:\"1\" maximum:\"100\"`",
			FastAPI:  "quantity: int = Field(ge=1, le=100)",
			Express:  "quantity: z.number().int().min(1).max(100)",
			Spring:   "@Min(1) @Max(100) int quantity",
		},
	}
}

func kindOversold() finding.Kind {
	return finding.Kind{
		ID: "FLOW-02", Title: "The last piece is sold more than once",
		Describe: "Between the look at the stock and the sale, other requests find the same piece there.",
		Severity: finding.High, OWASP: "API6:2023", CWE: 362, ASVS: []string{"2.3.4", "15.4.2"},
		CVSS: "CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:N/VI:H/VA:N/SC:N/SI:N/SA:N",
		Remedy: finding.Remedy{
			Text:     "Take the piece and look whether it is there in one statement, within the transaction of the sale, and look at how many rows it changed.",
			Fastness: "_, err := tx.Exec(ctx, \"UPDATE items SET stock = stock - 1 WHERE id = ? AND stock >= 1\", in.Item) // no row: 409",
			FastAPI:  "n = db.query(Item).filter(Item.id == id, Item.stock >= 1).update({Item.stock: Item.stock - 1})\nif n == 0: raise HTTPException(409)",
			Express:  "const { rowCount } = await tx.query('UPDATE items SET stock = stock - 1 WHERE id = $1 AND stock >= 1', [id]);\nif (rowCount === 0) return res.sendStatus(409);",
			Spring:   "@Modifying @Query(\"update Item i set i.stock = i.stock - 1 where i.id = ?1 and i.stock >= 1\")\nint take(long id); // 0: 409",
		},
	}
}

func kindOwnPrice() finding.Kind {
	return finding.Kind{
		ID: "FLOW-03", Title: "The caller says what it costs",
		Describe: "The price comes from the request although the target knows it: who asks pays what they like.",
		Severity: finding.High, OWASP: "API6:2023", CWE: 840, ASVS: []string{"2.2.2", "2.3.2"},
		CVSS: "CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:N/VI:H/VA:N/SC:N/SI:N/SA:N",
		Remedy: finding.Remedy{
			Text:     "Take prices, discounts and totals from the data of the target, never from the request, and refuse members that nobody declared.",
			Fastness: "type NewOrder struct { Item int64 `json:\"item\"`; Quantity int `json:\"quantity\" minimum:\"1\"` } // no price; unknown members are refused",
			FastAPI:  "class NewOrder(BaseModel):\n    model_config = ConfigDict(extra='forbid')\n    item: int\n    quantity: int",
			Express:  "const { itemId, quantity } = NewOrder.strict().parse(req.body); // and the price of the item from the database",
			Spring:   "record NewOrder(long item, @Min(1) int quantity) {} // and item.getPrice()",
		},
	}
}

func kindWrapped() finding.Kind {
	return finding.Kind{
		ID: "FLOW-05", Title: "A large number is kept as another one",
		Describe: "The number is cut to fewer bits: a very large quantity becomes a small one, or one below zero, after it was looked at.",
		Severity: finding.Medium, OWASP: "API6:2023", CWE: 190, ASVS: []string{"1.4.2", "2.2.1"},
		CVSS: "CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:N/VI:L/VA:N/SC:N/SI:N/SA:N",
		Remedy: finding.Remedy{
			Text:     "Declare the most that makes sense for each number and refuse what is above it; convert only with a check.",
			Fastness: "Quantity int32 `json:\"quantity\" minimum:\"1\" maximum:\"1000\"` // what does not fit is refused",
			FastAPI:  "quantity: int = Field(ge=1, le=1000)",
			Express:  "quantity: z.number().int().min(1).max(1000) // never | 0 or >>> 0",
			Spring:   "@Max(1000) long quantity // and Math.toIntExact, not a cast",
		},
	}
}

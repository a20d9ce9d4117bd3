package inject

import "github.com/fastness/fastness/scan/finding"

// The entries of the catalogue: what is run, read or shown.

const highRead = "CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N"

// browser is the vector of what needs a victim who follows a link or looks at a page.
const browser = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:A/VC:N/VI:N/VA:N/SC:L/SI:L/SA:N"

func kindSQLTime() finding.Kind {
	return finding.Kind{
		ID: "IN-03", Title: "SQL injection: the caller makes the database wait",
		Describe: "A value becomes part of a statement of SQL whose outcome nobody sees. By the time that it takes, whoever asks yes-or-no questions reads the whole database.",
		Severity: finding.Critical, OWASP: "API8:2023", CWE: 89, ASVS: []string{"1.2.4"}, CVSS: worst, Remedy: bind(),
	}
}

func kindCommand() finding.Kind {
	return finding.Kind{
		ID: "IN-04", Title: "Command injection",
		Describe: "A value becomes part of a command of the shell. The caller runs what they like on the machine, with all that the program may do.",
		Severity: finding.Critical, OWASP: "API8:2023", CWE: 78, ASVS: []string{"1.2.5"}, CVSS: worst,
		Remedy: finding.Remedy{
			Text:     "Use a library in place of a program. Where a program has to run, start it without a shell, each argument by itself, with -- before those of the caller.",
			Fastness: `exec.CommandContext(ctx, "convert", "--", in.File) // no "sh", "-c"`,
			FastAPI:  `subprocess.run(["convert", "--", file], shell=False, timeout=5)`,
			Express:  `execFile('convert', ['--', file], callback); // not exec`,
			Spring:   `new ProcessBuilder("convert", "--", file).start();`,
		},
	}
}

func kindNoSQL() finding.Kind {
	return finding.Kind{
		ID: "IN-05", Title: "NoSQL injection: operators of the caller are run",
		Describe: "Where a text is meant, an object with operators of the database is taken, as {\"$ne\": null}. It fits everything: log-ins without a password, and what belongs to others.",
		Severity: finding.Critical, OWASP: "API8:2023", CWE: 943, ASVS: []string{"1.2.4"}, CVSS: worst,
		Remedy: finding.Remedy{
			Text:     "Declare the type of each value and refuse others; in filters, say $eq yourself.",
			Fastness: "type SearchIn struct {\n\tCode string `json:\"code\"` // an object is answered with 422\n}",
			FastAPI:  `class Search(BaseModel): code: str  # then find_one({"code": {"$eq": s.code}})`,
			Express:  `if (typeof req.body.code !== 'string') return res.sendStatus(422); // or express-mongo-sanitize`,
			Spring:   `record Search(String code) {} // then Criteria.where("code").is(search.code())`,
		},
	}
}

func kindTemplate() finding.Kind {
	return finding.Kind{
		ID: "IN-06", Title: "Server-side template injection",
		Describe: "The caller writes a part of a template, and the engine runs it. In most engines that leads to any command on the machine.",
		Severity: finding.Critical, OWASP: "API8:2023", CWE: 1336, ASVS: []string{"1.3.7"}, CVSS: worst,
		Remedy: finding.Remedy{
			Text: "Templates are files of the program. Pass what callers write as values; where they need placeholders, replace a fixed list of them.",
			Fastness: `set, err := templates.New(templates.Config{…}) // parsed at start-up, never from a request
return fastness.View[letter]{Template: set.Page("letter"), Body: letter{Name: in.Name}}`,
			FastAPI: `templates.TemplateResponse(request, "mail.html", {"name": name}) # not Template(text)`,
			Express: `res.render('mail', { name }); // not ejs.render(text)`,
			Spring:  `model.addAttribute("name", name); return "mail"; // not a view name or template of the caller`,
		},
	}
}

func kindTraversal() finding.Kind {
	return finding.Kind{
		ID: "IN-07", Title: "Path traversal: files of the machine can be read",
		Describe: "The name of a file leads out of the folder that it is meant for. Whoever asks reads configuration, keys and the source of the program.",
		Severity: finding.High, OWASP: "API8:2023", CWE: 22, ASVS: []string{"5.3.2"}, CVSS: highRead,
		Remedy: finding.Remedy{
			Text: "Keep files under names that the program makes, and find them by an id. Where names of callers are needed, open them below a root that cannot be left.",
			Fastness: `root, err := os.OpenRoot("invoices")
f, err := root.Open(in.File) // .. and links that lead out are refused`,
			FastAPI: `p = (BASE / name).resolve()
if not p.is_relative_to(BASE): raise HTTPException(404)`,
			Express: `res.sendFile(name, { root: BASE }); // refuses to leave it`,
			Spring:  `Path p = base.resolve(name).normalize(); if (!p.startsWith(base)) throw new NotFound();`,
		},
	}
}

func kindEntities() finding.Kind {
	return finding.Kind{
		ID: "IN-08", Title: "XML external entities (XXE)",
		Describe: "The parser of XML replaces entities by files and addresses that the caller names: files of the machine are read, and addresses inside are called.",
		Severity: finding.High, OWASP: "API8:2023", CWE: 611, ASVS: []string{"1.5.1"}, CVSS: highRead,
		Remedy: finding.Remedy{
			Text:     "Refuse documents with a DOCTYPE, or turn external entities off in the parser.",
			Fastness: `err := xml.NewDecoder(r).Decode(&list) // encoding/xml knows no external entities; leave Decoder.Entity nil`,
			FastAPI:  `from defusedxml.ElementTree import fromstring`,
			Express:  `new XMLParser({ processEntities: false })`,
			Spring:   `factory.setFeature("http://apache.org/xml/features/disallow-doctype-decl", true);`,
		},
	}
}

func kindFilter() finding.Kind {
	return finding.Kind{
		ID: "IN-09", Title: "LDAP or XPath injection",
		Describe: "A value becomes part of a filter of a directory, or of an expression about XML. The caller changes what is looked for, and reads what is not meant for them.",
		Severity: finding.High, OWASP: "API8:2023", CWE: 90, ASVS: []string{"1.2.6", "1.2.7"}, CVSS: highRead,
		Remedy: finding.Remedy{
			Text:     "Escape values for filters of LDAP (RFC 4515), or let the library make the filter; bind variables in XPath.",
			Fastness: `filter := "(&(public=TRUE)(name=" + ldap.EscapeFilter(in.Name) + "))"`,
			FastAPI:  `filter_format("(&(public=TRUE)(name=%s))", [name])  # of ldap.filter`,
			Express:  `new EqualityFilter({ attribute: 'name', value: name }) // of ldapjs`,
			Spring:   `LdapQueryBuilder.query().where("public").is("TRUE").and("name").is(name)`,
		},
	}
}

func kindObject() finding.Kind {
	return finding.Kind{
		ID: "IN-10", Title: "Unsafe deserialization",
		Describe: "A value is read as an object of a programming language, with code of the caller's choice in it.",
		Severity: finding.Critical, OWASP: "API8:2023", CWE: 502, ASVS: []string{"1.5.2"}, CVSS: worst,
		Remedy: finding.Remedy{
			Text:     "Take JSON with a schema. Formats that hold objects of a language (pickle, Java serialization, YAML with tags) are for data that only the program itself has written and signed.",
			Fastness: `fastness.Post(app, "/state", save) // the body is JSON of a Go type`,
			FastAPI:  `yaml.safe_load(text)  # and JSON in place of pickle`,
			Express:  `JSON.parse(text) // not node-serialize`,
			Spring:   `objectMapper.readValue(text, State.class) // not ObjectInputStream`,
		},
	}
}

func kindCode() finding.Kind {
	return finding.Kind{
		ID: "IN-11", Title: "Code injection: an expression of the caller is run",
		Describe: "A value is run as an expression of the programming language. The caller runs what they like in the program.",
		Severity: finding.Critical, OWASP: "API8:2023", CWE: 95, ASVS: []string{"1.3.2"}, CVSS: worst,
		Remedy: finding.Remedy{
			Text:     "Never run texts of callers. For formulas, take a parser of formulas that knows numbers and signs alone.",
			Fastness: "type in struct {\n\tValue int `query:\"value\" minimum:\"0\"` // a number, and no text that is run\n}",
			FastAPI:  `ast.literal_eval(text)  # not eval`,
			Express:  `JSON.parse(text) // not eval, new Function or vm`,
			Spring:   `SimpleEvaluationContext.forReadOnlyDataBinding().build() // and no text of callers in parseExpression`,
		},
	}
}

func kindPollution() finding.Kind {
	return finding.Kind{
		ID: "INJ-09", Title: "Prototype pollution",
		Describe: "Members of a body are merged into an object without a look at their names, and __proto__ changes all objects of the program. Depending on what it uses, that ends in rights or commands.",
		Severity: finding.High, OWASP: "API8:2023", CWE: 1321, ASVS: []string{"15.3.6"},
		CVSS: "CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:L/VI:H/VA:H/SC:N/SI:N/SA:N",
		Remedy: finding.Remedy{
			Text:     "Copy the members that are declared, one by one; use Map or objects without a prototype; refuse __proto__, constructor and prototype as names.",
			Fastness: "type in struct {\n\tName string `json:\"name\"` // members that are not declared are a 422\n}",
			FastAPI:  `class Item(BaseModel, extra="forbid"): ...  # and no setattr of names that callers choose`,
			Express:  `const { name, price } = req.body; // not merge({}, req.body); and node --disable-proto=delete`,
			Spring:   `mapper.enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES); // and no BeanUtils.populate of a body`,
		},
	}
}

package access

import "github.com/fastness/fastness/scan/finding"

// The entries of the catalogue.

func kindReadOfOthers() finding.Kind {
	return finding.Kind{
		ID: "AZ-01", Title: "Another user's object can be read",
		Describe: "The operation takes the id of an object and does not ask whose it is. Whoever is logged in reads what belongs to others by changing the id.",
		Severity: finding.High, OWASP: "API1:2023", CWE: 639, ASVS: []string{"8.2.2"},
		CVSS: "CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N",
		Remedy: finding.Remedy{
			Text: "Load the object by its id and its owner in one query, the owner being the caller that the log-in says, never a value of the request; answer 404 when there is none.",
			Fastness: `fastness.Get(app, "/orders/{id}", readOrder, access.Object("its owner", func(_ context.Context, u auth.User, o *Order) error {
	if o.Owner != u.ID {
		return access.Hidden()
	}
	return nil
}))`,
			FastAPI: `order = db.query(Order).filter(Order.id == id, Order.owner_id == user.id).one_or_none()
if order is None: raise HTTPException(404)`,
			Express: `const order = await Order.findOne({ where: { id: req.params.id, ownerId: req.user.id } });
if (!order) return res.sendStatus(404);`,
			Spring: `@PostAuthorize("returnObject.owner == authentication.name")
Order read(long id) { … } // or: repository.findByIdAndOwner(id, user.getId()).orElseThrow(NotFound::new)`,
		},
	}
}

func kindListOfOthers() finding.Kind {
	return finding.Kind{
		ID: "AZ-08", Title: "A list holds objects of other users",
		Describe: "What is refused one by one is given away in a list, a search or a filter.",
		Severity: finding.High, OWASP: "API1:2023", CWE: 639, ASVS: []string{"8.2.2"},
		CVSS: "CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N",
		Remedy: finding.Remedy{
			Text: "Load the object by its id and its owner in one query, the owner being the caller that the log-in says, never a value of the request; answer 404 when there is none.",
			Fastness: `fastness.Get(app, "/orders/{id}", readOrder, access.Object("its owner", func(_ context.Context, u auth.User, o *Order) error {
	if o.Owner != u.ID {
		return access.Hidden()
	}
	return nil
}))`,
			FastAPI: `order = db.query(Order).filter(Order.id == id, Order.owner_id == user.id).one_or_none()
if order is None: raise HTTPException(404)`,
			Express: `const order = await Order.findOne({ where: { id: req.params.id, ownerId: req.user.id } });
if (!order) return res.sendStatus(404);`,
			Spring: `@PostAuthorize("returnObject.owner == authentication.name")
Order read(long id) { … } // or: repository.findByIdAndOwner(id, user.getId()).orElseThrow(NotFound::new)`,
		},
	}
}

func kindWriteToOthers() finding.Kind {
	return finding.Kind{
		ID: "AZ-02", Title: "Another user's object can be changed",
		Describe: "The operation changes an object by its id and does not ask whose it is.",
		Severity: finding.Critical, OWASP: "API1:2023", CWE: 639, ASVS: []string{"8.2.2"},
		CVSS: "CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:L/VI:H/VA:L/SC:N/SI:N/SA:N",
		Remedy: finding.Remedy{
			Text: "Load the object by its id and its owner in one query, the owner being the caller that the log-in says, never a value of the request; answer 404 when there is none.",
			Fastness: `fastness.Get(app, "/orders/{id}", readOrder, access.Object("its owner", func(_ context.Context, u auth.User, o *Order) error {
	if o.Owner != u.ID {
		return access.Hidden()
	}
	return nil
}))`,
			FastAPI: `order = db.query(Order).filter(Order.id == id, Order.owner_id == user.id).one_or_none()
if order is None: raise HTTPException(404)`,
			Express: `const order = await Order.findOne({ where: { id: req.params.id, ownerId: req.user.id } });
if (!order) return res.sendStatus(404);`,
			Spring: `@PostAuthorize("returnObject.owner == authentication.name")
Order read(long id) { … } // or: repository.findByIdAndOwner(id, user.getId()).orElseThrow(NotFound::new)`,
		},
	}
}

func kindWriteForOthers() finding.Kind {
	return finding.Kind{
		ID: "AZ-04", Title: "A request can name another user as its owner",
		Describe: "The operation takes the identity of whose something is from the request, and not from the log-in.",
		Severity: finding.High, OWASP: "API1:2023", CWE: 639, ASVS: []string{"8.2.2"},
		CVSS: "CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:L/VI:H/VA:N/SC:N/SI:N/SA:N",
		Remedy: finding.Remedy{
			Text: "Load the object by its id and its owner in one query, the owner being the caller that the log-in says, never a value of the request; answer 404 when there is none.",
			Fastness: `fastness.Get(app, "/orders/{id}", readOrder, access.Object("its owner", func(_ context.Context, u auth.User, o *Order) error {
	if o.Owner != u.ID {
		return access.Hidden()
	}
	return nil
}))`,
			FastAPI: `order = db.query(Order).filter(Order.id == id, Order.owner_id == user.id).one_or_none()
if order is None: raise HTTPException(404)`,
			Express: `const order = await Order.findOne({ where: { id: req.params.id, ownerId: req.user.id } });
if (!order) return res.sendStatus(404);`,
			Spring: `@PostAuthorize("returnObject.owner == authentication.name")
Order read(long id) { … } // or: repository.findByIdAndOwner(id, user.getId()).orElseThrow(NotFound::new)`,
		},
	}
}

func kindDeleteOfOthers() finding.Kind {
	return finding.Kind{
		ID: "AZ-03", Title: "Another user's object can be removed",
		Describe: "The operation removes an object by its id and does not ask whose it is.",
		Severity: finding.Critical, OWASP: "API1:2023", CWE: 639, ASVS: []string{"8.2.2"},
		CVSS: "CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:N/VI:H/VA:H/SC:N/SI:N/SA:N",
		Remedy: finding.Remedy{
			Text: "Load the object by its id and its owner in one query, the owner being the caller that the log-in says, never a value of the request; answer 404 when there is none.",
			Fastness: `fastness.Get(app, "/orders/{id}", readOrder, access.Object("its owner", func(_ context.Context, u auth.User, o *Order) error {
	if o.Owner != u.ID {
		return access.Hidden()
	}
	return nil
}))`,
			FastAPI: `order = db.query(Order).filter(Order.id == id, Order.owner_id == user.id).one_or_none()
if order is None: raise HTTPException(404)`,
			Express: `const order = await Order.findOne({ where: { id: req.params.id, ownerId: req.user.id } });
if (!order) return res.sendStatus(404);`,
			Spring: `@PostAuthorize("returnObject.owner == authentication.name")
Order read(long id) { … } // or: repository.findByIdAndOwner(id, user.getId()).orElseThrow(NotFound::new)`,
		},
	}
}

func kindNoLogIn() finding.Kind {
	return finding.Kind{
		ID: "AU-01", Title: "What needs a log-in is answered without one",
		Describe: "The operation is meant for users who are logged in and answers everybody.",
		Severity: finding.Critical, OWASP: "API2:2023", CWE: 306, ASVS: []string{"8.3.1"},
		CVSS: "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N",
		Remedy: finding.Remedy{
			Text:     "Refuse every request without a valid log-in before it reaches the operation: make that the rule of the whole API, and list what is public.",
			Fastness: `fastness.Get(app, "/orders/", listOrders, access.Authenticated) // an operation without a rule does not start`,
			FastAPI:  "app = FastAPI(dependencies=[Depends(current_user)])  # and routers of their own for what is public",
			Express:  "app.use('/api', requireLogIn); // before the routes; public ones are mounted above it",
			Spring:   `http.authorizeHttpRequests(a -> a.requestMatchers("/public/**").permitAll().anyRequest().authenticated());`,
		},
	}
}

func kindAnonymousWrite() finding.Kind {
	return finding.Kind{
		ID: "AU-11", Title: "Changes need no log-in",
		Describe: "The operation changes data for callers who are not logged in, although it is meant for those who are.",
		Severity: finding.Critical, OWASP: "API2:2023", CWE: 306, ASVS: []string{"8.3.1"},
		CVSS: "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:H/VA:L/SC:N/SI:N/SA:N",
		Remedy: finding.Remedy{
			Text:     "Refuse every request without a valid log-in before it reaches the operation: make that the rule of the whole API, and list what is public.",
			Fastness: `fastness.Get(app, "/orders/", listOrders, access.Authenticated) // an operation without a rule does not start`,
			FastAPI:  "app = FastAPI(dependencies=[Depends(current_user)])  # and routers of their own for what is public",
			Express:  "app.use('/api', requireLogIn); // before the routes; public ones are mounted above it",
			Spring:   `http.authorizeHttpRequests(a -> a.requestMatchers("/public/**").permitAll().anyRequest().authenticated());`,
		},
	}
}

func kindFunction() finding.Kind {
	return finding.Kind{
		ID: "AZ-06", Title: "Ordinary users may do what is for admins",
		Describe: "The operation is meant for users with more rights, and does not check them.",
		Severity: finding.High, OWASP: "API5:2023", CWE: 285, ASVS: []string{"8.2.1"},
		CVSS: "CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:H/VI:H/VA:N/SC:N/SI:N/SA:N",
		Remedy: finding.Remedy{
			Text:     "Check the role of the caller at the operation, deny by default, and test each operation of admins as an ordinary user.",
			Fastness: `admin := app.Group("/admin", access.Role("admin"))`,
			FastAPI:  `admin = APIRouter(prefix="/admin", dependencies=[Depends(require_role("admin"))])`,
			Express:  "router.use('/admin', requireRole('admin'));",
			Spring:   `@PreAuthorize("hasRole('ADMIN')")`,
		},
	}
}

func kindCreateWithMore() finding.Kind {
	return finding.Kind{
		ID: "BP-01", Title: "Members that are not for callers can be set when something is made",
		Describe: "The request is bound to the stored object as it is: members that the document does not name, such as a role or a balance, are kept.",
		Severity: finding.High, OWASP: "API3:2023", CWE: 915, ASVS: []string{"8.2.3"},
		CVSS: "CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:N/VI:H/VA:N/SC:N/SI:N/SA:N",
		Remedy: finding.Remedy{
			Text:     "Read requests into a type of their own that has only what callers may set, and refuse unknown members.",
			Fastness: "type NewUser struct { Name string `json:\"name\"` } // unknown members are a 422; Role is not here\n// or, in one type: Role string `json:\"role\" writableBy:\"admin\"`",
			FastAPI: `class UserIn(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str  # no role here`,
			Express: `const { name } = req.body;          // never User.create(req.body)
await User.create({ name });`,
			Spring: "record NewUser(@NotBlank String name) {} // never bind the entity itself",
		},
	}
}

func kindUpdateWithMore() finding.Kind {
	return finding.Kind{
		ID: "BP-02", Title: "Members that are not for callers can be changed",
		Describe: "The request is bound to the stored object as it is: members that the document does not name, such as a role or a balance, are changed.",
		Severity: finding.High, OWASP: "API3:2023", CWE: 915, ASVS: []string{"8.2.3"},
		CVSS: "CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:N/VI:H/VA:N/SC:N/SI:N/SA:N",
		Remedy: finding.Remedy{
			Text:     "Read requests into a type of their own that has only what callers may set, and refuse unknown members.",
			Fastness: "type NewUser struct { Name string `json:\"name\"` } // unknown members are a 422; Role is not here\n// or, in one type: Role string `json:\"role\" writableBy:\"admin\"`",
			FastAPI: `class UserIn(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str  # no role here`,
			Express: `const { name } = req.body;          // never User.create(req.body)
await User.create({ name });`,
			Spring: "record NewUser(@NotBlank String name) {} // never bind the entity itself",
		},
	}
}

func kindGrantSelf() finding.Kind {
	return finding.Kind{
		ID: "AZ-07", Title: "Users can give themselves rights",
		Describe: "A user changes their own role, and it is kept.",
		Severity: finding.Critical, OWASP: "API3:2023", CWE: 269, ASVS: []string{"8.2.3"},
		CVSS: "CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
		Remedy: finding.Remedy{
			Text:     "Read requests into a type of their own that has only what callers may set, and refuse unknown members.",
			Fastness: "type NewUser struct { Name string `json:\"name\"` } // unknown members are a 422; Role is not here\n// or, in one type: Role string `json:\"role\" writableBy:\"admin\"`",
			FastAPI: `class UserIn(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str  # no role here`,
			Express: `const { name } = req.body;          // never User.create(req.body)
await User.create({ name });`,
			Spring: "record NewUser(@NotBlank String name) {} // never bind the entity itself",
		},
	}
}

func kindTakeOver() finding.Kind {
	return finding.Kind{
		ID: "AZ-05", Title: "Another user's account can be taken over",
		Describe: "A user sets the password of another one, and logs in as them.",
		Severity: finding.Critical, OWASP: "API1:2023", CWE: 620, ASVS: []string{"6.2.3"},
		CVSS: "CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
		Remedy: finding.Remedy{
			Text:     "Change a password only for the caller of the request, and ask for the current one.",
			Fastness: "identity.New(identity.Config{}).Declare(app) // PUT /me/password takes the current password, of the caller only",
			FastAPI: `def change(data: PasswordIn, user: User = Depends(current_user)):
    if not verify(data.current, user.hash): raise HTTPException(403)`,
			Express: `const user = await User.findByPk(req.user.id); // not req.params.id
if (!await argon2.verify(user.hash, req.body.current)) return res.sendStatus(403);`,
			Spring: `if (!encoder.matches(form.current(), me.getHash())) throw new AccessDeniedException("current password");`,
		},
	}
}

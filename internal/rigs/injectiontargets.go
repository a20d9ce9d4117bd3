package main

// target is a request whose marked values are attacked: a "*" stands behind each.
type target struct {
	op   string // as the document has it, or any other name
	line string // method and target
	head []string
	body string
	// status is what the request is answered with as it is, without marks. One that
	// gets no further than a check of its values would be attacked in vain.
	status int
	// shut says why sqlmap cannot attack some of the values that the document has.
	shut string
}

const (
	asRoot   = "Authorization: Bearer {token}"
	ownPage  = "Sec-Fetch-Site: same-origin"
	asVictim = "Authorization: Bearer {victim}"
	isJSON   = "Content-Type: application/json"
	isForm   = "Content-Type: application/x-www-form-urlencoded"
)

// shopTargets are the operations of the shop that take any input. Names in braces are
// filled in; see prepare. No two have the same path and the same names of values: sqlmap
// takes them for one. Reports of browsers (/csp-reports) reach no database, and are limited
// by client as nobody can change.
func shopTargets() []target {
	return append(append(itemTargets(), orderTargets()...), userTargets()...)
}

func itemTargets() []target {
	return []target{
		{op: "GET /items/", line: "GET /items/?limit=20*&offset=0*", status: 200},
		{op: "POST /items/", line: "POST /items/", head: []string{asRoot, isJSON}, status: 201,
			body: `{"name":"Lamp*","description":"Brass*","price":42.5*,"tax":8*,"cost":30*,"stock":12*,"draft":false*}`},
		{op: "GET /items/export", line: "GET /items/export?after=0*", head: []string{asRoot}, status: 200},
		{op: "GET /items/live", line: "GET /items/live?after=x*", head: []string{"Last-Event-ID: x*"}, status: 422},
		{op: "GET /admin/orders/live", line: "GET /admin/orders/live?after=x*", head: []string{asRoot, "Last-Event-ID: x*"}, status: 422},
		{op: "GET /items/{item_id}", line: "GET /items/{item}*?q=lamp*", head: []string{"User-Agent: rigs*", "Accept-Language: de*", "Referer: /items*", "X-Forwarded-For: 192.0.2.1*"}, status: 200},
		{op: "PUT /items/{item_id}", line: "PUT /items/{item}*", head: []string{asRoot, isJSON}, status: 200,
			body: `{"name":"Lamp*","description":"Brass*","price":42.5*,"tax":8*,"cost":30*,"stock":900000*}`},
		{op: "PATCH /items/{item_id}", line: "PATCH /items/{other}*", head: []string{asRoot, isJSON}, status: 200,
			body: `{"name":"Lamp*","description":"Brass*","price":42.5*,"tax":8*,"cost":30*,"stock":900000*,"draft":false*}`},
		{op: "DELETE /items/{item_id}", line: "DELETE /items/999001*", head: []string{asRoot}, status: 404},
		{op: "GET /items/{item_id}/picture", line: "GET /items/{item}*/picture", status: 404},
		{op: "PUT /items/{item_id}/picture", line: "PUT /items/{item}*/picture", head: []string{asRoot, "Content-Type: multipart/form-data; boundary=edge"}, status: 422,
			body: "--edge\r\nContent-Disposition: form-data; name=\"picture\"; filename=\"lamp*.png\"\r\nContent-Type: image/png\r\n\r\nlamp\r\n--edge--\r\n"},
		{op: "DELETE /items/{item_id}/picture", line: "DELETE /items/{other}*/picture", head: []string{asRoot}, status: 204},
		{op: "GET /items/{item_id}/page", line: "GET /items/{item}*/page?offset=0*", status: 200},
		{op: "GET /items/{item_id}/reviews", line: "GET /items/{item}*/reviews?limit=20*&offset=0*", status: 200},
		{op: "POST /items/{item_id}/reviews", line: "POST /items/{item}*/reviews", head: []string{asRoot, isJSON}, status: 201,
			body: `{"stars":5*,"title":"Bright*","text":"It shines.*"}`},
		{op: "the form of a review", line: "POST /items/{other}*/reviews/form", head: []string{asRoot, isForm}, status: 200, body: "stars=5*&title=Bright*&text=It shines*"},
		{op: "DELETE /items/{item_id}/reviews/{review_id}", line: "DELETE /items/{item}*/reviews/999001*", head: []string{asRoot}, status: 404},
		{op: "the button that removes a review", line: "POST /items/{item}*/reviews/999001*/delete", head: []string{asRoot, isForm}, body: "next=/*", status: 404},
		{op: "GET /ws/items/{item_id}", shut: "sqlmap speaks no WebSocket; the item is loaded as GET /items/{item_id} loads it, and the event's id read as GET /items/live reads it"},
	}
}

func orderTargets() []target {
	return []target{
		{op: "GET /orders", line: "GET /orders?limit=1*&sort=-created*&cursor={cursor}*", head: []string{asRoot}, status: 200},
		{op: "POST /orders", line: "POST /orders", head: []string{asRoot, isJSON}, status: 201, body: `{"item_id":{item}*,"quantity":1*,"note":"wrapped*"}`},
		{op: "POST /orders", line: "POST /orders", head: []string{asRoot, isJSON, `Idempotency-Key: "0195c8a1-5d0f-7c3e-9a57-2f6f3b0d1e11*"`}, status: 201, body: `{"item_id":{item},"quantity":1,"note":"wrapped"}`},
		{op: "GET /orders/history", line: "GET /orders/history?limit=1*&sort=-created*", head: []string{"Cookie: __Host-session={session}*", ownPage}, status: 200},
		{op: "GET /orders/history", line: "GET /orders/history?limit=1*&sort=-created*&cursor={history}*", head: []string{asRoot}, status: 200},
		{op: "GET /orders/{order_id}", line: "GET /orders/{order}*", head: []string{asRoot}, status: 200, shut: "sqlmap leaves If-None-Match out of requests"},
		{op: "PATCH /orders/{order_id}", line: "PATCH /orders/{order}*", head: []string{asRoot, "Content-Type: application/merge-patch+json", `If-Match: {etag}*`}, status: 200, body: `{"note":"wrapped*","status":"open*"}`},
		{op: "the button that buys", line: "POST /items/{item}*/buy", head: []string{asRoot, isForm}, status: 200, body: "quantity=1*"},
	}
}

// sqlmap leaves the header X-CSRF-Token as it is; the cookie beside it holds the same kind of text.
func userTargets() []target {
	const wrong = "wrong horse battery staple"
	return []target{
		{op: "POST /token", line: "POST /token", head: []string{isForm}, status: 200, body: "grant_type=password*&username=buyer*&password=" + rootPassword + "*&scope=orders*&client_id=shop*&otp=123456*"},
		{op: "POST /token", line: "POST /token", head: []string{isForm}, status: 401, body: "grant_type=refresh_token&refresh_token=nothing*&client_id=shop&client_secret=nothing*"},
		{op: "POST /token/refresh", line: "POST /token/refresh", head: []string{isForm}, status: 200, body: "refresh_token={refresh}*&scope=orders*&grant_type=refresh_token*&client_id=shop*"},
		{op: "POST /token/refresh", line: "POST /token/refresh", head: []string{isForm}, status: 401, body: "refresh_token=nothing&client_id=shop&client_secret=nothing*"},
		{op: "POST /revoke", line: "POST /revoke", head: []string{isForm}, status: 200, body: "token=nothing*&token_type_hint=refresh_token*&client_id=shop*"},
		{op: "POST /revoke", line: "POST /revoke", head: []string{isForm}, status: 401, body: "token=nothing&client_id=shop&client_secret=nothing*"},
		{op: "GET /login", line: "GET /login?next=/orders*&problem=credentials*", status: 200},
		{op: "POST /session", line: "POST /session", head: []string{isJSON, ownPage}, status: 204, body: `{"username":"buyer*","password":"` + rootPassword + `*","otp":"123456*"}`},
		{op: "POST /logout", line: "POST /logout", head: []string{asVictim, isJSON}, status: 422, body: `{"everywhere":"no*"}`},
		{op: "GET /me", line: "GET /me", head: []string{"Cookie: __Host-session={session}*; other=value*", ownPage}, status: 200},
		{op: "GET /protected_route", line: "GET /protected_route", head: []string{"Authorization: Bearer {token}*"}, status: 200},
		{op: "GET /protected", line: "GET /protected", head: []string{"X-API-Key: {key}*"}, status: 200},
		{op: "PUT /me/password", line: "PUT /me/password", head: []string{asVictim, isJSON}, status: 403, body: `{"current_password":"` + wrong + `*","new_password":"another horse battery staple*"}`},
		{op: "DELETE /me/sessions/{session_id}", line: "DELETE /me/sessions/AAAAAAAAAAAAAAAAAAAAAAAAAA*", head: []string{asRoot}, status: 404},
		{op: "POST /me/second-factor", line: "POST /me/second-factor", head: []string{asVictim, isJSON}, status: 403, body: `{"password":"` + wrong + `*"}`},
		{op: "POST /me/second-factor/confirm", line: "POST /me/second-factor/confirm", head: []string{asVictim, isJSON}, status: 409, body: `{"code":"123456*"}`},
		{op: "POST /me/second-factor/recovery-codes", line: "POST /me/second-factor/recovery-codes", head: []string{asVictim, isJSON}, status: 403, body: `{"password":"` + wrong + `*","code":"123456*"}`},
		{op: "POST /me/second-factor/remove", line: "POST /me/second-factor/remove", head: []string{asVictim, isJSON}, status: 403, body: `{"password":"` + wrong + `*","code":"123456*"}`},
		{op: "POST /me/api-keys", line: "POST /me/api-keys", head: []string{asRoot, isJSON}, status: 201, body: `{"name":"robot*","scopes":["items*"],"days":30*}`},
		{op: "DELETE /me/api-keys/{key_id}", line: "DELETE /me/api-keys/AAAAAAAAAAAAAAAAAAAAAAAAAA*", head: []string{asRoot}, status: 404},
		{op: "GET /users", line: "GET /users?after=AAAAAAAAAAAAAAAAAAAAAAAAAA*&limit=20*", head: []string{asRoot}, status: 200},
		{op: "POST /users", line: "POST /users", head: []string{asRoot, isJSON}, status: 201, body: `{"name":"seller*","password":"` + wrong + `*","roles":["customer*"],"tenant":"castle*"}`},
		{op: "GET /users/{user_id}", line: "GET /users/{user}*", head: []string{asRoot}, status: 200},
		{op: "DELETE /users/{user_id}", line: "DELETE /users/AAAAAAAAAAAAAAAAAAAAAAAAAA*", head: []string{asRoot}, status: 404},
		{op: "PATCH /users/{user_id}", line: "PATCH /users/{user}*", head: []string{asRoot, isJSON}, status: 200, body: `{"roles":["customer*"],"disabled":false*,"locked_until":null*,"password":"` + rootPassword + `*","second_factor":false*}`},
		{op: "POST /users/first", line: "POST /users/first", head: []string{isJSON}, status: 403, body: `{"name":"first*","password":"` + wrong + `*","token":"nothing*"}`},
		{op: "POST /sign-up", line: "POST /sign-up", head: []string{isJSON}, status: 201, body: `{"name":"stranger*","password":"` + wrong + `*"}`},
		{op: "POST /me/passkeys", line: "POST /me/passkeys", head: []string{asRoot, isJSON}, status: 422, body: `{"name":"phone*","credential":{"id":"AAAA*","rawId":"AAAA*","type":"public-key*"}}`},
		{op: "POST /passkeys/session", line: "POST /passkeys/session", head: []string{isJSON, ownPage}, status: 401, body: `{"credential":{"id":"AAAA*","rawId":"AAAA*","type":"public-key*","response":{"clientDataJSON":"AAAA*","authenticatorData":"AAAA*","signature":"AAAA*","userHandle":"AAAA*"}}}`},
		{op: "DELETE /me/passkeys/{passkey_id}", line: "DELETE /me/passkeys/AAAAAAAAAAAAAAAAAAAAAAAAAA*", head: []string{asRoot}, status: 404},
		{op: "GET /passkeys/login", line: "GET /passkeys/login?next=/*", status: 200},
		{op: "GET /passkeys", line: "GET /passkeys?next=/*", head: []string{"Cookie: __Host-session={session}*", ownPage}, status: 200},
		{op: "authorization of other programs", line: "GET /oauth/authorize?client_id=docs*&response_type=code*&redirect_uri={url}/docs/oauth2-redirect.html*&scope=openid*&state=abc*&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM*&code_challenge_method=S256*", status: 0},
		{op: "codes of other programs", line: "POST /oauth/token", head: []string{isForm}, status: 0, body: "grant_type=authorization_code*&code=nothing*&client_id=docs*&code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk*&redirect_uri=https://localhost/docs*"},
		{op: "POST /create_item/", line: "POST /create_item/", head: []string{isJSON}, status: 200, body: `{"name":"Lamp*","description":"Brass*"}`},
		{op: "GET /read_item/{item_id}", line: "GET /read_item/7*", head: []string{"User-Agent: rigs*", "X-Anything: value*", "Cookie: any=value*"}, status: 200},
		{op: "POST /secure", line: "POST /secure", head: []string{"X-CSRF-Token: {csrf}", "Cookie: __Host-csrf={csrfcookie}*", "Sec-Fetch-Site: same-origin*"}, status: 200},
	}
}

// injectableTargets are the places of a request in which the opposite of the shop can
// be injected.
func injectableTargets() []target {
	return []target{
		{op: "query", line: "GET /query?name=Lamp*"},
		{op: "path", line: "GET /path/Lamp*"},
		{op: "form", line: "POST /form", head: []string{isForm}, body: "name=Lamp*"},
		{op: "json", line: "POST /json", head: []string{isJSON}, body: `{"name":"Lamp*"}`},
		{op: "header", line: "GET /header", head: []string{"X-Name: Lamp*"}},
		{op: "cookie", line: "GET /cookie", head: []string{"Cookie: name=Lamp*"}},
	}
}

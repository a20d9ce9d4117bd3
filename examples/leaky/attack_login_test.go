package main

import (
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"strings"
	"time"

	"crypto/rsa"
	"crypto/x509"
)

// logInAttacks are on how users log in and out.
func logInAttacks() map[string]func(*target) {
	return map[string]func(*target){
		"LK-07": func(x *target) {
			x.want(x.get(x.logIn("test", "test"), "/v2/admin/users").status == 200, "test is an administrator")
		},
		"LK-08": func(x *target) {
			link := x.get(x.alice, "/v2/me/downloads").at("orders")
			a := x.get(nil, link)
			x.want(strings.Contains(link, "access_token=") && a.status == 200 && strings.Contains(a.text, `"orders"`), "the link works for who has it", a)
		},
		"LK-09": func(x *target) {
			u := x.user()
			a := x.send(nil, "POST", "/v2/me/address", "address=Pit", "Content-Type", "application/x-www-form-urlencoded", "Cookie", u.cookie, "Origin", "https://evil.example")
			x.want(a.status == 200 && x.get(u, "/v2/me").at("address") == "Pit", "the address is changed", a)
		},
		"LK-17": func(x *target) {
			name := random()
			a := x.send(nil, "POST", "/v2/auth/register", `{"username":"`+name+`","password":"1"}`)
			x.want(a.status == 201 && x.logIn(name, "1").id > 0, "1 is a password", a)
		},
		"LK-19": func(x *target) {
			for i := range 30 {
				a := x.send(nil, "POST", "/v2/auth/login", fmt.Sprintf(`{"username":"alice","password":"guess %d"}`, i))
				x.want(a.status == 401, "the guess is answered", a)
			}
			x.logIn("alice", "Lantern-Alice-1")
		},
		"LK-20": func(x *target) {
			known := x.send(nil, "POST", "/v2/auth/login", `{"username":"alice","password":"x"}`)
			unknown := x.send(nil, "POST", "/v2/auth/login", `{"username":"nobody","password":"x"}`)
			x.want(known.status == 401 && unknown.status == 404, "the answers differ", known, unknown)
		},
		"LK-21": func(x *target) {
			cookie := x.send(nil, "POST", "/v2/auth/login", `{"username":"alice","password":"Lantern-Alice-1"}`).header.Get("Set-Cookie")
			x.want(strings.HasPrefix(cookie, "session=") && !strings.Contains(cookie, "HttpOnly") && !strings.Contains(cookie, "Secure") && !strings.Contains(cookie, "SameSite"), cookie)
		},
		"LK-22": func(x *target) {
			for range 2 {
				a := x.send(nil, "POST", "/v2/auth/refresh", `{"refresh_token":"`+x.alice.refresh+`"}`)
				x.want(a.status == 200 && a.at("access_token") != "", "it is good again", a)
			}
		},
		"LK-23": func(x *target) {
			u := x.user()
			x.want(x.send(u, "POST", "/v2/auth/logout", "", "Cookie", u.cookie).status == 204, "logged out")
			x.want(x.get(u, "/v2/me").status == 200, "and still in")
			x.want(x.get(nil, "/v2/me", "Cookie", u.cookie).status == 401, "the cookie is dead")
		},
		"LK-24": func(x *target) {
			u := x.user()
			a := x.send(nil, "POST", "/v2/auth/forgot", `{"username":"`+u.name+`"}`, "X-Forwarded-Host", "evil.example")
			x.want(strings.HasPrefix(a.at("link"), "http://evil.example/"), "the link leads there", a)
		},
		"LK-25": func(x *target) {
			try := func(from string) int {
				return x.send(nil, "POST", "/v2/auth/reset", `{"username":"alice","code":"x","new_password":"x"}`, "X-Forwarded-For", from).status
			}
			from, last := random(), 0
			for range 40 { // A window may end in between.
				if last = try(from); last == 429 {
					break
				}
			}
			x.want(last == 429 && try(random()) == 400, fmt.Sprintf("%d, then another address", last))
		},
	}
}

// forge makes a token out of anything.
func forge(key []byte, head, claims map[string]any) string {
	part := func(v any) string {
		data, _ := json.Marshal(v)
		return base64.RawURLEncoding.EncodeToString(data)
	}
	text := part(head) + "." + part(claims)
	if key == nil {
		return text + "."
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(mac(key, text))
}

// passes says whether a token is taken for alice's, and garbage is not.
func (x *target) passes(token string) {
	x.Helper()
	a := x.get(&who{token: token}, "/v2/me")
	x.want(a.status == 200 && a.at("username") == "alice", "the forged token is alice's", a)
	x.want(x.get(&who{token: token + "x.y"}, "/v2/me").status == 401, "garbage is refused")
}

// tokenAttacks are on access tokens.
func tokenAttacks() map[string]func(*target) {
	soon := time.Now().Add(time.Hour).Unix()
	alices := func(x *target) map[string]any { return map[string]any{"sub": x.alice.id, "exp": soon} }
	ours := map[string]any{"alg": "HS256", "typ": "JWT", "kid": "default.key"}
	return map[string]func(*target){
		"LK-26": func(x *target) {
			parts := strings.Split(x.bob.token, ".")
			for _, word := range strings.Fields("password 123456 letmein changeme secret jwt_secret secret123") {
				if base64.RawURLEncoding.EncodeToString(mac([]byte(word), parts[0]+"."+parts[1])) == parts[2] {
					x.passes(forge([]byte(word), ours, alices(x)))
					return
				}
			}
			x.Fatal("no word of the list is the secret")
		},
		"LK-27": func(x *target) {
			x.passes(forge([]byte("secret123"), ours, map[string]any{"sub": x.alice.id, "exp": 1}))
		},
		"LK-28": func(x *target) {
			x.passes(forge([]byte("secret123"), ours, map[string]any{"sub": x.alice.id, "exp": soon, "iss": "evil", "aud": "another"}))
		},
		"LK-29": func(x *target) {
			x.passes(forge(nil, map[string]any{"alg": "none"}, alices(x)))
			x.passes(forge(nil, map[string]any{"alg": "nOnE"}, alices(x)))
		},
		"LK-30": func(x *target) {
			x.passes(forge([]byte{}, map[string]any{"alg": "HS256", "kid": "../../../../../../../../../../dev/null"}, alices(x)))
		},
		"LK-31": func(x *target) {
			keys := x.get(nil, "/v2/auth/jwks.json")
			n, _ := base64.RawURLEncoding.DecodeString(keys.at("keys", 0, "n"))
			der, _ := x509.MarshalPKIXPublicKey(&rsa.PublicKey{N: new(big.Int).SetBytes(n), E: 65537})
			text := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
			x.passes(forge(text, map[string]any{"alg": "HS256", "kid": keys.at("keys", 0, "kid")}, alices(x)))
		},
		"LK-32": func(x *target) {
			parts := strings.Split(x.bob.token, ".")
			forged := strings.Split(forge(nil, ours, alices(x)), ".")
			changed := parts[0] + "." + forged[1] + "." + parts[2]
			a := x.get(&who{token: changed}, "/v2/me/export")
			x.want(a.at("user", "username") == "alice", "alice's data", a)
			x.want(x.get(&who{token: changed}, "/v2/me").status == 401 && x.get(nil, "/v2/me/export").status == 401, "elsewhere the signature counts")
		},
	}
}

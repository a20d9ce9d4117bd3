package token

import "github.com/fastness/fastness/scan/finding"

// verifyRemedy says how a token is verified.
func verifyRemedy(text string) finding.Remedy {
	return finding.Remedy{
		Text: text,
		Fastness: `verifier, err := token.NewVerifier(token.VerifierConfig{Issuer: issuer, Audience: audience, Keys: ring})
bearer, err := token.NewBearer(token.BearerConfig{Verifiers: []*token.Verifier{verifier}})
app.Authenticate(bearer)`,
		FastAPI: `claims = jwt.decode(token, key, algorithms=["EdDSA"], audience="shop", issuer="https://login.example",
    options={"require": ["exp", "iss", "aud", "sub"]})`,
		Express: `const claims = jwt.verify(token, publicKey, { algorithms: ["EdDSA"], audience: "shop", issuer: "https://login.example" });`,
		Spring:  `http.oauth2ResourceServer(o -> o.jwt(j -> j.decoder(JwtDecoders.fromIssuerLocation("https://login.example"))));`,
	}
}

const wholeAccount = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:L/SC:N/SI:N/SA:N"

func kindNotVerified() finding.Kind {
	return finding.Kind{
		ID: "JW-01", Title: "The signature of tokens is not verified",
		Describe: "The operation reads the claims of a token and does not verify who made it: anybody writes a token for any user.",
		Severity: finding.Critical, OWASP: "API2:2023", CWE: 347, ASVS: []string{"9.1.1"}, CVSS: wholeAccount,
		Remedy: verifyRemedy("Verify the signature of each token, in each service that reads it, with a library that does not return claims before."),
	}
}

func kindNoAlgorithm() finding.Kind {
	return finding.Kind{
		ID: "JW-02", Title: "Tokens without a signature are accepted",
		Describe: `The head of a token says how it is signed, and "none" is believed: anybody writes a token for any user.`,
		Severity: finding.Critical, OWASP: "API2:2023", CWE: 347, ASVS: []string{"9.1.1", "9.1.2"}, CVSS: wholeAccount,
		Remedy: verifyRemedy(`Let the configuration say which algorithms there are, one for each key, and never the token. Do not take "none".`),
	}
}

func kindWeakSecret() finding.Kind {
	return finding.Kind{
		ID: "JW-03", Title: "Tokens are signed with a secret that can be guessed",
		Describe: "Whoever has one token tries secrets at home, millions a second. With the right one, they write a token for any user.",
		Severity: finding.Critical, OWASP: "API2:2023", CWE: 326, ASVS: []string{"9.1.3", "11.2.3"}, CVSS: wholeAccount,
		Remedy: verifyRemedy("Sign with an asymmetric key, or with a secret of at least 32 random bytes that is neither in the code nor in an example. Replace the secret at once: all tokens that were made with it are void."),
	}
}

func kindConfusion() finding.Kind {
	return finding.Kind{
		ID: "JW-04", Title: "A public key is taken for a secret",
		Describe: "The head of a token chooses the algorithm. With HS256 the public key, which everybody has, becomes the secret that signs: anybody writes a token for any user.",
		Severity: finding.Critical, OWASP: "API2:2023", CWE: 347, ASVS: []string{"9.1.2"}, CVSS: wholeAccount,
		Remedy: verifyRemedy("Bind each key to one algorithm, in the configuration. Never pass the same key to a function that verifies signatures and MACs."),
	}
}

func kindHeadKey() finding.Kind {
	return finding.Kind{
		ID: "JW-06", Title: "The token says what its key is",
		Describe: "kid, jku, x5u, jwk or x5c of the head lead to a key that the attacker knows: a file, a row, an address, or the token itself. Anybody writes a token for any user.",
		Severity: finding.Critical, OWASP: "API2:2023", CWE: 347, ASVS: []string{"9.1.3"}, CVSS: wholeAccount,
		Remedy: verifyRemedy("Look kid up among the keys of the configuration, by comparison only. Ignore jku, x5u, jwk and x5c."),
	}
}

func kindExpiry() finding.Kind {
	return finding.Kind{
		ID: "JW-05", Title: "Tokens do not end",
		Describe: "A token that was stolen, or written down in a log, is good for as long as the key is.",
		Severity: finding.Medium, OWASP: "API2:2023", CWE: 613, ASVS: []string{"9.2.1"},
		CVSS:   "CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:N/VC:H/VI:L/VA:N/SC:N/SI:N/SA:N",
		Remedy: verifyRemedy("Give access tokens exp a few minutes ahead, require it and compare it, with nbf, when a token is read."),
	}
}

func kindAudience() finding.Kind {
	return finding.Kind{
		ID: "JW-07", Title: "Tokens of others are accepted",
		Describe: "The token says whom it is for (aud) and who made it (iss), and nobody compares: a token for another service with the same key opens this one.",
		Severity: finding.Medium, OWASP: "API2:2023", CWE: 345, ASVS: []string{"9.2.3"},
		CVSS:   "CVSS:4.0/AV:N/AC:L/AT:P/PR:L/UI:N/VC:L/VI:L/VA:N/SC:N/SI:N/SA:N",
		Remedy: verifyRemedy("Require iss and aud, and compare them with what the service itself is configured as."),
	}
}

func kindGarbage() finding.Kind {
	return finding.Kind{
		ID: "AU-01b", Title: "Made-up credentials are accepted",
		Describe: "The operation wants a token, a key or a cookie, and does not look whether it is that of somebody.",
		Severity: finding.Critical, OWASP: "API2:2023", CWE: 287, ASVS: []string{"9.1.1", "7.2.1"},
		CVSS:   "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:L/VA:N/SC:N/SI:N/SA:N",
		Remedy: verifyRemedy("Verify credentials in one place that every request passes, and refuse what is not known."),
	}
}

func kindInAddress() finding.Kind {
	return finding.Kind{
		ID: "AU-08", Title: "Credentials are part of addresses",
		Describe: "Addresses are kept in logs, in histories and in Referer headers: whoever reads one there has the credential.",
		Severity: finding.Medium, OWASP: "API2:2023", CWE: 598, ASVS: []string{"14.2.1"},
		CVSS: "CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:P/VC:L/VI:L/VA:N/SC:N/SI:N/SA:N",
		Remedy: finding.Remedy{
			Text:     "Take credentials from the Authorization header or a cookie only. For downloads by a browser, make a link with a code of its own that is good once, for that file, for a minute.",
			Fastness: `bearer, err := token.NewBearer(token.BearerConfig{Verifiers: verifiers}) // reads the Authorization header, and nothing else`,
			FastAPI:  `Depends(OAuth2PasswordBearer(tokenUrl="token")) # not APIKeyQuery`,
			Express:  `passport.use(new JwtStrategy({ jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(), … }, verify));`,
			Spring: `var resolver = new DefaultBearerTokenResolver();
resolver.setAllowUriQueryParameter(false);`,
		},
	}
}

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

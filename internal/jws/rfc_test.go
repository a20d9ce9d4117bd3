package jws_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/fastness/fastness/internal/jws"
)

func encode(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }

func bytesOf(t *testing.T, text string) []byte {
	t.Helper()
	data, err := jws.Decode(text)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// private returns a key of the standard library as a key that signs.
func private(t *testing.T, alg jws.Algorithm, key any) *jws.Key {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	k, err := jws.ParsePrivate(fmt.Appendf(nil, `{"version":1,"alg":%q,"kid":"test","key":%q}`, alg, encode(der)))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// rfc7515RSA is the key of RFC 7515, appendix A.2, out of its two primes.
func rfc7515RSA(t *testing.T) *rsa.PrivateKey {
	number := func(text string) *big.Int { return new(big.Int).SetBytes(bytesOf(t, text)) }
	p := number("4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH_5IB3jw3bcxGn6QLvnEtfdUdiYrqBdss1l58BQ3KhooKeQTa9AB0Hw_Py5PJdTJNPY8cQn7ouZ2KKDcmnPGBY5t7yLc1QlQ5xHdwW1VhvKn-nXqhJTBgIPgtldC-KDV5z-y2XDwGUc")
	q := number("uQPEfgmVtjL0Uyyx88GZFF1fOunH3-7cepKmtH4pxhtCoHqpWmT8YAmZxaewHgHAjLYsp1ZSe7zFYHj7C6ul7TjeLQeZD_YwD66t62wDmpe_HlB-TnBA-njbglfIsRLtXlnDzQkv5dTltRJ11BKBBypeeF6689rjcJIDEz9RWdc")
	one := big.NewInt(1)
	phi := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
	key := &rsa.PrivateKey{
		PublicKey: rsa.PublicKey{N: new(big.Int).Mul(p, q), E: 65537},
		D:         new(big.Int).ModInverse(big.NewInt(65537), phi),
		Primes:    []*big.Int{p, q},
	}
	key.Precompute()
	return key
}

// rfc7515Payload is the payload of RFC 7515, appendix A.1 to A.3.
const rfc7515Payload = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"

func TestSignaturesAreThoseOfTheRFCs(t *testing.T) {
	secret, err := jws.NewSecret(jws.HS256, "test", bytesOf(t, "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, token string
		key         *jws.Key
	}{
		{"RFC 7515 A.1", "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." + rfc7515Payload + ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", secret},
		{"RFC 7515 A.2", "eyJhbGciOiJSUzI1NiJ9." + rfc7515Payload + ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw", private(t, jws.RS256, rfc7515RSA(t))},
		{"RFC 8037 A.4", "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg", private(t, jws.EdDSA, ed25519.NewKeyFromSeed(bytesOf(t, "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := verify(tt.key, tt.token); err != nil {
				t.Errorf("verify: %v", err)
			}
			dot := strings.LastIndexByte(tt.token, '.')
			sig, err := tt.key.Sign([]byte(tt.token[:dot]))
			if err != nil || encode(sig) != tt.token[dot+1:] {
				t.Errorf("Sign() = %s, %v, want %s", encode(sig), err, tt.token[dot+1:])
			}
		})
	}
}

func TestEllipticSignatureOfTheRFCVerifies(t *testing.T) {
	d := bytesOf(t, "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI")
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), d)
	if err != nil {
		t.Fatal(err)
	}
	const token = "eyJhbGciOiJFUzI1NiJ9." + rfc7515Payload + ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
	if err := verify(private(t, jws.ES256, key), token); err != nil {
		t.Error(err)
	}
}

// The thumbprint of RFC 8037, appendix A.3, is over the same members in the same
// order, so the order is the right one.
func TestPublicMembersAreInTheOrderOfThumbprints(t *testing.T) {
	key := private(t, jws.EdDSA, ed25519.NewKeyFromSeed(bytesOf(t, "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")))
	got, err := key.PublicJWK()
	const want = `{"alg":"EdDSA","crv":"Ed25519","kid":"test","kty":"OKP","use":"sig","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`
	if err != nil || string(got) != want {
		t.Fatalf("PublicJWK() = %s, %v, want %s", got, err, want)
	}
	bare := bytes.Replace(bytes.Replace(bytes.Replace(got, []byte(`"alg":"EdDSA",`), nil, 1), []byte(`"kid":"test",`), nil, 1), []byte(`"use":"sig",`), nil, 1)
	sum := sha256.Sum256(bare)
	if got := encode(sum[:]); got != "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k" {
		t.Errorf("thumbprint of %s = %s", bare, got)
	}
}

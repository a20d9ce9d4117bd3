package password_test

import (
	"errors"
	"testing"

	"github.com/fastness/fastness/auth/password"
)

// What is read is read in one spelling only, and nothing else than ErrHash is
// said of the rest.
func FuzzStoredHash(f *testing.F) {
	for _, seed := range []string{
		"", "!", "$", "$argon2id$v=19$m=64,t=2,p=2$c29tZXNhbHQxMjM0$DIkajG7zWyVh0V7dLBa3nBeTgq2h/8DbNR4fRX0YhwA",
		"$argon2id$v=19$m=64,t=2,p=2,keyid=MjAyNg$c29tZXNhbHQxMjM0$DIkajG7zWyVh0V7dLBa3nBeTgq2h/8DbNR4fRX0YhwA",
		"$argon2i$v=19$m=128,t=3,p=1$c29tZXNhbHQxMjM0$yH5V46D14+8j1VwnjCsN3w",
		"$2b$04$fUrzNS4HnCGIoa0NB86TM.l64N.7xmFrGDFMKGXd6S8b9JDoGJIkW",
		"$scrypt$ln=5,r=4,p=2$rvW+9/6fkzIGwPjf+z8HIA$ylJ4PkMEv01IB3mZvnOrI5H1znokfBu96BlLgeUv00s",
		"$pbkdf2-sha256$1000$bM0ZozSGEGJsLUXIWavVGg$Br4.Lo4eB1tyk.GLJM9GdhoLT3n4cvkaeDK1SZH8wc0",
		"pbkdf2_sha256$1000$abcDEF123456$cUWhbeKoysLvx7qz/pU9eck3+eeQz32e1SmOmvgSt2E=",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, hash string) {
		again, isArgon2, err := password.Reparse(hash)
		if err != nil && !errors.Is(err, password.ErrHash) {
			t.Errorf("%q: %v, want ErrHash", hash, err)
		}
		if isArgon2 && err == nil && again != hash {
			t.Errorf("%q is read as %q", hash, again)
		}
	})
}

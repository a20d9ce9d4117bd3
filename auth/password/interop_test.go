package password_test

import (
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"

	"github.com/fastness/fastness/secret"
)

const (
	horse   = "correct horse"
	unicode = "пароль 🔑 密码"
)

// The hashes below were made by the programs that name them, with little work so
// that the tests are quick.
func TestHashesOfOtherProgramsVerifyAndMove(t *testing.T) {
	tests := []struct{ name, text, hash string }{
		{"argon2-cffi 21.1 argon2id", horse, "$argon2id$v=19$m=64,t=3,p=4$Z3J60Tsr61ufeVegbRHw6A$vtxejUJtvEM501fdppQJyA"},
		{"argon2-cffi 21.1 argon2id, its defaults", horse, "$argon2id$v=19$m=102400,t=2,p=8$lFveo0wVYAXdUDNDUOH60g$SDgHLp63zx21/HOeE8lt0Q"},
		{"argon2-cffi 21.1 argon2i", unicode, "$argon2i$v=19$m=64,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$qp0xiM3ez9SS3IhGqD6yWM1WoRLdCX3a"},
		{"the argon2 command 20171227 argon2id", unicode, "$argon2id$v=19$m=64,t=2,p=2$c29tZXNhbHQxMjM0$DIkajG7zWyVh0V7dLBa3nBeTgq2h/8DbNR4fRX0YhwA"},
		{"the argon2 command 20171227 argon2i", unicode, "$argon2i$v=19$m=128,t=3,p=1$c29tZXNhbHQxMjM0$yH5V46D14+8j1VwnjCsN3w"},
		{"passlib 1.7.4 bcrypt $2b$", horse, "$2b$04$fUrzNS4HnCGIoa0NB86TM.l64N.7xmFrGDFMKGXd6S8b9JDoGJIkW"},
		{"passlib 1.7.4 bcrypt $2a$", unicode, "$2a$04$i4lLqr38nWXj7PmcJs3oWOWSq6l0/CoYD/iGKtPsM8jDSsKVgtOJ."},
		{"passlib 1.7.4 bcrypt $2y$", horse, "$2y$04$dkOZ5O4N06aqxf9gV5I3.uC/LFJNMDEfxDq.39m/lJnAzsIOjlj/C"},
		{"crypt(3) of libxcrypt $2y$", horse, "$2y$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e"},
		{"passlib 1.7.4 scrypt", unicode, "$scrypt$ln=4,r=8,p=1$3TvHeG/tndP63xvDWGsNoQ$XmfMA3eSgYYasvGkP/glBRsv0RJ1FGNnBxgzRW2b1bo"},
		{"passlib 1.7.4 scrypt of other r and p", horse, "$scrypt$ln=5,r=4,p=2$rvW+9/6fkzIGwPjf+z8HIA$ylJ4PkMEv01IB3mZvnOrI5H1znokfBu96BlLgeUv00s"},
		{"passlib 1.7.4 pbkdf2-sha256", unicode, "$pbkdf2-sha256$1000$bM0ZozSGEGJsLUXIWavVGg$Br4.Lo4eB1tyk.GLJM9GdhoLT3n4cvkaeDK1SZH8wc0"},
		{"passlib 1.7.4 pbkdf2-sha512", horse, "$pbkdf2-sha512$1000$6X0P4TyHcM55T2nNOUdoLQ$92KFeaTV3fXwSTiCBuv04Mqx0Q0BxxxpVkQKpoXBAmPh3z1RXq3us58jHwWDBu0deunzVcfHYIaFRY5sUMD9hw"},
		{"Django 3.2 pbkdf2_sha256", unicode, "pbkdf2_sha256$1000$abcDEF123456$cUWhbeKoysLvx7qz/pU9eck3+eeQz32e1SmOmvgSt2E="},
	}
	h := small(t)
	for _, tt := range tests {
		ok, newHash, err := h.VerifyAndUpdate(t.Context(), tt.hash, secret.New(tt.text))
		if !ok || err != nil {
			t.Errorf("%s: %v, %v", tt.name, ok, err)
			continue
		}
		if !strings.HasPrefix(newHash, "$argon2id$v=19$m=64,t=1,p=1$") {
			t.Errorf("%s becomes %q", tt.name, newHash)
		}
		for _, wrong := range []string{tt.text + "x", strings.ToUpper(tt.text)} {
			if verifies(t, h, tt.hash, wrong) {
				t.Errorf("%s: another password verifies", tt.name)
			}
		}
	}
}

// johndoe's, in the tutorial of FastAPI.
func TestTheHashOfTheTutorialVerifiesAndMoves(t *testing.T) {
	if testing.Short() || raceDetector {
		t.Skip("bcrypt of cost 12 takes seconds under the race detector")
	}
	const hash = "$2b$12$EixZaYVK1fsbw1ZfbX3OXePaWxn96p36WQoeG6Lruj3vjPGga31lW"
	h := small(t)
	ok, newHash, err := h.VerifyAndUpdate(t.Context(), hash, secret.New("secret"))
	if !ok || err != nil || !verifies(t, h, newHash, "secret") {
		t.Errorf("%v, %q, %v", ok, newHash, err)
	}
}

// What bcrypt cut off counts from the first log-in on.
func TestA73BytePasswordIsWholeOnceItMoved(t *testing.T) {
	// py-bcrypt 3.2.2 of 72 times x and a y.
	const cut = "$2b$04$aAccEitDrpbl0Mydb.YT..gR3ByNPjFja.NavrkBGJIMKBBU/HZIa"
	h := small(t)
	whole := strings.Repeat("x", 72) + "y"
	other := strings.Repeat("x", 72) + "z"
	if !verifies(t, h, cut, other) {
		t.Fatal("bcrypt reads more than 72 bytes: the vector is not what it says")
	}
	if verifies(t, h, cut, strings.Repeat("x", 71)) || verifies(t, h, cut, strings.Repeat("x", 71)+"y") {
		t.Error("the first 72 bytes do not count")
	}
	ok, newHash, err := h.VerifyAndUpdate(t.Context(), cut, secret.New(whole))
	if !ok || err != nil {
		t.Fatal(ok, err)
	}
	if !verifies(t, h, newHash, whole) || verifies(t, h, newHash, other) || verifies(t, h, newHash, whole[:72]) {
		t.Error("after the move a difference in the 73rd byte makes none")
	}
}

// bcrypt repeats a short key behind a NUL, and HMAC pads with NULs: to both
// "abc" has twins.
func TestTwinsOfAPasswordDoNotOpenIt(t *testing.T) {
	const hash = "$2b$04$fUrzNS4HnCGIoa0NB86TM.l64N.7xmFrGDFMKGXd6S8b9JDoGJIkW"
	if bcrypt.CompareHashAndPassword([]byte(hash), []byte(horse+"\x00"+horse)) != nil {
		t.Fatal("bcrypt knows no twins: nothing is tested here")
	}
	h := small(t)
	tests := []struct{ name, hash, text string }{
		{"bcrypt", hash, horse + "\x00" + horse},
		{"scrypt", "$scrypt$ln=5,r=4,p=2$rvW+9/6fkzIGwPjf+z8HIA$ylJ4PkMEv01IB3mZvnOrI5H1znokfBu96BlLgeUv00s", horse + "\x00"},
		{"pbkdf2", "$pbkdf2-sha256$1000$NcY4xzhnTKlVytk7B0BI6Q$9IWb34rtUUJU5aEqwnDFCT2N/8msIY3PmmuaWesv2j4", horse + "\x00"},
	}
	for _, tt := range tests {
		if !verifies(t, h, tt.hash, horse) {
			t.Errorf("%s: the password itself does not verify", tt.name)
		}
		if verifies(t, h, tt.hash, tt.text) {
			t.Errorf("%s: a twin verifies", tt.name)
		}
	}
}

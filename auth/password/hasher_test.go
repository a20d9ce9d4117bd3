package password_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/fastness/fastness/auth/password"
	"github.com/fastness/fastness/secret"
)

// small returns a hasher that is quick, with what change sets in its config.
func small(t testing.TB, change ...func(*password.Config)) *password.Hasher {
	t.Helper()
	cfg := password.Config{Memory: 64, Time: 1, InsecureWeakParameters: "tests need not be slow"}
	for _, f := range change {
		f(&cfg)
	}
	h, err := password.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func mustHash(t testing.TB, h *password.Hasher, text string) string {
	t.Helper()
	hash, err := h.Hash(t.Context(), secret.New(text))
	if err != nil {
		t.Fatalf("Hash: %v", err)
	}
	return hash
}

func verifies(t testing.TB, h *password.Hasher, hash, text string) bool {
	t.Helper()
	ok, err := h.Verify(t.Context(), hash, secret.New(text))
	if err != nil {
		t.Fatalf("Verify: %v", err)
	}
	return ok
}

func TestTheZeroConfigIsArgon2idOf19MiB(t *testing.T) {
	h, err := password.New(password.Config{})
	if err != nil {
		t.Fatal(err)
	}
	hash := mustHash(t, h, "correct horse battery")
	want := regexp.MustCompile(`^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$`)
	if !want.MatchString(hash) {
		t.Errorf("hash %s, want %s", hash, want)
	}
	ok, newHash, err := h.VerifyAndUpdate(t.Context(), hash, secret.New("correct horse battery"))
	if !ok || newHash != "" || err != nil {
		t.Errorf("VerifyAndUpdate = %v, %q, %v: want true and nothing to store", ok, newHash, err)
	}
	if verifies(t, h, hash, "Correct horse battery") {
		t.Error("another password verifies")
	}
}

func TestWrongConfigsAreRefusedWithAllMistakes(t *testing.T) {
	key := secret.New(strings.Repeat("k", 32))
	tests := []struct {
		name string
		cfg  password.Config
		want []string // nil: it is taken
	}{
		{"the other points of ASVS appendix C", password.Config{Memory: 47104, Time: 1}, nil},
		{"the least memory of three passes", password.Config{Memory: 12288, Time: 3}, nil},
		{"more than the default", password.Config{Memory: 65536, Time: 3, Parallelism: 4}, nil},
		{"a KiB too little for two passes", password.Config{Memory: 19455}, []string{"want at least 19456"}},
		{"a KiB too little for one", password.Config{Memory: 47103, Time: 1}, []string{"want at least 47104"}},
		{"a KiB too little for three", password.Config{Memory: 12287, Time: 3}, []string{"want at least 12288"}},
		{"more than its own hashes could be verified with", password.Config{Memory: 1 << 20}, []string{"memory is not"}},
		{"a time that stops the server", password.Config{Time: 1 << 30}, []string{"time × memory"}},
		{"weak, with a reason", password.Config{Memory: 8, Time: 1, InsecureWeakParameters: "x"}, nil},
		{"no Argon2 at all, with a reason", password.Config{Memory: 7, InsecureWeakParameters: "x"}, []string{"memory is not"}},
		{
			"everything at once",
			password.Config{Memory: 64, Concurrency: -1, MaxWaiting: -1, Peppers: []password.Pepper{{ID: "a b", Key: secret.New("short")}}},
			[]string{"want at least 19456", "Concurrency", "MaxWaiting", "Peppers[0].ID", "Peppers[0].Key has 5 bytes"},
		},
		{"a pepper twice", password.Config{Peppers: []password.Pepper{{"1", key}, {"1", key}}}, []string{`"1" is there twice`}},
	}
	for _, tt := range tests {
		_, err := password.New(tt.cfg)
		if (err == nil) != (tt.want == nil) {
			t.Errorf("%s: New() = %v, want mistakes %q", tt.name, err, tt.want)
			continue
		}
		for _, want := range tt.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want it to say %q", tt.name, err, want)
			}
		}
	}
}

func TestEveryByteOfAPasswordCounts(t *testing.T) {
	h := small(t)
	tests := []struct{ name, hashed, other string }{
		{"the 73rd byte", strings.Repeat("x", 73), strings.Repeat("x", 72) + "y"},
		{"what comes after the 72nd", strings.Repeat("x", 73), strings.Repeat("x", 72)},
		{"the 1024th byte", strings.Repeat("x", 1024), strings.Repeat("x", 1023) + "y"},
		{"a leading space", " correct horse", "correct horse"},
		{"a trailing space", "correct horse ", "correct horse"},
		{"a NUL inside", "correct\x00horse", "correct\x00house"},
		{"a NUL at the end", "correct horse\x00", "correct horse"},
		{"an emoji", "🔑🔑🔑🔑", "🔑🔑🔑🔒"},
		{"é in one code point and in two", "caf\u00e9", "cafe\u0301"},
		{"upper and lower case", "Correct", "correct"},
	}
	for _, tt := range tests {
		hash := mustHash(t, h, tt.hashed)
		if !verifies(t, h, hash, tt.hashed) {
			t.Errorf("%s: the password itself does not verify", tt.name)
		}
		if verifies(t, h, hash, tt.other) {
			t.Errorf("%s makes no difference", tt.name)
		}
	}
}

func TestTwoHashesOfOnePasswordDiffer(t *testing.T) {
	h := small(t)
	if a, b := mustHash(t, h, "correct horse"), mustHash(t, h, "correct horse"); a == b {
		t.Error("the salt is not random")
	}
}

func TestEmptyAndEndlessPasswordsAreNotHashed(t *testing.T) {
	h := small(t)
	for _, text := range []string{"", strings.Repeat("x", 4097)} {
		if _, err := h.Hash(t.Context(), secret.New(text)); err == nil {
			t.Errorf("a password of %d bytes is hashed", len(text))
		}
	}
	mustHash(t, h, strings.Repeat("x", 4096))
}

// An account whose hash is of an empty password is one that everybody may enter.
func TestAnEmptyPasswordOpensNothing(t *testing.T) {
	h := small(t)
	const ofNothing = "$2b$04$8K3dQuI9y35/.f6Jb44GG.Q4nx0V7CiXBkgTVU5i.1pEWd2rMPMqe" // py-bcrypt 3.2.2, of b""
	if verifies(t, h, ofNothing, "") {
		t.Error("an empty password verifies")
	}
}

func TestAccountsWithoutAPasswordRefuseAll(t *testing.T) {
	h := small(t)
	for _, hash := range []string{"", "!", "!D4gulo0SLbdIBqcMkp5SKtA3sVfsfpXNaqRA35Jo", "*", "*0", "!$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAA"} {
		for _, text := range []string{"", hash, "x"} {
			ok, newHash, err := h.VerifyAndUpdate(t.Context(), hash, secret.New(text))
			if ok || newHash != "" || err != nil {
				t.Errorf("hash %q: %v, %q, %v, want false and no error", hash, ok, newHash, err)
			}
		}
	}
}

func TestWeakerHashesAreReplaced(t *testing.T) {
	const text = "correct horse battery"
	make := func(change func(*password.Config)) *password.Hasher { return small(t, change) }
	own := make(func(c *password.Config) { c.Memory, c.Time = 128, 2 })
	tests := []struct {
		name  string
		from  *password.Hasher
		moves bool
	}{
		{"the same parameters", own, false},
		{"less memory", make(func(c *password.Config) { c.Memory, c.Time = 64, 2 }), true},
		{"less time", make(func(c *password.Config) { c.Memory, c.Time = 128, 1 }), true},
		{"less memory and more time", make(func(c *password.Config) { c.Memory, c.Time = 64, 4 }), true},
		{"more memory", make(func(c *password.Config) { c.Memory, c.Time = 256, 2 }), false},
		{"more lanes", make(func(c *password.Config) { c.Memory, c.Time, c.Parallelism = 128, 2, 4 }), false},
	}
	for _, tt := range tests {
		hash := mustHash(t, tt.from, text)
		ok, newHash, err := own.VerifyAndUpdate(t.Context(), hash, secret.New(text))
		if !ok || err != nil || (newHash != "") != tt.moves {
			t.Errorf("%s: %v, %q, %v; want a new hash: %v", tt.name, ok, newHash, err, tt.moves)
		}
		if tt.moves && !verifies(t, own, newHash, text) {
			t.Errorf("%s: the new hash does not verify", tt.name)
		}
		if ok, newHash, _ := own.VerifyAndUpdate(t.Context(), hash, secret.New("wrong")); ok || newHash != "" {
			t.Errorf("%s: a wrong password gives %v, %q", tt.name, ok, newHash)
		}
	}
}

func TestPeppersRotate(t *testing.T) {
	const text = "correct horse battery"
	first := password.Pepper{ID: "2025", Key: secret.New(strings.Repeat("a", 32))}
	second := password.Pepper{ID: "2026", Key: secret.New(strings.Repeat("b", 32))}
	with := func(peppers ...password.Pepper) *password.Hasher {
		return small(t, func(c *password.Config) { c.Peppers = peppers })
	}
	plain := mustHash(t, with(), text)
	old := mustHash(t, with(first), text)
	if !strings.Contains(old, ",keyid=MjAyNQ$") {
		t.Errorf("the hash does not name its pepper: %s", old)
	}
	for name, hash := range map[string]string{"without a pepper": plain, "of the old pepper": old} {
		ok, newHash, err := with(second, first).VerifyAndUpdate(t.Context(), hash, secret.New(text))
		if !ok || err != nil || !strings.Contains(newHash, ",keyid=MjAyNg$") {
			t.Errorf("a hash %s: %v, %q, %v; want one of the new pepper", name, ok, newHash, err)
		}
		if _, again, _ := with(second, first).VerifyAndUpdate(t.Context(), newHash, secret.New(text)); again != "" {
			t.Errorf("a hash %s is replaced twice", name)
		}
	}
	if ok, err := with(second).Verify(t.Context(), old, secret.New(text)); ok || !errors.Is(err, password.ErrPepper) {
		t.Errorf("without the pepper: %v, %v, want ErrPepper", ok, err)
	}
	forged := password.Pepper{ID: "2025", Key: second.Key}
	if ok, err := with(forged).Verify(t.Context(), old, secret.New(text)); ok || err != nil {
		t.Errorf("under another key of the same name: %v, %v, want false", ok, err)
	}
}

// Package password hashes passwords, verifies them, and says which are too weak
// to be taken.
//
//	hasher, err := password.New(password.Config{})          // Argon2id, 19 MiB, 2 passes
//	hash, err := hasher.Hash(ctx, in.Password)              // $argon2id$v=19$m=19456,t=2,p=1$…
//	ok, newHash, err := hasher.VerifyAndUpdate(ctx, hash, in.Password)
//
// # What is verified
//
// New hashes are Argon2id in the PHC string format. What other programs stored
// is verified as well, and [Hasher.VerifyAndUpdate] replaces it at the next
// log-in: Argon2id and Argon2i of any parameters, bcrypt ($2a$, $2b$, $2y$),
// scrypt and PBKDF2 as passlib writes them, and PBKDF2 as Django does.
//
// bcrypt has never read more than 72 bytes of a password. A longer one is
// verified by its first 72, as it always was, and is then hashed as a whole: from
// there on a difference in the 73rd byte counts. bcrypt's C programs stopped at a
// NUL byte, so no password with one opens a bcrypt hash.
//
// # What an attacker gets
//
// A hash is made to be slow, and whoever can ask for many wins twice: each takes
// 19 MiB. At most [Config.Concurrency] are worked on at once, a bounded number
// waits as long as its context allows, and the rest is told at once to come
// back ([ErrBusy]). The parameters in a stored hash are capped before any work
// is done, because who can write one row should not be able to stop the server.
//
// # Who has an account
//
// [Hasher.Dummy] does for an unknown user what [Hasher.Verify] does for a known
// one. It can only be the same work for hashes with the hasher's own parameters:
// an account that still has a bcrypt hash of cost 12 answers ten times slower
// than one that does not exist, until its owner logs in. Nothing is added to
// cheaper hashes to hide this, because a sum of two hashes takes a time of its
// own; the way out is a limit on guesses for each client, and ending the
// migration.
package password

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"

	"golang.org/x/crypto/argon2"

	"github.com/fastness/fastness/secret"
)

// Config configures a [Hasher]. The zero value is the secure choice.
type Config struct {
	// Memory is what one hash takes, in KiB. The default is 19456, 19 MiB.
	Memory uint32
	// Time is the number of passes over the memory. The default is 2.
	Time uint32
	// Parallelism is the number of lanes. The default is 1, the best choice
	// for a server: others log in on the other cores.
	Parallelism uint8
	// Concurrency is how many hashes are worked on at once. The default is two,
	// or one where there is one processor or Memory is above 19 MiB: the memory
	// of a hash is garbage when it is done, and until the collector comes each
	// turn has taken about three times Memory. Two turns make some 90 log-ins a
	// second within 8 × 19 MiB; a machine that only logs people in may want one
	// for each processor.
	Concurrency int
	// MaxWaiting is how many callers may wait for their turn, each as long as
	// its context allows. The default is 256. Whoever comes when it is full
	// gets [ErrBusy].
	MaxWaiting int
	// Peppers are keys that hashes depend on and that are not in the database,
	// so that a stolen table of hashes cannot be searched. New hashes use the
	// first and name it; the others verify hashes that name them, and
	// [Hasher.VerifyAndUpdate] moves those to the first. A hash without a name
	// is verified without a pepper. There is no way back: once hashes name a
	// pepper, its loss is the loss of every password.
	Peppers []Pepper
	// InsecureWeakParameters, if not empty, says why Memory and Time may be
	// below the minima of OWASP ASVS 5.0, appendix C: 46 MiB for one pass,
	// 19 MiB for two, 12 MiB for three or more.
	InsecureWeakParameters string
}

const (
	saltLength = 16 // bytes, RFC 9106 section 3.1
	keyLength  = 32
	// maxBytes bounds what is hashed at all, above every [Policy]: what other
	// programs took must still be verified.
	maxBytes = 4096
)

// Hasher hashes and verifies passwords. It is safe for concurrent use.
type Hasher struct {
	memory, time uint32
	lanes        uint8
	peppers      []Pepper
	gate         *gate
	dummy        *argon2Hash
	derive       deriver
}

// deriver is the signature of [argon2.IDKey].
type deriver func(password, salt []byte, time, memory uint32, threads uint8, keyLen uint32) []byte

// New returns a hasher, or an error that names every mistake in cfg.
func New(cfg Config) (*Hasher, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("password config: %w", err)
	}
	h := &Hasher{
		memory: cfg.Memory, time: cfg.Time, lanes: cfg.Parallelism,
		peppers: append([]Pepper(nil), cfg.Peppers...),
		gate:    newGate(cfg.Concurrency, cfg.MaxWaiting),
		derive:  argon2.IDKey,
	}
	h.dummy = h.blank()
	rand.Read(h.dummy.key) // The hash of no password.
	return h, nil
}

func (c Config) withDefaults() Config {
	if c.Memory == 0 {
		c.Memory = 19456
	}
	if c.Time == 0 {
		c.Time = 2
	}
	if c.Parallelism == 0 {
		c.Parallelism = 1
	}
	if c.Concurrency == 0 {
		const budget = 38 << 10 // KiB: 8 × 19 MiB with the garbage
		c.Concurrency = max(1, min(runtime.GOMAXPROCS(0), 2, budget/int(c.Memory)))
	}
	if c.MaxWaiting == 0 {
		c.MaxWaiting = 256
	}
	return c
}

func (c Config) validate() error {
	var errs []error
	if err := affordable(c.Memory, c.Time, c.Parallelism); err != nil {
		errs = append(errs, fmt.Errorf("Memory, Time and Parallelism: %w", err))
	}
	if least := leastMemory(c.Time); c.Memory < least && c.InsecureWeakParameters == "" {
		errs = append(errs, fmt.Errorf("Memory is %d KiB for a Time of %d, want at least %d", c.Memory, c.Time, least))
	}
	if c.Concurrency < 0 || c.Concurrency > 1024 {
		errs = append(errs, fmt.Errorf("Concurrency is %d, want 1 to 1024", c.Concurrency))
	}
	if c.MaxWaiting < 0 {
		errs = append(errs, fmt.Errorf("MaxWaiting is %d, want at least 1", c.MaxWaiting))
	}
	return errors.Join(append(errs, validatePeppers(c.Peppers)...)...)
}

// leastMemory returns the memory in KiB that ASVS 5.0, appendix C, wants for a
// number of passes.
func leastMemory(time uint32) uint32 {
	switch time {
	case 0, 1:
		return 47104
	case 2:
		return 19456
	default:
		return 12288
	}
}

// Hash returns the hash of a password, salted, as a PHC string. It refuses an
// empty password and one of more than 4096 bytes; what else is too weak a
// [Policy] says. The error is [ErrBusy] if there is no turn for it.
func (h *Hasher) Hash(ctx context.Context, password secret.Text) (string, error) {
	text := password.Reveal()
	switch {
	case text == "":
		return "", errors.New("password: it is empty")
	case len(text) > maxBytes:
		return "", fmt.Errorf("password: it has more than %d bytes", maxBytes)
	}
	leave, err := h.gate.enter(ctx, 1)
	if err != nil {
		return "", err
	}
	defer leave()
	return h.hash(text)
}

func (h *Hasher) hash(text string) (string, error) {
	a := h.blank()
	key, err := a.derived(h, text)
	if err != nil {
		return "", err
	}
	a.key = key
	return a.String(), nil
}

// blank returns a hash of the hasher's own parameters with a new salt and
// without a key.
func (h *Hasher) blank() *argon2Hash {
	a := &argon2Hash{
		variant: "argon2id", memory: h.memory, time: h.time, lanes: h.lanes,
		salt: make([]byte, saltLength), key: make([]byte, keyLength),
	}
	rand.Read(a.salt)
	if len(h.peppers) > 0 {
		a.pepper = h.peppers[0].ID
	}
	return a
}

// Verify reports whether the password is the one that hash was made of. An
// empty password never is, nor is any where hash is no hash on purpose: empty,
// or beginning with "!" or "*", as Django, passlib and Unix mark accounts without
// a password.
//
// The error is [ErrHash] for a hash that cannot be read, [ErrPepper] for one that
// names a pepper that is gone, [ErrBusy] if there is no turn. An error says
// nothing about the password: who logs in must not be let in.
func (h *Hasher) Verify(ctx context.Context, hash string, password secret.Text) (bool, error) {
	ok, _, err := h.verify(ctx, hash, password, false)
	return ok, err
}

// VerifyAndUpdate is Verify, and returns a hash to store in the place of the old
// one where that is of another scheme, of less memory, time or length than the
// hasher's own, or of another pepper. It is empty where nothing is to be stored.
// Hashes of more memory or time are kept: they are no weaker.
//
// Store it only if the old hash is still there, or a password that was changed
// meanwhile would be changed back.
func (h *Hasher) VerifyAndUpdate(ctx context.Context, hash string, password secret.Text) (ok bool, newHash string, err error) {
	return h.verify(ctx, hash, password, true)
}

// Dummy does the work of a Verify that fails, for a user that does not exist:
// without it the time of the answer tells who has an account. The error is
// [ErrBusy], as of Verify.
func (h *Hasher) Dummy(ctx context.Context, password secret.Text) error {
	leave, err := h.gate.enter(ctx, 1)
	if err != nil {
		return err
	}
	defer leave()
	_, err = h.dummy.verify(h, clipped(password))
	return err
}

// clipped returns a password, or as much of it as is ever hashed.
func clipped(password secret.Text) string {
	text := password.Reveal()
	return text[:min(len(text), maxBytes)]
}

func (h *Hasher) verify(ctx context.Context, hash string, password secret.Text, update bool) (bool, string, error) {
	text := password.Reveal()
	s, unreadable := parse(hash)
	if unreadable != nil || text == "" || len(text) > maxBytes {
		if err := h.Dummy(ctx, password); err != nil {
			return false, "", err
		}
		if isNone(hash) {
			unreadable = nil
		}
		return false, "", unreadable
	}
	leave, err := h.gate.enter(ctx, h.turns(s))
	if err != nil {
		return false, "", err
	}
	defer leave()
	ok, err := s.verify(h, text)
	if err != nil || !ok || !update || !s.outdated(h) {
		return ok && err == nil, "", err
	}
	newHash, err := h.hash(text)
	return err == nil, newHash, err
}

// turns returns how many turns the memory of a stored hash is worth.
func (h *Hasher) turns(s stored) int {
	return int((uint64(s.memoryKiB()) + uint64(h.memory) - 1) / uint64(h.memory))
}

// isNone reports whether hash says that the account has no password.
func isNone(hash string) bool { return hash == "" || hash[0] == '!' || hash[0] == '*' }

// argon2Hash is a hash of RFC 9106.
type argon2Hash struct {
	variant      string // argon2id or argon2i
	memory, time uint32
	lanes        uint8
	pepper       string // the id of one, or ""
	salt, key    []byte
}

func (a *argon2Hash) memoryKiB() uint32 { return a.memory }

func (a *argon2Hash) verify(h *Hasher, text string) (bool, error) {
	key, err := a.derived(h, text)
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(key, a.key) == 1, nil
}

// derived returns the key that belongs to text.
func (a *argon2Hash) derived(h *Hasher, text string) ([]byte, error) {
	input, err := h.peppered(a.pepper, text)
	if err != nil {
		return nil, err
	}
	derive := h.derive
	if a.variant == "argon2i" {
		derive = argon2.Key
	}
	return derive(input, a.salt, a.time, a.memory, a.lanes, uint32(len(a.key))), nil
}

func (a *argon2Hash) outdated(h *Hasher) bool {
	return a.variant != "argon2id" || a.memory < h.memory || a.time < h.time ||
		len(a.salt) < saltLength || len(a.key) < keyLength || a.pepper != h.dummy.pepper
}

// String returns the hash as a PHC string.
func (a *argon2Hash) String() string {
	pepper := ""
	if a.pepper != "" {
		pepper = ",keyid=" + base64.RawStdEncoding.EncodeToString([]byte(a.pepper))
	}
	return fmt.Sprintf("$%s$v=%d$m=%d,t=%d,p=%d%s$%s$%s", a.variant, argon2.Version, a.memory, a.time, a.lanes, pepper,
		base64.RawStdEncoding.EncodeToString(a.salt), base64.RawStdEncoding.EncodeToString(a.key))
}

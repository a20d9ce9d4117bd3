// Package idempotency lets a caller send a request again without doing it again.
//
// A phone sends an order, the train enters a tunnel, no answer arrives. Was it
// ordered? Who sends it again may pay twice, who does not may get nothing. With a
// key in the header Idempotency-Key (draft-ietf-httpapi-idempotency-key-header) the
// second request gets the answer of the first one:
//
//	Idempotency-Key: "8e03978e-40d5-43e8-bc93-6894a57f9324"
//
// # In an app
//
//	fastness.ProvideApp(app, openKeys) // a *idempotency.Keys over the app's database: see package sqlkeys
//	fastness.Post(app, "/orders", createOrder, access.Authenticated, idempotency.Required())
//
// Where the operation has a transaction (a *sqldb.Tx), the key and the answer are
// written in it: with the order or not at all, whenever the process dies. Without
// one, a process that dies in between leaves a key that is refused until it expires:
// nobody knows what it has done.
//
// # What is answered
//
//   - the same key again, with the same request: the answer of the first one, with
//     the header Idempotent-Replayed: true;
//   - with another request (method, target, type or body): 422;
//   - while the first one is running: 409, with Retry-After; in another process, a
//     store in the database of the operation may let it wait for the answer instead;
//   - no key where one is required, or one that cannot be read: 400.
//
// Only answers of success are kept. An error, and whatever rolls back, leaves
// nothing: the request can be sent again. An operation that answers otherwise by
// fastness.Result has succeeded.
//
// # Whose key it is
//
// A key is its caller's: user, tenant, issuer and client. Nobody else gets an answer
// by it. Access is checked each time, by the rules of the operation and of its
// objects, and so is what the caller may see: after a change of the roles that the
// answer depends on, the stored one is not given out (409).
//
// # At rest
//
// An answer is what its caller has seen, so it is encrypted with a key that is
// derived from the Idempotency-Key, of which only a hash is stored: who reads the
// database reads no answers. That is why keys have at least 16 characters, and must
// be random (a UUID). Answers with cookies or with "no-store" of the operation's own
// hold credentials or secrets: they are not kept, and the operation fails.
package idempotency

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/fastness/fastness/problem"
)

// ErrFull is what a [Store] returns that can keep no more keys.
var ErrFull = errors.New("the store of idempotency keys is full")

// Store keeps keys and answers. It must be safe for concurrent use.
//
// Tx is the transaction of the operation, as its provider made it, or nil. A store
// that knows its type writes in it.
type Store interface {
	// Begin keeps e unless there is an entry with its ID that has not expired, which
	// it returns then. It is one atomic step: of any number of calls at once, one gets
	// nil.
	Begin(ctx context.Context, tx any, e Entry) (*Entry, error)
	// Finish adds the answer to an entry.
	Finish(ctx context.Context, tx any, id string, answer []byte) error
	// Abandon forgets an entry, unless tx does so by itself because it rolls back.
	Abandon(ctx context.Context, tx any, id string) error
}

// Entry is one request.
type Entry struct {
	// ID is a hash of the key, its caller and the operation.
	ID string
	// Fingerprint is a keyed hash of the request.
	Fingerprint []byte
	// Answer is the encrypted answer, nil while there is none.
	Answer []byte
	// Now is when the request came, and Until how long the entry is kept.
	Now, Until time.Time
}

// Config configures [Keys].
type Config struct {
	// Store keeps them. It is required: [NewMemory], or that of package sqlkeys.
	Store Store
	// Age is how long an answer is kept. The default is 24 hours.
	Age time.Duration
	// MaxAnswer is the most bytes of an answer. The default is 64 KiB. A larger one
	// cannot be kept, and the operation fails.
	MaxAnswer int
	// Now is the clock. The default is [time.Now].
	Now func() time.Time
}

// Keys are the idempotency keys of an app. They are safe for concurrent use.
type Keys struct {
	cfg     Config
	mu      sync.Mutex
	running map[string]struct{} // in this process
}

// New returns keys, or an error that names every mistake in cfg.
func New(cfg Config) (*Keys, error) {
	var mistakes []error
	if cfg.Store == nil {
		mistakes = append(mistakes, errors.New("no Store"))
	}
	if cfg.Age == 0 {
		cfg.Age = 24 * time.Hour
	}
	if cfg.Age < time.Minute || cfg.Age > 30*24*time.Hour {
		mistakes = append(mistakes, fmt.Errorf("Age is %v, want a minute to 30 days", cfg.Age))
	}
	if cfg.MaxAnswer == 0 {
		cfg.MaxAnswer = 64 << 10
	}
	if cfg.MaxAnswer < 0 || cfg.MaxAnswer > 16<<20 {
		mistakes = append(mistakes, fmt.Errorf("MaxAnswer is %d, want 1 byte to 16 MiB", cfg.MaxAnswer))
	}
	if len(mistakes) > 0 {
		return nil, fmt.Errorf("idempotency config: %w", errors.Join(mistakes...))
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Keys{cfg: cfg, running: make(map[string]struct{})}, nil
}

// Request is one request with a key.
type Request struct {
	// Key is what [KeyOf] returns.
	Key string
	// Caller names who sends it, beyond doubt: no two callers have the same.
	Caller []string
	// Operation names what is asked for, such as "POST /orders".
	Operation string
	// Parts are what the request consists of: method, target, type, body.
	Parts [][]byte
	// View is what the caller may see of the answer, such as roles.
	View []string
	// Tx is the transaction of the effect, or nil.
	Tx any
}

// Answer is what is given out again.
type Answer struct {
	Status int         `json:"status"`
	Header http.Header `json:"header,omitempty"`
	Body   []byte      `json:"body,omitempty"`
}

// Run is a request that is being done for the first time. It must be ended.
type Run struct {
	keys  *Keys
	tx    any
	entry Entry
	seal  cipher.AEAD
	bound []byte
}

// Begin returns a run for a request that is new, or the answer to one that is not.
// The error is a *problem.Problem of status 409 or 422, or one of the store.
func (k *Keys) Begin(ctx context.Context, r Request) (*Run, *Answer, error) {
	run, err := k.run(r)
	if err != nil {
		return nil, nil, err
	}
	if !k.enter(run.entry.ID) {
		return nil, nil, inUse()
	}
	found, err := k.cfg.Store.Begin(ctx, r.Tx, run.entry)
	if err == nil && found == nil {
		return run, nil, nil
	}
	k.leave(run.entry.ID)
	switch {
	case errors.Is(err, ErrFull):
		return nil, nil, problem.New(http.StatusServiceUnavailable, "").With("Retry-After", "60").Wrap(err)
	case err != nil:
		return nil, nil, fmt.Errorf("idempotency: %w", err)
	case !hmac.Equal(found.Fingerprint, run.entry.Fingerprint):
		return nil, nil, problem.New(http.StatusUnprocessableEntity, "the Idempotency-Key was used for another request").Named("idempotency_key_reused")
	case found.Answer == nil:
		return nil, nil, inUse()
	}
	answer, err := run.open(found.Answer)
	return nil, answer, err
}

func inUse() error {
	return problem.New(http.StatusConflict, "the request with this Idempotency-Key has not been answered yet").Named("idempotency_key_in_use").With("Retry-After", "1")
}

// Finish keeps the answer. If that fails, the effect must not hold.
func (r *Run) Finish(ctx context.Context, a Answer) error {
	if err := r.keys.keepable(a); err != nil {
		return err
	}
	text, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("idempotency: %w", err)
	}
	nonce := make([]byte, r.seal.NonceSize())
	_, _ = rand.Read(nonce) // It never fails.
	if err := r.keys.cfg.Store.Finish(ctx, r.tx, r.entry.ID, r.seal.Seal(nonce, nonce, text, r.bound)); err != nil {
		return fmt.Errorf("idempotency: %w", err)
	}
	return nil
}

// keepable refuses answers that hold credentials, and those that are too large.
func (k *Keys) keepable(a Answer) error {
	switch {
	case len(a.Header["Set-Cookie"]) > 0:
		return errors.New("idempotency: the answer sets a cookie, which is not kept: leave the option out")
	case strings.Contains(strings.ToLower(strings.Join(a.Header["Cache-Control"], ",")), "no-store"):
		return errors.New("idempotency: the answer is no-store, which is not kept: leave the option out")
	case len(a.Body) > k.cfg.MaxAnswer:
		return fmt.Errorf("idempotency: the answer has %d bytes, of which %d are kept: see Config.MaxAnswer", len(a.Body), k.cfg.MaxAnswer)
	}
	return nil
}

// End ends the run. Kept says that its effect holds: that it has succeeded and, with
// a transaction, that this has committed.
func (r *Run) End(kept bool) error {
	defer r.keys.leave(r.entry.ID)
	if kept {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second) // That of the request may be over.
	defer cancel()
	return r.keys.cfg.Store.Abandon(ctx, r.tx, r.entry.ID)
}

func (k *Keys) enter(id string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, busy := k.running[id]; busy {
		return false
	}
	k.running[id] = struct{}{}
	return true
}

func (k *Keys) leave(id string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.running, id)
}

// run derives what a request is known by.
func (k *Keys) run(r Request) (*Run, error) {
	id := sha256.New()
	write(id, []byte(r.Key), []byte(r.Operation))
	for _, part := range r.Caller {
		write(id, []byte(part))
	}
	now := k.cfg.Now()
	run := &Run{keys: k, tx: r.Tx, entry: Entry{ID: hex.EncodeToString(id.Sum(nil)), Now: now, Until: now.Add(k.cfg.Age)}}
	keys, err := hkdf.Key(sha256.New, []byte(r.Key), []byte(run.entry.ID), "fastness idempotency", 64)
	if err != nil {
		return nil, fmt.Errorf("idempotency: %w", err)
	}
	fingerprint := hmac.New(sha256.New, keys[:32])
	write(fingerprint, r.Parts...)
	run.entry.Fingerprint = fingerprint.Sum(nil)
	block, err := aes.NewCipher(keys[32:])
	if err != nil {
		return nil, fmt.Errorf("idempotency: %w", err)
	}
	if run.seal, err = cipher.NewGCM(block); err != nil {
		return nil, fmt.Errorf("idempotency: %w", err)
	}
	view := sha256.New()
	for _, part := range r.View {
		write(view, []byte(part))
	}
	run.bound = append([]byte(run.entry.ID), view.Sum(nil)...)
	return run, nil
}

// write writes parts so that no two lists of them look the same.
func write(w io.Writer, parts ...[]byte) {
	for _, part := range parts {
		var length [8]byte
		binary.BigEndian.PutUint64(length[:], uint64(len(part)))
		_, _ = w.Write(length[:]) // A hash never fails.
		_, _ = w.Write(part)
	}
}

// open decrypts a stored answer. It was sealed for one view.
func (r *Run) open(sealed []byte) (*Answer, error) {
	if len(sealed) < r.seal.NonceSize() {
		return nil, errors.New("idempotency: a stored answer is cut")
	}
	nonce, text := sealed[:r.seal.NonceSize()], sealed[r.seal.NonceSize():]
	plain, err := r.seal.Open(nil, nonce, text, r.bound)
	if err != nil {
		return nil, problem.New(http.StatusConflict, "the request was done, and its answer was for other roles than the caller has now").
			Named("idempotency_answer_withheld").Wrap(err)
	}
	a := new(Answer)
	if err := json.Unmarshal(plain, a); err != nil {
		return nil, fmt.Errorf("idempotency: %w", err)
	}
	return a, nil
}

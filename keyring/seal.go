package keyring

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
)

var (
	// ErrOpen says that something is not what the ring has sealed or authenticated
	// for that purpose and context. It does not say why.
	ErrOpen = errors.New("it cannot be opened")
	// ErrExhausted says that a key has encrypted as much as it may in this process.
	ErrExhausted = errors.New("the key has encrypted as much as it may")
)

// What is sealed begins with a mark, which says how to read it, and the id of its
// key. Both are authenticated.
const (
	sealMark = "FKS1"
	macMark  = "FKM1"
)

const macSize = 32

// Seal encrypts plaintext with the current key of a purpose: AES-256-GCM with a
// random nonce. The context says what it is for, such as a cookie's name and a
// user's id: [Ring.Open] with any other context fails.
func (r *Ring) Seal(ctx context.Context, purpose string, plaintext []byte, context ...string) ([]byte, error) {
	k, err := r.Signing(ctx, purpose)
	if err != nil {
		return nil, err
	}
	if k.aead == nil {
		return nil, errKind
	}
	if err := r.count(ctx, k); err != nil {
		return nil, err
	}
	head := appendHead(sealMark, k.id)
	out := make([]byte, len(head)+k.aead.NonceSize(), len(head)+k.aead.NonceSize()+len(plaintext)+k.aead.Overhead())
	copy(out, head)
	nonce := out[len(head):]
	rand.Read(nonce)
	return k.aead.Seal(out, nonce, plaintext, appendChain(head, purpose, context)), nil
}

// count counts a message. A random nonce that comes twice under one key gives
// both messages away, and the means to forge others.
func (r *Ring) count(ctx context.Context, k *Key) error {
	limit := r.purposes[k.purpose].SealLimit
	n := k.seals.Add(1)
	if n > limit {
		k.seals.Store(limit) // Without it, the counter would come round some day.
		return fmt.Errorf("%w: key %s", ErrExhausted, k.id)
	}
	if worn := limit - limit/4; n >= worn && (n-worn)%(limit/16+1) == 0 { // More than once, should it fail.
		r.relieve(ctx, k)
	}
	return nil
}

// relieve lets a new key take over from one that has encrypted enough. Nobody has
// to know it beforehand: who does not, looks into the store.
func (r *Ring) relieve(ctx context.Context, worn *Key) {
	p := r.purposes[worn.purpose]
	err := r.do(ctx, func(ctx context.Context, c *change) error {
		if signing := choose(c.doc.pointers(p.Name), c.now, r.cfg.Skew, p.Announce); signing != nil && signing.ID != worn.id {
			return nil
		}
		return c.replace(ctx, p)
	})
	if err != nil {
		r.cfg.Logger.ErrorContext(ctx, "the key encrypts too much and has no successor", "key", worn.id, "error", err)
	}
}

// Open decrypts what [Ring.Seal] returned. Every failure is [ErrOpen]. If stale is
// true, it was sealed with a key that is not the current one: seal it again.
func (r *Ring) Open(ctx context.Context, purpose string, sealed []byte, context ...string) (plaintext []byte, stale bool, err error) {
	id, rest, ok := cutHead(sealMark, sealed)
	if !ok {
		return nil, false, ErrOpen
	}
	k, err := r.Verifying(ctx, purpose, id)
	if err != nil {
		return nil, false, ErrOpen
	}
	if plaintext, err = k.open(rest, context); err != nil {
		return nil, false, err
	}
	return plaintext, r.stale(ctx, k), nil
}

// OpenRevoked decrypts what was sealed with a key that is revoked, to save the
// data. Whoever has the key could have written it, so the reason is logged.
func (r *Ring) OpenRevoked(ctx context.Context, purpose, reason string, sealed []byte, context ...string) ([]byte, error) {
	id, rest, ok := cutHead(sealMark, sealed)
	if !ok || reason == "" {
		return nil, ErrOpen
	}
	e := r.fresh(ctx).keys[id]
	if e.key == nil || e.record.Purpose != purpose || e.record.Revoked.IsZero() || e.record.ended(r.now()) {
		return nil, ErrOpen
	}
	r.cfg.Logger.WarnContext(ctx, "key ring: something is opened with a revoked key", "key", id, "purpose", purpose, "reason", reason)
	return e.key.open(rest, context)
}

func (k *Key) open(rest []byte, context []string) ([]byte, error) {
	if k.aead == nil || len(rest) < k.aead.NonceSize() {
		return nil, ErrOpen
	}
	nonce, ciphertext := rest[:k.aead.NonceSize()], rest[k.aead.NonceSize():]
	plaintext, err := k.aead.Open(nil, nonce, ciphertext, appendChain(appendHead(sealMark, k.id), k.purpose, context))
	if err != nil {
		return nil, ErrOpen
	}
	return plaintext, nil
}

// MAC authenticates a message with the current key of an A256GCM purpose:
// HMAC-SHA-256 under a key derived for the context. What it returns names the key
// and goes with the message.
func (r *Ring) MAC(ctx context.Context, purpose string, message []byte, context ...string) ([]byte, error) {
	k, err := r.Signing(ctx, purpose)
	if err != nil {
		return nil, err
	}
	tag, err := k.mac(message, context)
	if err != nil {
		return nil, err
	}
	return append(appendHead(macMark, k.id), tag...), nil
}

// CheckMAC returns nil if mac is what [Ring.MAC] returned for the message, and
// [ErrOpen] otherwise. Stale is as for [Ring.Open].
func (r *Ring) CheckMAC(ctx context.Context, purpose string, message, mac []byte, context ...string) (stale bool, err error) {
	id, tag, ok := cutHead(macMark, mac)
	if !ok || len(tag) != macSize {
		return false, ErrOpen
	}
	k, err := r.Verifying(ctx, purpose, id)
	if err != nil {
		return false, ErrOpen
	}
	want, err := k.mac(message, context)
	if err != nil || subtle.ConstantTimeCompare(tag, want) != 1 {
		return false, ErrOpen
	}
	return r.stale(ctx, k), nil
}

func (r *Ring) stale(ctx context.Context, k *Key) bool {
	current, err := r.Signing(ctx, k.purpose)
	return err == nil && current.id != k.id
}

func appendHead(mark, id string) []byte {
	head := make([]byte, 0, len(mark)+1+len(id)+64)
	head = append(head, mark...)
	return append(append(head, byte(len(id))), id...)
}

func cutHead(mark string, b []byte) (id string, rest []byte, ok bool) {
	if len(b) <= len(mark) || string(b[:len(mark)]) != mark {
		return "", nil, false
	}
	n := int(b[len(mark)])
	b = b[len(mark)+1:]
	if n > len(b) || !isID(string(b[:n])) {
		return "", nil, false
	}
	return string(b[:n]), b[n:], true
}

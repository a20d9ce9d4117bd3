package jws

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"math/big"
)

// Sign returns the signature of data, or [ErrCannotSign].
func (k *Key) Sign(data []byte) ([]byte, error) {
	if k.secret != nil {
		h := k.mac()
		defer k.macs.Put(h)
		h.Write(data)
		return h.Sum(nil), nil
	}
	switch private := k.private.(type) {
	case ed25519.PrivateKey:
		return ed25519.Sign(private, data), nil
	case *ecdsa.PrivateKey:
		return k.signECDSA(private, data)
	case *rsa.PrivateKey:
		var buf [sha512.Size]byte
		digest := k.digest(&buf, data)
		if k.alg.kind() == kindPSS {
			return rsa.SignPSS(rand.Reader, private, k.alg.hash(), digest, pss(k.alg))
		}
		return rsa.SignPKCS1v15(rand.Reader, private, k.alg.hash(), digest)
	}
	return nil, ErrCannotSign
}

// signECDSA returns r and s side by side, each as long as the curve's order
// (RFC 7518, section 3.4).
func (k *Key) signECDSA(private *ecdsa.PrivateKey, data []byte) ([]byte, error) {
	var buf [sha512.Size]byte
	r, s, err := ecdsa.Sign(rand.Reader, private, k.digest(&buf, data))
	if err != nil {
		return nil, err
	}
	size := k.coordinate()
	sig := make([]byte, 2*size)
	r.FillBytes(sig[:size])
	s.FillBytes(sig[size:])
	return sig, nil
}

// Verify returns nil if sig is the key's signature of data, and [ErrSignature]
// otherwise.
func (k *Key) Verify(data, sig []byte) error {
	if k.valid(data, sig) {
		return nil
	}
	return ErrSignature
}

func (k *Key) valid(data, sig []byte) bool {
	if k.secret != nil {
		h := k.mac()
		defer k.macs.Put(h)
		h.Write(data)
		var sum [sha512.Size]byte
		return hmac.Equal(sig, h.Sum(sum[:0]))
	}
	var buf [sha512.Size]byte
	switch public := k.public.(type) {
	case ed25519.PublicKey:
		return ed25519.Verify(public, data, sig)
	case *ecdsa.PublicKey:
		return k.validECDSA(public, k.digest(&buf, data), sig)
	case *rsa.PublicKey:
		digest := k.digest(&buf, data)
		if k.alg.kind() == kindPSS {
			return rsa.VerifyPSS(public, k.alg.hash(), digest, sig, pss(k.alg)) == nil
		}
		return rsa.VerifyPKCS1v15(public, k.alg.hash(), digest, sig) == nil
	}
	return false
}

// validECDSA refuses signatures of another length, so that there is no DER and
// no second spelling with leading zeros; the numbers must lie in [1, n-1], or a
// signature of zeros would fit any message (CVE-2022-21449).
func (k *Key) validECDSA(public *ecdsa.PublicKey, digest, sig []byte) bool {
	size := k.coordinate()
	if len(sig) != 2*size {
		return false
	}
	r, s := new(big.Int).SetBytes(sig[:size]), new(big.Int).SetBytes(sig[size:])
	order := public.Curve.Params().N
	if r.Sign() == 0 || s.Sign() == 0 || r.Cmp(order) >= 0 || s.Cmp(order) >= 0 {
		return false
	}
	return ecdsa.Verify(public, digest, r, s)
}

// coordinate returns how many bytes a number of the key's curve has.
func (k *Key) coordinate() int {
	curve, _ := k.alg.curve()
	return (curve.Params().BitSize + 7) / 8
}

// digest writes the hash of data into buf.
func (k *Key) digest(buf *[sha512.Size]byte, data []byte) []byte {
	switch k.alg.hash() {
	case crypto.SHA256:
		sum := sha256.Sum256(data)
		return append(buf[:0], sum[:]...)
	case crypto.SHA384:
		sum := sha512.Sum384(data)
		return append(buf[:0], sum[:]...)
	default:
		*buf = sha512.Sum512(data)
		return buf[:]
	}
}

// pss wants a salt as long as the hash (RFC 7518, section 3.5). The default of
// the standard library takes any: then one message has many signatures.
func pss(alg Algorithm) *rsa.PSSOptions {
	return &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: alg.hash()}
}

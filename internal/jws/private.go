package jws

import (
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
)

// privateVersion is the form that MarshalPrivate writes.
const privateVersion = 1

var errPrivate = errors.New("not a private key in a form that is known")

// MarshalPrivate returns the whole key, for a store that encrypts it. The form is
// a JSON object with a version; an asymmetric key is in PKCS #8.
func (k *Key) MarshalPrivate() ([]byte, error) {
	material := k.secret
	if material == nil {
		if k.private == nil {
			return nil, ErrCannotSign
		}
		der, err := x509.MarshalPKCS8PrivateKey(k.private)
		if err != nil {
			return nil, err
		}
		material = der
	}
	return fmt.Appendf(nil, `{"version":%d,"alg":%q,"kid":%q,"key":%q}`,
		privateVersion, string(k.alg), k.id, base64.RawURLEncoding.EncodeToString(material)), nil
}

// ParsePrivate reads what [Key.MarshalPrivate] wrote. Its errors say nothing
// about what was in data.
func ParsePrivate(data []byte) (*Key, error) {
	var version int64
	var alg Algorithm
	var id, encoded string
	o := Object{Data: data}
	for o.Next() {
		v := o.Value()
		ok := false
		switch string(o.Name()) {
		case "version":
			version, ok = v.Integer()
		case "alg":
			name, _ := v.bytes()
			alg, ok = algorithm(name)
		case "kid":
			id, ok = v.Text()
		case "key":
			encoded, ok = v.Text()
		}
		if !ok {
			return nil, errPrivate
		}
	}
	if o.Err() != nil || version != privateVersion || alg == "" {
		return nil, errPrivate
	}
	material, err := Decode(encoded)
	if err != nil {
		return nil, errPrivate
	}
	if alg.Symmetric() {
		return NewSecret(alg, id, material)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(material)
	if err != nil {
		return nil, errPrivate
	}
	private, ok := parsed.(crypto.Signer)
	if !ok {
		return nil, errPrivate
	}
	return newPrivate(alg, id, private)
}

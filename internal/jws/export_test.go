package jws

// UncheckedSecret makes a key of a secret that NewSecret may refuse: some
// published vectors use a key of zeros.
func UncheckedSecret(alg Algorithm, id string, secret []byte) *Key { return newSecret(alg, id, secret) }

package jws

import "math/big"

// rocaPrimes are the primes by which the flawed generator gives itself away.
var rocaPrimes = [...]uint16{
	3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97,
	101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
}

// isROCA reports whether a modulus comes from the generator of CVE-2017-15361,
// whose keys can be factored: both its primes are k·M + (65537^a mod M), where M
// is the product of the first primes. So modulo each of them the modulus is a
// power of 65537, which for another key is as good as impossible.
func isROCA(n *big.Int) bool {
	var divisor, rest big.Int
	for _, prime := range rocaPrimes {
		p := uint64(prime)
		r := rest.Mod(n, divisor.SetUint64(p)).Uint64()
		power, found := uint64(1), false
		for range p {
			found = found || power == r
			power = power * 65537 % p
		}
		if !found {
			return false
		}
	}
	return true
}

// Package keyring keeps the keys that a service signs and encrypts with, and
// replaces them on a schedule without anybody noticing.
//
//	ring, err := keyring.Open(ctx, keyring.Config{
//		Store:  store, // keyring.File, keyring.SQL
//		Sealer: sealer,
//		Purposes: []keyring.Purpose{
//			{Name: "access-token", Algorithm: keyring.EdDSA, Lifetime: time.Hour},
//			{Name: "csrf", Algorithm: keyring.A256GCM, Retain: 24 * time.Hour},
//		},
//	})
//	key, err := ring.Signing(ctx, "access-token")    // to sign with
//	key, err = ring.Verifying(ctx, "access-token", id) // to verify with
//
// All processes of a service share one ring through its [Store]. The first one
// that opens an empty ring makes the keys; whoever uses the ring when a successor
// is due makes that. There is no leader, and no process has to run for another.
//
// # The life of a key
//
//	created       activates            expires        ends
//	   |              |                   |             |
//	   |   Pending    |      Active       |  Retiring   |  Gone
//	   | is published | signs, one key at | only        | its private part
//	   | and verifies | a time            | verifies    | is erased
//	   |<- Announce ->|<---- Lifetime --->|<- Retain -->|
//	   |  + 2 x Skew  |
//
//	the next key:     | Pending           | Active ...
//
// A key is published long enough before it signs for everybody who keeps a copy
// of the published keys to have fetched it, and verifies until the last token
// that it signed has expired: so a rotation costs no valid token. [Ring.Rotate]
// rotates early, in the same order.
//
// [Ring.Revoke] and [Ring.RevokeBefore] are for keys that have leaked. A revoked
// key neither signs nor verifies, in this process at once and in the others
// within [Config.Refresh]; [Ring.Generation] rises, so that who remembers
// verified tokens forgets them; and a new key is active at once.
//
// # Which key signs
//
// Every process decides for itself, by the same rule, from the same records:
// among the keys that are usable and whose activation has come, or is less than
// Skew away, the most recently activated that was published for at least
// Announce; if there is none, the least recently activated. Ties go to the
// smaller id. That a key has begun to sign is recorded, and from then on none
// before it signs again, whatever a clock says. Clocks may be up to Skew ahead of
// the true time or behind it.
//
// # When the store is down
//
// Nothing is lost that was agreed on before: the keys that a process has in
// memory go on until their end, each failure is logged, and when the last key
// that may sign has expired [Ring.Signing] fails. A ring that is damaged, that was
// put back to an older state, or that the [Sealer] cannot open is treated in the
// same way while the process runs, and is an error of [Open]. It is never
// replaced by a new one.
//
// # At rest
//
// The Sealer encrypts every private part, bound to the id, purpose and algorithm
// of its key, and seals the ring as a whole: who can write to the store, and does
// not have the key of the Sealer, can destroy the ring but neither read a key,
// add one, prolong one nor undo a revocation unnoticed.
package keyring

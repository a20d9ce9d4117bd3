package ws

// utf8Check checks a text piece by piece: a sequence may be split anywhere, also
// between two frames. The zero value is at the beginning of a text.
type utf8Check struct {
	need   uint8 // bytes that the sequence still needs
	lo, hi byte  // the range of the next one
}

// feed reports whether p can go on the text. After false the text stays bad.
func (u *utf8Check) feed(p []byte) bool {
	for _, c := range p {
		switch {
		case u.need > 0:
			if c < u.lo || c > u.hi {
				return false
			}
			u.need--
			u.lo, u.hi = 0x80, 0xBF
		case c < 0x80:
		default:
			if u.need, u.lo, u.hi = sequence(c); u.need == 0 {
				return false
			}
		}
	}
	return true
}

// whole reports whether the text may end here.
func (u *utf8Check) whole() bool { return u.need == 0 }

// sequence says how many bytes follow first and what the next one may be, by table
// 3-7 of the Unicode standard: no overlong forms, no surrogates, nothing beyond
// U+10FFFF. Nothing follows a byte that begins no sequence.
func sequence(first byte) (need uint8, lo, hi byte) {
	switch {
	case first < 0xC2 || first > 0xF4:
		return 0, 0, 0
	case first <= 0xDF:
		return 1, 0x80, 0xBF
	case first == 0xE0:
		return 2, 0xA0, 0xBF
	case first == 0xED:
		return 2, 0x80, 0x9F
	case first <= 0xEF:
		return 2, 0x80, 0xBF
	case first == 0xF0:
		return 3, 0x90, 0xBF
	case first == 0xF4:
		return 3, 0x80, 0x8F
	}
	return 3, 0x80, 0xBF
}

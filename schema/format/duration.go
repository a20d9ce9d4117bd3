package format

import (
	"math"
	"strconv"
	"strings"
	"time"
)

const (
	codeDuration = "time_delta_parsing"
	sayDuration  = "Input should be a valid timedelta"
)

const (
	whyNoP           = "expected `P` at the start"
	whyNumber        = "invalid digit in duration"
	whyRepeatedT     = "`t` character repeated in duration"
	whyDateUnit      = "quantity invalid in date part of duration"
	whyTimeUnit      = "quantity invalid in time part of duration"
	whyPart          = "quantity fraction invalid in duration"
	whyTooLarge      = "a numeric value in the duration is too large"
	whyNoFixedLength = "years and months have no fixed length"
)

// ParseDuration parses an ISO 8601 duration such as PT1H30M, P1DT12H or P2W.
// A day is 24 hours and a week seven days. Years and months are refused: they
// have no fixed length. What does not fit into a [time.Duration], about 292
// years, or is finer than a nanosecond is refused rather than rounded. Its
// error is a [*Mistake].
//
// It reads everything that [AppendDuration] writes, also a minus before the P,
// which the format "duration" does not have.
func ParseDuration(s string) (time.Duration, error) {
	text, negative := strings.CutPrefix(s, "-")
	sum := uint64(0)
	why := scanDuration(text, func(part durationPart) string { return part.addTo(&sum) })
	limit := uint64(math.MaxInt64)
	if negative {
		limit++
	}
	if why == "" && sum > limit {
		why = whyTooLarge
	}
	if why != "" {
		return 0, because(codeDuration, sayDuration, why)
	}
	if negative {
		return time.Duration(-sum), nil // Two's complement holds for the smallest value as well.
	}
	return time.Duration(sum), nil
}

// AppendDuration appends d as an ISO 8601 duration in hours, minutes and
// seconds without the zero parts: PT1H30M, PT0.25S, PT0S. Days are not used,
// since a reader may take them for calendar days. A negative duration has a
// minus before the P, as ISO 8601-2 and most libraries write it.
func AppendDuration(buf []byte, d time.Duration) []byte {
	n := uint64(d)
	if d < 0 {
		buf = append(buf, '-')
		n = -n
	}
	buf = append(buf, "PT"...)
	if n == 0 {
		return append(buf, "0S"...)
	}
	if hours := n / uint64(time.Hour); hours > 0 {
		buf = append(strconv.AppendUint(buf, hours, 10), 'H')
	}
	if minutes := n / uint64(time.Minute) % 60; minutes > 0 {
		buf = append(strconv.AppendUint(buf, minutes, 10), 'M')
	}
	n %= uint64(time.Minute)
	if n == 0 {
		return buf
	}
	buf = strconv.AppendUint(buf, n/uint64(time.Second), 10)
	if n %= uint64(time.Second); n > 0 {
		buf = append(buf, '.')
		for unit := uint64(time.Second) / 10; n > 0; unit /= 10 {
			buf = append(buf, '0'+byte(n/unit))
			n %= unit
		}
	}
	return append(buf, 'S')
}

// checkDuration follows RFC 3339 appendix A with two of ISO 8601's liberties,
// without which [AppendDuration] could not write every duration: zero parts may
// be left out in the middle (PT1H5S), and seconds may have a fraction.
func checkDuration(s string) error {
	if why := scanDuration(s, func(durationPart) string { return "" }); why != "" {
		return because(codeDuration, sayDuration, why)
	}
	return nil
}

// durationPart is one quantity of a duration, such as 1.5S.
type durationPart struct {
	digits, fraction string
	unit             byte
	inTime           bool
}

// scanDuration calls visit with each quantity of s and says what is wrong with
// s, which may be what visit says.
func scanDuration(s string, visit func(durationPart) (why string)) (why string) {
	rest, ok := strings.CutPrefix(s, "P")
	switch {
	case s == "" || rest == "":
		return whyShort
	case !ok:
		return whyNoP
	}
	units, inTime := "YMWD", false
	for rest != "" {
		if rest[0] == 'T' {
			if inTime {
				return whyRepeatedT
			}
			units, inTime, rest = "HMS", true, rest[1:]
			if rest == "" {
				return whyShort
			}
			continue
		}
		var part durationPart
		if part, rest, why = scanQuantity(rest, inTime); why != "" {
			return why
		}
		at := strings.IndexByte(units, part.unit)
		alone := part.unit == 'W' && (len(units) != 4 || rest != "") // Weeks go with nothing else.
		switch {
		case at < 0 && inTime:
			return whyTimeUnit
		case at < 0 || alone:
			return whyDateUnit
		}
		units = units[at+1:]
		if why = visit(part); why != "" {
			return why
		}
	}
	return ""
}

func scanQuantity(s string, inTime bool) (part durationPart, rest, why string) {
	n := countDigits(s)
	if n == 0 {
		return part, s, whyNumber
	}
	part, rest = durationPart{digits: s[:n], inTime: inTime}, s[n:]
	if rest != "" && rest[0] == '.' {
		n = countDigits(rest[1:])
		part.fraction, rest = rest[1:1+n], rest[1+n:]
		if n == 0 || rest == "" || rest[0] != 'S' {
			return part, rest, whyPart
		}
	}
	if rest == "" {
		if inTime {
			return part, rest, whyTimeUnit
		}
		return part, rest, whyDateUnit
	}
	part.unit = rest[0]
	return part, rest[1:], ""
}

func countDigits(s string) int {
	n := 0
	for n < len(s) && isDigit(s[n]) {
		n++
	}
	return n
}

// addTo adds the part to sum, in nanoseconds.
func (p durationPart) addTo(sum *uint64) (why string) {
	unit := uint64(time.Second)
	switch {
	case p.unit == 'Y' || p.unit == 'M' && !p.inTime:
		return whyNoFixedLength
	case p.unit == 'W':
		unit = 7 * 24 * uint64(time.Hour)
	case p.unit == 'D':
		unit = 24 * uint64(time.Hour)
	case p.unit == 'H':
		unit = uint64(time.Hour)
	case p.unit == 'M':
		unit = uint64(time.Minute)
	}
	// One more than the largest duration is the magnitude of the smallest.
	const most = uint64(math.MaxInt64) + 1
	n := uint64(0)
	for i := range len(p.digits) {
		if n = n*10 + uint64(p.digits[i]-'0'); n > most/unit {
			return whyTooLarge
		}
	}
	n *= unit
	for i := range len(p.fraction) {
		if unit /= 10; unit == 0 {
			return whyFraction
		}
		n += uint64(p.fraction[i]-'0') * unit
	}
	if *sum += n; *sum > most { // Neither is more than 2^63 and a second, so the sum cannot wrap.
		return whyTooLarge
	}
	return ""
}

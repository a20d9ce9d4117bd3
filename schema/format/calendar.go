package format

import "time"

const (
	codeDate     = "date_from_datetime_parsing"
	sayDate      = "Input should be a valid date or datetime"
	codeDateTime = "datetime_parsing"
	sayDateTime  = "Input should be a valid datetime"
	codeTime     = "time_parsing"
	sayTime      = "Input should be in a valid time format"
)

// The reasons are those that FastAPI gives.
const (
	whyShort        = "input is too short"
	whyExtra        = "unexpected extra characters at the end of the input"
	whyYearChar     = "invalid character in year"
	whyDateSep      = "invalid date separator, expected `-`"
	whyMonthChar    = "invalid character in month"
	whyDayChar      = "invalid character in day"
	whyMonth        = "month value is outside expected range of 1-12"
	whyDay          = "day value is outside expected range"
	whySeparator    = "invalid datetime separator, expected `T` or `t`"
	whyHourChar     = "invalid character in hour"
	whyMinuteChar   = "invalid character in minute"
	whySecondChar   = "invalid character in second"
	whyTimeSep      = "invalid time separator, expected `:`"
	whyHour         = "hour value is outside expected range of 0-23"
	whyMinute       = "minute value is outside expected range of 0-59"
	whySecond       = "second value is outside expected range of 0-59"
	whyNoFraction   = "second fraction digits missing after `.`"
	whyFraction     = "second fraction value is more than 9 digits long"
	whyZoneSign     = "invalid timezone sign"
	whyZoneHour     = "invalid timezone hour"
	whyZoneMinute   = "invalid timezone minute"
	whyZoneMinutes  = "timezone minute value is outside expected range of 0-59"
	whyZoneTooLarge = "timezone offset must be less than 24 hours"
	// whyNaive stands for a code of its own: see [timeMistake].
	whyNaive = "Input should have timezone info"
)

// ParseDate parses an RFC 3339 full-date such as 2026-02-28 into midnight UTC.
// Its error is a [*Mistake].
//
// It is the inverse of [time.Time.Format] with [time.DateOnly].
func ParseDate(s string) (time.Time, error) {
	year, month, day, why := scanDate(s)
	if why == "" && len(s) > len(time.DateOnly) {
		why = whyExtra
	}
	if why != "" {
		return time.Time{}, because(codeDate, sayDate, why)
	}
	return time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC), nil
}

// ParseDateTime parses an RFC 3339 date-time such as 2026-02-28T10:00:00.5+01:00.
// The offset is required, since a time without one is a different moment on
// every machine. T and Z may be lower case (RFC 3339 section 5.6). The result
// is in UTC if the offset is zero, else in an unnamed zone of that offset. Its
// error is a [*Mistake].
//
// Two things that the format allows are refused, because a [time.Time] would
// change them silently: a leap second (23:59:60) and more than nine digits of
// a fraction.
//
// It is the inverse of [time.Time.Format] with [time.RFC3339Nano] for the years
// 0 to 9999 and offsets of whole minutes.
func ParseDateTime(s string) (time.Time, error) {
	year, month, day, c, err := scanDateTime(s)
	switch {
	case err != nil:
		return time.Time{}, err
	case c.second == 60:
		return time.Time{}, because(codeDateTime, sayDateTime, whySecond)
	case c.digits > 9:
		return time.Time{}, because(codeDateTime, sayDateTime, whyFraction)
	}
	zone := time.UTC
	if c.offset != 0 {
		zone = time.FixedZone("", c.offset*60)
	}
	return time.Date(year, time.Month(month), day, c.hour, c.minute, c.second, c.nano, zone), nil
}

func checkDate(s string) error {
	_, _, _, why := scanDate(s)
	if why == "" && len(s) > len(time.DateOnly) {
		why = whyExtra
	}
	if why != "" {
		return because(codeDate, sayDate, why)
	}
	return nil
}

// checkDateTime accepts a leap second where one can be, at 23:59:60 UTC, and
// any number of digits in a fraction, as RFC 3339 does.
func checkDateTime(s string) error {
	_, _, _, _, err := scanDateTime(s)
	return err
}

func checkTime(s string) error {
	if _, why := scanClock(s); why != "" {
		return timeMistake(codeTime, sayTime, why)
	}
	return nil
}

// scanDateTime reads a whole date-time. A mistake in the date has the code that
// FastAPI gives it after it has tried both a datetime and a date; a mistake in
// the time, which FastAPI calls "extra characters", gets its real reason.
func scanDateTime(s string) (year, month, day int, c clock, err error) {
	year, month, day, why := scanDate(s)
	if why != "" {
		return 0, 0, 0, clock{}, because("datetime_from_date_parsing", "Input should be a valid datetime or date", why)
	}
	switch {
	case len(s) == len(time.DateOnly):
		why = whyShort
	case s[len(time.DateOnly)]|0x20 != 't':
		why = whySeparator
	default:
		c, why = scanClock(s[len(time.DateOnly)+1:])
	}
	if why != "" {
		return 0, 0, 0, clock{}, timeMistake(codeDateTime, sayDateTime, why)
	}
	return year, month, day, c, nil
}

func timeMistake(code, sentence, why string) error {
	if why == whyNaive {
		return plain("timezone_aware", whyNaive)
	}
	return because(code, sentence, why)
}

// scanDate reads a full-date at the start of s and says why it could not.
func scanDate(s string) (year, month, day int, why string) {
	if len(s) < len(time.DateOnly) {
		return 0, 0, 0, whyShort
	}
	century, ok1 := twoDigits(s)
	year, ok2 := twoDigits(s[2:])
	month, ok3 := twoDigits(s[5:])
	day, ok4 := twoDigits(s[8:])
	year += century * 100
	switch {
	case !ok1 || !ok2:
		return 0, 0, 0, whyYearChar
	case s[4] != '-':
		return 0, 0, 0, whyDateSep
	case !ok3:
		return 0, 0, 0, whyMonthChar
	case s[7] != '-':
		return 0, 0, 0, whyDateSep
	case !ok4:
		return 0, 0, 0, whyDayChar
	case month < 1 || month > 12:
		return 0, 0, 0, whyMonth
	case day < 1 || day > daysIn(year, month):
		return 0, 0, 0, whyDay
	}
	return year, month, day, ""
}

func daysIn(year, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// clock is an RFC 3339 full-time.
type clock struct {
	hour, minute, second int
	nano                 int
	digits               int // of the fraction, also those beyond nano
	offset               int // minutes east of UTC
}

// scanClock reads s as a full-time and says why it could not.
func scanClock(s string) (c clock, why string) {
	if len(s) < len("00:00:00") {
		return c, whyShort
	}
	var ok1, ok2, ok3 bool
	c.hour, ok1 = twoDigits(s)
	c.minute, ok2 = twoDigits(s[3:])
	c.second, ok3 = twoDigits(s[6:])
	switch {
	case !ok1:
		return c, whyHourChar
	case s[2] != ':' || s[5] != ':':
		return c, whyTimeSep
	case !ok2:
		return c, whyMinuteChar
	case !ok3:
		return c, whySecondChar
	case c.hour > 23:
		return c, whyHour
	case c.minute > 59:
		return c, whyMinute
	case c.second > 60:
		return c, whySecond
	}
	rest := s[len("00:00:00"):]
	if rest != "" && rest[0] == '.' {
		rest = c.scanFraction(rest[1:])
		if c.digits == 0 {
			return c, whyNoFraction
		}
	}
	if c.offset, why = scanOffset(rest); why != "" {
		return c, why
	}
	// Leap seconds are added at the end of a day of UTC (RFC 3339 section 5.7).
	const minutesPerDay = 24 * 60
	utc := (c.hour*60 + c.minute - c.offset + minutesPerDay) % minutesPerDay
	if c.second == 60 && utc != minutesPerDay-1 {
		return c, whySecond
	}
	return c, ""
}

// scanFraction reads the digits at the start of s and returns what follows.
func (c *clock) scanFraction(s string) string {
	unit := int(100 * time.Millisecond)
	for c.digits < len(s) && isDigit(s[c.digits]) {
		c.nano += int(s[c.digits]-'0') * unit
		unit /= 10
		c.digits++
	}
	return s[c.digits:]
}

func scanOffset(s string) (minutes int, why string) {
	switch {
	case s == "Z" || s == "z":
		return 0, ""
	case s == "":
		return 0, whyNaive
	case s[0] == 'Z' || s[0] == 'z':
		return 0, whyExtra
	case s[0] != '+' && s[0] != '-':
		return 0, whyZoneSign
	case len(s) < len("+00:00"):
		return 0, whyShort
	}
	hour, ok1 := twoDigits(s[1:])
	minute, ok2 := twoDigits(s[4:])
	switch {
	case !ok1:
		return 0, whyZoneHour
	case s[3] != ':':
		return 0, whyTimeSep
	case !ok2:
		return 0, whyZoneMinute
	case minute > 59:
		return 0, whyZoneMinutes
	case hour > 23:
		return 0, whyZoneTooLarge
	case len(s) > len("+00:00"):
		return 0, whyExtra
	}
	minutes = hour*60 + minute
	if s[0] == '-' {
		minutes = -minutes
	}
	return minutes, ""
}

// twoDigits reads the two digits at the start of s, which is long enough.
func twoDigits(s string) (n int, ok bool) {
	if !isDigit(s[0]) || !isDigit(s[1]) {
		return 0, false
	}
	return int(s[0]-'0')*10 + int(s[1]-'0'), true
}

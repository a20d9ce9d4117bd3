package ratelimit

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Quota is one part of a limit: how many requests in which window.
type Quota struct {
	// Count is how many units may be spent within Window; a request costs one
	// unit unless its rule says otherwise.
	Count int
	// Window is how long a unit that was spent counts.
	Window time.Duration
}

const (
	maxCount  = 1_000_000_000
	maxWindow = 10 * 365 * 24 * time.Hour
	maxQuotas = 8
)

// Parse reads a limit: one or more quotas, separated by "," ";" or "|".
//
//	5/minute   5 per minute   10 per 5 minutes   10/second; 100/hour
//
// The units are second, minute, hour, day, month (30 days) and year (365 days),
// with or without an s. Whatever else there is is an error that says what was
// expected: a limit that is not understood must not be no limit. The longer
// window has the larger count, or it would never be reached.
func Parse(text string) ([]Quota, error) {
	parts := strings.FieldsFunc(text+" ", func(r rune) bool { return r == ',' || r == ';' || r == '|' })
	if len(parts) > maxQuotas {
		return nil, fmt.Errorf("limit %q has %d quotas, want at most %d", text, len(parts), maxQuotas)
	}
	if strings.Count(text, ",")+strings.Count(text, ";")+strings.Count(text, "|") != len(parts)-1 {
		return nil, fmt.Errorf("limit %q has an empty quota, %s", text, wantQuota)
	}
	var quotas []Quota
	var mistakes []error
	for _, part := range parts {
		q, err := parseQuota(part)
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("limit %q: %w", text, err))
			continue
		}
		for _, other := range quotas {
			short, long := other, q
			if short.Window > long.Window {
				short, long = long, short
			}
			if short.Window == long.Window {
				mistakes = append(mistakes, fmt.Errorf("limit %q has two quotas for one window", text))
			} else if short.Count >= long.Count {
				mistakes = append(mistakes, fmt.Errorf("limit %q has a quota that never counts: the longer window must have the larger count", text))
			}
		}
		quotas = append(quotas, q)
	}
	if err := errors.Join(mistakes...); err != nil {
		return nil, err
	}
	return quotas, nil
}

const wantQuota = `want one like "5/minute", "5 per minute" or "10 per 5 minutes"`

func parseQuota(text string) (q Quota, err error) {
	rest := strings.ToLower(strings.Trim(text, " \t"))
	if rest == "" {
		return q, errors.New("a quota is empty, " + wantQuota)
	}
	count, rest, err := number(rest, maxCount)
	if err != nil {
		return q, fmt.Errorf("the number of requests %w, %s", err, wantQuota)
	}
	if after, ok := strings.CutPrefix(rest, "/"); ok {
		rest = after
	} else if after, ok := strings.CutPrefix(rest, "per"); ok {
		rest = after
	} else {
		return q, fmt.Errorf("%q follows the number, want / or per", rest)
	}
	rest = strings.TrimLeft(rest, " \t")
	multiple := 1
	if rest != "" && isDigit(rest[0]) {
		if multiple, rest, err = number(rest, maxCount); err != nil {
			return q, fmt.Errorf("the number of units %w", err)
		}
	}
	unit := unitOf(strings.TrimSuffix(rest, "s"))
	switch {
	case unit == 0:
		return q, fmt.Errorf("%q is not a unit, want second, minute, hour, day, month or year", rest)
	case time.Duration(multiple) > maxWindow/unit:
		return q, fmt.Errorf("the window %d %s is too long, want at most 10 years", multiple, rest)
	}
	return Quota{Count: count, Window: time.Duration(multiple) * unit}, nil
}

// number reads a number from 1 to most, and the white space behind it.
func number(text string, most int) (n int, rest string, err error) {
	end := 0
	for end < len(text) && isDigit(text[end]) {
		end++
	}
	switch n, err = strconv.Atoi(text[:end]); {
	case end == 0:
		return 0, text, errors.New("is missing")
	case err != nil || n > most:
		return 0, text, fmt.Errorf("is too large, want at most %d", most)
	case n == 0:
		return 0, text, errors.New("is 0, want at least 1")
	}
	return n, strings.TrimLeft(text[end:], " \t"), nil
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func unitOf(name string) time.Duration {
	const day = 24 * time.Hour
	switch name {
	case "second":
		return time.Second
	case "minute":
		return time.Minute
	case "hour":
		return time.Hour
	case "day":
		return day
	case "month":
		return 30 * day
	case "year":
		return 365 * day
	}
	return 0
}

// windowName names a window for the RateLimit fields: "minute", "5-minutes".
func windowName(d time.Duration) string {
	for _, name := range [...]string{"year", "month", "day", "hour", "minute", "second"} {
		switch unit := unitOf(name); {
		case d == unit:
			return name
		case d%unit == 0:
			return strconv.FormatInt(int64(d/unit), 10) + "-" + name + "s"
		}
	}
	return d.String()
}

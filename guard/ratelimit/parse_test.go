package ratelimit_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fastness/fastness/guard/ratelimit"
)

func TestLimitsAreRead(t *testing.T) {
	const day = 24 * time.Hour
	type q = ratelimit.Quota
	for _, tt := range []struct {
		text string
		want []q
	}{
		{"5/minute", []q{{5, time.Minute}}},
		{"5 per minute", []q{{5, time.Minute}}},
		{"5 / minute", []q{{5, time.Minute}}},
		{" 5\tper\tminute ", []q{{5, time.Minute}}},
		{"1/second", []q{{1, time.Second}}},
		{"7/seconds", []q{{7, time.Second}}},
		{"100/hour", []q{{100, time.Hour}}},
		{"2/day", []q{{2, day}}},
		{"3/month", []q{{3, 30 * day}}},
		{"4/year", []q{{4, 365 * day}}},
		{"10 per 5 minutes", []q{{10, 5 * time.Minute}}},
		{"10/5minutes", []q{{10, 5 * time.Minute}}},
		{"10per5minutes", []q{{10, 5 * time.Minute}}},
		{"10/1 hours", []q{{10, time.Hour}}},
		{"5/MINUTE", []q{{5, time.Minute}}},
		{"1000000000/year", []q{{1_000_000_000, 365 * day}}},
		{"1/10 years", []q{{1, 3650 * day}}},
		{"10/second;100/hour", []q{{10, time.Second}, {100, time.Hour}}},
		{"10/second , 100 per hour| 1000/day", []q{{10, time.Second}, {100, time.Hour}, {1000, day}}},
	} {
		if got, err := ratelimit.Parse(tt.text); err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("Parse(%q) = %v, %v, want %v", tt.text, got, err, tt.want)
		}
	}
}

// TestALimitWithATypoIsRefused: a limit that is not understood must stop the
// program, not be left out.
func TestALimitWithATypoIsRefused(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"5 per minnute", `"minnute" is not a unit, want second, minute, hour, day, month or year`},
		{"5/min", "is not a unit"},
		{"5/minutess", "is not a unit"},
		{"5/minute!", "is not a unit"},
		{"5/ss", "is not a unit"},
		{"5/s", "is not a unit"},
		{"5/", "is not a unit"},
		{"5/60", "is not a unit"},
		{"5/minute 100/hour", "is not a unit"},
		{"5 minute", "want / or per"},
		{"5 pro minute", "want / or per"},
		{"5//minute", "is not a unit"},
		{"5", "want / or per"},
		{"", "is empty"},
		{"  ", "is empty"},
		{";", "empty"},
		{"5/minute;", "empty"},
		{",5/minute", "empty"},
		{"5/minute;;7/hour", "empty"},
		{"5/minute; ;7/hour", "empty"},
		{"minute", "number of requests is missing"},
		{"/minute", "number of requests is missing"},
		{"-5/minute", "number of requests is missing"},
		{"+5/minute", "number of requests is missing"},
		{"five/minute", "number of requests is missing"},
		{"٥/minute", "number of requests is missing"},
		{"5.5/minute", "want / or per"},
		{"5,5/minute", "want / or per"},
		{"0/minute", "is 0"},
		{"000/minute", "is 0"},
		{"5/0 minutes", "is 0"},
		{"1000000001/minute", "too large"},
		{"99999999999999999999/minute", "too large"},
		{"5/99999999999999999999 minutes", "too large"},
		{"5/11 years", "too long"},
		{"5/1000000000 years", "too long"},
		{"5/minute;6/minute", "two quotas for one window"},
		{"5/minute;6/60 seconds", "two quotas for one window"},
		{"100/minute;50/hour", "never counts"},
		{"100/hour;100/minute", "never counts"},
		{"1/second;2/minute;3/hour;4/day;5/month;6/year;7/2 years;8/3 years;9/4 years", "9 quotas"},
	} {
		got, err := ratelimit.Parse(tt.text)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("Parse(%q) = %v, %v, want an error with %q", tt.text, got, err, tt.want)
		}
	}
}

func TestEveryTypoIsNamed(t *testing.T) {
	_, err := ratelimit.Parse("5/minnute; 7 pre hour")
	if err == nil || !strings.Contains(err.Error(), "minnute") || !strings.Contains(err.Error(), "pre hour") {
		t.Errorf("error %v, want both mistakes", err)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"5/minute", "5 per minnute", "10 per 5 minutes", "10/second;100/hour", "1,2|3", "0/s", "9/99999999999 years", "\xff/minute"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		quotas, err := ratelimit.Parse(text)
		if err != nil {
			if len(quotas) != 0 {
				t.Fatalf("Parse(%q) = %v and %v", text, quotas, err)
			}
			return
		}
		if len(quotas) == 0 || len(quotas) > 8 {
			t.Fatalf("Parse(%q) has %d quotas and no error", text, len(quotas))
		}
		var again []string
		for _, q := range quotas {
			if q.Count < 1 || q.Count > 1_000_000_000 || q.Window < time.Second || q.Window > 3650*24*time.Hour {
				t.Fatalf("Parse(%q) = %v", text, quotas)
			}
			again = append(again, fmt.Sprintf("%d per %d seconds", q.Count, q.Window/time.Second))
		}
		if back, err := ratelimit.Parse(strings.Join(again, ";")); err != nil || !slices.Equal(back, quotas) {
			t.Fatalf("%q is %v and, written anew, %v, %v", text, quotas, back, err)
		}
	})
}

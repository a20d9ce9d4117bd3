package format_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/fastness/fastness/schema/format"
)

func ExampleLookup() {
	date, _ := format.Lookup("date")
	if m, ok := errors.AsType[*format.Mistake](date.Check("2026-02-30")); ok {
		fmt.Println(m.Code())
		fmt.Println(m)
	}
	// Output:
	// date_from_datetime_parsing
	// Input should be a valid date or datetime, day value is outside expected range
}

func ExampleAppendDuration() {
	fmt.Printf("%s\n", format.AppendDuration(nil, 90*time.Minute))
	// Output: PT1H30M
}

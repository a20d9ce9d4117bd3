package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// allowed says of findings, by their names, why they are no defects.
type allowed map[string]string

// judge wants every finding to be allowed, and every allowance to be needed: one that
// is not would hide the next finding of its name.
func (a allowed) judge(findings map[string]string) error {
	var wrong []error
	for _, name := range slices.Sorted(maps.Keys(findings)) {
		if a[name] == "" {
			wrong = append(wrong, fmt.Errorf("%s: %s", name, findings[name]))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(a)) {
		if _, found := findings[name]; !found {
			wrong = append(wrong, fmt.Errorf("%s is allowed and was not found, want the allowance removed", name))
		}
	}
	return errors.Join(wrong...)
}

// print lists the findings that are allowed, with the reasons.
func (a allowed) print(b *bench, findings map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(findings)) {
		if reason := a[name]; reason != "" {
			b.printf("allowed: %s\n         %s", name, reason)
		}
	}
}

// Package cvss computes base scores of CVSS 4.0 (FIRST, Common Vulnerability Scoring System
// version 4.0, section 8) from their vectors.
//
//	score, err := cvss.Score("CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N") // 7.1
package cvss

import (
	"fmt"
	"math"
	"strings"
)

// The metrics of the base group in the order of a vector, each with its values from the
// worst on: the place of a value is its distance from the worst.
var metrics = [...][2]string{
	{"AV", "NALP"}, {"AC", "LH"}, {"AT", "NP"}, {"PR", "NLH"}, {"UI", "NPA"},
	{"VC", "HLN"}, {"VI", "HLN"}, {"VA", "HLN"}, {"SC", "HLN"}, {"SI", "HLN"}, {"SA", "HLN"},
}

// The metrics by their place.
const (
	av = iota
	ac
	at
	pr
	ui
	vc
	vi
	va
	sc
	si
	sa
)

// scores are those of the sets of equivalent vectors that a base vector can be in, or next
// to: by EQ1 and EQ2, by EQ3 and EQ6 (00, 01, 10, 11, 21), by EQ4 from 1. EQ5 is 0.
var scores = [...][5][2]float64{
	{{10.0, 9.3}, {9.6, 9.0}, {9.3, 8.8}, {9.2, 8.0}, {7.9, 6.9}},
	{{9.5, 9.2}, {9.1, 8.1}, {9.2, 8.4}, {8.2, 7.0}, {7.1, 6.3}},
	{{9.4, 8.7}, {8.9, 7.5}, {8.6, 7.2}, {7.6, 5.7}, {6.5, 5.3}},
	{{9.0, 7.7}, {7.7, 6.6}, {7.4, 6.1}, {5.9, 5.2}, {5.8, 2.3}},
	{{8.6, 7.0}, {7.4, 5.4}, {7.2, 5.3}, {5.7, 3.6}, {4.7, 2.4}},
	{{7.3, 5.4}, {5.5, 4.3}, {6.1, 4.6}, {5.1, 1.8}, {2.4, 1.0}},
}

// Score returns the score of a vector that has the metrics of the base group, each once and
// in their order, and no others.
func Score(vector string) (float64, error) {
	m, err := parse(vector)
	if err != nil {
		return 0, err
	}
	if m[vc] == 2 && m[vi] == 2 && m[va] == 2 && m[sc] == 2 && m[si] == 2 && m[sa] == 2 {
		return 0, nil // Nothing is harmed.
	}
	eq1, eq2, eq36, eq4 := sets(m)
	own := scores[eq1*2+eq2][eq36][eq4]

	// How far below the worst vector of each set this one is, as a part of the way to the
	// next lower set. EQ5 has a lower set too, and no way to it.
	total, lower := 0.0, 1
	add := func(next float64, distance, depth int) {
		total += (own - next) * float64(distance) / float64(depth)
		lower++
	}
	if eq1 < 2 {
		add(scores[(eq1+1)*2+eq2][eq36][eq4], m[av]+m[pr]+m[ui]-[...]int{0, 1, 3}[eq1], [...]int{1, 4, 5}[eq1])
	}
	if eq2 < 1 {
		add(scores[eq1*2+1][eq36][eq4], 0, 1)
	}
	impact := m[vc] + m[vi] + m[va]
	switch eq36 {
	case 0:
		add(max(scores[eq1*2+eq2][1][eq4], scores[eq1*2+eq2][2][eq4]), impact, 7)
	case 2:
		add(scores[eq1*2+eq2][3][eq4], impact-1, 8)
	}
	if eq4 == 0 {
		add(scores[eq1*2+eq2][eq36][1], m[sc]+m[si]+m[sa], 5)
	}
	// A tie goes up, also if binary fractions put it a little below, as with the calculator
	// of FIRST.
	return math.Round((max(own-total/float64(lower), 0)+1e-6)*10) / 10, nil
}

// sets returns EQ1, EQ2, EQ3 with EQ6, and EQ4 from 0 (tables 24 to 29).
func sets(m [len(metrics)]int) (eq1, eq2, eq36, eq4 int) {
	switch {
	case m[av] == 0 && m[pr] == 0 && m[ui] == 0:
	case m[av] != 3 && (m[av] == 0 || m[pr] == 0 || m[ui] == 0):
		eq1 = 1
	default:
		eq1 = 2
	}
	if m[ac] != 0 || m[at] != 0 {
		eq2 = 1
	}
	switch {
	case m[vc] == 0 && m[vi] == 0:
	case m[vc] == 0 || m[vi] == 0 || m[va] == 0:
		eq36 = 2
	default:
		eq36 = 4
	}
	if m[sc] != 0 && m[si] != 0 && m[sa] != 0 {
		eq4 = 1
	}
	return eq1, eq2, eq36, eq4
}

func parse(vector string) (m [len(metrics)]int, err error) {
	rest, ok := strings.CutPrefix(vector, "CVSS:4.0/")
	parts := strings.Split(rest, "/")
	if !ok || len(parts) != len(metrics) {
		return m, fmt.Errorf("cvss: %q is no base vector of CVSS 4.0", vector)
	}
	for i, part := range parts {
		name, value, _ := strings.Cut(part, ":")
		if name != metrics[i][0] || len(value) != 1 || !strings.Contains(metrics[i][1], value) {
			return m, fmt.Errorf("cvss: %q: want %s with one of %s", part, metrics[i][0], metrics[i][1])
		}
		m[i] = strings.Index(metrics[i][1], value)
	}
	return m, nil
}

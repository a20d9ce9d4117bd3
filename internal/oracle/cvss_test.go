package oracle_test

import (
	"math"
	"strings"
	"testing"

	gocvss40 "github.com/pandatix/go-cvss/40"

	"github.com/fastness/fastness/internal/cvss"
)

// TestEveryBaseScoreIsThatOfAnotherImplementation tries all 104976 base vectors there are.
// What may differ is the rounding of a tie: the calculator of FIRST rounds it up.
func TestEveryBaseScoreIsThatOfAnotherImplementation(t *testing.T) {
	vectors := []string{"CVSS:4.0"}
	for _, metric := range []string{"AV:NALP", "AC:LH", "AT:NP", "PR:NLH", "UI:NPA", "VC:HLN", "VI:HLN", "VA:HLN", "SC:HLN", "SI:HLN", "SA:HLN"} {
		name, values, _ := strings.Cut(metric, ":")
		var longer []string
		for _, v := range vectors {
			for _, value := range values {
				longer = append(longer, v+"/"+name+":"+string(value))
			}
		}
		vectors = longer
	}
	wrong, ties := 0, 0
	for _, v := range vectors {
		theirs, err := gocvss40.ParseVector(v)
		if err != nil {
			t.Fatal(err)
		}
		ours, err := cvss.Score(v)
		switch {
		case err == nil && ours == theirs.Score():
		case err == nil && math.Abs(ours-theirs.Score()-0.1) < 1e-9:
			ties++ // The other one rounds 8.55 down, because 8.55 is a little less in binary.
		default:
			if wrong++; wrong <= 10 {
				t.Errorf("%s: %v, %v; another implementation says %v", v, ours, err, theirs.Score())
			}
		}
	}
	if len(vectors) != 104976 || wrong > 0 || ties > 450 {
		t.Errorf("%d of %d are wrong, %d are ties", wrong, len(vectors), ties)
	}
}

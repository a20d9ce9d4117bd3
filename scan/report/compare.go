package report

import (
	"fmt"
	"io"
	"strings"
)

// Difference is what changed from one scan to another, by fingerprints.
type Difference struct {
	// New are in the new report only, Gone in the old one only, Same in both. Those that
	// are suppressed or not proven are left out.
	New, Gone, Same []Finding
	// Unsure are gone, but the new scan did not reach 2xx where they were, or their check
	// did not run: nothing says that they are mended.
	Unsure []Finding
}

// Compare compares two scans of a target.
func Compare(old, now *Document) Difference {
	var d Difference
	known := map[string]bool{}
	for _, f := range old.Findings {
		known[f.Fingerprint] = f.Counts() || known[f.Fingerprint]
	}
	present := map[string]bool{}
	for _, f := range now.Findings {
		present[f.Fingerprint] = true
		switch {
		case !f.Counts():
		case known[f.Fingerprint]:
			d.Same = append(d.Same, f)
		default:
			d.New = append(d.New, f)
		}
	}
	for _, f := range old.Findings {
		switch {
		case !f.Counts() || present[f.Fingerprint]:
		case now.lookedAgain(&f):
			d.Gone = append(d.Gone, f)
		default:
			d.Unsure = append(d.Unsure, f)
		}
	}
	return d
}

// lookedAgain reports whether a scan could have found what another one did.
func (d *Document) lookedAgain(f *Finding) bool {
	ran := false
	for _, c := range d.Checks {
		ran = ran || c.ID == f.Check && c.State == "ran"
	}
	for i := range d.Operations {
		if o := &d.Operations[i]; o.Method == f.Places[0].Method && o.Path == f.Places[0].Path {
			return ran && o.Reached()
		}
	}
	// The operation is gone, or the finding is about none.
	return ran && d.Stopped == ""
}

// Write writes the difference for people.
func (d Difference) Write(w io.Writer, o Options) error {
	if o.Width == 0 {
		o.Width = 100
	}
	s := &screen{colour: o.Colour, width: min(max(o.Width, 80), 120)}
	for _, part := range []struct {
		title, sign, code string
		list              []Finding
	}{
		{"New", "+", redBold, d.New}, {"Gone", "-", green, d.Gone},
		{"Not seen, and not looked for as before: nothing says that they are mended", "?", yellow, d.Unsure}, {"Same", "=", faint, d.Same},
	} {
		if len(part.list) == 0 {
			continue
		}
		s.line(s.paint(bold, fmt.Sprintf("%s (%d)", part.title, len(part.list))))
		for _, f := range part.list {
			s.wrap("  "+s.paint(part.code, part.sign)+" ", "    ", plain(strings.Join([]string{f.Severity.String(), f.Check, f.Places[0].String() + ":", f.Claim}, " "), false), part.code)
		}
	}
	s.line(fmt.Sprintf("%d new, %d gone, %d unsure, %d the same", len(d.New), len(d.Gone), len(d.Unsure), len(d.Same)))
	_, err := io.WriteString(w, s.out.String())
	return err
}

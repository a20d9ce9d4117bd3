package report

import (
	"fmt"
	"strings"
)

// coverage says what was reached, as whom. Without verbose: what was not.
func (s *screen) coverage(d *Document, verbose bool) {
	if len(d.Operations) == 0 {
		return
	}
	s.title(fmt.Sprintf("Operations: %d of %d reached", d.Summary.Reached, d.Summary.Operations))
	shown := 0
	for i := range d.Operations {
		o := &d.Operations[i]
		if o.Reached() && !verbose {
			continue
		}
		if shown == 20 && !verbose {
			s.line("  " + s.paint(faint, "… more, in the other formats"))
			return
		}
		shown++
		word, code := o.Word(), yellow
		switch word {
		case wordOK:
			code = green
		case wordServerError:
			code = redBold
		}
		s.wrap(fmt.Sprintf("  %s ", s.paint(code, pad(word, 13))), "                ", plain(o.Method+" "+o.Path, false)+why(o), "")
	}
	if shown == 0 {
		s.line("  " + s.paint(green, "all of them answered 2xx to somebody"))
	}
}

// why says what the users got, or why nobody asked.
func why(o *Operation) string {
	if o.Held != "" {
		return "  (" + plain(o.Held, false) + ")"
	}
	var parts []string
	for _, a := range o.Answers {
		parts = append(parts, fmt.Sprintf("%s %d", plain(a.User, false), a.Status))
	}
	text := ""
	if len(parts) > 0 {
		text = "  (" + strings.Join(parts, ", ") + ")"
	}
	if o.Found != "" {
		text += "  [" + plain(o.Found, false) + "]"
	}
	return text
}

func (s *screen) checks(d *Document, verbose bool) {
	count := map[string]int{}
	for _, c := range d.Checks {
		count[c.State]++
	}
	if len(d.Checks) == 0 {
		return
	}
	s.title(fmt.Sprintf("Checks: %d ran, %d were skipped, %d failed", count["ran"], count["skipped"], count["failed"]))
	for _, c := range d.Checks {
		if c.State == "failed" || verbose {
			text := plain(c.ID+" "+c.Title, false)
			if c.Why != "" {
				text += ": " + plain(c.Why, false)
			}
			s.wrap("  "+pad(c.State, 8), "          ", text, "")
		}
	}
}

func (s *screen) complaints(d *Document, verbose bool) {
	if len(d.Complaints) == 0 {
		return
	}
	s.title(fmt.Sprintf("The document: %d places are wrong or could not be used", len(d.Complaints)))
	for i, c := range d.Complaints {
		if i == 5 && !verbose {
			s.line("  " + s.paint(faint, fmt.Sprintf("… and %d more", len(d.Complaints)-i)))
			return
		}
		at := c.Where
		if c.Line > 0 {
			at = fmt.Sprintf("line %d, %s", c.Line, at)
		}
		s.wrap("  ", "    ", plain(at+": "+c.What, false), "")
	}
}

func (s *screen) verdict(d *Document) {
	s.line("")
	worst, found := d.Worst()
	switch {
	case found:
		s.line(s.paint(severityCode(worst), fmt.Sprintf("The worst finding is %s.", worst)))
	case d.Weak() != "":
		s.line(s.paint(yellow, "Nothing was found, and little was seen."))
	default:
		s.line(s.paint(green, "Nothing was found that counts."))
	}
}

func pad(text string, n int) string {
	return text + strings.Repeat(" ", max(n-len(text), 0))
}

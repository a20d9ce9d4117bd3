package report

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/fastness/fastness/scan/finding"
)

// screen writes for a terminal. All texts go through [plain] before they get here.
type screen struct {
	out    strings.Builder
	colour bool
	width  int
}

// The colours, of which every terminal has some.
const (
	bold     = "1"
	faint    = "2"
	red      = "31"
	redBold  = "1;31"
	yellow   = "33"
	green    = "32"
	blue     = "34"
	critical = "1;37;41"
)

func (s *screen) paint(code, text string) string {
	if !s.colour || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// line writes a line as it is.
func (s *screen) line(text string) { s.out.WriteString(strings.TrimRight(text, " ") + "\n") }

// wrap writes a text in lines, each after an indent; first stands before the first one.
func (s *screen) wrap(first, indent, text, code string) {
	lead := first
	for paragraph := range strings.SplitSeq(text, "\n") {
		line, used := "", 0
		flush := func() {
			s.line(lead + s.paint(code, line))
			lead, line, used = indent, "", 0
		}
		for word := range strings.FieldsSeq(paragraph) {
			room := max(s.width-len(indent), 20)
			for {
				n := utf8.RuneCountInString(word)
				if used > 0 && used+1+n > room {
					flush()
				}
				if n <= room {
					break
				}
				runes := []rune(word)
				line, used = string(runes[:room]), room
				flush()
				word = string(runes[room:])
			}
			if used > 0 {
				line, used = line+" ", used+1
			}
			line, used = line+word, used+utf8.RuneCountInString(word)
		}
		flush()
	}
}

func (s *screen) title(text string) {
	s.line("")
	s.line(s.paint(bold, text))
}

func severityCode(sev finding.Severity) string {
	return [...]string{faint, blue, yellow, redBold, critical}[sev]
}

// terminalText says what matters first: is it bad, where, why is it true, what to do.
func terminalText(d *Document, o Options) []byte {
	if o.Width == 0 {
		o.Width = 100
	}
	s := &screen{colour: o.Colour, width: min(max(o.Width, 80), 120)}
	s.head(d)
	counted, hints, suppressed := split(d.Findings)
	for i, f := range counted {
		s.finding(i+1, f, o.Verbose)
	}
	if len(hints) > 0 {
		s.title(fmt.Sprintf("Hints (%d): worth a look, not proven, not counted", len(hints)))
		s.brief(hints)
	}
	if len(suppressed) > 0 {
		s.title(fmt.Sprintf("Suppressed (%d): known, not counted", len(suppressed)))
		s.brief(suppressed)
	}
	s.coverage(d, o.Verbose)
	s.checks(d, o.Verbose)
	s.complaints(d, o.Verbose)
	s.verdict(d)
	return []byte(s.out.String())
}

// split returns the findings that count, those without proof, and those with a reason.
func split(all []Finding) (counted, hints, suppressed []*Finding) {
	for i := range all {
		switch f := &all[i]; {
		case f.Suppressed != "":
			suppressed = append(suppressed, f)
		case !f.Proven:
			hints = append(hints, f)
		default:
			counted = append(counted, f)
		}
	}
	return counted, hints, suppressed
}

func (s *screen) head(d *Document) {
	name := "fastness scan"
	if d.Title != "" {
		name = d.Title + " " + d.APIVersion
	}
	s.line(s.paint(bold, plain(strings.TrimSpace(name), false)) + "  " + plain(d.Target, false))
	about := fmt.Sprintf("profile %s, seed %d, %d requests in %s (%s/s)", plain(d.Profile, false), d.Seed, d.Requests, seconds(d.Seconds), number(d.PerSecond))
	if d.Document != "" {
		about += ", document " + plain(d.Document, false)
	}
	s.wrap("", "", about, faint)
	var users []string
	for _, u := range d.Users {
		users = append(users, describeUser(u))
	}
	if len(users) > 0 {
		s.wrap("", "", "users: "+strings.Join(users, ", "), faint)
	}
	s.line("")
	s.line(s.summary(d.Summary))
	if weak := d.Weak(); weak != "" {
		s.wrap(s.paint(redBold, "! "), "  ", weak, redBold)
	}
	if d.Stopped != "" {
		s.wrap(s.paint(redBold, "! "), "  ", "The scan ended early: "+plain(d.Stopped, false), redBold)
	}
	for _, n := range d.Notes {
		s.wrap(s.paint(yellow, "! "), "  ", plain(n, false), yellow)
	}
}

func describeUser(u User) string {
	text := plain(u.Name, false)
	var more []string
	if u.Admin {
		more = append(more, "admin")
	}
	if u.Registered {
		more = append(more, "made by the scan")
	}
	if u.LogIn != "" {
		more = append(more, plain(u.LogIn, false))
	}
	if len(more) > 0 {
		text += " (" + strings.Join(more, ", ") + ")"
	}
	return text
}

func (s *screen) summary(m Summary) string {
	var parts []string
	for _, c := range []struct {
		n   int
		sev finding.Severity
	}{{m.Critical, finding.Critical}, {m.High, finding.High}, {m.Medium, finding.Medium}, {m.Low, finding.Low}, {m.Info, finding.Info}} {
		if c.n > 0 {
			parts = append(parts, s.paint(severityCode(c.sev), fmt.Sprintf("%d %s", c.n, c.sev)))
		}
	}
	text := strings.Join(parts, "  ")
	if text == "" {
		text = s.paint(green, "No finding that counts")
	}
	text += fmt.Sprintf("   %d of %d operations reached", m.Reached, m.Operations)
	if m.Grade != "" {
		text += fmt.Sprintf("   score %d (%s)", m.Score, m.Grade)
	}
	return text
}

func (s *screen) finding(n int, f *Finding, verbose bool) {
	s.line("")
	tag := strings.ToUpper(f.Severity.String())
	s.line(s.paint(severityCode(f.Severity), " "+tag+" ") + " " + s.paint(bold, plain(f.Title, false)) + "  " + s.paint(faint, plain(f.Check, false)))
	const indent = "    "
	s.wrap(indent, indent, plain(f.Claim, false), "")
	for i, p := range f.Places {
		if i == 5 && !verbose {
			s.line(indent + s.paint(faint, fmt.Sprintf("… and %d more places", len(f.Places)-i)))
			break
		}
		at := plain(p.String(), false)
		if p.Users != "" {
			at += ", " + plain(p.Users, false)
		}
		s.wrap(indent+"at  ", indent+"    ", at, blue)
	}
	if f.Control != "" {
		s.wrap(indent+s.paint(faint, "sure because "), indent+"    ", plain(f.Control, false), faint)
	}
	s.evidence(f, verbose)
	if f.Remedy.Text != "" {
		s.wrap(indent+s.paint(green, "mend "), indent+"     ", plain(f.Remedy.Text, false), "")
	}
	ids := []string{}
	if f.OWASP != "" {
		ids = append(ids, f.OWASP)
	}
	if f.CWE != 0 {
		ids = append(ids, "CWE-"+strconv.Itoa(f.CWE))
	}
	if f.CVSS != "" {
		ids = append(ids, "CVSS "+number(f.Score))
	}
	s.line(indent + s.paint(faint, plain(strings.Join(append(ids, "fingerprint "+f.Fingerprint), " · "), false)))
}

func (s *screen) evidence(f *Finding, verbose bool) {
	const indent = "    "
	for i, e := range f.Evidence {
		if i == 3 && !verbose {
			s.line(indent + s.paint(faint, fmt.Sprintf("… and %d more exchanges, in the other formats", len(f.Evidence)-i)))
			return
		}
		what := plain(e.Says, false)
		if e.Request != nil {
			what += " — " + plain(e.Request.Method+" "+cut(e.Request.Target, 160), false)
		}
		if e.Response != nil {
			what += fmt.Sprintf(" → %d", e.Response.Status)
		}
		s.wrap(indent+"see ", indent+"    ", what, "")
		if e.Response != nil && e.Response.Body.Text != "" {
			room := s.width - 2*len(indent) - 2
			text := strings.Join(strings.Fields(plain(e.Response.Body.Text, true)), " ")
			s.line(indent + indent + s.paint(faint, cut(text, room)))
		}
		if verbose && e.Curl != "" {
			s.line(indent + indent + "$ " + plain(e.Curl, false))
		}
	}
}

func (s *screen) brief(list []*Finding) {
	for _, f := range list {
		s.wrap("  "+s.paint(severityCode(f.Severity), f.Severity.String())+" ", "    ", plain(f.Check+" "+f.Places[0].String()+": "+f.Claim, false), "")
		if f.Suppressed != "" {
			s.wrap("    ", "    ", plain(f.Suppressed, false), faint)
		}
	}
}

func seconds(s float64) string {
	d := time.Duration(s * float64(time.Second))
	if d >= time.Minute {
		return d.Round(time.Second).String()
	}
	return d.Round(100 * time.Millisecond).String()
}

func number(x float64) string { return strconv.FormatFloat(x, 'f', 1, 64) }

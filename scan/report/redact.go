package report

import (
	"regexp"
	"strings"

	"github.com/fastness/fastness/internal/cvss"
	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/wire"
)

// redactor replaces secrets of the scan by their names.
type redactor struct{ secrets *wire.Redactor }

// longRandom finds credentials that nobody has told of, and names of those that are known.
var (
	longRandom = regexp.MustCompile(`\$?[A-Za-z0-9+/=_~.-]{12,}`)
	secretName = regexp.MustCompile(`^\$[A-Z][A-Z0-9_]*$`)
)

// text returns s without secrets, and as valid UTF-8.
func (r *redactor) text(s string) string {
	if s == "" {
		return s
	}
	return r.secrets.Text(strings.ToValidUTF8(s, "\uFFFD"))
}

func (r *redactor) texts(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = r.text(s)
	}
	return out
}

// header returns the value of a header field. Those that say who somebody is are shown
// only as far as names stand in for secrets.
func (r *redactor) header(name, value string) string {
	value = r.text(value)
	switch strings.ToLower(name) {
	case "authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key", "api-key", "x-auth-token":
	default:
		return value
	}
	return longRandom.ReplaceAllStringFunc(value, func(s string) string {
		if secretName.MatchString(s) || strings.HasPrefix(s, "eyJ") || strings.Contains(strings.ToLower(s), "samesite=") || strings.HasPrefix(strings.ToLower(s), "max-age=") {
			return s
		}
		if name, v, ok := strings.Cut(s, "="); ok && len(name) < 40 {
			if len(v) < 8 {
				return s
			}
			return name + "=" + v[:3] + "…"
		}
		return s[:4] + "…"
	})
}

// finding returns what may be shown of a finding.
func (r *redactor) finding(f *finding.Finding, target string) Finding {
	own := *f
	if len(own.Places) == 0 {
		own.Places = []finding.Place{{}}
	}
	k := own.Kind
	out := Finding{
		Fingerprint: own.Fingerprint(), Check: k.ID, Title: r.text(k.Title), Severity: min(max(own.Severity, finding.Info), finding.Critical), Proven: own.Proven,
		Claim: r.text(own.Claim), Control: r.text(own.Control), Describe: r.text(k.Describe),
		OWASP: k.OWASP, CWE: k.CWE, ASVS: k.ASVS, CVSS: k.CVSS, Suppressed: r.text(own.Suppressed),
		Remedy: Remedy{Text: k.Remedy.Text, Fastness: k.Remedy.Fastness, FastAPI: k.Remedy.FastAPI, Express: k.Remedy.Express, Spring: k.Remedy.Spring},
	}
	if score, err := cvss.Score(k.CVSS); err == nil {
		out.Score = score
	}
	for _, p := range own.Places {
		p.Path, p.Parameter, p.Users = r.text(p.Path), r.text(p.Parameter), r.text(p.Users)
		out.Places = append(out.Places, p)
	}
	for _, e := range own.Evidence {
		out.Evidence = append(out.Evidence, r.evidence(e, target))
	}
	return out
}

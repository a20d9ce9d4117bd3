package report

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/fastness/fastness/internal/cvss"
	"github.com/fastness/fastness/scan/finding"
)

// redactor replaces secrets of the scan by their names, in every spelling that a request
// or an answer may give them.
type redactor struct {
	names    []string // of the secrets, as $TOKEN_ALICE
	replacer *strings.Replacer
	short    []shortSecret
}

// shortSecret is one that could stand in any word, so it is replaced as a whole word only.
type shortSecret struct {
	word *regexp.Regexp
	name string
}

// shortest secrets that are replaced wherever they stand.
const shortest = 6

// token finds JSON Web Tokens: what follows their first part is not shown.
var token = regexp.MustCompile(`\b(eyJ[A-Za-z0-9_-]{8,})\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)+`)

// longRandom finds credentials that nobody has told of.
var longRandom = regexp.MustCompile(`[A-Za-z0-9+/=_~.-]{12,}`)

func newRedactor(secrets []Secret) *redactor {
	secrets = slices.SortedStableFunc(slices.Values(secrets), func(a, b Secret) int {
		return cmp.Or(cmp.Compare(len(b.Value), len(a.Value)), cmp.Compare(a.Name, b.Name))
	})
	r := &redactor{}
	var pairs []string
	for _, s := range secrets {
		name := "$" + shellName(s.Name)
		r.names = append(r.names, name)
		switch {
		case strings.TrimSpace(s.Value) == "":
			continue
		case len(s.Value) < shortest:
			if word, err := regexp.Compile(`(^|[^\pL\pN])` + regexp.QuoteMeta(s.Value) + `($|[^\pL\pN])`); err == nil {
				r.short = append(r.short, shortSecret{word, name})
			}
			continue
		}
		for _, form := range spellings(s.Value) {
			pairs = append(pairs, form, name)
		}
	}
	r.replacer = strings.NewReplacer(pairs...)
	return r
}

// spellings are the ways in which a value is written in requests and answers.
func spellings(v string) []string {
	quoted, _ := json.Marshal(v)
	forms := []string{
		v, url.QueryEscape(v), url.PathEscape(v), strings.Trim(string(quoted), `"`),
		base64.StdEncoding.EncodeToString([]byte(v)), base64.RawURLEncoding.EncodeToString([]byte(v)),
	}
	slices.SortFunc(forms, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
	return slices.Compact(forms)
}

// shellName has only what the name of a variable of a shell may have.
func shellName(name string) string {
	name = strings.Map(func(c rune) rune {
		switch {
		case c >= 'a' && c <= 'z':
			return c - 'a' + 'A'
		case c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_':
			return c
		}
		return '_'
	}, name)
	if name == "" || name[0] >= '0' && name[0] <= '9' {
		return "S_" + name
	}
	return name
}

// text returns s without secrets, and as valid UTF-8.
func (r *redactor) text(s string) string {
	if s == "" {
		return s
	}
	s = r.replacer.Replace(strings.ToValidUTF8(s, "\uFFFD"))
	for _, short := range r.short {
		// Twice: of two that stand side by side, the first match takes what is between.
		for range 2 {
			s = short.word.ReplaceAllString(s, "${1}"+strings.ReplaceAll(short.name, "$", "$$")+"${2}")
		}
	}
	return token.ReplaceAllString(s, "$1.…")
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
		if strings.HasPrefix(s, "eyJ") || strings.Contains(strings.ToLower(s), "samesite=") || strings.HasPrefix(strings.ToLower(s), "max-age=") {
			return s
		}
		if name, v, ok := strings.Cut(s, "="); ok && v != "" && len(name) < 40 {
			if len(v) < 8 {
				return s
			}
			return name + "=" + v[:3] + "…"
		}
		for _, known := range r.names {
			if strings.HasSuffix(known, s) { // The name of a secret, not one.
				return s
			}
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

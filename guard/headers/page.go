package headers

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/fastness/fastness/internal/origin"
)

// ClearSiteData is the value of Clear-Site-Data for the answer to a log-out: the
// browser drops what it has cached and stored of this origin, so that who uses it
// next finds nothing. It leaves the cookies: "cookies" would drop those of all
// hosts of the registered domain, other applications too, and the session's own
// is cleared by Set-Cookie.
const ClearSiteData = `"cache", "storage"`

// Nonce returns a value for the nonce attribute of scripts and styles: 128 random
// bits in base64url, which no template has to escape. It must be a new one in each
// answer, and an answer that has one must not be cached.
func Nonce() string {
	var bits [16]byte
	rand.Read(bits[:])
	return base64.RawURLEncoding.EncodeToString(bits[:])
}

// PageConfig configures a [Page]. The zero value is the secure choice: styles,
// images and fonts of this site, forms and requests to this site, and no script but
// those that have the nonce of the answer.
//
// The lists are origins, "https://cdn.example.com", that are allowed beside this
// site. There is none for scripts: a host that serves many things serves one that
// runs what a stranger wants, while a nonce names the script itself.
type PageConfig struct {
	// Connect may be asked by scripts, Fonts, Images, Media and Styles loaded,
	// Frames shown in frames. Forms may be the target of a form, and of the
	// redirects that answer it.
	Connect, Fonts, Forms, Frames, Images, Media, Styles []string
	// DataImages allows images in data: URLs, as stylesheets of others have them.
	DataImages bool
	// ReportTo is where browsers report what the policy has blocked; see
	// [Config.ReportTo], which also names it in each answer.
	ReportTo string
}

// Page makes the Content-Security-Policy of pages that the server renders. It is
// safe for concurrent use.
type Page struct {
	before, styles, after string // the parts around the nonces
}

// NewPage returns the policy, or an error that names every mistake in cfg.
func NewPage(cfg PageConfig) (*Page, error) {
	var mistakes []error
	var report findings
	if report.field = "ReportTo"; !isFieldValue(cfg.ReportTo) {
		report.wrong("holds a control character or a character beyond ASCII")
	} else {
		checkReportTo(&report, cfg.ReportTo)
	}
	mistakes = append(mistakes, report.mistakes...)
	list := func(field string, origins []string) string {
		for _, entry := range origins {
			o, err := origin.Parse(entry)
			if err == nil && !o.TLS && !o.Loopback {
				err = errors.New("has no TLS, so that everybody on the way can answer for it")
			}
			if err == nil && o.Wildcard {
				err = errors.New("has a wildcard; list each origin")
			}
			if err != nil {
				mistakes = append(mistakes, fmt.Errorf("%s entry %q %w", field, entry, err))
			}
		}
		return strings.Join(append([]string{"'self'"}, origins...), " ")
	}
	images := list("Images", cfg.Images)
	if cfg.DataImages {
		images += " data:"
	}
	p := &Page{before: "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action " + list("Forms", cfg.Forms) +
		"; connect-src " + list("Connect", cfg.Connect) + "; img-src " + images + "; font-src " + list("Fonts", cfg.Fonts)}
	if media := list("Media", cfg.Media); len(cfg.Media) > 0 {
		p.before += "; media-src " + media
	}
	if frames := list("Frames", cfg.Frames); len(cfg.Frames) > 0 {
		p.before += "; frame-src " + strings.TrimPrefix(frames, "'self' ")
	}
	p.styles = "; style-src " + list("Styles", cfg.Styles)
	p.after = reporting(cfg.ReportTo)
	if len(mistakes) > 0 {
		return nil, fmt.Errorf("headers page: %w", errors.Join(mistakes...))
	}
	return p, nil
}

// Policy returns the policy of one answer, whose scripts and inline styles have
// this nonce, or of one without any if nonce is "". Scripts that a script with the
// nonce adds run, too ('strict-dynamic').
func (p *Page) Policy(nonce string) string {
	if nonce == "" {
		return p.before + p.styles + p.after
	}
	return p.before + p.styles + " 'nonce-" + nonce + "'; script-src 'nonce-" + nonce + "' 'strict-dynamic'" + p.after
}

// Set replaces the policy in the header of an answer; see [Page.Policy].
func (p *Page) Set(h http.Header, nonce string) {
	h["Content-Security-Policy"] = []string{p.Policy(nonce)}
}

// endpoint is the name of the place of reports in Reporting-Endpoints.
const endpoint = "csp"

// reporting returns the end of a policy that is reported: report-to for browsers of
// today, report-uri for the others, which the former ignore.
func reporting(to string) string {
	if to == "" {
		return ""
	}
	return "; report-uri " + to + "; report-to " + endpoint
}

// checkReportTo wants a place that cannot end the directive, nor the string of
// Reporting-Endpoints.
func checkReportTo(f *findings, to string) {
	host, absolute := strings.CutPrefix(to, "https://")
	host, _, _ = strings.Cut(host, "/")
	_, err := origin.Parse("https://" + host)
	switch {
	case to == "":
	case strings.ContainsAny(to, " ;,\"'\\"):
		f.wrong("is %q, which ends before its end in a policy", to)
	case absolute && err != nil:
		f.wrong("%w", err)
	case !absolute && (!strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//")):
		f.wrong("is %q, want a path of this site or an https URL", to)
	}
}

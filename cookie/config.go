package cookie

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/fastness/fastness/internal/field"
)

// mistakes returns all that is wrong.
func (c *Config) mistakes() (all []error) {
	wrong := func(format string, args ...any) { all = append(all, fmt.Errorf(format, args...)) }
	switch {
	case c.Name == "":
		wrong("Name is empty")
	case !field.IsToken(c.Name):
		wrong("Name is %q, which is no name of a cookie", c.Name)
	case hasPrefix(c.Name):
		wrong("Name is %q, want it without a prefix: the right one is added", c.Name)
	}
	switch {
	case c.MaxAge < 0 || c.MaxAge%time.Second != 0:
		wrong("MaxAge is %v, want whole seconds", c.MaxAge)
	case c.MaxAge > MaxAge:
		wrong("MaxAge is %v, and browsers keep no cookie longer than %v", c.MaxAge, MaxAge)
	}
	if (c.Keys == nil) != (c.Purpose == "") {
		wrong("Keys and Purpose belong together")
	}
	if c.Strict && c.InsecureCrossSite != "" {
		wrong("Strict and InsecureCrossSite contradict each other")
	}
	if c.InsecureHTTP != "" && c.InsecureCrossSite != "" {
		wrong("InsecureCrossSite with InsecureHTTP: browsers refuse SameSite=None without Secure")
	}
	switch {
	case c.Domain != "" && c.InsecureSubdomains == "":
		wrong("Domain is %q, and every host below it could write the cookie; say why in InsecureSubdomains", c.Domain)
	case c.Domain == "" && c.InsecureSubdomains != "":
		wrong("InsecureSubdomains without a Domain")
	case c.Domain != "" && !isDomain(c.Domain):
		wrong("Domain is %q, want a name like \"example.com\", without a full stop at its ends", c.Domain)
	}
	return all
}

// hasPrefix reports whether a browser sees a prefix in the name; it ignores case.
func hasPrefix(name string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc([]string{"__host-", "__secure-", "__http-"}, func(p string) bool { return strings.HasPrefix(name, p) })
}

// isDomain reports whether s is a host name of at least two labels. A browser
// drops a cookie for a public suffix such as "co.uk" by itself.
func isDomain(s string) bool {
	if _, err := netip.ParseAddr(s); err == nil || len(s) > 253 || !strings.Contains(s, ".") {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
	}
	return true
}

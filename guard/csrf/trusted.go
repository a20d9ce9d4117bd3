package csrf

import "github.com/fastness/fastness/internal/origin"

// wrongOrigin says what is wrong with a trusted origin, or "". Entries are compared
// byte for byte with what browsers send, so that no parser decides who is trusted.
func (c *Config) wrongOrigin(entry string) string {
	o, err := origin.Parse(entry)
	switch {
	case err != nil:
		return err.Error()
	case o.Wildcard:
		return "has a wildcard: who gets hold of one such name is trusted; list each origin"
	case !o.TLS && !o.Loopback && c.InsecureTrustedHTTP == "":
		return "has no TLS, so that everybody on the way can be it; say why in InsecureTrustedHTTP"
	}
	return ""
}

package passkey

// SiteOf is for tests.
func SiteOf(issuer string) (host, origin string, err error) { return siteOf(issuer) }

package identity

// OwnPath is ownPath.
func OwnPath(path string) string { return ownPath(path) }

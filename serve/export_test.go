package serve

// NewAt is New with a clock for certificates.
var NewAt = newServer

// ParseAuthorities reads a file of ClientCAs.
var ParseAuthorities = parseAuthorities

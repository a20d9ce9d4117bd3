package serve

// NewAt is New with a clock for certificates.
var NewAt = newServer

package identity

// Way is a way to log in that is not a password.
type Way struct {
	Text string `json:"text" maxLength:"256"`
	Path string `json:"path" maxLength:"2048"`
}

// OfferLogin adds another way to log in to the page at /login: a link with this
// text to a path of the app, which gets the parameter next as /login does. It must
// be called before the app starts.
func (id *Identity) OfferLogin(text, path string) { id.ways = append(id.ways, Way{text, path}) }

package explore

import "github.com/fastness/fastness/scan/wire"

// complaint is what an answer says is wrong with a place of the request.
type complaint struct {
	in      string // path, query, header, cookie, body, or empty
	name    string // a name, or a pointer
	message string
}

func complaints(ex *wire.Exchange) []complaint { return nil }

func (r *repair) mend(t *try, c complaint) bool { return false }

package exposure

import (
	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/wire"
)

// secretsInScripts looks for keys in what browsers load, and in documents.
func secretsInScripts() check.Check {
	once, list := newOnce(), keys()
	return check.Check{Kind: kindScripts(), Phase: check.Passive, Look: func(t *probe.Target, ex *wire.Exchange, report check.Report) {
		if !ex.OK() || len(ex.Body) == 0 || attacks(ex) || !isScript(ex) && !isDocument(ex) || !once.first(ex.Request.Path, string(ex.Body)) {
			return
		}
		for _, f := range list {
			found := f.find(string(ex.Body))
			if found == "" || sent(ex, found) {
				continue
			}
			control := "its form leaves no other reading"
			if f.proof != nil {
				control = "its form is right, with the checksum where there is one, and it is no example"
			}
			report(check.Claim{
				Place: place(t, ex, ""), Cause: found, Says: "everybody who loads it reads " + f.what + ", " + found[:min(len(found), 8)] + "…",
				Control: control, Evidence: []finding.Evidence{evidence("it is part of what is served", ex)},
			})
		}
	}}
}

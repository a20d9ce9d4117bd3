package exposure

import (
	"context"
	"strings"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/internal/check"
	"github.com/fastness/fastness/scan/internal/probe"
	"github.com/fastness/fastness/scan/wire"
)

// transport says what is wrong with the connection.
func transport() check.Check {
	kind := kindTransport()
	return check.Check{Kind: kind, Phase: check.Passive, Run: func(_ context.Context, t *probe.Target, report check.Report) error {
		client, ok := t.Client().(*wire.Client)
		ex := firstSeen(t)
		if !ok || ex == nil || !client.Network() { // Within the process there is no connection.
			return nil
		}
		claim := check.Claim{Place: place(t, ex, ""), Cause: "connection", Evidence: []finding.Evidence{evidence("it was answered so", ex)}}
		switch {
		case client.Certificate() != nil:
			claim.Says, claim.Control = "the certificate of the target fails: "+cut(client.Certificate().Error(), 200), "the scan verified it by the certificates that it trusts"
			if loopback(ex.Origin) { // A certificate for development.
				claim.Severity = as(finding.Info)
			}
		case !strings.HasPrefix(ex.Origin, "http:"):
			return nil
		case loopback(ex.Origin):
			claim.Severity = as(finding.Info)
			claim.Says, claim.Control = "the target speaks HTTP without TLS; on a loopback address nobody else can read it", "the answer came without TLS"
		default:
			claim.Says, claim.Control = "the target speaks HTTP without TLS: passwords and tokens cross the network as they are", "the answer came without TLS, from an address that is not loopback"
		}
		report(claim)
		return nil
	}}
}

// firstSeen returns an answer to a user, or any.
func firstSeen(t *probe.Target) (any *wire.Exchange) {
	for _, op := range t.API.Operations {
		for _, ex := range t.Seen(op) {
			if ex.OK() && ex.Request.User != "" {
				return ex
			}
			if any == nil && ex.Status != 0 {
				any = ex
			}
		}
	}
	return any
}

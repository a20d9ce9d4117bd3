package identity

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/auditlog"
	"github.com/fastness/fastness/keyring"
	"github.com/fastness/fastness/observe"
)

// keysCommand manages the key ring. Servers that are running see a change within
// seconds.
type keysCommand struct {
	List      keysList      `cmd:"" help:"List the keys: where each is in its life, and when that changes."`
	Rotate    keysRotate    `cmd:"" help:"Make the next key. It is published at once and signs once everybody can know it."`
	Revoke    keysRevoke    `cmd:"" help:"Make a key good for nothing, in running servers within 5 seconds: for one that has leaked. What it signed is void."`
	NewMaster keysNewMaster `cmd:"" name:"new-master" help:"Make a file with a new master key, which encrypts all others where they are stored."`
}

type keysList struct{}

// Run lists the keys.
func (keysList) Run(ctx context.Context, ring *keyring.Ring, console fastness.Console) error {
	keys, err := ring.List(ctx)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(console.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "PURPOSE\tSTATE\tALGORITHM\tSIGNS FROM\tUNTIL\tVERIFIES UNTIL\tID")
	for _, k := range keys {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", k.Purpose, k.State, k.Algorithm, minute(k.Activates), minute(k.Expires), minute(k.Ends), k.ID)
	}
	return w.Flush()
}

// minute writes a time in UTC; none is "-".
func minute(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format("2006-01-02 15:04Z")
}

type keysRotate struct {
	Purpose string `arg:"" optional:"" default:"access-token" help:"What the key is for; ${default} by default."`
}

// Run makes the next key.
func (c *keysRotate) Run(ctx context.Context, ring *keyring.Ring, console fastness.Console) error {
	k, err := ring.Rotate(ctx, c.Purpose)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(console.Out, "%s signs from %s\n", k.ID, minute(k.Activates))
	return err
}

type keysRevoke struct {
	ID string `arg:"" help:"The id of the key."`
}

// Run revokes a key.
func (c *keysRevoke) Run(ctx context.Context, ring *keyring.Ring) error {
	return ring.Revoke(ctx, c.ID)
}

type keysNewMaster struct {
	File string `arg:"" help:"The file. It must not be there yet." type:"path"`
}

// Run makes a master key.
func (c *keysNewMaster) Run() error { return keyring.CreateKEK(c.File) }

// eventsCommand reads the log of security events.
type eventsCommand struct {
	List   eventsList   `cmd:"" help:"List the last events, the newest first."`
	Verify eventsVerify `cmd:"" help:"Say whether an event was changed or taken away after it was written."`
}

type eventsList struct {
	Limit int    `default:"50" help:"How many; ${default} by default."`
	Name  string `help:"Only events of this name." placeholder:"NAME"`
	User  string `help:"Only what the user of this id did." placeholder:"ID"`
}

// Run lists events.
func (c *eventsList) Run(ctx context.Context, log *auditlog.Log, console fastness.Console) error {
	entries, err := log.List(ctx, auditlog.Query{Limit: c.Limit, Name: c.Name, Actor: c.User})
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(console.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "TIME\tEVENT\tOUTCOME\tACTOR\tSUBJECT\tADDRESS\tDETAILS")
	for i := range entries {
		writeEntry(w, &entries[i])
	}
	return w.Flush()
}

func writeEntry(w io.Writer, e *auditlog.Entry) {
	outcome := "done"
	if e.Refused {
		outcome = "refused"
	}
	fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", e.Time.UTC().Format("2006-01-02 15:04:05Z"), e.Name, outcome,
		orDash(e.Actor), orDash(e.Subject), orDash(e.Address), observe.Printable(string(e.Details), 200))
}

type eventsVerify struct {
	Since string `help:"What an earlier verify printed as its end: finds out, too, whether the last events were cut off." placeholder:"ANCHOR"`
}

// Run verifies the log.
func (c *eventsVerify) Run(ctx context.Context, log *auditlog.Log, console fastness.Console) error {
	var since auditlog.Anchor
	if c.Since != "" {
		var err error
		if since, err = auditlog.ParseAnchor(c.Since); err != nil {
			return err
		}
	}
	report, err := log.Verify(ctx, since)
	if err != nil {
		return err
	}
	if report.Fault != nil {
		return errors.New("the log was tampered with: " + report.Fault.String())
	}
	_, err = fmt.Fprintf(console.Out, "%d events, none changed. Keep this elsewhere for --since: %s\n", report.Events, report.Head)
	return err
}

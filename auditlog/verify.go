package auditlog

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/fastness/fastness/sqldb"
)

// Report is what [Log.Verify] found.
type Report struct {
	// Events is how many were checked.
	Events int64
	// Start is the anchor of the last event that was removed by [Log.Prune], or
	// zero.
	Start Anchor
	// Head is the anchor of the newest event, to be kept for the next time. It is
	// zero if there is a fault.
	Head Anchor
	// Fault is the first place where the log is not what was recorded, or nil.
	Fault *Fault
}

// Fault is a place where the log is not what was recorded.
type Fault struct {
	// Seq is the number of the event.
	Seq int64
	// Reason says what is wrong with it, in words for an administrator.
	Reason string
}

// String returns both in one line.
func (f *Fault) String() string { return fmt.Sprintf("event %d: %s", f.Seq, f.Reason) }

// batchSize is how many events Verify reads at once.
const batchSize = 1000

// errPruned says that the beginning was removed while it was being read.
var errPruned = errors.New("the log is being pruned")

// Verify reads the whole log and checks that each event is what was recorded, and
// that none is missing, additional or in another place. It returns an error only
// if it could not find out.
//
// What it cannot see in the log itself is that the newest events are gone, or that
// the whole chain was computed anew: for that it needs known, an anchor that was
// got before and kept elsewhere. If the log does not contain it, that is a fault.
// The zero Anchor means that none is known.
//
// Events may be recorded at the same time.
func (l *Log) Verify(ctx context.Context, known Anchor) (Report, error) {
	const attempts = 3
	var err error
	for range attempts {
		var report Report
		if report, err = l.verify(ctx, known); !errors.Is(err, errPruned) {
			return report, err
		}
	}
	return Report{}, fmt.Errorf("audit: verify: %w", err)
}

func (l *Log) verify(ctx context.Context, known Anchor) (Report, error) {
	w := &walk{log: l, known: known}
	var err error
	if w.chain, err = scanChain(l.events.QueryRow(ctx, chainColumns)); err != nil {
		return Report{}, err
	}
	w.report.Start, w.report.Head = w.chain.start, w.chain.start
	w.vouched = w.chain.start.IsZero()
	w.met(w.chain.start)
	after := int64(math.MinInt64) // What was put in before the beginning is found, too.
	for w.report.Fault == nil {
		rows, err := l.events.Query(ctx, entryColumns+" WHERE seq > ? ORDER BY seq LIMIT ?", after, batchSize)
		if err != nil {
			return Report{}, fmt.Errorf("audit: verify: %w", err)
		}
		entries, err := sqldb.All(rows, scanEntry)
		if err != nil {
			return Report{}, fmt.Errorf("audit: verify: %w", err)
		}
		if len(entries) == 0 {
			w.end()
			break
		}
		if err := w.batch(ctx, entries); err != nil {
			return Report{}, err
		}
		after = entries[len(entries)-1].Seq
	}
	if w.report.Fault != nil {
		// What looks like a gap may be the beginning, which somebody just removed.
		if now, err := scanChain(l.events.QueryRow(ctx, chainColumns)); err != nil || now.start != w.chain.start {
			return Report{}, errors.Join(err, errPruned)
		}
		w.report.Head = Anchor{}
	}
	return w.report, nil
}

// walk goes along the chain.
type walk struct {
	log     *Log
	known   Anchor
	chain   chain
	vouched bool // an event says that the chain begins where it does
	report  Report
}

// batch checks the next events, up to the first fault.
func (w *walk) batch(ctx context.Context, entries []Entry) error {
	for i := range entries {
		e := &entries[i]
		if e.Seq > w.chain.head.Seq { // It may have been recorded since.
			now, err := scanChain(w.log.events.QueryRow(ctx, chainColumns))
			if err != nil {
				return err
			}
			w.chain.head = now.head
		}
		if w.check(e); w.report.Fault != nil {
			return nil
		}
		w.report.Events++
		w.report.Head = e.Anchor()
		w.vouched = w.vouched || e.prunedTo(w.chain.start)
		w.met(e.Anchor())
	}
	return nil
}

// check looks at one event.
func (w *walk) check(e *Entry) {
	next := w.report.Head.Seq + 1
	switch {
	case e.Seq > w.chain.head.Seq:
		w.fault(e.Seq, "it is behind the end of the chain: nobody recorded it")
	case e.Seq < next:
		w.fault(e.Seq, "it is before the beginning of the chain: nobody recorded it")
	case e.Seq > next:
		w.fault(next, "it is missing")
	case e.chained(w.report.Head.Hash) != e.Hash:
		w.fault(e.Seq, "it is not what was recorded here: it or the one before was changed, put in or moved")
	}
}

// met compares the anchor of an event with the known one.
func (w *walk) met(a Anchor) {
	if !w.known.IsZero() && a.Seq == w.known.Seq && a != w.known {
		w.fault(a.Seq, "it is not the one of the anchor: the chain was written anew")
	}
}

// end checks what is only known at the end.
func (w *walk) end() {
	head := w.report.Head
	switch {
	case head.Seq < w.chain.head.Seq:
		w.fault(head.Seq+1, "it is missing, and so are all after it")
	case head != w.chain.head && head.Seq == w.chain.head.Seq:
		w.fault(head.Seq, "it is not the end of the chain: the end was changed")
	case !w.vouched:
		w.fault(w.chain.start.Seq, "all up to it are missing, and no event says that they were removed as too old")
	case w.known.Seq > head.Seq:
		w.fault(head.Seq+1, "it is missing, and so are all up to the anchor: the end was cut off")
	case w.known.Seq < w.chain.start.Seq && !w.known.IsZero():
		w.fault(w.known.Seq, "the event of the anchor was removed as too old, so the anchor proves nothing: use a newer one")
	}
}

func (w *walk) fault(seq int64, reason string) {
	if w.report.Fault == nil {
		w.report.Fault = &Fault{seq, reason}
	}
}

package main

import (
	"errors"
	"fmt"

	"github.com/fastness/fastness/bench/work"
)

// A contender is one row of a table: something that can be done over and over.
type contender struct {
	Name, Title string
	// Answer says what was checked before the clock ran.
	Answer string
	run    func() error
}

// handlersOf prepares peers for t in process. Every peer whose answer is wrong
// is named in the error, and nothing is timed then.
func handlersOf(t Task, peers []Peer) ([]contender, error) {
	var all []contender
	var errs []error
	for _, p := range peers {
		if !t.fits(p) {
			continue
		}
		c, err := handlerOf(t, p)
		all, errs = append(all, c), append(errs, err)
	}
	return all, errors.Join(errs...)
}

func handlerOf(t Task, p Peer) (contender, error) {
	h, err := p.New(t.Terms)
	if err != nil {
		return contender{}, fmt.Errorf("%s: %w", p.Name, err)
	}
	if err := errors.Join(t.refusedBy(p, h), t.limitedBy(p)); err != nil {
		return contender{}, err
	}
	e, err := t.exchange()
	if err != nil {
		return contender{}, err
	}
	status, header, content := e.answer(h)
	word, err := t.accept(p, status, header, content)
	return contender{p.Name, p.Title, word, func() error {
		if got := e.send(h); got != status || e.writer.count == 0 {
			return fmt.Errorf("%s, %s: status %d, %d bytes in a timed round, want %d and a body", p.Name, t.Name, got, e.writer.count, status)
		}
		return nil
	}}, err
}

// decodersOf prepares the table of decoders: each must take the valid body and
// refuse a body with any one of the breaks.
func decodersOf(decoders []Decoder) ([]contender, error) {
	var all []contender
	var errs []error
	for _, d := range decoders {
		c, err := decoderOf(d)
		all, errs = append(all, c), append(errs, err)
	}
	return all, errors.Join(errs...)
}

func decoderOf(d Decoder) (contender, error) {
	decode, err := d.New()
	if err != nil {
		return contender{}, fmt.Errorf("%s: %w", d.Name, err)
	}
	valid, err := work.Body()
	if err != nil {
		return contender{}, err
	}
	c := contender{d.Name, d.Title, "floor", func() error { return decode(valid) }}
	if err := decode(valid); err != nil {
		return c, fmt.Errorf("%s: valid body: %w", d.Name, err)
	}
	if d.Floor {
		return c, nil
	}
	for _, b := range work.Breaks() {
		broken, err := work.Body(b)
		if err != nil {
			return c, err
		}
		if decode(broken) == nil {
			return c, fmt.Errorf("%s: takes a body whose %s is invalid", d.Name, b.Pointer)
		}
	}
	c.Answer = fmt.Sprintf("refuses %[1]d of %[1]d", len(work.Breaks()))
	return c, nil
}

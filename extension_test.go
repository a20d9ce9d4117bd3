package fastness_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/fastness/fastness"
)

type bookcase struct{ names []string }

type booksCommand struct {
	Add struct {
		bookAdd `embed:""`
	} `cmd:"" help:"Add a book."`
	List bookList `cmd:"" help:"List the books."`
}

type bookAdd struct {
	Name string `arg:"" help:"Its name."`
	Loud bool   `help:"Say so."`
}

func (c *bookAdd) Run(_ context.Context, s *bookcase, console fastness.Console, settings fastness.Settings) error {
	if c.Name == "bad" {
		return errors.New("this is no book")
	}
	s.names = append(s.names, c.Name)
	_, err := fmt.Fprintln(console.Out, "added", c.Name, c.Loud, settings.DataDir)
	return err
}

type bookList struct{}

func (*bookList) Run(console fastness.Console) error {
	_, err := fmt.Fprintln(console.Out, "no shelf is needed for this")
	return err
}

func TestCommandsOfTheApplication(t *testing.T) {
	for _, tt := range []struct {
		args   string
		exit   int
		out    string
		opened int
	}{
		{"books add Emma --loud --data here", 0, "added Emma true here", 1},
		{"books add bad", 1, "this is no book", 1},
		{"books list", 0, "no shelf is needed", 0},
		{"books add", 2, `expected "<name>"`, 0},
		{"books burn", 2, "burn", 0},
		{"help books", 0, "Add a book.", 0},
		{"routes", 0, "METHOD", 0},
	} {
		t.Run(tt.args, func(t *testing.T) {
			opened, closed := 0, 0
			app := fastness.New(fastness.Config{Title: "T", Version: "1"})
			fastness.ProvideApp(app, func(context.Context, struct{ Settings fastness.Settings }) (*bookcase, func(error) error, error) {
				opened++
				return &bookcase{}, func(error) error { closed++; return nil }, nil
			})
			fastness.Command[booksCommand](app, "books", "Manage the books.")
			var out bytes.Buffer
			exit := app.Run(t.Context(), append([]string{"t"}, strings.Fields(tt.args)...), &out, &out)
			if exit != tt.exit || !strings.Contains(out.String(), tt.out) || opened != tt.opened || closed != opened {
				t.Errorf("exit %d, opened %d, closed %d, output:\n%s", exit, opened, closed, out.String())
			}
		})
	}
}

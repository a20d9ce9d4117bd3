package sqldb

import "strings"

// Condition returns a fragment with arguments of its own: a condition that is
// chosen at run time. Its text is a constant of the program; what a caller sent is
// an argument.
//
//	sqldb.Condition("price BETWEEN ? AND ?", in.From, in.To)
//
// An argument that is a [Fragment] becomes text, so fragments are put together from
// fragments. With more or fewer arguments than ? the fragment is SQL that is wrong:
// an argument must not slip to the condition beside it.
func Condition(t text, args ...any) Fragment {
	t, args = splice(t, args)
	if placeholders(t) != len(args) {
		return Fragment{text: "(a sqldb.Condition has another number of arguments than of placeholders)"}
	}
	return Fragment{t, args}
}

// Given returns the [Condition] with the value as its argument, or one that always
// holds if value is nil: for parameters that a caller may leave out.
//
//	sqldb.Given("price >= ?", in.MinPrice) // of type *int64
func Given[T any](t text, value *T) Fragment {
	if value == nil {
		return Fragment{text: "TRUE"}
	}
	return Condition(t, *value)
}

// OneOf returns the condition that a column has one of the values. Without values
// nothing has.
//
//	sqldb.OneOf("status", in.Status) // status IN (?, ?)
//
// Bound their number where they come from, by maxItems.
func OneOf[T any](column text, values []T) Fragment {
	if len(values) == 0 {
		return Fragment{text: "FALSE"}
	}
	args := make([]any, len(values))
	for i, v := range values {
		args[i] = v
	}
	return Condition(column+" IN (?"+text(strings.Repeat(", ?", len(values)-1))+")", args...)
}

// And returns the condition that all conditions hold, which is so if there are none.
//
//	where := sqldb.And(
//		sqldb.Condition("tenant = ?", in.Tenant),
//		sqldb.Given("price >= ?", in.MinPrice),
//	)
//	rows, err := tx.Query(ctx, "SELECT id, name FROM items WHERE ? ORDER BY id LIMIT ?", where, in.Limit)
//
// An empty [Fragment] is no condition but a mistake, and the statement fails: a rule
// about who may see what must not be left out because a map has no such key.
func And(conditions ...Fragment) Fragment { return joined(" AND ", "TRUE", conditions) }

// Or returns the condition that one of the conditions holds at least, which is not so
// if there are none.
func Or(conditions ...Fragment) Fragment { return joined(" OR ", "FALSE", conditions) }

func joined(operator, none text, conditions []Fragment) Fragment {
	if len(conditions) == 0 {
		return Fragment{text: none}
	}
	var all Fragment
	for i, c := range conditions {
		if i > 0 {
			all.text += operator
		}
		all.text += "(" + c.text + ")"
		all.args = append(all.args, c.args...)
		if placeholders(c.text) != len(c.args) { // A Constant whose arguments come later: they would not come in this order.
			return Fragment{text: "(a condition has arguments that are not its own: want sqldb.Condition)"}
		}
	}
	return all
}

// String returns the text of the fragment, without its arguments.
func (f Fragment) String() string { return string(f.text) }

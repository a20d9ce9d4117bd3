package page

import "github.com/fastness/fastness/sqldb"

// What follows is SQL that both dialects read in the same way. Null is the largest
// value: that is what PostgreSQL thinks anyway, and what SQLite is told.

// orderBy returns the terms of ORDER BY, turned round if back.
func (o order[T]) orderBy(back bool) sqldb.Fragment {
	all := o.keys[0].orderBy(back)
	for _, k := range o.keys[1:] {
		all = sqldb.Condition("?, ?", all, k.orderBy(back))
	}
	return all
}

func (c Column[T]) orderBy(back bool) sqldb.Fragment {
	switch down := c.down != back; {
	case down && c.nullable:
		return sqldb.Condition("? DESC NULLS FIRST", c.sql)
	case down:
		return sqldb.Condition("? DESC", c.sql)
	case c.nullable:
		return sqldb.Condition("? NULLS LAST", c.sql)
	default:
		return c.sql
	}
}

// beyond returns the condition of the rows that come after the values, or before
// them if back.
func (o order[T]) beyond(values []any, back bool) sqldb.Fragment {
	if condition, ok := o.compared(values, back); ok {
		return condition
	}
	last := len(o.keys) - 1
	all := o.keys[last].beyond(values[last], back)
	for i := last - 1; i >= 0; i-- {
		k := o.keys[i]
		all = sqldb.Or(k.beyond(values[i], back), sqldb.And(k.same(values[i]), all))
	}
	if first := o.keys[0]; !first.nullable { // It follows from the rest, and an index can be searched by it.
		return sqldb.And(first.since(values[0], back), all)
	}
	return all
}

// since returns the condition of what does not come before a value of the column.
func (c Column[T]) since(value any, back bool) sqldb.Fragment {
	if c.down != back {
		return sqldb.Condition("? <= ?", c.sql, value)
	}
	return sqldb.Condition("? >= ?", c.sql, value)
}

// compared returns the condition as one comparison of rows, which is a range of an
// index. It can be one if all columns have one direction and none can be null.
func (o order[T]) compared(values []any, back bool) (sqldb.Fragment, bool) {
	columns, marks := o.keys[0].sql, sqldb.Condition("?", values[0])
	for i, k := range o.keys {
		if k.nullable || k.down != o.keys[0].down {
			return sqldb.Fragment{}, false
		}
		if i > 0 {
			columns, marks = sqldb.Condition("?, ?", columns, k.sql), sqldb.Condition("?, ?", marks, values[i])
		}
	}
	if o.keys[0].down != back {
		return sqldb.Condition("(?) < (?)", columns, marks), true
	}
	return sqldb.Condition("(?) > (?)", columns, marks), true
}

// beyond returns the condition of what comes after a value of the column.
func (c Column[T]) beyond(value any, back bool) sqldb.Fragment {
	down := c.down != back
	switch {
	case value == nil && down:
		return sqldb.Condition("? IS NOT NULL", c.sql)
	case value == nil:
		return sqldb.Constant("FALSE")
	case down:
		return sqldb.Condition("? < ?", c.sql, value)
	case c.nullable:
		return sqldb.Condition("? > ? OR ? IS NULL", c.sql, value, c.sql)
	default:
		return sqldb.Condition("? > ?", c.sql, value)
	}
}

// same returns the condition of what has the value.
func (c Column[T]) same(value any) sqldb.Fragment {
	if value == nil {
		return sqldb.Condition("? IS NULL", c.sql)
	}
	return sqldb.Condition("? = ?", c.sql, value)
}

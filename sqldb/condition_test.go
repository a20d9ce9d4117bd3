package sqldb

import (
	"reflect"
	"testing"
)

func TestConditions(t *testing.T) {
	price, nobody := 7, (*int)(nil)
	wrongCount := "(a sqldb.Condition has another number of arguments than of placeholders)"
	notOwn := "(a condition has arguments that are not its own: want sqldb.Condition)"
	for _, c := range []struct {
		name string
		got  Fragment
		want string
		args []any
	}{
		{"with arguments", Condition("a = ? OR b = ?", 1, 2), "a = ? OR b = ?", []any{1, 2}},
		{"of fragments", Condition("? > ? AND ?", Constant("a"), 1, Condition("b = ?", 2)), "a > ? AND b = ?", []any{1, 2}},
		{"an operator of JSON is no placeholder", Condition("a ?? 'b' AND c = ?", 1), "a ?? 'b' AND c = ?", []any{1}},
		{"given", Given("a = ?", &price), "a = ?", []any{7}},
		{"not given", Given("a = ?", nobody), "TRUE", nil},
		{"and", And(Condition("a = ? OR b", 1), Constant("c"), Condition("d = ?", 2)), "(a = ? OR b) AND (c) AND (d = ?)", []any{1, 2}},
		{"and of none", And(), "TRUE", nil},
		{"or", Or(Condition("a = ?", 1), Condition("b = ?", 2)), "(a = ?) OR (b = ?)", []any{1, 2}},
		{"or of none", Or(), "FALSE", nil},
		{"one of", OneOf("a", []string{"x", "y", "z"}), "a IN (?, ?, ?)", []any{"x", "y", "z"}},
		{"one of none", OneOf("a", []string{}), "FALSE", nil},
		{"an argument too many", Condition("a = ?", 1, 2), wrongCount, nil},
		{"an argument too few", Condition("a = ? AND b = ?", 1), wrongCount, nil},
		{"a constant that wants arguments", And(Constant("a = ?"), Condition("b = ?", 2)), notOwn, nil},
		{"a condition that is not there", And(Fragment{}, Condition("b = ?", 2)), "() AND (b = ?)", []any{2}},
	} {
		if c.got.String() != c.want || !reflect.DeepEqual(c.got.args, c.args) {
			t.Errorf("%s: %q %v, want %q %v", c.name, c.got, c.got.args, c.want, c.args)
		}
	}
}

// TestConditionsKeepTheirArguments: an argument that slips by one place compares the
// tenant with what the caller sent.
func TestConditionsKeepTheirArguments(t *testing.T) {
	statement, args := splice("SELECT ? FROM items WHERE tenant = ? AND ? ORDER BY ? LIMIT ?", []any{
		Constant("lower(?)"), "Name", "acme", And(Condition("a = ?", 1), Condition("b = ?", 2)), Constant("id"), 20,
	})
	if want := text("SELECT lower(?) FROM items WHERE tenant = ? AND (a = ?) AND (b = ?) ORDER BY id LIMIT ?"); statement != want {
		t.Errorf("the statement is %q, want %q", statement, want)
	}
	if want := []any{"Name", "acme", 1, 2, 20}; !reflect.DeepEqual(args, want) {
		t.Errorf("the arguments are %v, want %v", args, want)
	}
}

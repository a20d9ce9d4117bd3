package problem_test

import (
	"database/sql"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/fastness/fastness/problem"
)

// The caller reads the detail, the log reads the cause.
func Example() {
	err := problem.New(http.StatusNotFound, "no item has this id").Wrap(sql.ErrNoRows)
	fmt.Println(err)

	w := httptest.NewRecorder()
	problem.Write(w, problem.From(err))
	fmt.Println(w.Body)
	// Output:
	// no item has this id: sql: no rows in result set
	// {"title":"Not Found","status":404,"detail":"no item has this id"}
}

// Of an error that nobody prepared for the caller nothing is shown.
func ExampleFrom() {
	p := problem.From(fmt.Errorf("dial tcp 10.0.0.7:5432: connection refused"))
	text, _ := p.MarshalJSON()
	fmt.Println(string(text))
	// Output: {"title":"Internal Server Error","status":500}
}

package locale_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/fastness/fastness/locale"
	"github.com/fastness/fastness/problem"
)

// It works on plain net/http.
func Example() {
	german := locale.German()
	german.Sentences["sold_out"] = "Es sind nur noch {left} da"
	german.Sentences["sold_out.one"] = "Es ist nur noch einer da"
	l, err := locale.New(locale.Config{Catalogues: []locale.Catalogue{german}, Codes: []string{"sold_out"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	r := httptest.NewRequest("POST", "/", nil)
	r.Header.Set("Accept-Language", "de-AT, en;q=0.5")
	language := l.Of(r)

	p := problem.New(http.StatusUnprocessableEntity, "the request is not as declared").Named("validation")
	p.Errors = []problem.Violation{{In: "body", Code: "string_too_short", Detail: "String should have at least 3 characters",
		Limits: []problem.Limit{{Name: "min_length", Value: 3}}}}
	shown := language.Problem(p)
	fmt.Println(language.Tag(), shown.Errors[0].Code, shown.Errors[0].Detail)
	fmt.Println(language.Text("sold_out", problem.Limit{Name: "left", Value: 1}))
	// Output:
	// de string_too_short Der Text muss mindestens 3 Zeichen haben
	// Es ist nur noch einer da
}

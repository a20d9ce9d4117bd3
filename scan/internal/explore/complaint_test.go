package explore

import (
	"net/http"
	"slices"
	"testing"

	"github.com/fastness/fastness/scan/wire"
)

func said(media, body string) *wire.Exchange {
	return &wire.Exchange{Status: 422, Header: http.Header{"Content-Type": {media}}, Body: []byte(body)}
}

func TestWhatFrameworksSayIsUnderstood(t *testing.T) {
	for form, c := range map[string]struct {
		body string
		want []string
	}{
		"FastAPI":          {`{"detail":[{"loc":["body","price"],"msg":"Input should be a valid number","type":"float_type"},{"loc":["query","limit"],"msg":"Field required","type":"missing"}]}`, []string{"body price", "query limit"}},
		"DRF":              {`{"title":["This field is required."],"name":["This field may not be blank."]}`, []string{" name", " title"}},
		"DRF nested":       {`{"address":{"city":["This field is required."]}}`, []string{" address/city"}},
		"Laravel":          {`{"message":"The given data was invalid.","errors":{"email":["The email field is required."]}}`, []string{" email"}},
		"Rails":            {`{"errors":{"name":["can't be blank"]}}`, []string{" name"}},
		"Spring":           {`{"timestamp":"x","status":400,"errors":[{"defaultMessage":"must not be null","objectName":"order","field":"quantity","rejectedValue":null}]}`, []string{" quantity"}},
		"express":          {`{"errors":[{"type":"field","msg":"Invalid value","path":"email","location":"body"}]}`, []string{"body email"}},
		"old express":      {`{"errors":[{"msg":"Invalid value","param":"email","location":"query"}]}`, []string{"query email"}},
		"ajv":              {`[{"instancePath":"/items/0/qty","keyword":"type","message":"must be integer"}]`, []string{" items/0/qty"}},
		"JSON:API":         {`{"errors":[{"source":{"pointer":"/data/attributes/name"},"detail":"can't be blank"}]}`, []string{"body name"}},
		"problem":          {`{"type":"about:blank","title":"Unprocessable","errors":[{"pointer":"#/price","detail":"is required"}]}`, []string{" price"}},
		"invalid-params":   {`{"title":"bad","invalid-params":[{"name":"age","reason":"must be a positive integer"}]}`, []string{" age"}},
		"zod":              {`{"success":false,"error":{"issues":[{"code":"invalid_type","path":["user","name"],"message":"Required"}]}}`, []string{" user/name"}},
		"joi":              {`{"statusCode":400,"error":"Bad Request","message":"\"email\" is required"}`, []string{" email"}},
		"class-validator":  {`{"statusCode":400,"message":["price must be a positive number","title should not be empty"],"error":"Bad Request"}`, []string{" price", " title"}},
		"ASP.NET":          {`{"type":"x","title":"One or more validation errors occurred.","errors":{"Name":["The Name field is required."]}}`, []string{" Name"}},
		"jsonschema":       {`{"message":"'title' is a required property"}`, []string{" title"}},
		"gin":              {`{"error":"Key: 'Order.Amount' Error:Field validation for 'Amount' failed on the 'required' tag"}`, []string{" Order/Amount"}},
		"marshmallow":      {`{"errors":{"json":{"email":["Missing data for required field."]}}}`, []string{" json/email"}},
		"a sentence":       {`{"error":"missing field: amount"}`, []string{" amount"}},
		"two in one":       {`{"message":"username and password are required"}`, []string{" password", " username"}},
		"a field's detail": {`{"error":{"status":"must be one of open, closed"}}`, []string{" status"}},
	} {
		var got []string
		for _, c := range complaints(said("application/json", c.body)) {
			if c.name != "" {
				got = append(got, c.in+" "+c.name)
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", form, got, c.want)
		}
	}
}

func TestListsOfWhatIsAllowedAreRead(t *testing.T) {
	for message, want := range map[string][]string{
		"must be one of: low, high":                                     {"low", "high"},
		`"x" must be one of [small, large]`:                             {"small", "large"},
		"Input should be 'members' or 'all'":                            {"members", "all"},
		"Invalid option: expected one of \"a\"|\"b\"":                   {"a", "b"},
		"must be one of the following values: red, green":               {"red", "green"},
		"allowed values are 'A', 'B'":                                   {"A", "B"},
		"is required":                                                   nil,
		"Input should be a valid number, unable to parse string":        nil,
		"must be equal to one of the allowed values allowedValues on,o": {"on", "o"},
	} {
		if got := choicesIn(message); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", message, got, want)
		}
	}
}

func FuzzComplaints(f *testing.F) {
	for _, body := range []string{`{"detail":[{"loc":["body","a"],"msg":"m"}]}`, `x is required; "y" must be one of a, b`, `{"errors":{"a":{"b":["c"]}}}`, `[[[[[]]]]]`, `"text"`, `{"source":{"pointer":5}}`, "\x00 must"} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		found := complaints(said("application/json", body))
		if len(found) > maxComplaints {
			t.Errorf("%d complaints", len(found))
		}
		for _, c := range found {
			_ = choicesIn(c.message)
			_ = patternIn(c.message)
			_ = numbersIn(c.message)
		}
	})
}

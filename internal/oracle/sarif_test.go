package oracle_test

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/fastness/fastness/scan/finding"
	"github.com/fastness/fastness/scan/report"
	"github.com/fastness/fastness/scan/wire"
)

// TestSARIFIsThatOfTheSpecification holds reports of scans against the JSON Schema of OASIS
// SARIF 2.1.0 (errata 5, as the npm package @microsoft/jest-sarif ships it, MIT).
func TestSARIFIsThatOfTheSpecification(t *testing.T) {
	data, err := os.ReadFile("testdata/sarif-2.1.0.json")
	if err != nil {
		t.Fatal(err)
	}
	schema, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource("sarif.json", schema); err != nil {
		t.Fatal(err)
	}
	specification, err := compiler.Compile("sarif.json")
	if err != nil {
		t.Fatal(err)
	}
	hostile := "\x1b[2J\u202e</script><b>\x00\xff ../../../etc/passwd:\\ %zz"
	kind := finding.Kind{ID: "AZ-01", Title: "An object can be read", Severity: finding.High, OWASP: "API1:2023", CWE: 639, Describe: "Who guesses an id reads it.", Remedy: finding.Remedy{Text: "Ask for the owner.", FastAPI: "if x:\n    raise"}}
	found := func(k finding.Kind, s string) *finding.Finding {
		return &finding.Finding{
			Kind: k, Severity: k.Severity, Proven: true, Claim: s, Control: s, Places: []finding.Place{{Method: "GET", Path: "/a/" + s, Parameter: s, Users: s}},
			Evidence: []finding.Evidence{{Says: s, Exchange: &wire.Exchange{Request: wire.Request{Method: "GET", Path: "/" + s}, Status: 200, Body: []byte(s)}}},
		}
	}
	suppressed := found(kind, "b")
	suppressed.Suppressed = "it is meant to be public"
	for name, r := range map[string]*report.Report{
		"nothing":  {},
		"findings": {Target: "http://127.0.0.1:1", Document: "api/openapi.json", Start: time.Unix(1e9, 0), Duration: time.Second, Notes: []string{"weak"}, Findings: []*finding.Finding{found(kind, "a"), suppressed, found(finding.Kind{ID: "X"}, "c")}},
		"hostile":  {Target: "http://[::1]/" + hostile, Document: hostile, Title: hostile, Findings: []*finding.Finding{found(finding.Kind{ID: "AZ-01"}, hostile), {}}},
	} {
		var out bytes.Buffer
		if err := report.Write(&out, report.SARIF, r.Publish(), report.Options{}); err != nil {
			t.Fatal(err)
		}
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(out.String()))
		if err != nil {
			t.Fatal(err)
		}
		if err := specification.Validate(value); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		run := value.(map[string]any)["runs"].([]any)[0].(map[string]any) // The schema sees what is wrong.
		run["columnKind"] = "letters"
		if specification.Validate(value) == nil {
			t.Errorf("%s: a wrong value is not seen", name)
		}
	}
}

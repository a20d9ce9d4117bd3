package main

import (
	"encoding/json"
	"strings"
	"testing"
)

const sqlmapSaid = `[1/2] URL:
GET http://localhost/items/1*
[10:00:00] [WARNING] URI parameter '#1*' does not appear to be dynamic
[10:00:00] [INFO] URI parameter '#1*' appears to be 'AND boolean-based blind' injectable
[10:00:00] [WARNING] false positive or unexploitable injection point detected
[10:00:00] [WARNING] URI parameter '#1*' does not seem to be injectable
[2/2] URL:
POST http://localhost/items/
[10:00:00] [WARNING] (custom) POST parameter 'JSON #1*' does not seem to be injectable
(custom) POST parameter 'JSON #2*' is vulnerable. Do you want to keep testing the others (if any)? [y/N] Y
`

func TestValueThatCanBeInjectedFailsAndSoDoesOneThatWasNotTried(t *testing.T) {
	one, two := target{op: "one", line: "GET /items/1*"}, target{op: "two", body: `{"a":1*,"b":2*}`}
	got, err := readSQLMap(sqlmapSaid, 2)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := got.harmless([]target{one, two}); n != 2 || err == nil || !strings.Contains(err.Error(), "two can be injected") {
		t.Errorf("harmless() = %d, %v; want 2, and that two can be injected", n, err)
	}
	if n, err := got[:1].harmless([]target{one}); n != 1 || err != nil {
		t.Errorf("harmless() = %d, %v; want 1", n, err)
	}
	one.line += "?q=a*"
	if _, err := got[:1].harmless([]target{one}); err == nil || !strings.Contains(err.Error(), "1 values were tried, want 2") {
		t.Errorf("harmless() = %v, want that a value was left out", err)
	}
	for _, targets := range []int{1, 3} {
		if _, err := readSQLMap(sqlmapSaid, targets); err == nil {
			t.Errorf("a report on 2 targets is taken for one on %d", targets)
		}
	}
	if _, err := readSQLMap("nothing", 1); err == nil {
		t.Error("no report is taken for one")
	}
}

func TestInputsOfADocumentAreParametersAndMembers(t *testing.T) {
	var doc apiDocument
	if err := json.Unmarshal([]byte(`{"paths":{"/a/{b}":{"post":{"parameters":[{"name":"b"}],"requestBody":{"content":{
		"application/json":{"schema":{"$ref":"#/components/schemas/C"}}}}},"get":{}}},
		"components":{"schemas":{"C":{"properties":{"d":{},"e":true}}}}}`), &doc); err != nil {
		t.Fatal(err)
	}
	if got := doc.inputs(); got["POST /a/{b}"] != 3 || got["GET /a/{b}"] != 0 || len(got) != 2 {
		t.Errorf("inputs() = %v, want 3 and 0", got)
	}
}

func TestCrowdIsJudgedByWhatItGotAndWhatItTook(t *testing.T) {
	const most = 1000
	for name, spoil := range map[string]func(*tally, *gathering){
		"":                     func(*tally, *gathering) {},
		"9999 got the news":    func(got *tally, _ *gathering) { got.texts.Add(-1) },
		"and 1 something else": func(got *tally, _ *gathering) { got.wrong.Add(1) },
		"9999 ended with 1001": func(got *tally, _ *gathering) { got.ended.Add(-1) },
		"they took":            func(_ *tally, r *gathering) { r.settled.Resident = most + 1 },
	} {
		got, r := &tally{code: 1001}, gathering{settled: memory{Resident: most}}
		got.texts.Store(followers)
		got.ended.Store(followers)
		spoil(got, &r)
		_, err := r.judge(got, most)
		if name == "" && err != nil || name != "" && (err == nil || !strings.Contains(err.Error(), name)) {
			t.Errorf("judge() = %v, want %q", err, name)
		}
	}
	if n, err := residentOf("Name:\tshop\nVmRSS:\t    12 kB\nRssAnon:\t 1 kB\n"); n != 12<<10 || err != nil {
		t.Errorf("residentOf() = %d, %v; want 12288", n, err)
	}
	if _, err := residentOf("Name:\tshop\n"); err == nil {
		t.Error("a status without VmRSS is taken for none in memory")
	}
}

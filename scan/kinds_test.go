package scan_test

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/fastness/fastness/internal/cvss"
	"github.com/fastness/fastness/scan"
	"github.com/fastness/fastness/scan/finding"
)

// requirements says how many there are in the sections of OWASP ASVS 5.0 that the catalogue
// names.
var requirements = map[string]int{
	"1.2": 10, "1.3": 12, "1.5": 3, "2.1": 3, "2.2": 3, "2.3": 5, "2.4": 2, "3.2": 3, "3.4": 8, "3.5": 8, "3.7": 5,
	"4.1": 5, "4.3": 2, "5.2": 6, "5.3": 3, "6.2": 12, "6.3": 8, "6.4": 6, "7.2": 4, "7.4": 5, "8.2": 4, "8.3": 3,
	"9.1": 3, "9.2": 4, "10.4": 16, "11.2": 5, "12.2": 2, "13.3": 4, "13.4": 7, "14.2": 8, "14.3": 3, "15.2": 5, "15.3": 7, "16.5": 4,
	"1.4": 3, "4.4": 4, "15.4": 4,
}

func TestEveryKindOfFlawIsWhole(t *testing.T) {
	ids, titles := map[string]bool{}, map[string]string{}
	for _, k := range scan.Kinds() {
		if ids[k.ID] || k.ID == "" {
			t.Errorf("%q is not the id of one kind", k.ID)
		}
		if other := titles[strings.ToLower(k.Title)]; other != "" {
			t.Errorf("%s and %s are both called %q", k.ID, other, k.Title)
		}
		ids[k.ID], titles[strings.ToLower(k.Title)] = true, k.ID
		for _, wrong := range incomplete(k) {
			t.Errorf("%s: %s", k.ID, wrong)
		}
	}
	if len(ids) < 70 {
		t.Errorf("%d kinds", len(ids))
	}
}

func TestAKindOfFlawThatIsNotWholeIsFound(t *testing.T) {
	whole := scan.Kinds()[0]
	if wrong := incomplete(whole); wrong != nil {
		t.Fatal(wrong)
	}
	for what, spoil := range map[string]func(k *finding.Kind){
		"no title":                func(k *finding.Kind) { k.Title = "" },
		"title ends":              func(k *finding.Kind) { k.Title += "." },
		"nothing is described":    func(k *finding.Kind) { k.Describe = "" },
		"no item of OWASP":        func(k *finding.Kind) { k.OWASP = "API11:2023" },
		"no weakness":             func(k *finding.Kind) { k.CWE = 0 },
		"no requirement of ASVS":  func(k *finding.Kind) { k.ASVS = nil },
		"8.2.9 is no requirement": func(k *finding.Kind) { k.ASVS = []string{"8.2.9"} },
		"v8.2.2 is no":            func(k *finding.Kind) { k.ASVS = []string{"v8.2.2"} },
		"8.2.2 is there twice":    func(k *finding.Kind) { k.ASVS = []string{"8.2.2", "8.2.2"} },
		"vector":                  func(k *finding.Kind) { k.CVSS = "" },
		"severity":                func(k *finding.Kind) { k.Severity = finding.Critical + 1 },
		"no words of how":         func(k *finding.Kind) { k.Remedy.Text = "" },
		"no snippet for Fastness": func(k *finding.Kind) { k.Remedy.Fastness = " " },
		"no snippet for FastAPI":  func(k *finding.Kind) { k.Remedy.FastAPI = "" },
		"no snippet for Express":  func(k *finding.Kind) { k.Remedy.Express = "" },
		"no snippet for Spring":   func(k *finding.Kind) { k.Remedy.Spring = "" },
	} {
		k := whole
		spoil(&k)
		if wrong := incomplete(k); len(wrong) != 1 || !strings.Contains(wrong[0], what) {
			t.Errorf("%s: got %q", what, wrong)
		}
	}
}

// incomplete says what is missing in an entry of the catalogue, or wrong.
func incomplete(k finding.Kind) (wrong []string) {
	want := func(ok bool, or string) {
		if !ok {
			wrong = append(wrong, or)
		}
	}
	want(k.Title != "", "there is no title")
	want(!strings.HasSuffix(k.Title, ".") && len(k.Title) < 80, "the title ends in a full stop, or is too long")
	want(len(k.Describe) > 40 && strings.HasSuffix(k.Describe, "."), "nothing is described in whole sentences")
	want(k.Severity >= finding.Info && k.Severity <= finding.Critical, "there is no such severity")
	want(regexp.MustCompile(`^API([1-9]|10):2023$`).MatchString(k.OWASP), "there is no item of OWASP's list of 2023")
	want(k.CWE > 0, "there is no weakness (CWE)")
	want(len(k.ASVS) > 0, "there is no requirement of ASVS")
	for i, id := range k.ASVS {
		at := strings.LastIndexByte(id, '.')
		n, err := strconv.Atoi(id[at+1:])
		want(at > 0 && err == nil && n >= 1 && n <= requirements[id[:max(at, 0)]], id+" is no requirement of ASVS 5.0 that is known here")
		want(!slices.Contains(k.ASVS[:i], id), id+" is there twice")
	}
	// What is of severity Info does no harm, so that it has no score, and may have no vector.
	if score, err := cvss.Score(k.CVSS); k.Severity != finding.Info || k.CVSS != "" {
		want(err == nil && (score > 0) == (k.Severity > finding.Info), "the vector of CVSS 4.0 does not count, or does not fit the severity")
	}
	want(len(k.Remedy.Text) > 20, "there are no words of how it is mended")
	for name, code := range map[string]string{"Fastness": k.Remedy.Fastness, "FastAPI": k.Remedy.FastAPI, "Express": k.Remedy.Express, "Spring": k.Remedy.Spring} {
		want(strings.TrimSpace(code) != "", "there is no snippet for "+name)
	}
	return wrong
}

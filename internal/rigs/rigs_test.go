package main

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// A rig that finds nothing whatever happens is worse than none: these feed the
// judges what the tools say when something is wrong.

func TestFindingThatIsNotAllowedFailsAndSoDoesAnAllowanceThatIsNotNeeded(t *testing.T) {
	a := allowed{"known": "because"}
	for _, tt := range []struct {
		name     string
		findings map[string]string
		want     string // "" for none
	}{
		{"what is allowed was found", map[string]string{"known": "x"}, ""},
		{"something else was found", map[string]string{"known": "x", "new": "bad"}, "new: bad"},
		{"what is allowed was not found", nil, "known is allowed and was not found"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := a.judge(tt.findings)
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("judge() = %v, want %q", err, tt.want)
			}
		})
	}
	for name, a := range map[string]allowed{"h2spec": h2specAllowed(), "testssl": testsslAllowed()} {
		for finding, reason := range a {
			if len(reason) < 20 {
				t.Errorf("%s allows %s because %q, want a reason", name, finding, reason)
			}
		}
	}
}

func TestReportOfH2specNamesWhatFailedAndWhatWasSkipped(t *testing.T) {
	const report = `<testsuites><testsuite package="http2/4.2">
		<testcase classname="good"></testcase>
		<testcase classname="bad"><error>want GOAWAY
got DATA</error></testcase></testsuite>
		<testsuite package="hpack/2"><testcase classname="left out"><skipped/></testcase>
		<testcase classname="worse"><failure>x</failure></testcase></testsuite></testsuites>`
	failures, total, err := readJUnit([]byte(report))
	if err != nil || total != 4 || len(failures) != 3 {
		t.Fatalf("readJUnit() = %v, %d, %v; want 3 failures of 4", failures, total, err)
	}
	for name, want := range map[string]string{"http2/4.2/2": "bad: want GOAWAY, got DATA", "hpack/2/1": "left out: ", "hpack/2/2": "worse: x"} {
		if failures[name] != want {
			t.Errorf("%s is %q, want %q", name, failures[name], want)
		}
	}
	if _, _, err := readJUnit([]byte("<testsuites")); err == nil {
		t.Error("half a report is taken for a whole one")
	}
}

func TestReportOfTestSSLNamesWhatIsWorseThanLow(t *testing.T) {
	result := func(severity string) string {
		return `{"id":"` + severity + `","severity":"` + severity + `","finding":"x"},`
	}
	fine := strings.Repeat(result("OK")+result("INFO"), testsslResults/2)
	var bad string
	for _, severity := range []string{"LOW", "MEDIUM", "HIGH", "CRITICAL", "WARN", "FATAL", "NEW KIND"} {
		bad += result(severity)
	}
	findings, counts, err := readTestSSL([]byte("[" + fine + strings.TrimSuffix(bad, ",") + "]"))
	if err != nil || len(findings) != 6 || findings["LOW"] != "" || counts["LOW"] != 1 || counts["OK"] != testsslResults/2 {
		t.Errorf("readTestSSL() = %v, %v, %v; want all but LOW", findings, counts, err)
	}
	if _, _, err := readTestSSL([]byte("[" + strings.TrimSuffix(bad, ",") + "]")); err == nil {
		t.Error("a report that breaks off early is taken for a whole one")
	}
}

func TestPolicyThatIsWorseThanMaybeFails(t *testing.T) {
	policies := []policyOf{{"GET /", "script-src *"}}
	finding := func(severity int) []judgement {
		j := judgement{Name: "GET /"}
		j.Findings = append(j.Findings, struct {
			Severity                      int
			Directive, Value, Description string
		}{severity, "script-src", "*", "anything runs"})
		return []judgement{j}
	}
	for severity, bad := range map[int]bool{10: true, 20: true, 30: true, 40: true, 50: false, 60: false} {
		_, worst, err := judgePolicies(policies, finding(severity))
		if (err != nil) != bad || worst != severity {
			t.Errorf("severity %d: worst is %d and the error %v, want one: %t", severity, worst, err, bad)
		}
	}
	if _, _, err := judgePolicies(policies, nil); err == nil {
		t.Error("a policy that was not judged is taken for a good one")
	}
}

func TestSlowAttackIsJudgedByWhatItHeldAndWhoHadToWait(t *testing.T) {
	mode := slowMode{limit: 5 * time.Second}
	good := result{census: census{most: slowConnections, oldest: mode.limit}, requests: leastRequests,
		before: 5 * time.Millisecond, during: 29 * time.Millisecond, control: 5 * time.Millisecond}
	if err := good.judge(mode); err != nil {
		t.Errorf("judge() = %v, want nil", err)
	}
	for name, spoil := range map[string]func(*result){
		"few connections":         func(r *result) { r.most = slowConnections / 2 },
		"an old connection":       func(r *result) { r.oldest = mode.limit + slack + 1 },
		"a connection that stays": func(r *result) { r.now = 1 },
		"honest requests wait":    func(r *result) { r.during = 31 * time.Millisecond },
		"no honest requests":      func(r *result) { r.requests = 0 },
	} {
		r := good
		if spoil(&r); r.judge(mode) == nil {
			t.Errorf("%s: judge() = nil, want an error", name)
		}
	}
	brief := slowMode{limit: mode.limit, brief: true}
	good.most, good.answers, good.largest, good.whole = 1, slowConnections, 100, 100
	if err := good.judge(brief); err != nil {
		t.Errorf("judge() = %v, want nil", err)
	}
	for name, spoil := range map[string]func(*result){
		"few answers":     func(r *result) { r.answers = slowConnections / 2 },
		"a large answer":  func(r *result) { r.largest = 101 },
		"a connection is": func(r *result) { r.now = 1 },
	} {
		r := good
		if spoil(&r); r.judge(brief) == nil {
			t.Errorf("%s: judge() = nil, want an error", name)
		}
	}
}

const kernelTable = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 11 1 0 100 0 0 10 0
   1: 0100007F:1F90 0100007F:C001 01 00000000:00000000 00:00000000 00000000     0        0 12 1 0 100 0 0 10 0
   2: 0100007F:1F90 0100007F:C002 04 00000000:00000000 00:00000000 00000000     0        0 0 1 0 100 0 0 10 0
   3: 0100007F:1F90 0100007F:C003 06 00000000:00000000 00:00000000 00000000     0        0 0 1 0 100 0 0 10 0
   4: 0100007F:C001 0100007F:1F90 01 00000000:00000000 00:00000000 00000000     0        0 13 1 0 100 0 0 10 0
   5: 0100007F:1F90 0100007F:C004 01 00000000:00000000 00:00000000 00000000     0        0 14 1 0 100 0 0 10 0
`

func TestCensusCountsStrangersAndHowLongEachLasts(t *testing.T) {
	connections, err := readTCP(kernelTable, "8080")
	if err != nil || len(connections) != 3 {
		t.Fatalf("readTCP() = %v, %v; want 3 connections", connections, err)
	}
	var c census
	begin := time.Unix(0, 0)
	known := func(port string) bool { return port == "49156" }
	c.count(begin, connections, known)
	c.count(begin.Add(7*time.Second), connections, known)
	if c.now != 1 || c.kernel != 1 || c.most != 1 || c.oldest != 7*time.Second {
		t.Errorf("census %+v, want one of 7 s and one in the kernel", c)
	}
	c.count(begin.Add(8*time.Second), nil, known)
	c.count(begin.Add(9*time.Second), connections, known)
	if c.oldest != 7*time.Second || c.now != 1 {
		t.Errorf("census %+v, want a connection that came anew to be new", c)
	}
	if _, err := readTCP("titles\nnonsense\n", "8080"); err == nil {
		t.Error("a table that cannot be read is taken for an empty one")
	}
}

func TestPercentileIsTheLeastThatEnoughDoNotExceed(t *testing.T) {
	var times []time.Duration
	for i := range 200 {
		times = append(times, time.Duration(200-i))
	}
	if got := percentile(times, 99); got != 198 {
		t.Errorf("percentile() = %d, want 198", got)
	}
	if got := percentile(times[:1], 99); got != 1 {
		t.Errorf("percentile() of one = %d, want it", got)
	}
	if got := percentile(nil, 99); got != 0 {
		t.Errorf("percentile() of none = %d, want 0", got)
	}
}

// A tool starts others. None may be left when its time is over.
func TestProgramEndsWithAllThatItStarted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cmd := command(ctx, "sh", "-c", "sleep 300 & echo $!; wait")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, 32)
	n, err := out.Read(line)
	if err != nil {
		t.Fatal(err)
	}
	child := strings.TrimSpace(string(line[:n]))
	cancel()
	_ = cmd.Wait()
	deadline := time.Now().Add(5 * time.Second)
	for alive(child) {
		if time.Now().After(deadline) {
			t.Fatalf("process %s goes on", child)
		}
	}
}

// alive reports whether a process is there and is not one that nobody has waited for.
func alive(pid string) bool {
	status, err := os.ReadFile("/proc/" + pid + "/stat")
	return err == nil && !strings.Contains(string(status), ") Z ")
}

func TestMissingProgramIsNamedToWhoMayNotInstallIt(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if _, err := exec.LookPath("slowhttptest"); err == nil {
		t.Fatal("PATH is empty and slowhttptest is found")
	}
	err := install(t.Context(), []program{{"slowhttptest", "slowhttptest"}, {"testssl", "testssl.sh"}})
	if err == nil || !strings.Contains(err.Error(), "apt-get install -y slowhttptest testssl.sh") {
		t.Errorf("install() = %v, want what to install", err)
	}
}

func TestOnlyKnownRigsAreRun(t *testing.T) {
	for _, names := range [][]string{nil, {"h2spec", "nothing"}} {
		if chosen, err := choose(names); err == nil {
			t.Errorf("choose(%q) = %v, want an error", names, chosen)
		}
	}
	if chosen, err := choose([]string{"csp", "h2spec"}); err != nil || len(chosen) != 2 || chosen[0].name != "csp" {
		t.Errorf("choose() = %v, %v; want the two in this order", chosen, err)
	}
}

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

func testsslAllowed() allowed {
	return allowed{
		"cert_revocation": "the certificate is of the development authority, which lives on this machine and publishes no revocations",
		"engine_problem":  "Debian's OpenSSL knows no GOST ciphers, so testssl cannot try them; Go has none",
	}
}

// testsslFine are the severities that are no finding.
func testsslFine(severity string) bool {
	return slices.Contains([]string{"OK", "INFO", "LOW", "DEBUG"}, severity)
}

func runTestSSL(ctx context.Context, b *bench) (string, error) {
	s, err := b.openShop(ctx)
	if err != nil {
		return "", err
	}
	defer s.close()
	report := filepath.Join(b.temp, "testssl.json")
	text, _, err := output(ctx, b.temp, "testssl", "--quiet", "--color", "0", "--warnings", "off",
		"--ip", "127.0.0.1", "--nodns", "none", "--connect-timeout", "5", "--openssl-timeout", "5",
		"--add-ca", s.authority, "--jsonfile", report, "localhost:"+s.port)
	if err != nil {
		return "", err
	}
	data, err := os.ReadFile(report)
	if err != nil {
		return "", fmt.Errorf("testssl wrote no report: %w\n%s", err, tail(text, 20))
	}
	findings, counts, err := readTestSSL(data)
	if err != nil {
		return "", err
	}
	known := testsslAllowed()
	known.print(b, findings)
	if err := known.judge(findings); err != nil {
		return "", err
	}
	return fmt.Sprintf("%d results OK, %d LOW, %d allowed, no other above LOW", counts["OK"], counts["LOW"], len(findings)), nil
}

// testsslResults is how many there are at least. Fewer means that the tool gave up.
const testsslResults = 100

// readTestSSL returns the findings that are worse than LOW, and how many results of
// each severity there are.
func readTestSSL(data []byte) (findings map[string]string, counts map[string]int, err error) {
	var results []struct{ ID, Severity, Finding string }
	if err := json.Unmarshal(data, &results); err != nil {
		return nil, nil, fmt.Errorf("testssl's report: %w", err)
	}
	findings, counts = make(map[string]string), make(map[string]int)
	for _, r := range results {
		counts[r.Severity]++
		if !testsslFine(r.Severity) {
			findings[r.ID] = r.Severity + " " + r.Finding
		}
	}
	if len(results) < testsslResults {
		return nil, nil, fmt.Errorf("testssl has %d results, want at least %d", len(results), testsslResults)
	}
	return findings, counts, nil
}

package main

import (
	"context"
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

const (
	// h2specPath is of an operation that reads the database, so that the frames behind
	// a request's first one are there before its answer is.
	h2specPath = "/"
	// h2specTries is how often a case must fail to count. In some the answer may
	// rightly be under way before the frame that the server is to refuse.
	h2specTries = 3
)

func h2specAllowed() allowed {
	return allowed{
		"http2/6.5.3/1":   "net/http closes a connection whose SETTINGS frame has one setting twice; no client sends that, and taking the last one would be right too",
		"http2/8.1.2.2/1": "net/http answers 400 to a request with a Connection field, instead of resetting the stream; the request is not served either way",
		"http2/8.1.2.2/2": "net/http answers 400 to a request with such a TE field, instead of resetting the stream; the request is not served either way",
	}
}

func runH2spec(ctx context.Context, b *bench) (string, error) {
	tool := filepath.Join(b.root, "bin", "h2spec")
	if err := must(ctx, filepath.Join(b.root, "internal", "tools"), "go", "build", "-o", tool, "github.com/summerwind/h2spec/cmd/h2spec"); err != nil {
		return "", err
	}
	s, err := b.openShop(ctx)
	if err != nil {
		return "", err
	}
	defer s.close()
	failures, total, err := b.h2spec(ctx, tool, s)
	if err != nil {
		return "", err
	}
	known := h2specAllowed()
	for try := 2; try <= h2specTries; try++ {
		for name := range failures {
			if known[name] != "" {
				continue
			}
			again, _, err := b.h2spec(ctx, tool, s, name)
			if err != nil {
				return "", err
			}
			if len(again) == 0 {
				b.printf("%s passed when tried again", name)
				delete(failures, name)
			}
		}
	}
	known.print(b, failures)
	if err := known.judge(failures); err != nil {
		return "", err
	}
	return fmt.Sprintf("%d of %d cases, %d allowed to fail", total-len(failures), total, len(failures)), nil
}

// h2spec runs the cases of these names, or all, and returns what failed.
func (b *bench) h2spec(ctx context.Context, tool string, s *shop, names ...string) (failures map[string]string, total int, err error) {
	report := filepath.Join(b.temp, "h2spec.xml")
	_ = os.Remove(report)
	args := append(names, "--tls", "--insecure", "--host", "localhost", "--port", s.port, "--path", h2specPath, "--timeout", "3", "--junit-report", report)
	text, _, err := output(ctx, b.temp, tool, args...)
	if err != nil {
		return nil, 0, err
	}
	data, err := os.ReadFile(report)
	if err != nil {
		return nil, 0, fmt.Errorf("h2spec wrote no report: %w\n%s", err, tail(text, 20))
	}
	failures, total, err = readJUnit(data)
	want := h2specCases
	if len(names) > 0 {
		want = len(names)
	}
	if err == nil && total != want {
		err = fmt.Errorf("h2spec ran %d cases, want %d", total, want)
	}
	return failures, total, err
}

// h2specCases is how many there are. Another number means that the tool gave up.
const h2specCases = 145

// readJUnit returns the cases that failed or were not run, with what was expected.
func readJUnit(data []byte) (failures map[string]string, total int, err error) {
	var report struct {
		Suites []struct {
			Package string `xml:"package,attr"`
			Cases   []struct {
				Title   string  `xml:"classname,attr"`
				Error   *string `xml:"error"`
				Failure *string `xml:"failure"`
				Skipped *string `xml:"skipped"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal(data, &report); err != nil {
		return nil, 0, fmt.Errorf("h2spec's report: %w", err)
	}
	failures = make(map[string]string)
	for _, suite := range report.Suites {
		for i, c := range suite.Cases {
			total++
			for _, text := range []*string{c.Error, c.Failure, c.Skipped} {
				if text != nil {
					failures[fmt.Sprintf("%s/%d", suite.Package, i+1)] = c.Title + ": " + strings.ReplaceAll(strings.TrimSpace(*text), "\n", ", ")
				}
			}
		}
	}
	return failures, total, nil
}

package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Severities of csp_evaluator. The lower, the worse.
const (
	cspHigh      = 10
	cspHighMaybe = 40 // and below it SYNTAX and MEDIUM
)

// A question is a request of which the policy of the answer is judged. Where the
// status is 0, any answer will do.
type question struct {
	method, path, accept string
	status               int
}

const browser = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"

// questions are for all kinds of answers: pages, files, JSON, and refusals of every
// step.
func questions() []question {
	return []question{
		{"GET", "/", browser, 200},
		{"GET", "/", "application/json", 0},
		{"GET", "/docs", browser, 200},
		{"GET", "/docs/nothing", browser, 404},
		{"GET", "/login", browser, 200},
		{"POST", "/login", browser, 0},
		{"GET", "/passkeys/login", browser, 200},
		{"GET", "/passkeys", browser, 0},
		{"GET", "/oauth/authorize", browser, 400},
		{"GET", "/oauth/authorize?client_id=nobody&response_type=code&redirect_uri=https://evil.example/", browser, 0},
		{"GET", "/static/shop.css", browser, 200},
		{"GET", "/static/shop.svg", browser, 200},
		{"GET", "/openapi.json", "*/*", 200},
		{"GET", "/items/", "application/json", 200},
		{"GET", "/items", "application/json", 0},
		{"GET", "/items/1", "application/json", 0},
		{"GET", "/items/x", "application/json", 422},
		{"GET", "/items/x", browser, 422},
		{"GET", "/nowhere", "application/json", 404},
		{"GET", "/nowhere", browser, 404},
		{"DELETE", "/items/", "application/json", 405},
		{"TRACE", "/items/", "application/json", 405},
		{"BREW", "/items/", "application/json", 405},
		{"GET", "/me", "application/json", 401},
		{"GET", "/me", browser, 303},
		{"POST", "/items/", "application/json", 401},
		{"POST", "/token", "application/json", 0},
		{"GET", "/" + strings.Repeat("x", 9000), "application/json", 414},
		{"GET", "/%2e%2e/", "application/json", 0},
		{"get", "/", "application/json", 400},
		{"GET", "/health/ready", "application/json", 200},
	}
}

// policyOf is one question and the policy of the answer to it.
type policyOf struct {
	Name   string `json:"name"`
	Policy string `json:"policy"`
}

func runCSP(ctx context.Context, b *bench) (string, error) {
	tool, err := b.evaluator(ctx)
	if err != nil {
		return "", err
	}
	s, err := b.openShop(ctx)
	if err != nil {
		return "", err
	}
	defer s.close()
	policies, err := s.policies(ctx)
	if err != nil {
		return "", err
	}
	judged, err := evaluate(ctx, tool, policies)
	if err != nil {
		return "", err
	}
	table, worst, err := judgePolicies(policies, judged)
	b.printf("%s", table)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%d answers, each with a policy; the worst finding has severity %d (10 is high)", len(policies), worst), nil
}

// evaluator installs csp_evaluator, of the version that the lock file names by its
// hash, and returns the program that runs it.
func (b *bench) evaluator(ctx context.Context) (program string, err error) {
	from, to := filepath.Join(b.root, "internal", "rigs", "csp"), filepath.Join(b.cache, "csp")
	if err := os.MkdirAll(to, 0o755); err != nil {
		return "", err
	}
	lock, err := os.ReadFile(filepath.Join(from, "package-lock.json"))
	if err != nil {
		return "", err
	}
	installed, _ := os.ReadFile(filepath.Join(to, "installed"))
	for _, name := range []string{"package.json", "package-lock.json", ".npmrc", "evaluate.mjs"} {
		data, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			return "", err
		}
		if err := os.WriteFile(filepath.Join(to, name), data, 0o644); err != nil {
			return "", err
		}
	}
	if !bytes.Equal(installed, lock) {
		if err := must(ctx, to, "npm", "ci", "--ignore-scripts", "--no-fund", "--no-audit", "--loglevel=error"); err != nil {
			return "", err
		}
		if err := os.WriteFile(filepath.Join(to, "installed"), lock, 0o644); err != nil {
			return "", err
		}
	}
	return filepath.Join(to, "evaluate.mjs"), nil
}

// policies asks the questions, and every operation of the document that a GET without
// parameters reaches. It fails if an answer is not of the kind that it is to be.
func (s *shop) policies(ctx context.Context) (found []policyOf, err error) {
	transport := &http.Transport{TLSClientConfig: s.tls}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	var wrong []error
	ask := func(q question) []byte {
		name, policy, body, err := s.ask(ctx, client, q)
		if err != nil {
			wrong = append(wrong, err)
			return nil
		}
		found = append(found, policyOf{name, policy})
		return body
	}
	for _, q := range questions() {
		ask(q)
	}
	var document struct{ Paths map[string]map[string]any }
	if err := json.Unmarshal(ask(question{"GET", "/openapi.json", "application/json", 200}), &document); err != nil {
		return nil, errors.Join(append(wrong, fmt.Errorf("the document: %w", err))...)
	}
	for path, methods := range document.Paths {
		if methods["get"] != nil {
			ask(question{"GET", strings.NewReplacer("{", "", "}", "").Replace(path), browser, 0})
		}
	}
	slices.SortFunc(found, func(a, b policyOf) int { return cmp.Compare(a.Name, b.Name) })
	return slices.Compact(found), errors.Join(wrong...)
}

// askOnce sends one request over a connection of its own.
func (s *shop) askOnce(ctx context.Context, q question) (name, policy string, body []byte, err error) {
	transport := &http.Transport{TLSClientConfig: s.tls, DisableKeepAlives: true}
	return s.ask(ctx, &http.Client{Transport: transport}, q)
}

// ask sends one request. Several policies in one answer all hold; that is for
// csp_evaluator to join, which it does not do, so there must be one.
func (s *shop) ask(ctx context.Context, client *http.Client, q question) (name, policy string, body []byte, err error) {
	request, err := http.NewRequestWithContext(ctx, q.method, s.url+q.path, nil)
	if err != nil {
		return "", "", nil, err
	}
	request.Header.Set("Accept", q.accept)
	response, err := client.Do(request)
	if err != nil {
		return "", "", nil, err
	}
	defer func() { _ = response.Body.Close() }()
	media, _, _ := strings.Cut(response.Header.Get("Content-Type"), ";")
	if media != "text/event-stream" { // It has no end.
		if body, err = io.ReadAll(io.LimitReader(response.Body, 8<<20)); err != nil {
			return "", "", nil, err
		}
	}
	name = fmt.Sprintf("%-6s %-36.36s %d %s", q.method, q.path, response.StatusCode, media)
	policies := response.Header.Values("Content-Security-Policy")
	switch {
	case q.status != 0 && q.status != response.StatusCode:
		return "", "", nil, fmt.Errorf("%s: want status %d", name, q.status)
	case len(policies) != 1 || policies[0] == "":
		return "", "", nil, fmt.Errorf("%s: %d policies, want 1", name, len(policies))
	}
	return name, policies[0], body, nil
}

// judgement is what csp_evaluator says of one policy.
type judgement struct {
	Name     string
	Findings []struct {
		Severity                      int
		Directive, Value, Description string
	}
}

func evaluate(ctx context.Context, tool string, policies []policyOf) (judged []judgement, err error) {
	input, err := json.Marshal(policies)
	if err != nil {
		return nil, err
	}
	cmd := command(ctx, "node", tool)
	cmd.Stdin = bytes.NewReader(input)
	var complaints bytes.Buffer
	cmd.Stderr = &capped{to: &complaints, left: maxOutput}
	said, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("csp_evaluator: %w\n%s", err, tail(complaints.Bytes(), 20))
	}
	if err := json.Unmarshal(said, &judged); err != nil {
		return nil, fmt.Errorf("csp_evaluator: %w", err)
	}
	return judged, nil
}

// judgePolicies makes a table of what was found, and an error of what is worse than
// "may be".
func judgePolicies(policies []policyOf, judged []judgement) (table string, worst int, err error) {
	if len(judged) != len(policies) {
		return "", 0, fmt.Errorf("csp_evaluator judged %d of %d policies", len(judged), len(policies))
	}
	var lines strings.Builder
	var wrong []error
	worst = 100
	for i, j := range judged {
		lowest := 100
		var texts []string
		for _, f := range j.Findings {
			text := fmt.Sprintf("%d %s %s", f.Severity, f.Directive, f.Value)
			texts = append(texts, strings.TrimSpace(text))
			lowest = min(lowest, f.Severity)
			if f.Severity <= cspHighMaybe {
				wrong = append(wrong, fmt.Errorf("%s: severity %d, %s %s: %s (%s)", j.Name, f.Severity, f.Directive, f.Value, f.Description, policies[i].Policy))
			}
		}
		worst = min(worst, lowest)
		fmt.Fprintf(&lines, "%-75s %s\n", j.Name, cmp.Or(strings.Join(texts, "; "), "nothing"))
	}
	return strings.TrimSuffix(lines.String(), "\n"), worst, errors.Join(wrong...)
}

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
)

// The administrator of a shop under attack.
const (
	rootName     = "root"
	rootPassword = "correct horse battery staple"
)

// addUser adds the administrator to a shop that does not run.
func addUser(ctx context.Context, binary, data string, env []string, more ...string) error {
	args := append([]string{"users", "add", rootName, "--role", "admin", "--password-stdin", "--data", data}, more...)
	cmd := command(ctx, binary, args...)
	cmd.Env, cmd.Stdin = append(os.Environ(), env...), strings.NewReader(rootPassword+"\n")
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("users add: %w\n%s", err, tail(text, 20))
	}
	return nil
}

// logIn returns an access token of the administrator.
func (s *shop) logIn(ctx context.Context, client *http.Client) (string, error) {
	form := url.Values{"username": {rootName}, "password": {rootPassword}}.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/token", strings.NewReader(form))
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	body, err := answerOf(client, request)
	var answer struct {
		Token string `json:"access_token"`
	}
	if err == nil {
		err = json.Unmarshal(body, &answer)
	}
	return answer.Token, err
}

// answerOf sends a request that must succeed, and returns the body of the answer.
func answerOf(client *http.Client, request *http.Request) ([]byte, error) {
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err == nil && response.StatusCode/100 != 2 {
		err = fmt.Errorf("%s %s: %s, want 2xx: %s", request.Method, request.URL.Path, response.Status, bytes.TrimSpace(body))
	}
	return body, err
}

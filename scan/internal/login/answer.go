package login

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"

	"github.com/fastness/fastness/scan/wire"
)

var lockedText = regexp.MustCompile(`(?i)too many (requests|attempts|log-?ins|failed)|rate.?limit|account (is |has been )?(temporarily )?(locked|blocked|suspended)|(user|account)[ _-]?locked|locked out|try again (later|in \d+)`)

// limited reports whether the answer says to come later, or that the user is locked.
func limited(ex *wire.Exchange) bool {
	if ex.Status == http.StatusTooManyRequests || ex.Status == http.StatusLocked {
		return true
	}
	return len(ex.Body) < 4096 && lockedText.Match(ex.Body) && (ex.Status >= 400 || ex.Status < 300 && ex.IsJSON() && len(findTokens(ex)) == 0)
}

// refusedPolitely reports whether an answer of success says in its body that it is none,
// as {"success": false}.
func refusedPolitely(ex *wire.Exchange) bool {
	m, ok := decoded(ex).(map[string]any)
	if !ok {
		return false
	}
	return saysFailure(m, 0)
}

func saysFailure(m map[string]any, depth int) bool {
	for name, v := range m {
		switch plain(name) {
		case "success", "ok", "succeeded", "issuccess", "authenticated", "loggedin", "isauthenticated", "valid":
			if v == false || scalar(v) == "0" || strings.EqualFold(scalar(v), "false") {
				return true
			}
		case "status", "result", "state":
			switch strings.ToLower(scalar(v)) {
			case "fail", "failed", "failure", "error", "false", "ko", "denied", "unauthorized", "401", "403", "400":
				return true
			}
		case "error", "errors", "failed", "iserror", "haserror":
			switch v := v.(type) {
			case bool:
				return v
			case string:
				return v != "" && !strings.EqualFold(v, "false") && !strings.EqualFold(v, "none")
			case json.Number:
				return v.String() != "0"
			case []any:
				return len(v) > 0
			case map[string]any:
				return len(v) > 0
			}
		case "code", "statuscode", "errorcode":
			if s := scalar(v); len(s) == 3 && s[0] == '4' {
				return true
			}
		}
	}
	if depth == 0 && len(m) == 1 {
		for _, v := range m {
			if inner, ok := v.(map[string]any); ok {
				return saysFailure(inner, 1)
			}
		}
	}
	return false
}

// plain returns a name in lower case without what separates its words, so that
// access_token, accessToken and Access-Token are the same.
func plain(name string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case '_', '-', ' ', '.':
			return -1
		}
		return r
	}, strings.ToLower(name))
}

// reason returns what an answer says in words, short and without what could be secret or
// move a cursor.
func reason(ex *wire.Exchange) string {
	var texts []string
	collectMessages(decoded(ex), &texts, 0)
	if len(texts) == 0 {
		return ""
	}
	text := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || (r >= 0x80 && r < 0xa0) {
			return ' '
		}
		return r
	}, strings.Join(texts, "; "))
	if len(text) > 160 {
		text = text[:160] + "…"
	}
	return " (" + text + ")"
}

// collectMessages collects the members that people read.
func collectMessages(v any, texts *[]string, depth int) {
	if depth > 4 || len(*texts) > 4 {
		return
	}
	switch v := v.(type) {
	case map[string]any:
		for _, name := range []string{"message", "msg", "error", "detail", "error_description", "description", "title", "reason", "errors", "details", "data"} {
			if s, ok := v[name].(string); ok && s != "" && name != "data" {
				*texts = append(*texts, s)
			} else {
				collectMessages(v[name], texts, depth+1)
			}
		}
	case []any:
		for _, e := range v {
			if s, ok := e.(string); ok {
				*texts = append(*texts, s)
				continue
			}
			collectMessages(e, texts, depth+1)
		}
	}
}

package login

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"github.com/fastness/fastness/scan/wire"
)

// claimsOf returns the claims of a JWT, unverified, or nil.
func claimsOf(token string) map[string]any {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil
	}
	text, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return nil
	}
	var claims map[string]any
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.UseNumber()
	if d.Decode(&claims) != nil {
		return nil
	}
	return claims
}

// lifetime returns how long credentials hold, as far as tokens and the answer to the
// log-in say it, or 0. The target's clock may be wrong: only differences count, if the
// token says when it was made.
func lifetime(credentials []Credential, answer *wire.Exchange, now time.Time) time.Duration {
	for _, c := range credentials {
		claims := claimsOf(c.Value)
		exp, ok := seconds(claims["exp"])
		if !ok {
			continue
		}
		made, ok := seconds(claims["iat"])
		if !ok {
			made = now.Unix()
		}
		if exp > made {
			return time.Duration(min(exp-made, 1<<30)) * time.Second
		}
	}
	if answer == nil {
		return 0
	}
	m, _ := decoded(answer).(map[string]any)
	for name, v := range m {
		if n, ok := seconds(v); ok && n > 0 && n < 1<<30 && (plain(name) == "expiresin" || plain(name) == "expiresinseconds") {
			return time.Duration(n) * time.Second
		}
	}
	return 0
}

func seconds(v any) (int64, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return 0, false
	}
	f, err := n.Float64()
	if err != nil || f < 0 || f > 1<<40 {
		return 0, false
	}
	return int64(f), true
}

// renewAt returns when credentials of a lifetime are renewed: before they end.
func renewAt(now time.Time, life time.Duration) time.Time {
	if life <= 0 {
		return time.Time{}
	}
	return now.Add(life - min(life/5, 30*time.Second))
}

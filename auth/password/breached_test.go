package password_test

import (
	"crypto/sha1"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fastness/fastness/auth/password"
	"github.com/fastness/fastness/secret"
)

// ranges answers like the list of Have I Been Pwned, over TLS on this machine.
func ranges(t *testing.T, answer http.HandlerFunc) *password.BreachList {
	t.Helper()
	server := httptest.NewTLSServer(answer)
	t.Cleanup(server.Close)
	list, err := password.NewBreachList(password.BreachConfig{URL: server.URL + "/range/", Transport: server.Client().Transport})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestOnlyFiveCharactersOfTheHashLeaveTheHouse(t *testing.T) {
	sum := fmt.Sprintf("%X", sha1.Sum([]byte("correct horse battery")))
	var seen *http.Request
	list := ranges(t, func(w http.ResponseWriter, r *http.Request) {
		seen = r
		fmt.Fprintf(w, "0018A45C4D1DEF81644B54AB7F969B88D65:3\r\n%s:12\r\n", sum[5:])
	})
	found, err := list.Contains(t.Context(), secret.New("correct horse battery"))
	if !found || err != nil {
		t.Errorf("Contains = %v, %v, want true", found, err)
	}
	if seen.Method != "GET" || seen.URL.String() != "/range/"+sum[:5] || seen.Header.Get("Add-Padding") != "true" {
		t.Errorf("%s %s with %v", seen.Method, seen.URL, seen.Header)
	}
	sent := fmt.Sprint(seen.URL, seen.Header)
	if strings.Contains(sent, sum[5:12]) || strings.Contains(sent, "horse") {
		t.Errorf("more than the prefix is sent: %s", sent)
	}
}

func TestAnswersOfABreachList(t *testing.T) {
	sum := fmt.Sprintf("%X", sha1.Sum([]byte("correct horse battery")))
	other := strings.Repeat("A", 35)
	tests := []struct {
		name   string
		answer http.HandlerFunc
		found  bool
		fails  bool
	}{
		{"not among them", text(other + ":5\r\n"), false, false},
		{"in lower case, without a line end", text(other + ":5\n" + strings.ToLower(sum[5:]) + ":1"), true, false},
		{"padding, which counts zero", text(sum[5:] + ":0\r\n" + other + ":1\r\n"), false, false},
		{"nothing", text(""), false, true},
		{"the page of a hotel", text("<html>Please log in</html>"), false, true},
		{"more than a range has", text(strings.Repeat(other+":5\r\n", 40_000)), false, true},
		{"one line without an end", text(strings.Repeat("A", 100_000)), false, true},
		{"a redirect", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) }, false, true},
		{"an error", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, sum[5:]+":1", http.StatusTooManyRequests) }, false, true},
	}
	for _, tt := range tests {
		found, err := ranges(t, tt.answer).Contains(t.Context(), secret.New("correct horse battery"))
		if found != tt.found || (err != nil) != tt.fails {
			t.Errorf("%s: %v, %v, want %v, and to fail: %v", tt.name, found, err, tt.found, tt.fails)
		}
	}
}

func text(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }
}

// tooSlow is a transport whose server never answers.
type tooSlow struct{}

func (tooSlow) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, fmt.Errorf("%s: %w", r.URL.Host, r.Context().Err())
}

func TestABreachListThatDoesNotAnswerIsNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		list, err := password.NewBreachList(password.BreachConfig{Transport: tooSlow{}})
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		_, err = list.Contains(t.Context(), secret.New("correct horse battery"))
		if err == nil || time.Since(start) != 2*time.Second {
			t.Errorf("%v after %v, want an error after 2 s", err, time.Since(start))
		}
		if err != nil && strings.Contains(err.Error(), "/range/") {
			t.Errorf("the error names a part of the hash: %v", err)
		}
	})
}

func TestABreachListIsAskedOverTLSOnly(t *testing.T) {
	for _, u := range []string{"http://api.pwnedpasswords.com/range/", "api.pwnedpasswords.com", "https://", "https://a/?x=", "https://a/#x", "://"} {
		if _, err := password.NewBreachList(password.BreachConfig{URL: u}); err == nil {
			t.Errorf("%q is taken", u)
		}
	}
	if _, err := password.NewBreachList(password.BreachConfig{Timeout: -1}); err == nil {
		t.Error("a negative timeout is taken")
	}
}

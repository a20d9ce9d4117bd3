package framing_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/fastness/fastness/guard/framing"
	"github.com/fastness/fastness/problem"
)

// poison follows every attack: whoever parses it has been smuggled to.
const poison = "GET /poison HTTP/1.1\r\nHost: a\r\n\r\n"

// target returns a target of n bytes, fieldsOf a header section of n bytes.
func target(n int) string { return "/" + repeat("t", n-1) }

func sectionOf(n int) string {
	const rest = "Host: a\r\nX: \r\n\r\n"
	return "Host: a\r\nX: " + repeat("v", n-len(rest)) + "\r\n\r\n"
}

type attack struct {
	name   string
	raw    string
	status int
	code   string
}

func get(fields string) string { return "GET / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n" }

func line(requestLine string) string { return requestLine + "\r\nHost: a\r\n\r\n" }

var framingAttacks = []attack{
	{"Content-Length and Transfer-Encoding", get("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n") + "0\r\n\r\n", 400, "ambiguous_length"},
	{"Transfer-Encoding and Content-Length", get("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n") + "0\r\n\r\n", 400, "ambiguous_length"},
	{"two equal Content-Length", get("Content-Length: 0\r\nContent-Length: 0\r\n"), 400, "duplicate_field"},
	{"two different Content-Length", get("Content-Length: 0\r\nContent-Length: 5\r\n"), 400, "duplicate_field"},
	{"a list in Content-Length", get("Content-Length: 5, 5\r\n"), 400, "malformed_content_length"},
	{"a sign in Content-Length", get("Content-Length: +5\r\n"), 400, "malformed_content_length"},
	{"a negative Content-Length", get("Content-Length: -5\r\n"), 400, "malformed_content_length"},
	{"a hexadecimal Content-Length", get("Content-Length: 0x5\r\n"), 400, "malformed_content_length"},
	{"a Content-Length with a leading zero", get("Content-Length: 010\r\n") + "12345678", 400, "malformed_content_length"},
	{"a Content-Length of two zeros", get("Content-Length: 00\r\n"), 400, "malformed_content_length"},
	{"an empty Content-Length", get("Content-Length:\r\n"), 400, "malformed_content_length"},
	{"a Content-Length behind a tab", get("Content-Length:\t5\r\n"), 400, "malformed_content_length"},
	{"a Content-Length beyond int64", get("Content-Length: 99999999999999999999\r\n"), 400, "malformed_content_length"},
	{"two Transfer-Encoding", get("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 400, "duplicate_field"},
	{"Transfer-Encoding chunked, identity", get("Transfer-Encoding: chunked, identity\r\n"), 501, "unsupported_transfer_encoding"},
	{"Transfer-Encoding gzip, chunked", get("Transfer-Encoding: gzip, chunked\r\n"), 501, "unsupported_transfer_encoding"},
	{"Transfer-Encoding identity", get("Transfer-Encoding: identity\r\n"), 501, "unsupported_transfer_encoding"},
	{"Transfer-Encoding in capitals", get("Transfer-Encoding: CHUNKED\r\n"), 501, "unsupported_transfer_encoding"},
	{"Transfer-Encoding behind a tab", get("Transfer-Encoding:\tchunked\r\n"), 501, "unsupported_transfer_encoding"},
	{"Transfer-Encoding before a space", get("Transfer-Encoding: chunked \r\n"), 501, "unsupported_transfer_encoding"},
	{"an empty Transfer-Encoding", get("Transfer-Encoding:\r\n"), 501, "unsupported_transfer_encoding"},
	{"Transfer-Encoding in HTTP/1.0", "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "ambiguous_length"},
	{"a trailer named Content-Length is announced", get("Transfer-Encoding: chunked\r\nTrailer: X, content-length\r\n"), 400, "forbidden_trailer"},
	{"an upgrade with a body", get("Connection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 5\r\n") + "12345", 400, "upgrade_with_body"},
	{"an upgrade with a chunked body", get("Connection: upgrade\r\nUpgrade: websocket\r\nTransfer-Encoding: chunked\r\n") + "0\r\n\r\n", 400, "upgrade_with_body"},
	{"an upgrade to h2c", get("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n"), 400, "unsupported_upgrade"},
}

var syntaxAttacks = []attack{
	{"a bare LF behind the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n", 400, "bare_line_feed"},
	{"a bare LF behind a field", "GET / HTTP/1.1\r\nHost: a\n\r\n", 400, "bare_line_feed"},
	{"a bare LF at the end of the head", "GET / HTTP/1.1\r\nHost: a\r\n\n", 400, "bare_line_feed"},
	{"a bare CR in a value", get("X: a\rb\r\n"), 400, "malformed_field"},
	{"a bare CR in a name", get("X\rY: a\r\n"), 400, "malformed_field"},
	{"a bare CR in the request line", line("GET /\r HTTP/1.1"), 400, "malformed_target"},
	{"a CR too many at a line end", get("X: a\r\r\n"), 400, "malformed_field"},
	{"a folded line", get("X: a\r\n b\r\n"), 400, "folded_line"},
	{"a folded first line", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400, "folded_line"},
	{"HTTP/1.9", line("GET / HTTP/1.9"), 505, "unsupported_version"},
	{"HTTP/0.9 with a version", line("GET / HTTP/0.9"), 505, "unsupported_version"},
	{"HTTP/1.10", line("GET / HTTP/1.10"), 400, "malformed_request_line"},
	{"a version below the digits", line("GET / HTTP/1./"), 400, "malformed_request_line"},
	{"http/1.1", line("GET / http/1.1"), 400, "malformed_request_line"},
	{"HTTP/0.9", "GET /\r\n\r\n", 400, "malformed_request_line"},
	{"the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "unsupported_version"},
	{"a TLS hello", "\x16\x03\x01\x02\x00\x01\x00", 400, "malformed_request_line"},
	{"a method in lower case", line("get / HTTP/1.1"), 400, "malformed_request_line"},
	{"a method in mixed case", line("Get / HTTP/1.1"), 400, "malformed_method"},
	{"a method that is no token", line("GE{T / HTTP/1.1"), 400, "malformed_method"},
	{"a method of 33 letters", line(repeat("A", 33) + " / HTTP/1.1"), 400, "malformed_method"},
	{"TRACE", line("TRACE / HTTP/1.1"), 405, "method_not_allowed"},
	{"CONNECT", line("CONNECT a:80 HTTP/1.1"), 405, "method_not_allowed"},
	{"an empty line before the request line", "\r\n" + line("GET / HTTP/1.1"), 400, "malformed_request_line"},
	{"two spaces before the target", line("GET  / HTTP/1.1"), 400, "malformed_target"},
	{"a tab before the target", line("GET\t/ HTTP/1.1"), 400, "malformed_request_line"},
	{"a space in the target", line("GET /a b HTTP/1.1"), 400, "malformed_target"},
	{"a space behind the version", line("GET / HTTP/1.1 "), 400, "malformed_request_line"},
	{"a target without a slash", line("GET a HTTP/1.1"), 400, "malformed_target"},
	{"an asterisk for GET", line("GET * HTTP/1.1"), 400, "malformed_target"},
	{"a fragment", line("GET /a#b HTTP/1.1"), 400, "malformed_target"},
	{"a raw 8-bit byte in the target", line("GET /\xff HTTP/1.1"), 400, "malformed_target"},
	{"a NUL in the target", line("GET /\x00 HTTP/1.1"), 400, "malformed_target"},
	{"a broken escape in the path", line("GET /%zz HTTP/1.1"), 400, "malformed_target"},
	{"another scheme", line("GET ftp://a/ HTTP/1.1"), 400, "malformed_target"},
	{"user information in the target", line("GET http://u@a/ HTTP/1.1"), 400, "malformed_target"},
	{"a NUL in a value", get("X: a\x00b\r\n"), 400, "malformed_field"},
	{"a DEL in a value", get("X: a\x7fb\r\n"), 400, "malformed_field"},
	{"a space before the colon", get("X : a\r\n"), 400, "malformed_field"},
	{"a space in a name", get("X Y: a\r\n"), 400, "malformed_field"},
	{"an 8-bit byte in a name", get("X\xe9: a\r\n"), 400, "malformed_field"},
	{"an empty name", get(": a\r\n"), 400, "malformed_field"},
	{"no colon", get("X\r\n"), 400, "malformed_field"},
	{"an unknown expectation", get("Expect: a-pony\r\n"), 417, "unsupported_expectation"},
}

var hostAttacks = []attack{
	{"no Host", "GET / HTTP/1.1\r\n\r\n", 400, "missing_host"},
	{"an empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 400, "malformed_host"},
	{"two Host", get("Host: b\r\n"), 400, "duplicate_field"},
	{"two equal Host", get("hOsT: a\r\n"), 400, "duplicate_field"},
	{"a path in Host", "GET / HTTP/1.1\r\nHost: a/../b\r\n\r\n", 400, "malformed_host"},
	{"a list in Host", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400, "malformed_host"},
	{"user information in Host", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", 400, "malformed_host"},
	{"a port that is no number", "GET / HTTP/1.1\r\nHost: a:http\r\n\r\n", 400, "malformed_host"},
	{"an open bracket in Host", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400, "malformed_host"},
	{"an IPv6 zone in Host", "GET / HTTP/1.1\r\nHost: [fe80::1%25eth0]\r\n\r\n", 400, "malformed_host"},
	{"a target of another host", line("GET http://b/ HTTP/1.1"), 400, "host_mismatch"},
	{"a target of another port", line("GET http://a:81/ HTTP/1.1"), 400, "host_mismatch"},
	{"two Authorization", get("Authorization: a\r\nAuthorization: b\r\n"), 400, "duplicate_field"},
	{"two Content-Type", get("Content-Type: a/a\r\nContent-Type: b/b\r\n"), 400, "duplicate_field"},
	{"two Origin", get("Origin: https://a\r\nOrigin: https://b\r\n"), 400, "duplicate_field"},
	{"two Sec-Fetch-Site", get("Sec-Fetch-Site: none\r\nSec-Fetch-Site: cross-site\r\n"), 400, "duplicate_field"},
}

var sizeAttacks = []attack{
	{"a target of 8 KiB and a byte", line("GET " + target(8<<10+1) + " HTTP/1.1"), 414, "target_too_long"},
	{"a target of 64 KiB", line("GET " + target(64<<10) + " HTTP/1.1"), 414, "target_too_long"},
	{"a header section of 32 KiB and a byte", "GET / HTTP/1.1\r\n" + sectionOf(32<<10+1), 431, "header_too_large"},
	{"a header line that never ends", "GET / HTTP/1.1\r\nX: " + repeat("v", 1<<20), 431, "header_too_large"},
	{"101 fields", get(repeat("X: a\r\n", 100)), 431, "too_many_fields"},
	{"20,000 fields", get(repeat("X:\r\n", 20_000)), 431, "too_many_fields"},
	{"cookies of 16 KiB and a byte", get("Cookie: " + repeat("c", 8<<10) + "\r\nCookie: " + repeat("c", 8<<10+1) + "\r\n"), 431, "cookies_too_large"},
}

func attacks() []attack {
	return slices.Concat(framingAttacks, syntaxAttacks, hostAttacks, sizeAttacks)
}

func TestMalformedHeadsNeverReachTheHandler(t *testing.T) {
	guard := newGuard(t, framing.Config{})
	for _, tt := range attacks() {
		t.Run(tt.name, func(t *testing.T) {
			rec := new(recorder)
			addr := serve(t, guard, rec)
			answers := send(t, addr, tt.raw+poison)
			if len(answers) != 1 {
				t.Fatalf("%d answers, want 1", len(answers))
			}
			wantProblem(t, answers[0], tt.status, tt.code)
			if seen := rec.requests(); len(seen) != 0 {
				t.Errorf("the handler saw %q", seen)
			}
		})
	}
}

func TestARefusalIsAnsweredInItsTurnAndEndsThePipe(t *testing.T) {
	guard := newGuard(t, framing.Config{})
	good := "POST /good HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc" +
		"POST /chunked HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
	for _, tt := range attacks() {
		t.Run(tt.name, func(t *testing.T) {
			rec := new(recorder)
			answers := send(t, serve(t, guard, rec), good+tt.raw+poison)
			if len(answers) != 3 || answers[0].StatusCode != 200 || answers[1].StatusCode != 200 {
				t.Fatalf("answers %v, want 200, 200 and a problem", answers)
			}
			wantProblem(t, answers[2], tt.status, tt.code)
			if got, want := rec.requests(), []string{"POST /good", "POST /chunked"}; !slices.Equal(got, want) {
				t.Errorf("the handler saw %q, want %q", got, want)
			}
		})
	}
}

func TestNetHTTPAloneServesWhatTheGuardRefuses(t *testing.T) {
	smuggling := "POST /both HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" +
		"GET /smuggled HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
	for _, tt := range []struct {
		name  string
		guard *framing.Guard
		want  []string
	}{
		{"without the guard both requests are served", nil, []string{"POST /both", "GET /smuggled"}},
		{"with the guard none is", newGuard(t, framing.Config{}), nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rec := new(recorder)
			send(t, serve(t, tt.guard, rec), smuggling)
			if got := rec.requests(); !slices.Equal(got, tt.want) {
				t.Errorf("the handler saw %q, want %q", got, tt.want)
			}
		})
	}
}

func TestMalformedChunksFailTheBodyAndCloseTheConnection(t *testing.T) {
	guard := newGuard(t, framing.Config{})
	for _, tt := range []struct{ name, body, code string }{
		{"a negative size", "-5\r\nabcde\r\n0\r\n\r\n", "malformed_chunk"},
		{"a size with a prefix", "0x5\r\nabcde\r\n0\r\n\r\n", "malformed_chunk"},
		{"a size of 17 digits", "00000000000000005\r\nabcde\r\n0\r\n\r\n", "malformed_chunk"},
		{"a size that is negative in an int64", "8000000000000005\r\nabcde\r\n0\r\n\r\n", "malformed_chunk"},
		{"a size beyond int64", "ffffffffffffffff\r\nabcde\r\n0\r\n\r\n", "malformed_chunk"},
		{"a bare LF behind the size", "5\nabcde\r\n0\r\n\r\n", "malformed_chunk"},
		{"a bare CR behind the size", "5\rabcde\r\n0\r\n\r\n", "malformed_chunk"},
		{"a space behind the size", "5 \r\nabcde\r\n0\r\n\r\n", "malformed_chunk"},
		{"no size", "\r\nabcde\r\n0\r\n\r\n", "malformed_chunk"},
		{"an extension", "5;a=b\r\nabcde\r\n0\r\n\r\n", "malformed_chunk"},
		{"an extension with a bare LF", "5;a\nabcde\r\n0\r\n\r\n", "malformed_chunk"},
		{"a bare LF behind the data", "5\r\nabcde\n0\r\n\r\n", "malformed_chunk"},
		{"another byte for the CR behind the data", "5\r\nabcdeX\n0\r\n\r\n", "malformed_chunk"},
		{"another byte for the CR behind the last size", "5\r\nabcde\r\n0X\n\r\n", "malformed_chunk"},
		{"more data than the size says", "5\r\nabcdef\r\n0\r\n\r\n", "malformed_chunk"},
		{"a bare LF at the end", "5\r\nabcde\r\n0\r\n\n", "bare_line_feed"},
		{"a trailer that is no field", "5\r\nabcde\r\n0\r\nX\r\n\r\n", "malformed_field"},
		{"Content-Length in the trailer", "5\r\nabcde\r\n0\r\nContent-Length: 5\r\n\r\n", "forbidden_trailer"},
		{"Authorization in the trailer", "5\r\nabcde\r\n0\r\nAuthorization: a\r\n\r\n", "forbidden_trailer"},
		{"a trailer beyond the limit", "5\r\nabcde\r\n0\r\nX: " + repeat("v", 2<<10) + "\r\n\r\n", "trailer_too_large"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rec := new(recorder)
			answers := send(t, serve(t, guard, rec),
				"POST /bad HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"+tt.body+poison)
			if len(answers) != 1 {
				t.Fatalf("%d answers, want 1", len(answers))
			}
			wantProblem(t, answers[0], 400, tt.code)
			if got, want := rec.requests(), []string{"POST /bad"}; !slices.Equal(got, want) {
				t.Errorf("the handler saw %q, want %q", got, want)
			}
			if len(rec.errs) != 1 {
				t.Fatalf("body errors %v, want 1", rec.errs)
			}
			if _, ok := errors.AsType[*problem.Problem](rec.errs[0]); !ok {
				t.Errorf("body error %v, want a problem", rec.errs[0])
			}
		})
	}
}

// Neither a handler that never reads the body nor one that answers before it does
// must make the connection go on.
func TestAMalformedChunkedBodyAlwaysClosesTheConnection(t *testing.T) {
	for _, tt := range []struct {
		name  string
		serve func(*http.ResponseController, io.Reader)
	}{
		{"the body is not read", func(*http.ResponseController, io.Reader) {}},
		{"the answer is sent first", func(rc *http.ResponseController, body io.Reader) {
			_ = rc.EnableFullDuplex()
			_ = rc.Flush()
			_, _ = io.Copy(io.Discard, body)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var seen []string
			handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				seen = append(seen, r.RequestURI)
				tt.serve(http.NewResponseController(w), r.Body)
			})
			answers := send(t, serve(t, newGuard(t, framing.Config{}), handler),
				"POST /bad HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcdeX"+poison)
			if len(answers) != 1 || len(seen) != 1 {
				t.Errorf("%d answers to %q, want 1 to /bad", len(answers), seen)
			}
		})
	}
}

func TestGoodRequestsPassUnchanged(t *testing.T) {
	guard := newGuard(t, framing.Config{})
	for _, tt := range []struct{ name, raw, want string }{
		{"a plain GET", line("GET /a?b=c HTTP/1.1"), "GET /a?b=c"},
		{"HTTP/1.0 without Host", "GET /a HTTP/1.0\r\n\r\n", "GET /a"},
		{"an extension method", line("M-SEARCH /a HTTP/1.1"), "M-SEARCH /a"},
		{"OPTIONS for the server", line("OPTIONS /* HTTP/1.1"), "OPTIONS /*"},
		{"an absolute target of the same host", "GET http://A.example:80/x HTTP/1.1\r\nHost: a.example:80\r\n\r\n", "GET http://A.example:80/x"},
		{"an IPv6 host", "GET /a HTTP/1.1\r\nHost: [::1]:8443\r\n\r\n", "GET /a"},
		{"white space around a value", "GET /a HTTP/1.1\r\nHost: \t a \t\r\n\r\n", "GET /a"},
		{"an 8-bit value", get("X: \xe9\r\n"), "GET /"},
		{"what browsers leave in a query", line(`GET /a?q="{|}%^[]` + "` HTTP/1.1"), `GET /a?q="{|}%^[]` + "`"},
		{"a target of 8 KiB", line("GET " + target(8<<10) + " HTTP/1.1"), "GET " + target(8<<10)},
		{"a target of 8 KiB under a long method", line(repeat("A", 32) + " " + target(8<<10) + " HTTP/1.1"), repeat("A", 32) + " " + target(8<<10)},
		{"a header section of 32 KiB", "GET / HTTP/1.1\r\n" + sectionOf(32<<10), "GET /"},
		{"100 fields", get(repeat("X: a\r\n", 99)), "GET /"},
		{"cookies of 16 KiB", get("Cookie: " + repeat("c", 16<<10) + "\r\n"), "GET /"},
		{"two cookies", get("Cookie: a=b\r\nCookie: c=d\r\n"), "GET /"},
		{"a body of 1 MiB", "PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 1048576\r\n\r\n" + repeat("b", 1<<20), "PUT /a"},
		{"chunks", "PUT /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n00A\r\n0123456789\r\n1\r\nx\r\n00\r\n\r\n", "PUT /a"},
		{"chunks of 64 KiB", "PUT /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + repeat("10000\r\n"+repeat("b", 1<<16)+"\r\n", 8) + "0\r\n\r\n", "PUT /a"},
		{"a trailer", "PUT /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n1\r\nx\r\n0\r\nX: y\r\n\r\n", "PUT /a"},
		{"an upgrade that is declined", get("Connection: upgrade\r\nUpgrade: websocket\r\n"), "GET /"},
		{"100-continue", "PUT /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx", "PUT /a"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rec := new(recorder)
			// Behind it comes a refused request, so that the connection ends.
			answers := send(t, serve(t, guard, rec), tt.raw+"x")
			if len(answers) == 0 || answers[0].StatusCode >= 300 {
				t.Errorf("answers %v, want 200", answers)
			}
			if got, want := rec.requests(), []string{tt.want}; !slices.Equal(got, want) {
				t.Errorf("the handler saw %.80q, want %.80q", got, want)
			}
			if len(rec.errs) > 0 {
				t.Errorf("body errors %v", rec.errs)
			}
		})
	}
}

func TestPipelinedRequestsAreAnsweredInOrder(t *testing.T) {
	var raw strings.Builder
	var want []string
	for i := range 50 {
		fmt.Fprintf(&raw, "POST /%d HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s", i, i, repeat("b", i))
		want = append(want, fmt.Sprintf("POST /%d", i))
	}
	rec := new(recorder)
	answers := send(t, serve(t, newGuard(t, framing.Config{}), rec), raw.String()+"x")
	if len(answers) != 51 {
		t.Errorf("%d answers, want 50 and a refusal", len(answers))
	}
	if got := rec.requests(); !slices.Equal(got, want) {
		t.Errorf("the handler saw %q, want %q", got, want)
	}
}

func TestTheAnswerSurvivesAClientThatKeepsSending(t *testing.T) {
	answers := send(t, serve(t, newGuard(t, framing.Config{}), new(recorder)),
		"POST / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"+repeat("more ", 100<<10))
	if len(answers) != 1 || answers[0].StatusCode != 400 {
		t.Errorf("answers %v, want one 400", answers)
	}
}

func TestRequestsOverOtherConnectionsAreHeldToTheSameRules(t *testing.T) {
	guard := newGuard(t, framing.Config{})
	request := func(method, target string, fields http.Header) *http.Request {
		r, err := http.NewRequest(method, target, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.RequestURI, r.Header = r.URL.RequestURI(), fields
		return r
	}
	for _, tt := range []struct {
		name string
		r    *http.Request
		want int
	}{
		{"a plain GET passes", request("GET", "/", http.Header{"Accept": {"a", "b"}}), 200},
		{"TRACE", request("TRACE", "/", nil), 405},
		{"CONNECT", request("CONNECT", "/", nil), 405},
		{"a method in lower case", request("get", "/", nil), 400},
		{"a long target", request("GET", target(8<<10+1), nil), 414},
		{"two Authorization", request("GET", "/", http.Header{"Authorization": {"a", "b"}}), 400},
		{"101 fields", request("GET", "/", http.Header{"X": make([]string, 101)}), 431},
		{"a large field", request("GET", "/", http.Header{"X": {repeat("x", 32<<10)}}), 431},
		{"large cookies", request("GET", "/", http.Header{"Cookie": {repeat("x", 16<<10+1)}}), 431},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			guard.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				_, _ = io.WriteString(w, "ok")
			})).ServeHTTP(w, tt.r)
			if w.Code != tt.want {
				t.Errorf("status %d, want %d", w.Code, tt.want)
			}
		})
	}
}

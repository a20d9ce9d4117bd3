package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Two parsers that see the border between two requests in different places is all
// that smuggling needs. What follows makes every small departure from the one way to
// write a head or a chunk, at every place, and has the poison wait behind each. None
// may be repaired, so none has more than one answer, and that one ends the connection.

// A mutation is a request that is not quite in order.
type mutation struct{ name, raw string }

// leastMutations is how many there are at least.
const leastMutations = 1500

// mutate collects mutations.
type mutate struct{ all []mutation }

func (m *mutate) add(raw, format string, args ...any) {
	m.all = append(m.all, mutation{fmt.Sprintf(format, args...), raw})
}

// oddBytes are those that no token has, so that nowhere in a name, a coding or a
// number do they belong.
func oddBytes() (odd []byte) {
	for c := range 0x21 {
		odd = append(odd, byte(c))
	}
	return append(odd, "\x7f\x80\x85\xa0\xad\xc2\xff\"(),/:;<=>?@[\\]{}"...)
}

// isGraphic reports whether c is visible: in a target that is no departure.
func isGraphic(c byte) bool { return c > ' ' && c < 0x7f }

// mutations returns those of heads, and those of chunked bodies, whose head is in order.
func mutations() (heads, bodies []mutation) {
	var h, b mutate
	h.fieldBytes()
	h.spaces()
	h.lengths()
	h.codings()
	h.lineEnds()
	h.folds()
	h.names()
	h.requestLines()
	h.hosts()
	b.chunkBytes()
	b.chunkSizes()
	b.trailers()
	return h.all, b.all
}

// frames are the ways to place a framing field that is not in order: before, behind
// and without one that is.
func frames(field string) map[string]string {
	length, chunked := "Content-Length: "+hidden()+"\r\n", "Transfer-Encoding: chunked\r\n"
	if strings.Contains(strings.ToLower(field), "length") {
		return map[string]string{"alone": smuggle(field), "before chunks": smuggle(field + chunked), "behind chunks": smuggle(chunked + field)}
	}
	return map[string]string{"alone": smuggle(field), "before a length": smuggle(field + length), "behind a length": smuggle(length + field)}
}

func (m *mutate) field(field, format string, args ...any) {
	for where, raw := range frames(field) {
		m.add(raw, fmt.Sprintf(format, args...)+", %s", where)
	}
}

// fieldBytes puts one odd byte at every border of a framing field.
func (m *mutate) fieldBytes() {
	for _, f := range []struct{ name, value string }{{"Transfer-Encoding", "chunked"}, {"Content-Length", hidden()}} {
		half, mid := len(f.name)/2, len(f.value)/2
		for _, c := range oddBytes() {
			for where, field := range map[string]string{
				"before the name":  string(c) + f.name + ": " + f.value,
				"in the name":      f.name[:half] + string(c) + f.name[half:] + ": " + f.value,
				"behind the name":  f.name + string(c) + ": " + f.value,
				"before the value": f.name + ": " + string(c) + f.value,
				"in the value":     f.name + ": " + f.value[:mid] + string(c) + f.value[mid:],
				"behind the value": f.name + ": " + f.value + string(c),
			} {
				if c == ':' && where == "in the name" {
					continue // another field, and in order
				}
				m.field(rawBytes(field, c)+"\r\n", "%#x %s of %s", c, where, f.name)
			}
		}
	}
}

// rawBytes undoes that string(c) encodes a byte above 0x7f as two.
func rawBytes(s string, c byte) string {
	if c < 0x80 {
		return s
	}
	return strings.ReplaceAll(s, string(rune(c)), string([]byte{c}))
}

// spaces puts two kinds of what somebody takes for white space around the values.
func (m *mutate) spaces() {
	kinds := []string{" ", "\t", "\v", "\f", "\r", "\n", "\u00a0", "\u0085", "\u2003", "\u200b", "\ufeff", "\\r\\n"}
	for _, a := range kinds {
		for _, b := range kinds {
			m.add(smuggle("Transfer-Encoding:"+a+b+"chunked\r\nContent-Length: "+hidden()+"\r\n"), "%q before a coding", a+b)
			m.add(smuggle("Content-Length:"+a+b+hidden()+"\r\n"), "%q before a length", a+b)
			if a+b != "\r\n" { // the end of the head, and in order
				m.add(smuggle("Content-Length: "+hidden()+a+b+"\r\n"), "%q behind a length", a+b)
			}
		}
	}
}

// lengths spells a number in ways that a lenient parser takes for one, and sends two.
func (m *mutate) lengths() {
	n := hidden()
	for _, v := range []string{
		"", "+" + n, "-" + n, "--" + n, "+-" + n, "0x" + n, "0X5", "0o5", "0b1", "#5", "5h", "0" + n, "00" + n, "000000000000005", "-0", "+0", "00",
		n + ".0", n + ".", "." + n, n + "e0", "5E1", "1_0", "1'0", "1 0", "1,0", "5;", ";5", "5;q=1", "5, 5", "5,5", "5 ,5", "5," + n, n + ",5", ",5", "5,", ",", "5, ", "5,x",
		"\"5\"", "'5'", "(5)", "5 (x)", "[5]", "{5}", "<5>", "$5", "5\\", "\\5", "%35", "&#53;", "5/1", "5*1", "5+0", "5-0", "=5", ":5", "5:", "5#", "x", "x5", "5x", "NaN", "null",
		"true", "Infinity", "18446744073709551621", "9223372036854775808", "99999999999999999999999999999999", "-9223372036854775808", "-18446744073709551611",
		"\uff15", "\u0665", "\u06f5", "\u0b6b", "\u2075", "\u2085", "\u2464", "5\u0301", "\u200e5", "\u202e5",
	} {
		m.field("Content-Length: "+v+"\r\n", "the length %q", v)
	}
	values := []string{"5", n, "0", "", "+5", "-1", "5, 5"}
	names := []string{"Content-Length", "content-length", "CONTENT-LENGTH", "cOnTeNt-LeNgTh"}
	for i, a := range values {
		for j, b := range values {
			for _, between := range []string{"", "X: y\r\n"} {
				m.add(smuggle("Content-Length: "+a+"\r\n"+between+names[(i+j)%len(names)]+": "+b+"\r\n"), "the lengths %q and %q", a, b)
			}
		}
	}
}

// codings spells the coding in ways that some take for chunked, and sends two.
func (m *mutate) codings() {
	for _, v := range []string{
		"", "identity", "gzip", "deflate", "compress", "x", "none", "false", "0", "trailers", "*", "CHUNKED", "Chunked", "chunKed", "chunkeD", "xchunked", "chunkedx", "chunke", "hunked",
		"chunked-", "-chunked", "chunked.", "_chunked", "chunked chunked", "chunked, chunked", "chunked,chunked", "chunked, identity", "identity, chunked", "identity,chunked", "gzip, chunked",
		"chunked, gzip", "chunked,", ",chunked", ", chunked", "chunked,,", ",", " ,chunked", "chunked;", "chunked;q=1", "chunked; q=0.5", ";chunked", "chunked;a=b", "identity;q=0, chunked",
		"\"chunked\"", "'chunked'", "(x)chunked", "chunked (x)", "[chunked]", "{chunked}", "<chunked>", "chu nked", "chu\\nked", "%63hunked", "&#99;hunked", "chunked#", "chunked:", ":chunked",
		"=chunked", "chunked=1", "chunked\\", "chun\u212aed", "ch\u016bnked", "\uff43hunked", "chunke\u0501", "\u200bchunked", "chunked\u200b", "\ufeffchunked", "chun\u00adked", "\u202edeknuhc",
	} {
		m.field("Transfer-Encoding: "+v+"\r\n", "the coding %q", v)
	}
	values := []string{"chunked", "identity", "gzip", "", "x", "CHUNKED", "chunked, identity", " chunked", "chunked "}
	names := []string{"Transfer-Encoding", "transfer-encoding", "TRANSFER-ENCODING", "tRANSFER-eNCODING"}
	for i, a := range values {
		for j, b := range values {
			m.add(smuggle("Transfer-Encoding: "+a+"\r\n"+names[(i+j)%len(names)]+": "+b+"\r\n"), "the codings %q and %q", a, b)
			m.add(smuggle("Transfer-Encoding: "+a+"\r\nContent-Length: "+hidden()+"\r\nTransfer-Encoding: "+b+"\r\n"), "the codings %q and %q around a length", a, b)
		}
	}
	for _, te := range names {
		for _, length := range []string{"0", "5", hidden(), "1000000"} {
			m.add(smuggle(te+": chunked\r\nContent-Length: "+length+"\r\n"), "%s before the length %s", te, length)
			m.add(smuggle("Content-Length: "+length+"\r\n"+te+":chunked\r\n"), "%s behind the length %s", te, length)
		}
	}
}

// inOrder are requests in which nothing is wrong yet but for two framing fields in
// the last: it is what is around them that gets mutated.
func inOrder() []string {
	return []string{
		smuggle("Content-Length: " + hidden() + "\r\nX: y\r\n"), smuggle("Transfer-Encoding: chunked\r\nX: y\r\n"),
		smuggle("Content-Length: " + hidden() + "\r\nX: y\r\nTransfer-Encoding: chunked\r\n"),
	}
}

// lineEnds ends each line of a head in another way.
func (m *mutate) lineEnds() {
	for i, raw := range inOrder() {
		head, rest, _ := strings.Cut(raw, "\r\n\r\n")
		lines := strings.Split(head+"\r\n", "\r\n")
		for n := range lines {
			for _, end := range []string{"\n", "\r", "\r\r\n", "\n\r", "\n\r\n", "\r\n\n", "\x00\r\n", "\r\x00\n", "\v\r\n", "\f\r\n", "\r \n", "\r\t\n", " \r\r\n", "\x85\n"} {
				if end == "\r\n\n" && n == len(lines)-1 {
					continue // the body begins with a line feed
				}
				m.add(endLine(lines, n, end)+rest, "%q at the end of line %d of request %d", end, n+1, i+1)
			}
		}
	}
}

// endLine joins the lines with CRLF, but the one of that number with something else.
func endLine(lines []string, number int, end string) string {
	var b strings.Builder
	for n, line := range lines {
		b.WriteString(line)
		if n == number {
			b.WriteString(end)
		} else {
			b.WriteString("\r\n")
		}
	}
	return b.String()
}

// folds continues lines on the next.
func (m *mutate) folds() {
	for i, raw := range inOrder() {
		head, rest, _ := strings.Cut(raw, "\r\n\r\n")
		lines := strings.Split(head, "\r\n")
		for n, line := range lines {
			name, value, _ := strings.Cut(line, ": ")
			if n == 0 {
				continue
			}
			for _, white := range []string{" ", "\t", "  ", " \t", "\t ", " \v"} {
				for where, folded := range map[string]string{
					"before the value": name + ":\r\n" + white + value,
					"in the value":     name + ": " + value[:1] + "\r\n" + white + value[1:],
					"behind the value": name + ": " + value + "\r\n" + white,
					"before the colon": name + "\r\n" + white + ": " + value,
					"before the name":  white + line,
				} {
					all := slices.Clone(lines)
					all[n] = folded
					m.add(strings.Join(all, "\r\n")+"\r\n\r\n"+rest, "a fold with %q %s, line %d of request %d", white, where, n+1, i+1)
				}
			}
		}
	}
}

// names writes the names of framing fields in letters that only look the same, or
// that become the same when case is folded.
func (m *mutate) names() {
	for _, name := range []string{
		"Tran\u017ffer-Encoding", "Transfer-\u0415ncoding", "Transfer\u2010Encoding", "Transfer\u2013Encoding", "Transfer\u00adEncoding", "\ufeffTransfer-Encoding", "\u200bTransfer-Encoding", "Transfer-Encoding\u00a0",
		"Transfer-Encoding\u200b", "\uff34ransfer-Encoding", "Transfer-Encod\u0131ng", "Transfer-\u0130ncoding", "Transfer Encoding", "Transfer-Encoding ", " Transfer-Encoding", "Transfer-Encoding\t", "\tTransfer-Encoding",
		"\"Transfer-Encoding\"", "(Transfer-Encoding)", "Transfer-Encoding,", "Transfer-Encoding;", "Transfer-Encoding=", "X Transfer-Encoding", "X\nTransfer-Encoding", "X\rTransfer-Encoding", "Content-Type\x00Transfer-Encoding",
	} {
		m.field(name+": chunked\r\n", "the name %q", name)
		other := strings.NewReplacer("Transfer", "Content", "Tran\u017ffer", "Con\u0442ent", "Encoding", "Length", "\u0415ncoding", "\u216cength", "Encod\u0131ng", "Len\u0261th", "\u0130ncoding", "Le\u0273gth", "\uff34ransfer", "\uff23ontent").Replace(name)
		m.field(other+": "+hidden()+"\r\n", "the name %q", other)
	}
	for _, line := range []string{"x", ":", ": x", " : x", "Transfer-Encoding", "Content-Length", "Transfer-Encoding chunked", "Content-Length 5", "Transfer-Encoding=chunked", "\x00", "\t"} {
		m.add(smuggle(line+"\r\nContent-Length: "+hidden()+"\r\n"), "the line %q", line)
	}
}

// requestLines departs from method, target and version.
func (m *mutate) requestLines() {
	whole := smuggle("Content-Length: " + hidden() + "\r\n")
	line, rest, _ := strings.Cut(whole, "\r\n")
	method, target, version := "POST", "/test/items/", "HTTP/1.1"
	for _, c := range oddBytes() {
		for where, l := range map[string]string{
			"before the method": string(c) + line, "in the method": "PO" + string(c) + "ST " + target + " " + version,
			"behind the method": method + string(c) + " " + target + " " + version, "before the target": method + " " + string(c) + target + " " + version,
			"in the target": method + " /test/" + string(c) + "items/ " + version, "behind the target": method + " " + target + string(c) + " " + version,
			"before the version": method + " " + target + " " + string(c) + version, "in the version": method + " " + target + " HTTP/1" + string(c) + "1", "behind the version": line + string(c),
		} {
			if strings.Contains(where, "the target") && isGraphic(c) {
				continue
			}
			m.add(rawBytes(l, c)+"\r\n"+rest, "%#x %s", c, where)
		}
	}
	for _, v := range []string{
		"", "HTTP", "HTTP/", "HTTP/1", "HTTP/1.", "HTTP/.1", "HTTP/1.2", "HTTP/1.9", "HTTP/1.10", "HTTP/1.01", "HTTP/01.1", "HTTP/11", "HTTP/0.9", "HTTP/1./", "HTTP/1.!", "HTTP/!.1", "HTTP/2", "HTTP/2.0", "HTTP/3.0", "HTTP/9.9", "HTTP/1.1.1", "HTTP/1,1", "HTTP/1:1",
		"http/1.1", "Http/1.1", "HTTPS/1.1", "HTTP\\1.1", "HTTP /1.1", "HTTP/ 1.1", "HTTP/1. 1", "HTTP/-1.1", "HTTP/+1.1", "HTTP/1.1x", "xHTTP/1.1", "ICY/1.1", "RTSP/1.0", "HTTP/\uff11.1", "HTTP/1.\u0661", "HTTP/1.1 HTTP/1.1", "HTTP/0x1.1",
	} {
		m.add(method+" "+target+" "+v+"\r\n"+rest, "the version %q", v)
	}
	m.add(strings.Replace(smuggle("Transfer-Encoding: chunked\r\n"), "HTTP/1.1", "HTTP/1.0", 1), "chunks in HTTP/1.0")
	m.add("GET "+target+"\r\n\r\n"+poison(), "HTTP/0.9")
	for _, t := range []string{
		"", "*", "test/items/", "localhost/test/items/", "//\x00", "http://evil.example/test/items/", "http://localhost:81/test/items/", "http://a@localhost/test/items/", "http:///test/items/", "http:/test/items/", "http:test",
		"ftp://localhost/test/items/", "file:///etc/passwd", "http://localhost\\test/", "http://[::1/test/", "/test/items/#x", "/%", "/%2", "/%zz", "/%u0041", "/\u00e9", "/\xff", "localhost:80", "http://localhost%00/", "http://localhost\t/x",
	} {
		m.add(method+" "+t+" "+version+"\r\n"+rest, "the target %q", t)
	}
}

// hosts departs from a host in the field Host.
func (m *mutate) hosts() {
	rest := "Content-Length: " + hidden() + "\r\n"
	with := func(host string) string { return strings.Replace(smuggle(rest), "localhost", host, 1) }
	for _, c := range oddBytes() {
		m.add(rawBytes(with("local"+string(c)+"host"), c), "%#x in the host", c)
		if c != ' ' && c != '\t' {
			m.add(rawBytes(with(string(c)+"localhost"), c), "%#x before the host", c)
			m.add(rawBytes(with("localhost"+string(c)), c), "%#x behind the host", c)
		}
	}
	for _, line := range []string{"Host: localhost", "host: localhost", "HOST: evil.example", "Host:", "Host : localhost", "Host\t: localhost"} {
		m.add(smuggle(line+"\r\n"+rest), "a second host in %q", line)
	}
	m.add(strings.Replace(smuggle(rest), "Host: localhost\r\n", "", 1), "no host")
}

// chunked is a request of which only the body can be wrong, before the poison.
func chunked(body string) string {
	return "POST /test/items/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n" + body + poison()
}

const chunkSize = "1b" // of poisoned

// chunkBytes puts an odd byte at every border of a chunked body, and ends each of its
// lines in another way.
func (m *mutate) chunkBytes() {
	for _, c := range oddBytes() {
		for where, body := range map[string]string{
			"before the size": string(c) + chunkSize + "\r\n" + poisoned + "\r\n0\r\n\r\n", "behind the size": chunkSize + string(c) + "\r\n" + poisoned + "\r\n0\r\n\r\n",
			"before the data": chunkSize + "\r\n" + string(c) + poisoned + "\r\n0\r\n\r\n", "behind the data": chunkSize + "\r\n" + poisoned + string(c) + "\r\n0\r\n\r\n",
			"before the last": chunkSize + "\r\n" + poisoned + "\r\n" + string(c) + "0\r\n\r\n", "behind the last": chunkSize + "\r\n" + poisoned + "\r\n0" + string(c) + "\r\n\r\n",
			"before a trailer": chunkSize + "\r\n" + poisoned + "\r\n0\r\n" + string(c) + "X: y\r\n\r\n", "in a trailer": chunkSize + "\r\n" + poisoned + "\r\n0\r\nX" + string(c) + "Y: y\r\n\r\n",
		} {
			if c == ':' && where == "in a trailer" {
				continue
			}
			m.add(chunked(rawBytes(body, c)), "%#x %s", c, where)
		}
	}
	lines := []string{chunkSize, poisoned, "0", ""}
	for n := range lines {
		for _, end := range []string{"", "\n", "\r", "\r\r\n", "\n\r", "\n\r\n", "\r\x00\n", "\x00\r\n", " \r\n", "\t\r\n", "\v\r\n", ";\r\n", "X\n", "\x00\n"} {
			m.add(chunked(endLine(lines, n, end)), "%q at the end of line %d of the body", end, n+1)
		}
	}
}

// chunkSizes spells a size in ways that a lenient parser takes for one.
func (m *mutate) chunkSizes() {
	for _, size := range []string{
		"", "+1b", "-1b", "-1", "0x1b", "0X1b", "\\x1b", "#1b", "1bh", "1b.0", "1_b", "1 b", "\"1b\"", "1b;", "1b;a", "1b;a=b", "1b;a=\"b\"", "1b;a=\"\r\n\"", "1b ;a", "1b;\n", "1b;\r", "1b,1b", "1b\x001b", "1b\r", "1b\n",
		"0000000000000001b", "000000000000000000000000000001b", "1000000000000001b", "10000000000000000000000000000001b", "8000000000000000", "800000000000001b", "ffffffffffffffff", "fffffffffffffffe5", "7fffffffffffffff0",
		"g", "xyz", "1b\u00a0", "\uff11b", "1\uff42", "\u0661b", "\ufeff1b", "1b\u200b", "+0", "-0", "0x0", "0;", "00000000000000000",
	} {
		m.add(chunked(size+"\r\n"+poisoned+"\r\n0\r\n\r\n"), "the size %q", size)
		m.add(chunked(chunkSize+"\r\n"+poisoned+"\r\n"+size+"\r\n\r\n"), "the size %q of the last chunk", size)
	}
}

// trailers puts there what has been decided by the head.
func (m *mutate) trailers() {
	for _, name := range []string{"Content-Length", "Transfer-Encoding", "Host", "Authorization", "Cookie", "Connection", "Trailer", "Content-Type", "Origin", "Referer", "Expect", "Upgrade", "Sec-Fetch-Site"} {
		for _, spelt := range []string{name, strings.ToLower(name), strings.ToUpper(name), name + " ", " " + name, name + "\t", name + "\x00"} {
			m.add(chunked(chunkSize+"\r\n"+poisoned+"\r\n0\r\n"+spelt+": 5\r\n\r\n"), "the trailer %q", spelt)
			m.add(chunked(chunkSize+"\r\n"+poisoned+"\r\n0\r\nX: y\r\n"+spelt+": chunked\r\n\r\n"), "%q as the second trailer", spelt)
		}
	}
}

// exchangeAll sends each mutation on a connection of its own, a few at a time.
func exchangeAll(s *stack, all []mutation, judge func(mutation, []reply, error)) {
	var next atomic.Int64
	var workers sync.WaitGroup
	for range 16 {
		workers.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(all) {
					return
				}
				replies, err := exchange(s, all[i].raw)
				judge(all[i], replies, err)
			}
		})
	}
	workers.Wait()
}

func exchange(s *stack, raw string) ([]reply, error) {
	conn, err := net.DialTimeout("tcp", s.addr, limit)
	if err != nil {
		return nil, err
	}
	if s.tls != nil {
		conn = tls.Client(conn, s.tls)
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(limit))
	if _, err := io.WriteString(conn, raw); err != nil {
		return nil, err // It fits into the kernel's buffers.
	}
	all, err := io.ReadAll(conn)
	if err != nil {
		return nil, err
	}
	replies, err := readReplies(bufio.NewReader(bytes.NewReader(all)), http.MethodPost)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return replies, err
}

func TestNoMutationOfARequestIsTakenForTwo(t *testing.T) {
	heads, bodies := mutations()
	distinct := make(map[string]bool)
	for _, m := range slices.Concat(heads, bodies) {
		distinct[m.raw] = true
	}
	if n := len(distinct); n < leastMutations {
		t.Errorf("%d mutations, want at least %d", n, leastMutations)
	}
	t.Logf("%d mutations, all different", len(distinct))
	t.Run("over plain HTTP", func(t *testing.T) { attackWith(t, serveShop(t, plainHTTP[:]...), heads, bodies) })
	t.Run("some over TLS", func(t *testing.T) { attackWith(t, serveShop(t), every(40, heads), every(40, bodies)) })
}

func attackWith(t *testing.T, s *stack, heads, bodies []mutation) {
	t.Helper()
	attack := func(all []mutation, statuses ...int) {
		exchangeAll(s, all, func(m mutation, replies []reply, err error) {
			switch {
			case errors.Is(err, os.ErrDeadlineExceeded):
				t.Errorf("%s: the connection is still open", m.name)
			case err != nil || len(replies) != 1:
				t.Errorf("%s: %d answers (%v), want 1: %.300v", m.name, len(replies), err, replies)
			default:
				wantProblem(t, m.name, replies[0], statuses...)
				if replies[0].header.Get("Connection") != "close" {
					t.Errorf("%s: Connection is %q, want close", m.name, replies[0].header.Get("Connection"))
				}
			}
		})
	}
	attack(heads, http.StatusBadRequest, http.StatusNotImplemented, http.StatusHTTPVersionNotSupported)
	attack(bodies, http.StatusBadRequest)
	if got := s.client(t).total(); got != strconv.Itoa(samples) {
		t.Errorf("%s items are for sale, want the %d samples: some poison was taken", got, samples)
	}
}

// every returns one of n mutations.
func every(n int, all []mutation) (some []mutation) {
	for i := 0; i < len(all); i += n {
		some = append(some, all[i])
	}
	return some
}

// Without the guard the attacks are real: net/http repairs many of these heads, and
// then serves what waits behind them.
func TestNetHTTPAloneTakesManyMutationsForTwo(t *testing.T) {
	heads, _ := mutations()
	some := every(2, heads)
	inside := openShop(t, t.TempDir())
	server := httptest.NewUnstartedServer(inside.app)
	server.Config.ReadTimeout = 200 * time.Millisecond // Much is taken for a body of which more is to come.
	server.Start()
	defer server.Close()
	var taken atomic.Int64
	exchangeAll(&stack{addr: server.Listener.Addr().String()}, some, func(_ mutation, replies []reply, _ error) {
		if len(replies) == 2 && replies[1].status == http.StatusCreated {
			taken.Add(1)
		}
	})
	if n := taken.Load(); n < 50 {
		t.Errorf("net/http took the poison behind %d of %d mutations, want at least 50", n, len(some))
	} else {
		t.Logf("net/http took the poison behind %d of %d mutations", n, len(some))
	}
}

package clientip

import "strings"

// walkForwarded goes through Forwarded (RFC 7239 section 4) from the right. The
// element that names the client also says how the client came.
func (c *Clients) walkForwarded(client Client, fields []string) Client {
	for i := len(fields) - 1; i >= 0; i-- {
		for list, more := fields[i], true; more; {
			var item string
			list, item, more = lastElement(list)
			element, ok := parseElement(item)
			if !ok {
				return client
			}
			if element.proto != "" {
				client.TLS = strings.EqualFold(element.proto, "https")
			}
			addr, ok := parseNode(element.node)
			if !ok {
				return client
			}
			if client.Addr = addr; !c.Trusted(addr) {
				return client
			}
		}
	}
	return client
}

// lastElement cuts the last element off a list. It counts quotes from the right:
// there the proxy wrote, and a quote that the client leaves open, to swallow what
// comes after it, is not reached.
func lastElement(list string) (rest, element string, more bool) {
	quoted := false
	for i := len(list) - 1; i >= 0; i-- {
		switch {
		case list[i] == '"':
			quoted = !quoted
		case list[i] == ',' && !quoted:
			return list[:i], strings.Trim(list[i+1:], " \t"), true
		}
	}
	return "", strings.Trim(list, " \t"), false
}

// element is what counts of one element.
type element struct{ node, proto string }

// parseElement reads "for=192.0.2.60;proto=https". A parameter that comes twice
// makes it nobody's guess which one counts. Addresses and schemes need no
// backslashes, so a quoted string with one is refused.
func parseElement(s string) (e element, ok bool) {
	var seenFor, seenProto bool
	for more := true; more; {
		var pair string
		pair, s, more = strings.Cut(s, ";")
		name, value, found := strings.Cut(strings.Trim(pair, " \t"), "=")
		if !found {
			return e, false
		}
		if n := len(value); n > 0 && value[0] == '"' {
			if n < 2 || value[n-1] != '"' || strings.ContainsAny(value[1:n-1], `"\`) {
				return e, false
			}
			value = value[1 : n-1]
		}
		switch {
		case strings.EqualFold(name, "for"):
			if seenFor {
				return e, false
			}
			e.node, seenFor = value, true
		case strings.EqualFold(name, "proto"):
			if seenProto {
				return e, false
			}
			e.proto, seenProto = value, true
		}
	}
	return e, seenFor
}

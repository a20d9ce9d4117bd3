package sanitize

import "strings"

// style keeps the declarations of a style attribute whose property is allowed
// and whose value is plain. A declaration that is not understood is dropped; a
// browser that splits them elsewhere gets nothing but plain ones all the same.
func (p *Policy) style(text string) string {
	var b strings.Builder
	for declaration := range strings.SplitSeq(text, ";") {
		name, value, ok := strings.Cut(declaration, ":")
		name = strings.ToLower(strings.Trim(name, " \t\n\f\r"))
		if !ok || !p.styles[name] {
			continue
		}
		value = strings.Join(strings.Fields(value), " ")
		if !plainCSS(value) {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte(';')
		}
		b.WriteString(name + ":" + value)
	}
	return b.String()
}

// plainCSS reports whether a value consists of words, numbers, colours, strings
// of letters and the functions that compute or pick a colour. Nothing in it is
// loaded, escaped or commented out.
func plainCSS(value string) bool {
	if value == "" || strings.Contains(value, "/*") {
		return false
	}
	depth, word := 0, 0
	var quote byte
	for i := range len(value) {
		c := value[i]
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_'
		switch {
		case letter:
			continue
		case quote != 0:
			if c == quote {
				quote = 0
			} else if c != ' ' {
				return false
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '(':
			if before := strings.TrimRight(value[:i], " "); word == i && (before == "" || strings.IndexByte("(+-*/,", before[len(before)-1]) < 0) {
				return false // neither a function nor a group of something computed
			}
			if !plainFunction(strings.ToLower(value[word:i])) {
				return false
			}
			depth++
		case c == ')':
			if depth--; depth < 0 {
				return false
			}
		case strings.IndexByte(" #%.,+*/!", c) < 0:
			return false
		}
		word = i + 1
	}
	return depth == 0 && quote == 0
}

func plainFunction(name string) bool {
	switch name {
	case "", "var", "calc", "min", "max", "clamp", "rgb", "rgba", "hsl", "hsla", "hwb", "lab", "lch", "oklab", "oklch":
		return true
	}
	return false
}

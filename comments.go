package fastness

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"io/fs"
	"strings"
	"unicode"
	"unicode/utf8"
)

// comments are the doc comments of functions, by name.
type comments map[string]comment

type comment struct{ summary, description string }

// readComments parses the Go files in source. A binary carries no comments, so
// the application embeds the files that hold its operations.
func readComments(source fs.FS) (comments, error) {
	if source == nil {
		return nil, nil
	}
	files, err := fs.Glob(source, "*.go")
	if err != nil {
		return nil, err
	}
	out := make(comments)
	set := token.NewFileSet()
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		data, err := fs.ReadFile(source, name)
		if err != nil {
			return nil, err
		}
		file, err := parser.ParseFile(set, name, data, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		for _, decl := range file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Doc != nil {
				out[f.Name.Name] = newComment(f.Name.Name, f.Doc.Text())
			}
		}
	}
	return out, nil
}

// newComment splits a doc comment into its first sentence, without the name
// that Go comments begin with, and the rest.
func newComment(name, text string) comment {
	summary := new(doc.Package).Synopsis(text)
	rest := strings.TrimSpace(strings.TrimPrefix(strings.Join(strings.Fields(text), " "), summary))
	if rest != "" {
		rest = strings.TrimSpace(text[len(firstSentence(text)):])
	}
	summary = strings.TrimSuffix(strings.TrimPrefix(summary, name+" "), ".")
	r, size := utf8.DecodeRuneInString(summary)
	if size > 0 {
		summary = string(unicode.ToUpper(r)) + summary[size:]
	}
	return comment{summary, rest}
}

// firstSentence returns the part of text that its synopsis was made of.
func firstSentence(text string) string {
	words := len(strings.Fields(new(doc.Package).Synopsis(text)))
	end := 0
	for range words {
		for end < len(text) && unicode.IsSpace(rune(text[end])) {
			end++
		}
		for end < len(text) && !unicode.IsSpace(rune(text[end])) {
			end++
		}
	}
	return text[:end]
}

func (c comments) of(function string) (summary, description string) {
	found := c[function]
	return found.summary, found.description
}

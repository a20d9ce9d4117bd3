package archive

import (
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/fastness/fastness/internal/filename"
)

// What a name may be.
const (
	maxName  = 1024
	maxDepth = 32
)

// isHarmless reports whether a path means the same on every system, and stays where
// it is unpacked.
func isHarmless(name string) bool {
	if name == "" || len(name) > maxName || !utf8.ValidString(name) || !filepath.IsLocal(filepath.FromSlash(name)) {
		return false
	}
	depth := 0
	for element := range strings.SplitSeq(name, "/") {
		if depth++; depth > maxDepth || !isHarmlessElement(element) {
			return false
		}
	}
	return true
}

// isHarmlessElement takes what cleaning for all systems would leave as it is: no
// backslash, no colon, no device. A dot in front only hides a file, and spaces of all
// widths are spaces.
func isHarmlessElement(s string) bool {
	s = strings.TrimLeft(s, ".~-")
	s = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Zs, r) {
			return ' '
		}
		return r
	}, s)
	return s != "" && filename.Clean(s) == s
}

// names are those of an archive so far, as a system sees them on which case and the
// way to write an accent do not count.
type names struct {
	taken map[string]taken
	fold  cases.Caser
}

type taken struct {
	spelt string
	kind  byte
}

const (
	isFile    = 'f'
	isFolder  = 'd'
	isImplied = 'i' // a folder that only its files tell of
)

func newNames() *names {
	return &names{taken: make(map[string]taken), fold: cases.Fold()}
}

// add refuses a name that is the same file as one before, or a folder as well.
func (n *names) add(name string, isDir bool) bool {
	folded := norm.NFC.String(n.fold.String(norm.NFC.String(name)))
	if strings.Count(folded, "/") != strings.Count(name, "/") {
		return false
	}
	for i, j := 0, 0; ; {
		at, there := strings.IndexByte(folded[i:], '/'), strings.IndexByte(name[j:], '/')
		if at < 0 {
			break
		}
		i, j = i+at, j+there
		switch before, found := n.taken[folded[:i]]; {
		case !found:
			n.taken[folded[:i]] = taken{name[:j], isImplied}
		case before.kind == isFile || before.spelt != name[:j]:
			return false
		}
		i, j = i+1, j+1
	}
	before, found := n.taken[folded]
	if found && (!isDir || before.kind != isImplied || before.spelt != name) {
		return false
	}
	kind := byte(isFile)
	if isDir {
		kind = isFolder
	}
	n.taken[folded] = taken{name, kind}
	return true
}

// check refuses a name that is not harmless, or there already.
func (n *names) check(name string, isDir bool) error {
	if !isHarmless(name) {
		return refused("archive_name", "a name in the archive is not one that is safe on every system")
	}
	if !n.add(name, isDir) {
		return refused("archive_name", "two names in the archive are one where case does not count")
	}
	return nil
}

package spec

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"
	"time"
)

// ParseConfig is what is known of a document besides its text. The zero value reads one
// that stands alone.
type ParseConfig struct {
	// Source is the address ("https://…") or the file that the document came from.
	// References to other files and relative servers start from there.
	Source string
	// Fetch returns another file that the document refers to. From an address, ref is an
	// address of the same scheme, host and port; else it is a path below the folder of
	// Source, with slashes, without "..": use an [os.Root] or fs.FS against symbolic
	// links. It bounds the size of what it returns. Default: such references are not
	// followed.
	Fetch func(ctx context.Context, ref string) ([]byte, error)
	// Context ends Parse early. Default: context.Background.
	Context context.Context
	// MaxTime is how long all fetches together may take. Default: 30 s.
	MaxTime time.Duration
}

// maxComplaints that are kept.
const maxComplaints = 500

// loader reads one document.
type loader struct {
	reader
	config ParseConfig
	ctx    context.Context
	api    *API
	main   *file
	files  map[string]*file
	left   int // bytes that may still be read
	said   map[Complaint]bool
	schemas
	// global is the security of the document.
	global  []Requirement
	secured bool
	ids     map[string]bool // of operations
	paired  map[string]bool // methods with paths
	// operations finds the operations that links refer to.
	operations map[*node]*Operation
	links      []pendingLink
	odd        []oddBody
	// consumes and produces are those of Swagger 2.0.
	consumes, produces []string
}

// Parse reads an OpenAPI 3.1, 3.0 or Swagger 2.0 document in JSON or YAML. What is wrong
// with it is in [API.Complaints], and left out or guessed. An error says that it is no
// such document at all. It takes at most 64 MiB and 100 files.
func Parse(data []byte, config ParseConfig) (*API, error) {
	if len(data) > maxBytes {
		return nil, fmt.Errorf("spec: %w: %d bytes", errTooLarge, len(data))
	}
	ctx := config.Context
	if ctx == nil {
		ctx = context.Background()
	}
	if config.MaxTime <= 0 {
		config.MaxTime = 30 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, config.MaxTime)
	defer cancel()
	l := &loader{
		reader: reader{limit: maxNodes}, config: config, ctx: ctx, left: maxBytes - len(data),
		said: map[Complaint]bool{}, files: map[string]*file{}, ids: map[string]bool{}, paired: map[string]bool{}, operations: map[*node]*Operation{},
	}
	l.schemas.init()
	l.api = &API{Source: config.Source, Schemes: map[string]*Scheme{}, Schemas: map[string]*Schema{}}
	root, err := l.read(data)
	if err != nil {
		return nil, fmt.Errorf("spec: %w", err)
	}
	name := config.Source
	if !isAddress(name) {
		name = path.Base(strings.ReplaceAll(name, "\\", "/"))
	}
	l.main = &file{name: name, main: true}
	l.main.root = &place{node: root, file: l.main}
	l.note(l.main.root)
	if l.main.root = unwrap(l.main.root); l.main.root == nil {
		return nil, errors.New("spec: it is no OpenAPI or Swagger document: it has no paths")
	}
	l.files[name] = l.main
	l.document(l.main.root)
	return l.api, nil
}

// unwrap returns the document itself, which some servers put into an envelope, or nil.
func unwrap(p *place) *place {
	is := func(p *place) bool {
		return p.kind() == isObject && (p.get("openapi") != nil || p.get("swagger") != nil || p.get("paths") != nil)
	}
	if is(p) {
		return p
	}
	if p.kind() == isObject {
		for _, c := range p.children() {
			if is(c) && (c.get("paths").kind() == isObject) {
				return &place{node: c.node, file: c.file}
			}
		}
	}
	return nil
}

func (l *loader) document(root *place) {
	info := root.get("info")
	l.api.Title, l.api.Version = info.text("title"), info.text("version")
	l.consumes, l.produces = root.texts("consumes"), root.texts("produces")
	components := root.get("components")
	l.schemes(components.first("securitySchemes", "securityDefinitions"))
	l.schemes(root.first("securityDefinitions", "securitySchemes"))
	if s := root.get("security"); s != nil {
		l.global, l.secured = l.requirements(s), true
	}
	l.bases(root)
	for _, home := range []*place{components.get("schemas"), root.get("definitions")} {
		if home.kind() == isObject {
			for _, c := range home.children() {
				l.api.Schemas[c.key] = l.schema(c)
			}
		}
	}
	l.paths(root.get("paths"))
	l.fillSchemas()
	l.dropEmptyBodies()
	l.joinLinks()
	if len(l.api.Operations) == 0 {
		l.complain(root, "the document has no operations")
	}
}

func (l *loader) complain(p *place, what string) {
	c := Complaint{Where: p.pointer(), What: what}
	if l.said[c] || len(l.api.Complaints) >= maxComplaints {
		return
	}
	l.said[c] = true
	l.api.Complaints = append(l.api.Complaints, c)
}

// note takes over what the reader had to forgive.
func (l *loader) note(p *place) {
	for _, what := range l.notes {
		l.complain(p, what)
	}
	l.notes = nil
}

package fastness

import (
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/fastness/fastness/conditional"
	"github.com/fastness/fastness/openapi"
	"github.com/fastness/fastness/schema"
)

// conditions are what conditional requests mean to an operation.
type conditions struct {
	// on is the use of the object whose version counts, or nil.
	on *use
	// demanded says that a request must name the version.
	demanded bool
	// answers says that the answer has a version.
	answers bool
	// reads says that the operation reads If-Match by itself.
	reads bool
}

// compileConditions finds the object whose version counts.
func (op *operationPlan) compileConditions() (errs []error) {
	c := &op.conditions
	c.answers = op.output != nil && isVersioned(op.output.Type())
	said := &op.spec.Conditional
	if !op.changes() {
		if said.On != nil {
			errs = append(errs, fmt.Errorf("conditional.On: %s changes nothing", op.method))
		}
		return errs
	}
	for i := range op.input.params {
		c.reads = c.reads || op.input.params[i].in == "header" && op.input.params[i].name == "If-Match"
	}
	var found []*use
	for _, u := range op.input.uses {
		if u.provider.scope == requestScope && isVersioned(u.provider.typ) && (said.On == nil || said.On == u.provider.typ) {
			found = append(found, u)
		}
	}
	demands := said.On != nil || op.method == http.MethodPut || op.method == http.MethodPatch || op.method == http.MethodDelete
	switch {
	case len(found) == 1:
		c.on, c.demanded = found[0], demands && said.InsecureLastWriteWins == ""
	case said.On != nil:
		errs = append(errs, fmt.Errorf("conditional.On: the operation has no provider of a %s with the method Version() string", said.On))
	case len(found) > 1 && demands:
		errs = append(errs, fmt.Errorf("it loads a %s and a %s, which both have a Version: say by conditional.On which one it changes", found[0].provider.typ, found[1].provider.typ))
	}
	return errs
}

func isVersioned(t reflect.Type) bool {
	want := reflect.TypeFor[conditional.Versioned]()
	return t.Implements(want) || t.Kind() != reflect.Interface && reflect.PointerTo(t).Implements(want)
}

// versionOf returns what the method Version of v says. A nil pointer has none.
func versionOf(v reflect.Value) string {
	if v.Kind() == reflect.Pointer && v.IsNil() || v.Kind() == reflect.Interface && v.IsNil() {
		return ""
	}
	if versioned, ok := v.Interface().(conditional.Versioned); ok {
		return versioned.Version()
	}
	p := reflect.New(v.Type())
	p.Elem().Set(v)
	return p.Interface().(conditional.Versioned).Version()
}

// demandVersion refuses a request that does not say what it has seen, before
// anything is loaded.
func (op *operationPlan) demandVersion(x *exchange) error {
	c := &op.conditions
	switch {
	case c.demanded:
		return conditional.Demand(x.r)
	case c.on == nil && !c.reads && len(x.r.Header["If-Match"]) > 0 && op.changes() && x.r.Header.Get("If-Match") != "*":
		return conditional.Check(x.r, conditional.Tag{}) // What has no version is never the one that was seen.
	}
	return nil
}

// checkVersion compares the object that u has made with what the caller has seen.
func (op *operationPlan) checkVersion(x *exchange, u *use) error {
	if op.conditions.on != u || x.key.replay != nil { // The version that was seen is the one before the first time.
		return nil
	}
	version := versionOf(x.states[u.slot].value)
	if version == "" {
		return fmt.Errorf("a %s without a version: nobody can say that they have seen it", u.provider.typ)
	}
	return conditional.Check(x.r, conditional.Of(version))
}

// tag gives the answer its ETag, and leaves the answer out where the caller has it.
// What answers a PUT has none: it is not what was sent (RFC 9110 section 9.3.4).
func (x *exchange) tag(op *operationPlan, a *answer) {
	c, reads := &op.conditions, x.r.Method == http.MethodGet || x.r.Method == http.MethodHead
	tag, own := conditional.Tag{}, a.header["Etag"]
	switch {
	case a.status < 200 || a.status > 299 || a.page != nil: // A page has a nonce, and perhaps a token: it is another one each time.
		return
	case len(own) == 1:
		tag, _ = conditional.Parse(own[0])
	case c.answers && a.body.IsValid() && x.r.Method != http.MethodPut:
		tag = conditional.Of(versionOf(a.body), x.variant(op)...)
	case op.spec.Conditional.Content && reads && a.status == http.StatusOK && len(a.raw) > 0:
		tag = conditional.OfContent(slices.Concat(a.raw, []byte(strings.Join(x.variant(op), ","))))
	}
	modified, _ := http.ParseTime(a.header.Get("Last-Modified"))
	if tag.IsZero() && modified.IsZero() {
		return
	}
	x.setTag(a, tag, reads, modified)
}

func (x *exchange) setTag(a *answer, tag conditional.Tag, reads bool, modified time.Time) {
	if a.header == nil {
		a.header = make(http.Header, 1)
	}
	if !tag.IsZero() {
		a.header["Etag"] = []string{tag.String()}
	}
	if reads && a.status == http.StatusOK && len(a.cookies) == 0 && conditional.NotModified(x.r, tag, modified) {
		a.status, a.raw, a.content = http.StatusNotModified, nil, ""
	}
}

// view is what the answer depends on besides the object: the roles of the caller
// that some member of it is for.
func (x *exchange) view(op *operationPlan) (roles []string) {
	if op.output == nil || !op.output.Restricted(schema.Output) {
		return nil
	}
	for _, role := range op.output.Roles() {
		if x.ctx.user.HasRole(role) {
			roles = append(roles, role)
		}
	}
	return roles
}

// refusalsOfVersions are the statuses by which a condition refuses a request.
func (op *operationPlan) refusalsOfVersions() (codes []int) {
	if op.conditions.on != nil {
		codes = append(codes, http.StatusPreconditionFailed)
	}
	if op.conditions.demanded {
		codes = append(codes, http.StatusPreconditionRequired)
	}
	return codes
}

// hasTag reports whether normal answers have an ETag.
func (op *operationPlan) hasTag() bool {
	return op.conditions.answers && op.method != http.MethodPut || op.spec.Conditional.Content && op.method == http.MethodGet
}

// conditions lists the headers by which a caller says what they have seen.
func (d *documenter) conditions(o *openapi.Operation, op *operationPlan) {
	add := func(name, description string, required bool) {
		o.Parameters = append(o.Parameters, &openapi.Parameter{
			Name: name, In: "header", Required: required, Description: description, Schema: text("", maxTagList),
		})
	}
	if op.conditions.on != nil {
		add("If-Match", "The ETag of the version that is to be changed, or * for any.", op.conditions.demanded)
	}
	if op.hasTag() && op.method == http.MethodGet {
		add("If-None-Match", "The ETag of the version that the caller has.", false)
	}
}

// maxTagList is the most bytes that the document speaks of in a list of tags.
const maxTagList = 4096

// tags304 describes the ETag of normal answers, and the answer to whom has it.
func (d *documenter) tags304(all map[string]*openapi.Response, op *operationPlan) {
	if !op.hasTag() {
		return
	}
	header := func() *openapi.Header {
		return &openapi.Header{Description: "The version of the answer (RFC 9110 section 8.8.3).", Schema: text("", 128)}
	}
	for status, response := range all {
		if status[0] == '2' {
			response.Headers.Set("ETag", header())
		}
	}
	if op.method == http.MethodGet && all["304"] == nil {
		all["304"] = &openapi.Response{Description: http.StatusText(http.StatusNotModified)}
		all["304"].Headers.Set("ETag", header())
	}
}

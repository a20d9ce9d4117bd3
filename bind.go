package fastness

import (
	"errors"
	"io"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strconv"

	"github.com/fastness/fastness/guard/compress"
	"github.com/fastness/fastness/internal/form"
	"github.com/fastness/fastness/problem"
)

// bind fills v, the operation's input: parameters of the operation and of its
// providers, then the body, then what the providers make. Everything wrong with
// the request is reported at once, before any provider runs.
func (p *inputPlan) bind(x *exchange, v reflect.Value) error {
	x.enterPart(inBind)
	if err := p.readPairs(x); err != nil {
		return err
	}
	x.report.Context, x.report.Viewer = &x.ctx, x.ctx.user
	if len(p.uses) > 0 {
		x.states = make([]useState, len(p.uses))
		for i, u := range p.uses {
			if u.provider.scope == requestScope {
				x.states[i].input = reflect.New(u.provider.in)
				u.input.bindParams(x, x.states[i].input.Elem())
			}
		}
	}
	p.bindParams(x, v)
	if p.body.kind != noBody {
		if err := p.body.bind(x, v); err != nil {
			return err
		}
	}
	if !x.report.OK() {
		return x.report.Err()
	}
	if err := p.validate(x, v); err != nil {
		return err
	}
	op := x.match.Value.operation
	if err := errors.Join(op.demandVersion(x), op.demandKey(x)); err != nil {
		return err
	}
	return p.provide(x, v)
}

// provide fills in what the providers make, and the caller.
func (p *inputPlan) provide(x *exchange, v reflect.Value) error {
	op := x.match.Value.operation
	x.enterPart(inProvide)
	for _, u := range p.uses {
		if err := u.resolve(x); err != nil {
			return err
		}
		if err := op.useKey(x, u); err != nil {
			return err
		}
		if err := op.checkVersion(x, u); err != nil {
			return err
		}
	}
	if x.key.replay != nil { // The caller may still have it: the rules and the providers have said so.
		return errReplay
	}
	p.bindDeps(x, v)
	return p.bindCaller(x, v)
}

// validate calls the Validate methods of the operation's input and of those of
// its providers. What providers make is not there yet.
func (p *inputPlan) validate(x *exchange, v reflect.Value) error {
	for i, u := range p.uses {
		if u.input.checks != nil {
			x.reject(&u.input, x.states[i].input.Elem())
		}
	}
	if p.checks != nil {
		x.reject(p, v)
	}
	if x.report.OK() {
		return nil
	}
	return x.report.Err()
}

// reject adds what the Validate method of v says.
func (x *exchange) reject(p *inputPlan, v reflect.Value) {
	if err := p.checks.Validate(&x.ctx, v); err != nil {
		x.report.Reject(err, p.sourceOf)
	}
}

// sourceOf returns the part of the request from which the input called name is
// read.
func (p *inputPlan) sourceOf(name string) string {
	for i := range p.params {
		if p.params[i].prefix[0].Name == name {
			return p.params[i].in
		}
	}
	switch {
	case p.body.kind == formBody:
		return "form"
	case p.body.kind != noBody || len(p.params) == 0:
		return "body"
	}
	return p.params[0].in
}

// readPairs parses the query and the cookies, each once.
func (p *inputPlan) readPairs(x *exchange) (err error) {
	if p.query && x.r.URL.RawQuery != "" {
		if x.query, err = form.AppendQuery(x.pairs[:0], x.r.URL.RawQuery, 0); err != nil {
			return err
		}
	}
	if p.cookies {
		if x.cookie, err = form.AppendCookies(nil, x.r.Header["Cookie"]); err != nil {
			return err
		}
	}
	return nil
}

func (p *inputPlan) bindParams(x *exchange, v reflect.Value) {
	for i := range p.params {
		p.params[i].bind(x, v.FieldByIndex(p.params[i].index))
	}
	for _, index := range p.raw {
		v.FieldByIndex(index).Set(reflect.ValueOf(x.request(x.match.Value.operation.spec.BodyLimit)))
	}
}

func (p *inputPlan) bindDeps(x *exchange, v reflect.Value) {
	for _, d := range p.deps {
		value := d.source.provider.value
		if d.source.provider.scope == requestScope {
			value = x.states[d.source.slot].value
		}
		v.FieldByIndex(d.index).Set(value)
	}
}

// resolve makes the value of a provider.
func (u *use) resolve(x *exchange) error {
	if u.provider.scope == appScope {
		return x.match.Value.operation.checkObject(x, u.provider.typ, u.provider.value)
	}
	s := &x.states[u.slot]
	u.input.bindDeps(x, s.input.Elem())
	err := u.input.bindCaller(x, s.input.Elem())
	if err != nil {
		return err
	}
	// A clean-up that comes with an error still runs: what was opened is closed.
	if s.value, s.cleanup, err = u.provider.make(&x.ctx, s.input); err != nil {
		return err
	}
	return x.match.Value.operation.checkObject(x, u.provider.typ, s.value)
}

// request returns the request for code that reads it by itself: with the
// operation's context, and a body that ends at the limit.
func (x *exchange) request(limit int64) *http.Request {
	r := x.r.WithContext(&x.ctx)
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = http.MaxBytesReader(x.out, r.Body, limit)
	}
	return r
}

// bind reads the parameter into v.
func (p *param) bind(x *exchange, v reflect.Value) {
	x.report.In = p.in
	switch p.in {
	case "path":
		p.one(x, x.match.Params.At(p.place), 1, v)
	case "query":
		p.fromPairs(x, x.query, v)
	case "cookie":
		p.fromPairs(x, x.cookie, v)
	case "header":
		values := x.r.Header[p.name]
		if p.name == "Host" && x.r.Host != "" {
			values = []string{x.r.Host}
		}
		switch {
		case p.list && len(values) > 0:
			p.decode(x, values, v)
		case len(values) == 0:
			p.one(x, "", 0, v)
		default:
			p.one(x, values[len(values)-1], len(values), v)
		}
	}
}

func (p *param) fromPairs(x *exchange, pairs form.Pairs, v reflect.Value) {
	if !p.list {
		value, times := pairs.Lookup(p.name)
		if times > 1 && x.app.cfg.InsecureFastAPICompat != "" {
			for last := range pairs.Each(p.name) {
				value = last
			}
			times = 1
		}
		p.one(x, value, times, v)
		return
	}
	var values []string
	for value := range pairs.Each(p.name) {
		values = append(values, value)
	}
	if values == nil {
		p.one(x, "", 0, v)
		return
	}
	p.decode(x, values, v)
}

// one reads a parameter that was given times times. Twice is not once: what
// checks the first value and what uses the last one disagree.
func (p *param) one(x *exchange, value string, times int, v reflect.Value) {
	switch {
	case times == 1:
		x.report.Prefix = p.prefix
		p.plan.DecodeString(&x.report, value, v)
		x.report.Prefix = nil
	case times > 1:
		x.report.Violate(p.prefix, "duplicate_parameter")
	case p.preset != nil:
		p.plan.DecodeDefault(&x.report, p.preset, v)
	case p.required:
		x.report.Violate(p.prefix, "missing")
	}
}

func (p *param) decode(x *exchange, values []string, v reflect.Value) {
	x.report.Prefix = p.prefix
	p.plan.DecodeText(&x.report, values, v)
	x.report.Prefix = nil
}

// bind reads the body into the fields of v.
func (b *bodyPlan) bind(x *exchange, v reflect.Value) error {
	empty := x.r.ContentLength == 0 || x.r.Body == nil || x.r.Body == http.NoBody
	if b.kind == formBody {
		x.report.In = "form"
		return b.bindForm(x, v, empty)
	}
	x.report.In = "body"
	if b.kind == streamBody {
		return b.bindStream(x, v, empty)
	}
	if empty {
		b.missing(x)
		return nil
	}
	if ok, err := x.checkMedia(b); !ok {
		return err
	}
	body, err := x.readBody()
	if err != nil {
		return err
	}
	if len(body) == 0 {
		b.missing(x)
		return nil
	}
	if len(x.app.cfg.Formats) > 0 && b.patch == nil {
		if body, err = x.toJSON(body); err != nil {
			return err
		}
	}
	if b.kind == wholeBody {
		b.plan.Decode(&x.report, body, v.FieldByIndex(b.index))
		return nil
	}
	parts := reflect.New(b.plan.Type()).Elem()
	b.plan.Decode(&x.report, body, parts)
	for i, index := range b.parts {
		v.FieldByIndex(index).Set(parts.Field(i))
	}
	return nil
}

// missing reports that there is no body where one is required.
func (b *bodyPlan) missing(x *exchange) {
	if !b.optional {
		x.report.Violate(nil, "missing")
	}
}

// checkMedia reports whether the body says that it is JSON, or the patch that is
// wanted: what is meant as one kind of patch must not be taken for another. A
// text/plain body that is read as JSON is a request that any page may send without
// a preflight.
func (x *exchange) checkMedia(b *bodyPlan) (ok bool, err error) {
	if err := x.decompress(); err != nil {
		return false, err
	}
	media, err := form.ContentType(x.r.Header["Content-Type"])
	if b.patch != nil {
		return b.checkPatch(media, err)
	}
	if err == nil && (media.IsJSON() || x.app.format(media.Type) != nil) {
		return true, nil
	}
	if x.app.cfg.InsecureFastAPICompat != "" {
		x.report.Violate(nil, "model_attributes_type")
		return false, nil
	}
	if err == nil {
		err = x.app.notTaken()
	}
	return false, err
}

// maxRatio is how many times its size a compressed body may have.
const maxRatio = 100

// decompress makes a compressed body plain, where the operation takes one.
func (x *exchange) decompress() error {
	if len(x.r.Header["Content-Encoding"]) == 0 {
		return nil
	}
	spec := &x.match.Value.operation.spec
	if !spec.Gzip {
		return compress.Refuse(x.r)
	}
	return compress.Request(x.r, spec.BodyLimit, maxRatio)
}

// firstRead is how much room a body gets before its first byte is there.
const firstRead = 32 << 10

// readBody reads the body, up to the operation's limit, into the exchange's
// buffer: what is kept of it must be copied.
func (x *exchange) readBody() ([]byte, error) {
	op := x.match.Value.operation
	limit := op.spec.BodyLimit
	if x.r.ContentLength > limit {
		return nil, op.tooLarge
	}
	data := x.body[:0]
	// A length is only a promise: who sends no byte gets no megabyte.
	if n := min(x.r.ContentLength, firstRead); n >= int64(cap(data)) {
		data = make([]byte, 0, n+1) // One more, to see the end without growing.
	}
	for {
		if len(data) == cap(data) {
			data = slices.Grow(data, 1)
		}
		n, err := x.r.Body.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		x.body = data
		switch {
		case int64(len(data)) > limit:
			return nil, op.tooLarge
		case err == io.EOF:
			return data, nil
		case err != nil:
			return nil, bodyError(err, limit)
		}
	}
}

func tooLarge(limit int64) *problem.Problem {
	return problem.New(http.StatusRequestEntityTooLarge, "the body is larger than "+strconv.FormatInt(limit, 10)+" bytes").
		Named("body_too_large").Extend("limit", limit).With("Connection", "close")
}

// bodyError says why a body could not be read.
func bodyError(err error, limit int64) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return tooLarge(limit)
	}
	if p, ok := errors.AsType[*problem.Problem](err); ok { // What decompresses says what is wrong.
		return p
	}
	if timeout, ok := err.(interface{ Timeout() bool }); ok && timeout.Timeout() || errors.Is(err, os.ErrDeadlineExceeded) { // HTTP/2 wraps it.
		return problem.New(http.StatusRequestTimeout, "the body took too long").With("Connection", "close").Wrap(err)
	}
	return problem.New(http.StatusBadRequest, "the body could not be read").
		Named("body_unreadable").With("Connection", "close").Wrap(err)
}

package idempotency

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"net/http"

	"github.com/fastness/fastness/problem"
)

// maxBody is the most bytes of a body that [Keys.Handler] reads.
const maxBody = 1 << 20

// Handler asks for a key of every request to next that may change something. Caller
// names who sends it; a request for which it returns "" is refused (401).
//
// An answer that cannot be kept, because it is too large or holds credentials, is
// sent, and whoever sends the key again is told that the request was done (409).
// Answers of status 500 and above are not kept.
func (k *Keys) Handler(caller func(*http.Request) string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet || r.Method == http.MethodHead || r.Method == http.MethodOptions {
			next.ServeHTTP(w, r)
			return
		}
		if err := k.serve(w, r, caller(r), next); err != nil {
			problem.Write(w, problem.From(err))
		}
	})
}

func (k *Keys) serve(w http.ResponseWriter, r *http.Request, caller string, next http.Handler) (err error) {
	if caller == "" {
		return problem.New(http.StatusUnauthorized, "")
	}
	key, err := KeyOf(r)
	if err == nil && key == "" {
		err = Missing()
	}
	if err != nil {
		return err
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return problem.New(http.StatusRequestEntityTooLarge, "")
		}
		return problem.New(http.StatusBadRequest, "the body could not be read").Wrap(err)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	run, stored, err := k.Begin(r.Context(), Request{
		Key: key, Caller: []string{caller}, Operation: r.Method + " " + r.Host + r.URL.Path, Parts: PartsOf(r, body),
	})
	switch {
	case err != nil:
		return err
	case stored != nil && stored.Status == 0:
		return problem.New(http.StatusConflict, "the request was done, and its answer was not kept").Named("idempotency_answer_withheld")
	case stored != nil:
		maps.Copy(w.Header(), stored.Header)
		w.Header().Set(Replayed, "true")
		w.WriteHeader(stored.Status)
		_, _ = w.Write(stored.Body) // The caller is gone if this fails.
		return nil
	}
	return run.serve(w, r, next)
}

// serve does the request and keeps its answer.
func (r *Run) serve(w http.ResponseWriter, req *http.Request, next http.Handler) (err error) {
	done := false
	defer func() { err = errors.Join(err, r.End(done)) }()
	rec := &recorder{ResponseWriter: w, most: r.keys.cfg.MaxAnswer, before: maps.Clone(w.Header()), status: http.StatusOK}
	next.ServeHTTP(rec, req)
	if rec.status >= http.StatusInternalServerError {
		rec.flush()
		return nil
	}
	answer := Answer{Status: rec.status, Header: rec.added(), Body: rec.body.Bytes()}
	if rec.sent || r.keys.keepable(answer) != nil {
		answer = Answer{}
	}
	done = true
	if err := r.Finish(req.Context(), answer); err != nil { // It is done all the same: the key stays in use.
		if rec.sent {
			return nil // Nothing can be added to an answer that was sent.
		}
		return err
	}
	rec.flush()
	return nil
}

// recorder holds an answer back until it is kept, unless it is too large for that.
type recorder struct {
	http.ResponseWriter
	before http.Header
	most   int
	status int
	wrote  bool
	sent   bool
	body   bytes.Buffer
}

func (w *recorder) WriteHeader(status int) {
	if !w.wrote && status >= 200 {
		w.status, w.wrote = status, true
	}
}

func (w *recorder) Write(p []byte) (int, error) {
	w.wrote = true
	if w.sent {
		return w.ResponseWriter.Write(p)
	}
	w.body.Write(p)
	if w.body.Len() > w.most {
		w.flush()
	}
	return len(p), nil
}

// flush sends what is held back.
func (w *recorder) flush() {
	if w.sent {
		return
	}
	w.sent = true
	w.ResponseWriter.WriteHeader(w.status)
	_, _ = w.ResponseWriter.Write(w.body.Bytes()) // The caller is gone if this fails.
}

// added returns the headers that the handler has set.
func (w *recorder) added() http.Header {
	h := make(http.Header)
	for name, values := range w.Header() {
		if _, was := w.before[name]; !was {
			h[name] = values
		}
	}
	return h
}

// PartsOf returns what makes a request the same as another: method, target, type and
// body.
func PartsOf(r *http.Request, body []byte) [][]byte {
	return [][]byte{[]byte(r.Method), []byte(r.URL.EscapedPath()), []byte(r.URL.RawQuery), []byte(r.Header.Get("Content-Type")), body}
}

package keyring

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fastness/fastness/problem"
)

// maxAge is how long others may keep a copy of the published keys, at most.
const maxAge = 5 * time.Minute

// JWKS returns the public keys of purposes as a JWK set (RFC 7517, section 5):
// all that sign, will soon, or have signed what may still be valid. It returns how
// long that may be kept: at most 5 minutes, and a third of the shortest Announce.
// Without purposes it is those with public keys; one without is an error.
func (r *Ring) JWKS(ctx context.Context, purposes ...string) ([]byte, time.Duration, error) {
	purposes, err := r.published(purposes)
	if err != nil {
		return nil, 0, err
	}
	v, now := r.fresh(ctx), r.now()
	keep := maxAge
	body := []byte(`{"keys":[`)
	for _, name := range purposes {
		keep = min(keep, r.purposes[name].Announce/3)
		for _, k := range v.records[name] {
			key := v.keys[k.ID].key
			if key == nil || key.jwk == nil || !k.verifies(now) {
				continue
			}
			if !bytes.HasSuffix(body, []byte("[")) {
				body = append(body, ',')
			}
			body = append(body, key.jwk...)
		}
	}
	return append(body, "]}"...), keep.Truncate(time.Second), nil
}

// published returns the purposes whose keys have a public part.
func (r *Ring) published(names []string) ([]string, error) {
	var errs []error
	for _, name := range names {
		if p := r.purposes[name]; p == nil {
			errs = append(errs, fmt.Errorf("%q: %w", name, ErrPurpose))
		} else if !p.Algorithm.asymmetric() {
			errs = append(errs, fmt.Errorf("%q: keys of %s are secret", name, p.Algorithm))
		}
	}
	if len(names) == 0 {
		for _, p := range r.cfg.Purposes {
			if p.Algorithm.asymmetric() {
				names = append(names, p.Name)
			}
		}
		if len(names) == 0 {
			errs = append(errs, errors.New("no purpose has public keys"))
		}
	}
	if len(errs) > 0 {
		return nil, fmt.Errorf("publish keys: %w", errors.Join(errs...))
	}
	return names, nil
}

// Handler returns what answers GET /.well-known/jwks.json with [Ring.JWKS].
func (r *Ring) Handler(purposes ...string) (http.Handler, error) {
	if _, err := r.published(purposes); err != nil {
		return nil, err
	}
	purposes = slices.Clone(purposes)
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.Method != http.MethodGet && req.Method != http.MethodHead {
			problem.Write(w, problem.New(http.StatusMethodNotAllowed, "The keys can only be read.").With("Allow", "GET, HEAD"))
			return
		}
		body, keep, err := r.JWKS(req.Context(), purposes...)
		if err != nil { // Not reached: they were checked above.
			problem.Write(w, problem.From(err))
			return
		}
		sum := sha256.Sum256(body)
		tag := `"` + base64.RawURLEncoding.EncodeToString(sum[:16]) + `"`
		h := w.Header()
		h.Set("Cache-Control", "public, max-age="+strconv.FormatInt(int64(keep/time.Second), 10))
		h.Set("ETag", tag)
		if matches(req.Header.Values("If-None-Match"), tag) {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		h.Set("Content-Type", "application/jwk-set+json")
		h.Set("Content-Length", strconv.Itoa(len(body)))
		if req.Method == http.MethodGet {
			_, _ = w.Write(body) // The client went away.
		}
	}), nil
}

// matches compares as RFC 9110, section 13.1.2, wants it: weakly.
func matches(fields []string, tag string) bool {
	for _, field := range fields {
		for candidate := range strings.SplitSeq(field, ",") {
			candidate = strings.TrimSpace(candidate)
			if candidate == "*" || strings.TrimPrefix(candidate, "W/") == tag {
				return true
			}
		}
	}
	return false
}

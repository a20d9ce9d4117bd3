package token

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/fastness/fastness/internal/jws"
)

const (
	fetchTimeout = 5 * time.Second // for the document and the keys together
	maxBody      = 256 << 10
)

var errRedirect = errors.New("redirects are not followed")

// newClient returns a client that goes where it is sent and nowhere else.
func newClient(transport http.RoundTripper) *http.Client {
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return errRedirect },
	}
}

// fetch returns the keys of the issuer, and for how long they are fresh.
func (r *Remote) fetch() (map[string]*jws.Key, time.Duration, error) {
	ctx, cancel := context.WithTimeout(r.life, fetchTimeout)
	defer cancel()
	location := r.cfg.JWKS
	if location == "" {
		var err error
		if location, err = r.discover(ctx); err != nil {
			return nil, 0, fmt.Errorf("discovery: %w", err)
		}
	}
	body, header, err := r.get(ctx, location)
	if err != nil {
		return nil, 0, fmt.Errorf("jwks: %w", err)
	}
	keys, problems := jws.ParseSet(body)
	for _, err := range problems {
		if errors.Is(err, jws.ErrSet) {
			return nil, 0, err // Not what was asked for, such as the page of a proxy.
		}
		if errors.Is(err, jws.ErrPrivate) {
			r.cfg.Log.Error("an issuer publishes a private key: it is not used", "issuer", r.cfg.Issuer, "jwks", r.cfg.JWKS, "error", err)
			continue
		}
		r.cfg.Log.Debug("a key of an issuer cannot be used", "issuer", r.cfg.Issuer, "jwks", r.cfg.JWKS, "error", err)
	}
	return r.usable(keys), freshness(header), nil
}

// discover returns where the keys are (OpenID Connect Discovery 1.0, section 4).
// The document must be the issuer's own: otherwise one issuer could stand for
// another (section 4.3).
func (r *Remote) discover(ctx context.Context) (string, error) {
	body, _, err := r.get(ctx, strings.TrimSuffix(r.cfg.Issuer, "/")+"/.well-known/openid-configuration")
	if err != nil {
		return "", err
	}
	var issuer, location string
	o := jws.Object{Data: body}
	for o.Next() {
		switch string(o.Name()) {
		case "issuer":
			issuer, _ = o.Value().Text()
		case "jwks_uri":
			location, _ = o.Value().Text()
		}
	}
	switch {
	case o.Err() != nil:
		return "", o.Err()
	case issuer != r.cfg.Issuer:
		return "", errors.New("the document is another issuer's")
	}
	return location, checkURL("jwks_uri", location, r.cfg.InsecurePlainHTTP != "")
}

// get fetches a JSON document.
func (r *Remote) get(ctx context.Context, location string) ([]byte, http.Header, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, location, nil)
	if err != nil {
		return nil, nil, err
	}
	req.Header.Set("Accept", "application/json")
	resp, err := r.client.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, nil, fmt.Errorf("status %d, want 200", resp.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	switch {
	case err != nil:
		return nil, nil, err
	case len(body) > maxBody:
		return nil, nil, fmt.Errorf("more than %d bytes", maxBody)
	}
	return body, resp.Header, nil
}

// freshness returns for how long an answer is good by its Cache-Control (RFC 9111,
// section 5.2.2), within bounds: an issuer must not make us ask all the time, and
// a key that it withdraws must be gone within the hour.
func freshness(header http.Header) time.Duration {
	fresh := usualFresh
	for directive := range strings.SplitSeq(strings.Join(header.Values("Cache-Control"), ","), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
		switch strings.ToLower(name) {
		case "no-store", "no-cache":
			return minFresh
		case "max-age":
			if seconds, err := strconv.ParseUint(strings.Trim(value, `"`), 10, 32); err == nil {
				fresh = time.Duration(seconds) * time.Second
			}
		}
	}
	return min(max(fresh, minFresh), maxFresh)
}

package password

import (
	"bufio"
	"context"
	"crypto/sha1" // #nosec G505 -- the protocol's name for a password; it protects nothing.
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/fastness/fastness/secret"
)

// BreachConfig configures a [BreachList].
type BreachConfig struct {
	// URL is where the ranges are. The default is the service of Have I Been
	// Pwned, https://api.pwnedpasswords.com/range/. A copy of one's own keeps
	// even the prefixes in the house. It must be https.
	URL string
	// Timeout is how long one question may take. The default is 2 seconds.
	Timeout time.Duration
	// Transport makes the requests. The default is [http.DefaultTransport].
	Transport http.RoundTripper
}

// BreachList asks a list of breached passwords on the network. It sends the first
// 20 bits of the password's SHA-1, which some thousand passwords on the list
// share, and asks that the answer be padded, so that not even its length tells
// which. No redirect is followed.
type BreachList struct {
	base   string
	client *http.Client
}

// NewBreachList returns a list, or an error that names every mistake in cfg.
func NewBreachList(cfg BreachConfig) (*BreachList, error) {
	if cfg.URL == "" {
		cfg.URL = "https://api.pwnedpasswords.com/range/"
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 2 * time.Second
	}
	var errs []error
	if u, err := url.Parse(cfg.URL); err != nil || u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		errs = append(errs, errors.New("URL is not an https URL without query and fragment"))
	}
	if cfg.Timeout < 0 {
		errs = append(errs, errors.New("Timeout is negative"))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("password breach list: %w", err)
	}
	return &BreachList{
		base: strings.TrimSuffix(cfg.URL, "/") + "/",
		client: &http.Client{
			Transport: cfg.Transport, Timeout: cfg.Timeout,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// maxRange bounds what is read of an answer. A padded one has about 40 KB.
const maxRange = 1 << 20

// Contains reports whether the password is on the list. It fits
// [PolicyConfig.Breached], which says what happens if it fails.
func (b *BreachList) Contains(ctx context.Context, password secret.Text) (bool, error) {
	sum := sha1.Sum([]byte(password.Reveal())) // #nosec G401 -- see above.
	name := strings.ToUpper(hex.EncodeToString(sum[:]))
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, b.base+name[:5], nil)
	if err != nil {
		return false, errors.New("password breach list: no request can be made")
	}
	req.Header.Set("Add-Padding", "true")
	req.Header.Set("User-Agent", "fastness")
	resp, err := b.client.Do(req)
	if err != nil {
		return false, fmt.Errorf("password breach list: %w", withoutURL(err))
	}
	defer func() { _ = resp.Body.Close() }() // Nothing was written to it.
	if resp.StatusCode != http.StatusOK {
		return false, fmt.Errorf("password breach list: status %d", resp.StatusCode)
	}
	return found(resp.Body, name[5:])
}

// found reports whether a range has suffix with a count above zero; lines with
// zero are padding. A range without a single line that can be read is an error:
// a portal's page must not look like a clean bill.
func found(body io.Reader, suffix string) (bool, error) {
	limited := &io.LimitedReader{R: body, N: maxRange}
	lines := bufio.NewScanner(limited)
	read := 0
	for lines.Scan() {
		name, count, ok := strings.Cut(strings.TrimSpace(lines.Text()), ":")
		if !ok || len(name) != len(suffix) {
			continue
		}
		read++
		if strings.EqualFold(name, suffix) && strings.Trim(count, "0") != "" {
			return true, nil
		}
	}
	if err := lines.Err(); err != nil {
		return false, fmt.Errorf("password breach list: %w", err)
	}
	if read == 0 || limited.N == 0 {
		return false, errors.New("password breach list: the answer is no range")
	}
	return false, nil
}

// withoutURL takes the address out of an error of the client: it ends in the
// first bits of the password's hash, which no log needs.
func withoutURL(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}

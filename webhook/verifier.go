package webhook

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/fastness/fastness/guard/replay"
	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/secret"
)

// Why a message is refused, for [errors.Is] and the log. The sender is told no
// difference.
var (
	// ErrUnsigned says that a field is missing, comes twice or is malformed.
	ErrUnsigned = errors.New("webhook: the message has no signature in order")
	// ErrTimestamp says that the attempt is too long ago, or in the future. Who
	// sees it often has a wrong clock.
	ErrTimestamp = errors.New("webhook: the time of the attempt is too far from now")
	// ErrSignature says that no signature is of one of the secrets and this
	// message.
	ErrSignature = errors.New("webhook: no signature matches")
	// ErrReplayed says that this attempt was here before.
	ErrReplayed = errors.New("webhook: the attempt was sent again")
)

// Replay remembers attempts. Package guard/replay has one for this process, and
// module fastness/redis one that instances behind a load balancer share.
type Replay interface {
	// First reports whether id has not been there before, and remembers it until
	// then. It is one atomic step: of two calls at once one is the first. An id
	// is 43 characters of base64url.
	First(ctx context.Context, id string, until time.Time) (bool, error)
}

// Config configures a [Verifier]. The zero value lacks only the secrets.
type Config struct {
	// Secrets are those of the sender, whsec_… or whpk_…, at most 8. A message is
	// accepted if one of its signatures is of one of them.
	Secrets []secret.Text
	// Rotating, in the place of Secrets, returns those of this moment: the
	// current one and, while it is replaced, the one before. It is called for
	// each message, as the method Accepted of a secret.Reloading can be. Whether
	// they can be guessed is checked at the beginning only.
	Rotating func() []secret.Text
	// Tolerance is how far from now the time of an attempt may be, in the past
	// and, for a clock that is wrong, in the future. The default is 5 minutes,
	// the most is an hour.
	Tolerance time.Duration
	// Replay remembers the attempts within the tolerance. The default is the
	// memory of this process, for 100,000 attempts.
	Replay Replay
	// MaxBody is how many bytes a message may have. The default is 1 MiB.
	MaxBody int64
	// Now tells the time. The default is [time.Now].
	Now func() time.Time
	// Logger is told why [Verifier.Handler] refuses a message, at level Info: the
	// sender is not. The default is [slog.Default] at that time.
	Logger *slog.Logger
	// InsecureReplay, if not empty, says why an attempt that was recorded may be
	// sent again within the tolerance.
	InsecureReplay string
}

// Verifier verifies messages. It is safe for concurrent use.
type Verifier struct {
	keys      []key
	rotating  func() []secret.Text
	tolerance time.Duration
	replay    Replay // nil accepts
	maxBody   int64
	logger    *slog.Logger
	now       func() time.Time
}

// NewVerifier returns a verifier, or an error that names every mistake in cfg.
func NewVerifier(cfg Config) (*Verifier, error) {
	v := &Verifier{rotating: cfg.Rotating, tolerance: cfg.Tolerance, replay: cfg.Replay, maxBody: cfg.MaxBody, now: cfg.Now, logger: cfg.Logger}
	secrets := cfg.Secrets
	var mistakes []error
	if cfg.Rotating != nil {
		if len(secrets) > 0 {
			mistakes = append(mistakes, errors.New("Secrets and Rotating contradict each other"))
		}
		secrets = cfg.Rotating()
	}
	keys, err := parseKeys(secrets, verifying)
	if err = errors.Join(err, checkStrength(secrets)); err != nil {
		mistakes = append(mistakes, err)
	}
	if cfg.Rotating == nil {
		v.keys = keys
	}
	if cfg.Tolerance < 0 || cfg.Tolerance > time.Hour {
		mistakes = append(mistakes, fmt.Errorf("Tolerance is %v, want more than 0 and at most an hour", cfg.Tolerance))
	}
	if cfg.MaxBody < 0 {
		mistakes = append(mistakes, fmt.Errorf("MaxBody is %d, want at least 1", cfg.MaxBody))
	}
	if cfg.Replay != nil && cfg.InsecureReplay != "" {
		mistakes = append(mistakes, errors.New("Replay and InsecureReplay contradict each other"))
	}
	if len(mistakes) > 0 {
		return nil, fmt.Errorf("webhook config: %w", errors.Join(mistakes...))
	}
	if v.now == nil {
		v.now = time.Now
	}
	if v.tolerance == 0 {
		v.tolerance = 5 * time.Minute
	}
	if v.maxBody == 0 {
		v.maxBody = 1 << 20
	}
	if v.replay == nil && cfg.InsecureReplay == "" {
		memory, err := replay.NewMemory(replay.Config{Now: v.now})
		if err != nil {
			return nil, fmt.Errorf("webhook config: %w", err)
		}
		v.replay = memory
	}
	return v, nil
}

// attempt is what the fields of a message say.
type attempt struct {
	id, timestamp string
	at            time.Time
	signatures    []string
}

// Verify returns nil if the fields in h are a valid signature of body, and this is
// the first time. Otherwise it returns a [*problem.Problem]: 401 for a message
// that is refused, with one of the errors above as its cause; 503 if the secrets
// or the memory of attempts are not to be had, since who can break those must not
// come in.
func (v *Verifier) Verify(ctx context.Context, h http.Header, body []byte) error {
	a, err := v.read(h)
	if err != nil {
		return err
	}
	return v.verify(ctx, a, body)
}

func (v *Verifier) verify(ctx context.Context, a attempt, body []byte) error {
	keys := v.keys
	if v.rotating != nil {
		var err error
		if keys, err = parseKeys(v.rotating(), verifying); err != nil {
			return unavailable(err)
		}
	}
	content := signed(a.id, a.timestamp, body)
	found := false
	for i := range keys {
		found = keys[i].matches(content, a.signatures) || found
	}
	if !found {
		return refused(ErrSignature)
	}
	if v.replay == nil {
		return nil
	}
	// The signature comes first: others could fill the memory, or use up the id of
	// a message that is on its way. Ids of other senders are kept apart by the
	// body, and a second signature of the same message makes no other attempt.
	sum := sha256.Sum256(content)
	first, err := v.replay.First(ctx, base64.RawURLEncoding.EncodeToString(sum[:]), a.at.Add(v.tolerance+time.Second))
	switch {
	case err != nil:
		return unavailable(err)
	case !first:
		return refused(ErrReplayed)
	}
	return nil
}

// read reads the fields, which costs nothing: most of what is refused has no body
// read.
func (v *Verifier) read(h http.Header) (attempt, error) {
	id, timestamp, signature := h[IDHeader], h[TimestampHeader], h[SignatureHeader]
	// Of two values another reader may take the other one.
	if len(id) != 1 || len(timestamp) != 1 || len(signature) != 1 || !validID(id[0]) || len(signature[0]) > maxField {
		return attempt{}, refused(ErrUnsigned)
	}
	seconds, ok := parseTimestamp(timestamp[0])
	if !ok || strings.Count(signature[0], " ") >= maxSignatures {
		return attempt{}, refused(ErrUnsigned)
	}
	a := attempt{id: id[0], timestamp: timestamp[0], at: time.Unix(seconds, 0)}
	if off := v.now().Sub(a.at); off > v.tolerance || off < -v.tolerance {
		return attempt{}, refused(ErrTimestamp)
	}
	a.signatures = strings.Split(signature[0], " ")
	return a, nil
}

// parseTimestamp reads seconds as every sender writes them: in digits without a
// sign or a zero before them.
func parseTimestamp(text string) (int64, bool) {
	if text == "" || len(text) > maxTimestamp || text[0] == '0' || strings.Trim(text, "0123456789") != "" {
		return 0, false
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	return seconds, err == nil
}

// Check verifies a request and leaves its body to be read. It returns a
// [*problem.Problem]: those of [Verifier.Verify], 413 for a body that is too
// large, 400 for one that breaks off.
func (v *Verifier) Check(r *http.Request) error {
	a, err := v.read(r.Header)
	if err != nil {
		return err
	}
	if r.ContentLength > v.maxBody {
		return tooLarge()
	}
	var body []byte
	if r.Body != nil {
		body, err = io.ReadAll(io.LimitReader(r.Body, v.maxBody+1))
		if err != nil {
			return problem.New(http.StatusBadRequest, "the body cannot be read").Named("unreadable_body").Wrap(err)
		}
	}
	if int64(len(body)) > v.maxBody {
		return tooLarge()
	}
	if err := v.verify(r.Context(), a, body); err != nil {
		return err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	r.ContentLength = int64(len(body))
	return nil
}

// Handler refuses requests that are no valid messages.
func (v *Verifier) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := v.Check(r); err != nil {
			p, level := problem.From(err), slog.LevelInfo
			if p.Status >= 500 {
				level = slog.LevelError
			}
			cmp.Or(v.logger, slog.Default()).LogAttrs(r.Context(), level, "webhook refused",
				slog.String("error", err.Error()), slog.String("request_id", w.Header().Get("X-Request-Id")))
			problem.Write(w, p)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func refused(why error) error {
	return problem.New(http.StatusUnauthorized, "the message is not signed by whom it should be, or not now").
		Named("invalid_webhook").With("WWW-Authenticate", "StandardWebhooks").Wrap(why)
}

func unavailable(why error) error {
	return problem.New(http.StatusServiceUnavailable, "messages cannot be verified now, try again later").
		Named("webhook_unavailable").With("Retry-After", "5").Wrap(why)
}

func tooLarge() error {
	return problem.New(http.StatusRequestEntityTooLarge, "the message is too large").Named("body_too_large")
}

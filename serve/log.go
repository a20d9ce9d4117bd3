package serve

import (
	"context"
	"log/slog"
	"strings"
)

// errorLog takes what net/http logs. Strangers cause most of it, by hanging up or by
// speaking something else, so it is for debugging only; a panic is not.
type errorLog struct{ logger *slog.Logger }

// maxLogLine bounds a line, of which a stranger may have written a part.
const maxLogLine = 4 << 10

func (l errorLog) Write(p []byte) (int, error) {
	level := slog.LevelDebug
	text := string(p[:min(len(p), maxLogLine)])
	if strings.HasPrefix(text, "http: panic serving") || strings.HasPrefix(text, "http2: panic serving") {
		level = slog.LevelError
	}
	l.logger.Log(context.Background(), level, "net/http", "message", strings.ToValidUTF8(strings.TrimSpace(text), "\ufffd"))
	return len(p), nil
}

package redis

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/fastness/fastness/guard/ratelimit"
)

//go:embed take.lua
var takeScript string

// Take is [ratelimit.Store.Take], by one script.
func (s *Store) Take(ctx context.Context, spend *ratelimit.Spend) error {
	if len(spend.Quotas) == 0 || len(spend.States) != len(spend.Quotas) || spend.Cost < 1 {
		return errors.New("redis: a spend without quotas, states or cost")
	}
	name := s.name("limit", spend.Key)
	keys := make([]string, len(spend.Quotas))
	args := make([]any, 1, 1+3*len(spend.Quotas))
	args[0] = spend.Cost
	for i, q := range spend.Quotas {
		window := q.Window.Microseconds()
		keys[i] = name + ":" + strconv.Itoa(int(spend.Algorithm)) + ":" + strconv.Itoa(q.Count) + ":" + strconv.FormatInt(window, 10)
		args = append(args, int(spend.Algorithm), q.Count, window)
	}
	result, err := call(ctx, s, func(ctx context.Context) ([]int64, error) {
		return s.take.Run(ctx, s.client, keys, args...).Int64Slice()
	})
	switch {
	case err != nil:
		return err
	case len(result) != 1+3*len(spend.States):
		return fmt.Errorf("redis: the script returned %d numbers", len(result))
	}
	spend.Allowed = result[0] == 1
	for i := range spend.States {
		spend.States[i] = ratelimit.State{
			Remaining: int(result[3*i+1]),
			Wait:      time.Duration(result[3*i+2]) * time.Microsecond,
			Reset:     time.Duration(result[3*i+3]) * time.Microsecond,
		}
	}
	return nil
}

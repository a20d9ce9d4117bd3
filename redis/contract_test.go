package redis_test

import (
	"testing"
	"time"

	"github.com/fastness/fastness/guard/ratelimit"
	"github.com/fastness/fastness/guard/ratelimit/storetest"
)

func TestStoreKeepsTheContract(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		storetest.Run(t, func(t *testing.T) storetest.Engine {
			s.do(t, "FLUSHALL")
			return storetest.Engine{
				Nodes: [3]ratelimit.Store{s.patient(t), s.patient(t), s.patient(t)}, Sleep: time.Sleep,
			}
		})
	})
}

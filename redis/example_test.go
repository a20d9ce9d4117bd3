package redis_test

import (
	"fmt"

	"github.com/fastness/fastness/guard/ratelimit"
	"github.com/fastness/fastness/redis"
	"github.com/fastness/fastness/secret"
)

func Example() {
	store, err := redis.New(redis.Config{URL: secret.New("rediss://fastness:password@cache.internal:6379/0")})
	if err != nil {
		fmt.Println(err)
		return
	}
	login, err := ratelimit.New(ratelimit.Config{
		Rule:  ratelimit.Rule{Name: "login", Limit: "5/minute; 50/day", Key: ratelimit.ByClient, FailClosed: true},
		Store: store,
	})
	fmt.Println(login != nil, err)
	// Output: true <nil>
}

// A server of another machine is reached by TLS only.
func ExampleNew() {
	_, err := redis.New(redis.Config{URL: secret.New("redis://cache.internal:6379")})
	fmt.Println(err)
	// Output: redis config: URL leads to another machine without TLS, want rediss://
}

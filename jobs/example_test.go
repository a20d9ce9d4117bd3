package jobs_test

import (
	"context"
	"fmt"
	"time"

	"github.com/fastness/fastness/jobs"
)

func Example() {
	ctx, stop := context.WithCancel(context.Background())
	runner, err := jobs.New(jobs.Config{}, jobs.Job{
		Name: "sweep", Schedule: jobs.Schedule{Every: time.Hour},
		Run: func(ctx context.Context) error {
			name, token := jobs.Token(ctx)
			fmt.Println("run", token, "of", name)
			stop()
			return nil
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(runner.Run(ctx))
	// Output:
	// run 1 of sweep
	// <nil>
}

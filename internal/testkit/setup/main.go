// Command setup makes the cached components of the tests ahead of time, so that a failure is told
// once, and before the tests. It ends with one line for each component that is missing; it never
// fails, for the tests themselves decide what a missing component means.
package main

import (
	"fmt"

	"github.com/clu-ws/clu-ws/internal/testkit/cache"
)

func main() {
	cache.Forget()
	if _, err := cache.CLU(); err != nil {
		fmt.Println("MISSING CLU:", err)
	}
	if _, err := cache.Wscat(); err != nil {
		fmt.Println("MISSING wscat:", err)
	}
	if _, err := cache.Autobahn(); err != nil {
		fmt.Println("MISSING Autobahn:", err)
	}
	if _, err := cache.NewestRabbitMQ(); err != nil {
		fmt.Println("MISSING RabbitMQ 4:", err)
	}
}

package main

import (
	"fmt"
	"sync"

	"github.com/clu-ws/clu-ws/internal/testkit/cache"
)

var components = []struct {
	name string
	make func() error
}{
	{"CLU", func() error { _, err := cache.CLU(); return err }},
	{"pytest", func() error { _, err := cache.Pytest(); return err }},
	{"the wheels of the Python client", func() error { _, err := cache.Wheels(); return err }},
	{"FastAPI and Django", func() error { _, err := cache.WebApps(); return err }},
	{"baseplate", func() error { _, err := cache.Baseplate(); return err }},
	{"Jararaca", func() error { _, err := cache.Jararaca(); return err }},
	{"SocketShark", func() error { _, err := cache.SocketShark(); return err }},
	{"High-templar", func() error { _, err := cache.HighTemplar(); return err }},
	{"wscat", func() error { _, err := cache.Wscat(); return err }},
	{"axe-core", func() error { _, err := cache.Axe(); return err }},
	{"TypeScript", func() error { _, err := cache.TypeScript(); return err }},
	{"Vite, React and Vue", func() error { _, err := cache.NPMApps(); return err }},
	{"Deno and Bun", func() error { _, err := cache.NPMRuntimes(); return err }},
	{"Autobahn", func() error { _, err := cache.Autobahn(); return err }},
	{"Prometheus", func() error { _, err := cache.Prometheus(); return err }},
	{"RabbitMQ 4", func() error { _, err := cache.NewestRabbitMQ(); return err }},
}

func main() {
	cache.Forget()
	failed := make([]error, len(components))
	var all sync.WaitGroup
	for i, c := range components {
		all.Go(func() { failed[i] = c.make() })
	}
	all.Wait()
	for i, c := range components {
		if failed[i] != nil {
			fmt.Printf("MISSING %s: %v\n", c.name, failed[i])
		}
	}
}

package hub

import (
	"math/rand/v2"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// forEachSeed runs a property test; see [testkit.Seeded]. CONTRIBUTING.md has the commands.
var forEachSeed = testkit.Seeded("./bridge/hub", 20)

// pick returns one of several values.
func pick[T any](random *rand.Rand, from ...T) T { return from[random.IntN(len(from))] }

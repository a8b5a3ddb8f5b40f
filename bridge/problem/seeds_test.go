package problem

import "github.com/clu-ws/clu-ws/internal/testkit"

// forEachSeed runs a property test; see [testkit.Seeded]. CONTRIBUTING.md has the commands.
var forEachSeed = testkit.Seeded("./bridge/problem", 20)

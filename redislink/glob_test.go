package redislink

import (
	"math/rand/v2"
	"testing"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// Redis lists the channels that have a pattern. If a pattern meant more here than there, a message that
// came by another subscription would be dropped.
func TestPatternsMatchWhatTheyMatchAtRedis(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	text := func(alphabet string, most int) string {
		b := make([]byte, random.IntN(most+1))
		for i := range b {
			b[i] = alphabet[random.IntN(len(alphabet))]
		}
		return string(b)
	}
	// Without a special character each text is the name of a channel only.
	wanted := map[string]bool{"": true}
	for len(wanted) < 200 {
		wanted[text(`abc]^-`, 4)] = true
	}
	var names []string
	for name := range wanted {
		names = append(names, name)
	}
	redis := testkit.StartRedis(t)
	r := record(t, redis, nil, names...)
	r.awaitUp()
	for range 100 {
		pattern := text(`abc*?[[]]\^-`, 8)
		there := map[string]bool{}
		for _, name := range redis.Do("PUBSUB", "CHANNELS", pattern).([]any) {
			there[string(name.([]byte))] = true
		}
		for _, name := range names {
			if got := matches(pattern, name); got != there[name] {
				t.Errorf("%q, %q: %v", pattern, name, got)
			}
		}
	}
}

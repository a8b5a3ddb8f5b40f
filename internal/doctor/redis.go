package doctor

import (
	"cmp"
	"context"

	"github.com/clu-ws/clu-ws/redislink"
)

// Redis subscribes to the channels of a source of rooms as the bridge does.
func (r *Report) Redis(ctx context.Context, source string, cfg redislink.Config) {
	link, err := redislink.New(cfg)
	if err == nil {
		err = link.Check(ctx)
	}
	if err != nil {
		problem, advice := redislink.Advice(err)
		r.Fail("redis.source", cmp.Or(advice, "start Redis, or correct the URL of the source"), "the rooms of the source %s get nothing from %s: %s", source, redislink.Redact(cfg.URL), problem)
		return
	}
	r.OK("redis.source", "the source %s is subscribed to its channels at %s", source, redislink.Redact(cfg.URL))
}

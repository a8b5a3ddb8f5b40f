package doctor

import (
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/internal/testkit"
	"github.com/clu-ws/clu-ws/redislink"
)

func TestASourceOfRedisIsTried(t *testing.T) {
	redis := testkit.StartRedis(t)
	cfg := redislink.Config{URL: strings.Replace(redis.URL(), "://", "://:hunter2@", 1), Channels: []string{"a", "b*"}}
	var r Report
	r.Redis(t.Context(), "redis:/live", redislink.Config{URL: redis.URL(), Channels: cfg.Channels})
	r.Redis(t.Context(), "redis:/live", cfg)
	redis.Stop()
	r.Redis(t.Context(), "redis:/live", cfg)
	for i, want := range [][2]string{
		{"is subscribed to its channels at " + redis.URL(), ""},
		{"without any password configured", "take the password out of the URL, or set one at Redis"},
		{"connection refused", "start Redis, or correct the URL"},
	} {
		if f := r.Findings[i]; !strings.Contains(f.Text, want[0]) || f.Mend != want[1] || strings.Contains(f.Text, "hunter2") || (f.Status == OK) != (i == 0) {
			t.Errorf("%+v, want %s", f, want)
		}
	}
}

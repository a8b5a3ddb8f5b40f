package bridge

import (
	"fmt"
	"slices"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/bridge/rooms"
)

// completeSources sets the defaults of the sources, and checks that they do not conflict.
func (cfg *Config) completeSources() error {
	cfg.Sources = slices.Clone(cfg.Sources)
	for i := range cfg.Sources {
		s := &cfg.Sources[i]
		if err := s.Complete(); err != nil {
			return err
		}
		if s.Exchange == cfg.Exchange {
			return fmt.Errorf("the source %s is the actors' exchange, whose replies every client gets; leave the source out", s.Exchange)
		}
		if cfg.roomsQueue(s) == actor.RepliesQueue(cfg.Name) {
			return fmt.Errorf("the queue of the source %s would have the same name as the queue of the replies; rename the exchange", s.Exchange)
		}
		for _, other := range cfg.Sources[:i] {
			if s.Exchange == other.Exchange {
				return fmt.Errorf("two sources are the exchange %s; give one", s.Exchange)
			}
			if s.Path == other.Path {
				return fmt.Errorf("the sources %s and %s have the same path %s; give each its own", other.Exchange, s.Exchange, s.Path)
			}
		}
	}
	return nil
}

// roomsQueue returns the name of the queue for a source's messages.
func (cfg *Config) roomsQueue(s *rooms.Source) string { return cfg.Name + "_" + s.Exchange }

package terminal

import (
	"context"
	"sync"
)

// heardReplies are the replies that a session prints beside those to its commands. It listens even if nothing was asked
// for, to tell at once when the connection is lost.
type heardReplies struct {
	end     context.CancelFunc
	stopped sync.WaitGroup
}

// start listens to these patterns in place of the former ones; nil is none.
func (h *heardReplies) start(s *shell, patterns []string) {
	h.stop()
	selections := []Selection{{Filter: map[string]any{"commander": "me"}}}
	if patterns != nil {
		// The patterns were checked by their first use, in .listen.
		more, _ := ListenOptions{Patterns: patterns}.selectionsOn(s.ctx, s.link)
		selections = append(selections, more...)
	}
	ctx, stop := context.WithCancel(s.ctx)
	h.end = stop
	h.stopped.Go(func() {
		err := s.link.Listen(ctx, selections, func(event Event) error {
			s.event(event)
			return nil
		})
		if err != nil && ctx.Err() == nil {
			s.env.note("nothing is heard any more: %v", err)
		}
	})
}

func (h *heardReplies) stop() {
	if h.end != nil {
		h.end()
	}
	h.stopped.Wait()
}

// event prints what was heard.
func (s *shell) event(event Event) {
	switch event := event.(type) {
	case *Reply:
		if !s.isMine(event) {
			s.printReply(event)
		}
		return
	case LinkState:
		s.mu.Lock()
		s.up = event.Up
		s.mu.Unlock()
		s.showPrompt()
	case Values:
		return
	}
	s.env.noteEvent(event)
}

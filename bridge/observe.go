package bridge

import "github.com/clu-ws/clu-ws/bridge/hub"

// observers returns the function that hands each reply to those parts of the bridge that follow what
// actors say, or nil if there are none. It runs on the goroutine that delivers, so none of them may
// wait for a client or for the broker.
func (b *Bridge) observers() func(*hub.Observed) {
	all := []func(*hub.Observed){b.observeModel}
	if b.keywordHistory != nil {
		all = append(all, b.noteValues)
	}
	if len(all) == 0 {
		return nil
	}
	return func(o *hub.Observed) {
		for _, observe := range all {
			observe(o)
		}
	}
}

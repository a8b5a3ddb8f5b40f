package hub

import "slices"

// noteRooms tells the session's owner which subscriptions to rooms end and begin when its
// subscriptions change. mu is held.
func (s *Session) noteRooms(now []subscription) {
	if s.OnRooms == nil {
		return
	}
	for _, sub := range s.subs {
		if len(sub.spec.Rooms) > 0 && !hasSubscription(now, sub) {
			s.OnRooms(sub.id, sub.spec.Rooms, false)
		}
	}
	for _, sub := range now {
		if len(sub.spec.Rooms) > 0 && !hasSubscription(s.subs, sub) {
			s.OnRooms(sub.id, sub.spec.Rooms, true)
		}
	}
}

func hasSubscription(all []subscription, sub subscription) bool {
	return slices.ContainsFunc(all, func(s subscription) bool { return s.id == sub.id && slices.Equal(s.spec.Rooms, sub.spec.Rooms) })
}

package hub

// NumericKeywords returns the names of an actor's keywords whose last value may have a unit, in no
// order. They are not restricted to what a client may hear.
func (h *Hub) NumericKeywords(actor string) []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.values.Numeric(actor)
}

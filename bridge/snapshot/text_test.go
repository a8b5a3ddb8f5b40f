package snapshot

// Append writes everything at once: {"mount": {...}, ...}. keep is as in
// [NewEncoder].
func (s *Store) Append(dst []byte, keep func(Entry) bool) []byte {
	p := NewEncoder(keep, nil, 0, func(text []byte) []byte { return text })
	p.Start(s)
	for !p.Step(func(int) bool { return true }) {
	}
	dst = append(dst, '{')
	for _, part := range p.Parts() {
		dst = append(dst, part...)
	}
	return append(dst, '}')
}

// AppendActors writes who was heard.
func (s *Store) AppendActors(dst []byte) []byte { return s.Actors().Append(dst) }

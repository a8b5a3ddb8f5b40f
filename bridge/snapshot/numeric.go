package snapshot

// Numeric returns the names of an actor's keywords for people whose last value is a number, a list or
// null: those that may have a unit.
func (s *Store) Numeric(name string) (names []string) {
	a := s.actors[name]
	if a == nil {
		return nil
	}
	for _, k := range a.public {
		if len(k.value) > 0 && (k.value[0] == '-' || k.value[0] == '[' || k.value[0] == 'n' || '0' <= k.value[0] && k.value[0] <= '9') {
			names = append(names, k.name)
		}
	}
	return names
}

package unordered

// searchMost is how many elements are searched. With more, a map has their places.
const searchMost = 32

// Set is a list whose order does not matter, and from which removing costs the same however long it
// is. Its zero value is empty. It must not get an element that it has.
type Set[V comparable] struct {
	list   []V
	places map[V]int // nil for a short list
}

// List returns the elements. It is valid until the next change.
func (s *Set[V]) List() []V { return s.list }

// Add adds an element.
func (s *Set[V]) Add(v V) {
	s.list = append(s.list, v)
	switch {
	case s.places != nil:
		s.places[v] = len(s.list) - 1
	case len(s.list) > searchMost:
		s.places = make(map[V]int, 2*searchMost)
		for i, v := range s.list {
			s.places[v] = i
		}
	}
}

// Remove removes an element, if it is there. The last one takes its place.
func (s *Set[V]) Remove(v V) {
	if s.places == nil {
		s.list = Remove(s.list, v)
		return
	}
	i, ok := s.places[v]
	if !ok {
		return
	}
	last := len(s.list) - 1
	moved := s.list[last]
	s.list[i], s.places[moved] = moved, i
	delete(s.places, v)
	clear(s.list[last:])
	if s.list = s.list[:last]; last <= searchMost/2 {
		s.places = nil
	}
}
